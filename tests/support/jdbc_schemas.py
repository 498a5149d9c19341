"""Schemas of fields as a log reader makes them for the types of a source."""

from __future__ import annotations

from replicator.api import Schema, SchemaType
from replicator.api import logical as names


def schema(
    type_: str, name: str | None = None, native: str | None = None, *sizes: int, **more: str
) -> Schema:
    parameters = dict(more)
    if native:
        parameters[names.SOURCE_TYPE_PARAMETER] = native
        for size, parameter in zip(
            sizes, (names.SOURCE_LENGTH_PARAMETER, names.SOURCE_SCALE_PARAMETER), strict=False
        ):
            parameters[parameter] = str(size)
    return Schema(SchemaType(type_), name=name, optional=True, parameters=parameters)
