"""Values as the Avro and Parquet writers take them: checked against the schema down to the last element. Pure.

A writer that met a wrong value half-way through a record would leave a broken file; so every value is checked here
before anything is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from replicator.api import DataError, Schema, SchemaType, Struct
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import unscaled_bytes
from replicator.api.struct import check_value

_INTEGERS: Final = {
    SchemaType.INT8: 2**7,
    SchemaType.INT16: 2**15,
    SchemaType.INT32: 2**31,
    SchemaType.INT64: 2**63,
}
_LOGICAL_TYPES: Final[dict[str, type]] = {
    DECIMAL: Decimal,
    DATE: dt.date,
    TIME: dt.time,
    TIMESTAMP: dt.datetime,
}

Convert = Callable[[Schema, Any], Any]


def checked(schema: Schema, value: Any, what: str, logical: dict[str, Convert], pairs: bool) -> Any:
    """The value in plain dicts, lists and scalars.

    Args:
        schema: What the value must be.
        value: The value.
        what: Its name, for messages.
        logical: What becomes of Connect's logical types, by their names.
        pairs: Whether maps become lists of pairs; else only those whose keys are no strings do, as records.

    Raises:
        DataError: it does not fit its schema.
    """
    if value is None:
        value = schema.default
    if value is None:
        check_value(schema, None, what)
        return None
    if schema.name is not None and schema.name in _LOGICAL_TYPES:
        if not isinstance(value, _LOGICAL_TYPES[schema.name]):
            raise DataError(f'Invalid type for "{what}": {schema.name} cannot be {type(value).__name__}')
        return logical[schema.name](schema, value)
    if schema.type is SchemaType.STRUCT:
        members = value.fields if isinstance(value, Struct) else value
        if not isinstance(members, dict):
            raise DataError(f"Invalid type for {what}: expected a struct, got {type(value).__name__}")
        return {f.name: checked(f.schema, members.get(f.name), f.name, logical, pairs) for f in schema.fields}
    check_value(schema, value, what)
    if schema.type is SchemaType.ARRAY:
        element = _inner(schema.value_schema)
        return [checked(element, member, what, logical, pairs) for member in value]
    if schema.type is SchemaType.MAP:
        return _map(schema, value, what, logical, pairs)
    limit = _INTEGERS.get(schema.type)
    if limit is not None and not -limit <= value < limit:
        raise DataError(f'Value of "{what}" is out of range for {schema.type.name}: {value}')
    if schema.type is SchemaType.BYTES:
        return bytes(value)
    return float(value) if schema.type in (SchemaType.FLOAT32, SchemaType.FLOAT64) else value


def _map(schema: Schema, value: dict[Any, Any], what: str, logical: dict[str, Convert], pairs: bool) -> Any:
    keys, values = _inner(schema.key_schema), _inner(schema.value_schema)
    entries = [
        (checked(keys, k, what, logical, pairs), checked(values, v, what, logical, pairs))
        for k, v in value.items()
    ]
    if pairs:
        return entries
    if keys.type is SchemaType.STRING and not keys.optional:
        return dict(entries)
    return [{"key": k, "value": v} for k, v in entries]


def _inner(schema: Schema | None) -> Schema:
    if schema is None:
        raise DataError("An array or map without the schema of its members cannot be written.")
    return schema


def unscaled(value: Decimal, scale: int) -> bytes:
    """The two's complement of the value times 10^scale, as Connect stores decimals.

    Raises:
        DataError: the value has more digits after the point.
    """
    if not value.is_finite():
        raise DataError(f"Decimal {value} cannot be written")
    sign, digits, exponent = value.as_tuple()
    number = int("".join(map(str, digits)))
    shift = int(exponent) + scale
    power: int = 10 ** abs(shift)
    number, rest = (number * power, 0) if shift >= 0 else divmod(number, power)
    if rest:
        raise DataError(f"Decimal {value} does not fit scale {scale}")
    number = -number if sign else number
    return unscaled_bytes(number)
