"""Columns of a result -> Connect's schema of its rows, and the function that makes their values. Pure.

Compiled once per query. Every struct lists all its fields in order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.jdbc.source.number_types import after, number_type
from connectors.jdbc.source.reading import INTEGERS, NUMBERS, Column, Decode, Kind
from connectors.jdbc.source.settings import SourceSettings
from connectors.jdbc.source.time_types import timestamp_type, whole_milliseconds
from replicator.api import DataError, Schema, SchemaError, StructuralError
from replicator.api.logical import (
    date_schema,
    time_schema,
)
from replicator.api.schema import (
    BOOLEAN,
    BYTES,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    struct_schema,
)

log = logging.getLogger(__name__)

_PLAIN: Final = {
    Kind.BOOLEAN: BOOLEAN,
    Kind.INT8: INT8,
    Kind.INT16: INT16,
    Kind.INT32: INT32,
    Kind.INT64: INT64,
    Kind.FLOAT32: FLOAT32,
    Kind.FLOAT64: FLOAT64,
    Kind.STRING: STRING,
    Kind.BYTES: BYTES,
    Kind.OTHER: STRING,
}


class TooNarrowError(Exception):
    """A value needs the whole width of its column, which so far was taken for a narrower one."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


Make = Callable[[tuple[Any, ...]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How rows of one result become values.

    Attributes:
        columns: the columns the plan was made for.
        schema: schema of the values.
        make: a row -> fields of a struct.
        dropped: names of columns that are left out.
    """

    columns: tuple[Column, ...]
    schema: Schema
    make: Make
    dropped: tuple[str, ...] = ()


def plan_rows(
    columns: Sequence[Column], name: str | None, settings: SourceSettings, wide: frozenset[str] = frozenset()
) -> RowPlan:
    """Compile the plan of a result; `wide` names columns that once were too narrow.

    Raises:
        StructuralError: a column has no type in Connect and the settings say to stop.
    """
    fields: list[tuple[str, Schema]] = []
    steps: list[tuple[int, str, Decode | None, bool]] = []
    dropped = []
    for index, column in enumerate(columns):
        if column.kind is Kind.OTHER and settings.unsupported != "text":
            _leave_out(column, name, settings)
            dropped.append(column.name)
            continue
        schema, decode = _field(column, settings)
        if column.narrow and settings.plain_numeric and column.name not in wide:
            schema, decode = INT32, after(decode, _narrow(column.name))
        fields.append((column.name, schema.as_optional() if column.optional else schema))
        steps.append((index, column.name, decode, column.optional))
    if len({field for field, _ in fields}) != len(fields):
        raise StructuralError(
            f"The result of {name or 'the query'} has two columns of one name", hint="Give one an alias."
        )
    schema = struct_schema(fields, name=name)
    return RowPlan(tuple(columns), schema, _maker(steps, bool(dropped)), tuple(dropped))


def _leave_out(column: Column, name: str | None, settings: SourceSettings) -> None:
    what = f"Column {column.name} of {name or 'the query'} is {column.type}, which Connect has no type for"
    if settings.unsupported == "fail":
        raise StructuralError(what, hint="Set unsupported.types to text or drop.")
    log.warning("%s: it is left out (unsupported.types=drop).", what)


def _maker(steps: Sequence[tuple[int, str, Decode | None, bool]], partial: bool) -> Make:
    names = [name for _, name, _, _ in steps]
    indexes = [index for index, _, _, _ in steps]
    checked = [(name, decode, optional) for _, name, decode, optional in steps if decode or not optional]

    def make(row: tuple[Any, ...]) -> dict[str, Any]:
        chosen = [row[i] for i in indexes] if partial else row
        values = dict(zip(names, chosen, strict=True))
        for name, decode, optional in checked:
            value = values[name]
            if value is not None and decode is not None:
                try:
                    value = values[name] = decode(value)
                except DataError as error:
                    raise DataError(f"Column {name}: {error.message}", hint=error.hint) from None
            if value is None and not optional:
                raise SchemaError(f"Column {name} is NULL, though it is declared NOT NULL")
        return values

    return make


def _field(column: Column, settings: SourceSettings) -> tuple[Schema, Decode | None]:
    kind, decode = column.kind, column.decode
    if kind in NUMBERS:
        return number_type(column, settings)
    if kind is Kind.DATE:
        return date_schema(), decode
    if kind is Kind.TIME:
        return time_schema(), after(decode, whole_milliseconds)
    if kind is Kind.TIMESTAMP:
        schema, form = timestamp_type(settings)
        return schema, after(decode, form)
    return _PLAIN[kind], decode


def _narrow(name: str) -> Decode:
    def fits(value: int) -> int:
        if not -(2**31) <= value < 2**31:
            raise TooNarrowError(name)
        return value

    return fits


def is_integer(column: Column) -> bool:
    """Whether a column can be an incrementing column."""
    return column.kind in INTEGERS or (column.kind in NUMBERS and column.scale in (0, None))
