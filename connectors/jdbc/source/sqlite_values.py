"""Values of SQLite as the declared types mean them; what does not fit is refused (INV-7). Pure; task thread."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

from connectors.jdbc.source.reading import Kind
from replicator.api import DataError

_KINDS: Final = {
    "BOOLEAN": Kind.BOOLEAN,
    "TINYINT": Kind.INT8,
    "SMALLINT": Kind.INT16,
    "INT2": Kind.INT16,
    "DECIMAL": Kind.DECIMAL,
    "NUMERIC": Kind.NUMERIC,
    "DOUBLE": Kind.FLOAT64,
    "DOUBLE PRECISION": Kind.FLOAT64,
    "FLOAT": Kind.FLOAT64,
    "REAL": Kind.FLOAT64,
    "BLOB": Kind.BYTES,
    "BINARY": Kind.BYTES,
    "VARBINARY": Kind.BYTES,
    "DATE": Kind.DATE,
    "TIME": Kind.TIME,
    "TIMESTAMP": Kind.TIMESTAMP,
    "DATETIME": Kind.TIMESTAMP,
}

UNKNOWN: Final = object()
_DECLARATION: Final = re.compile(r"([^(]*)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_EPOCH: Final = dt.datetime(1970, 1, 1)
_JULIAN_EPOCH: Final = 2440587.5


def declared_kind(declared: str) -> tuple[Kind, int, int | None]:
    found = _DECLARATION.match(declared.upper())
    assert found is not None
    name = found[1].strip()
    kind = _KINDS.get(name)
    if kind is None:
        # SQLite's own rules of affinity, in their order.
        if "INT" in name:
            kind = Kind.INT64
        elif any(part in name for part in ("CHAR", "CLOB", "TEXT")):
            kind = Kind.STRING
        elif not name or "BLOB" in name:
            kind = Kind.BYTES if name else Kind.STRING
        elif any(part in name for part in ("REAL", "FLOA", "DOUB")):
            kind = Kind.FLOAT64
        else:
            kind = Kind.STRING
    if kind not in (Kind.DECIMAL, Kind.NUMERIC) or found[2] is None:
        return kind, 0, None
    return kind, int(found[2]), int(found[3] or 0)


def kind_of(sample: Any) -> Kind:
    kinds: dict[type, Kind] = {int: Kind.INT64, float: Kind.FLOAT64, bytes: Kind.BYTES}
    if sample is UNKNOWN:
        return Kind.INT64
    return kinds.get(type(sample), Kind.STRING)


def _integer(kind: Kind, value: Any) -> int:
    return int(value) if type(value) is int else _refused(kind, value)


def _boolean(kind: Kind, value: Any) -> bool:
    return bool(value) if value in (0, 1) else _refused(kind, value)


def _number(kind: Kind, value: Any) -> float:
    return float(value) if type(value) in (int, float) else _refused(kind, value)


def _decimal(kind: Kind, value: Any) -> Decimal:
    try:
        return Decimal(repr(value) if type(value) is float else value)
    except (ArithmeticError, TypeError, ValueError):
        _refused(kind, value)


def _text(kind: Kind, value: Any) -> str:
    return str(value) if type(value) in (str, int, float) else _refused(kind, value)


def _bytes(kind: Kind, value: Any) -> bytes:
    return value.encode() if type(value) is str else value if type(value) is bytes else _refused(kind, value)


def _date(kind: Kind, value: Any) -> dt.date:
    return moment_of(value).date()


def _time(kind: Kind, value: Any) -> dt.time:
    if type(value) is str:
        try:
            return dt.time.fromisoformat(value)
        except ValueError:
            _refused(kind, value)
    return moment_of(value).time()


def moment_of(value: Any) -> dt.datetime:
    """Text, milliseconds since the epoch, or a Julian day: the three forms SQLite's own functions know."""
    try:
        if type(value) is str:
            return dt.datetime.fromisoformat(value)
        if type(value) is int:
            return _EPOCH + dt.timedelta(milliseconds=value)
        if type(value) is float:
            return _EPOCH + dt.timedelta(milliseconds=round((value - _JULIAN_EPOCH) * 86_400_000))
    except (ValueError, OverflowError):
        _refused(Kind.TIMESTAMP, value)
    raise DataError(f"{value!r} is no {Kind.TIMESTAMP.value}")


def micros(moment: dt.datetime) -> int:
    return (moment.replace(tzinfo=None) - _EPOCH) // dt.timedelta(microseconds=1)


def micros_of(value: Any) -> int | None:
    if value is None:
        return None
    moment = moment_of(value)
    return micros(moment if moment.tzinfo is None else moment.astimezone(dt.UTC))


def _refused(kind: Kind, value: Any) -> NoReturn:
    raise DataError(f"{value!r} is no {kind.value}")


DECODERS: Final[dict[Kind, Any]] = {
    Kind.BOOLEAN: _boolean,
    Kind.INT8: _integer,
    Kind.INT16: _integer,
    Kind.INT64: _integer,
    Kind.FLOAT64: _number,
    Kind.NUMERIC: _decimal,
    Kind.DECIMAL: _decimal,
    Kind.STRING: _text,
    Kind.BYTES: _bytes,
    Kind.DATE: _date,
    Kind.TIME: _time,
}
