"""What the forms of the registry share: names, and how a union or an enum is told from a struct or a string. Pure.

Each form has markers of its own; with `generalized.sum.type.support` all use the same ones.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote_plus

from replicator.api.errors import DataError
from replicator.api.schema import Schema, SchemaType

DEFAULT_NAME: Final = "ConnectDefault"
SUM_UNION: Final = "org.apache.kafka.connect.data.Union"
SUM_ENUM: Final = "org.apache.kafka.connect.data.Enum"
SUM_PREFIX: Final = "connect_union_"
SUM_FIELD: Final = "connect_union_field_"
_BAD_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_]")


def is_sum(schema: Schema, own: str) -> bool:
    """Whether a struct stands for one of several types; `own` is the form's name of such structs."""
    return schema.type is SchemaType.STRUCT and (schema.name == own or SUM_UNION in schema.parameters)


def enum_marker(schema: Schema, own: str) -> str | None:
    """Name of the parameter that marks an enum, if the schema is one; `own` is the form's."""
    return next((p for p in (own, SUM_ENUM) if p in schema.parameters), None)


def contained(schema: Schema | None) -> Schema:
    """The schema of what a container holds.

    Raises:
        DataError: there is none.
    """
    if schema is None:
        raise DataError("Schema of a container does not say what it contains")
    return schema


def scrubbed(name: str) -> str:
    """A name of letters, digits and underscores that starts with a letter or underscore."""
    encoded = quote_plus(name, safe="*-._")
    if not (encoded[:1].isascii() and (encoded[:1].isalpha() or encoded[:1] == "_")):
        encoded = f"x{encoded}"
    return _BAD_CHARACTER.sub("_", encoded)
