"""Values as SQL text where MySQL and MariaDB have their own way: strings, bytes, JSON, BIT, ENUM, geometry.

Like `literals`: each checks what the server would change silently (trailing blanks, numbers inside
JSON) and leaves to strict mode what the server refuses.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from connectors.jdbc.dialects.failures import Unrepresentable
from connectors.jdbc.dialects.literals import short, uuid
from connectors.jdbc.dialects.model import Literal
from replicator.api import DataError

Decoder = Callable[[Any], Any]

_ESCAPES: Final = str.maketrans({"'": "''", "\\": "\\\\"})
_PLAIN: Final = """type($v) is str and "'" not in $v and "\\\\" not in $v"""


def quoted(value: str) -> str:
    """A string literal; right while NO_BACKSLASH_ESCAPES is off, as the session pins it."""
    return f"'{value.translate(_ESCAPES)}'"


def text(
    *, length: int | None = None, size: int | None = None, strip: bool = False, decode: Decoder | None = None
) -> Literal:
    """A string.

    Args:
        length: most characters the column takes.
        size: most bytes the column takes.
        strip: the column does not keep trailing blanks (CHAR).
        decode: brings the value into plain form first.
    """

    def render(value: Any) -> str:
        plain = decode(value) if decode is not None else value
        if type(plain) is not str:
            raise DataError(f"expected text, got {type(plain).__name__}")
        if strip:
            plain = plain.rstrip(" ")
        if length is not None and len(plain) > length:
            raise DataError(f"{len(plain)} characters do not fit the column's {length}")
        if size is not None and len(plain) * 4 > size and len(plain.encode()) > size:
            raise DataError(f"{len(plain.encode())} bytes do not fit the column's {size}")
        return f"'{plain.translate(_ESCAPES)}'"

    if decode is not None or strip or size is not None:
        return Literal(render)
    return Literal(render, (_PLAIN if length is None else f"{_PLAIN} and len($v) <= {length}", "'{$v}'"))


def binary(*, size: int | None = None, exact: int | None = None) -> Literal:
    """Bytes; `exact` for BINARY(n), which would pad shorter values."""

    def render(value: Any) -> str:
        if size is not None and len(value) > size:
            raise DataError(f"{len(value)} bytes do not fit the column's {size}")
        if exact is not None and len(value) != exact:
            raise DataError(f"{len(value)} bytes do not fit BINARY({exact}), which pads")
        return f"x'{value.hex()}'"

    return Literal(render)


def uuid_binary() -> Literal:
    """A uuid as 16 bytes."""
    return Literal(lambda value: f"x'{uuid(value).replace('-', '')}'")


# --- JSON and bits ---

_LONG_NUMBER: Final = re.compile(r"[\d.eE+-]{16,}|\d[eE][+-]?\d{3}", re.ASCII).search
_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}\[\]]', re.ASCII | re.DOTALL
)


def json(decode: Decoder) -> Literal:
    """A JSON column of MySQL, which keeps numbers as 64 bit integers or doubles: others are refused."""

    def render(value: Any) -> str:
        plain = value if type(value) is str else decode(value)
        if _LONG_NUMBER(plain):
            _check_numbers(plain)
        return f"'{plain.translate(_ESCAPES)}'"

    return Literal(render)


def _check_numbers(plain: str) -> None:
    for token in _TOKEN.findall(plain):
        if len(token) >= 5 and token[0] in "-0123456789" and not _exact(token):
            raise Unrepresentable(f"JSON would change the number {short(token)}", "'null'")


def _exact(token: str) -> bool:
    if "." not in token and "e" not in token and "E" not in token:
        number = int(token)
        if -(2**63) <= number < 2**64:
            return True
    approximate = float(token)
    return approximate - approximate == 0.0 and Decimal(repr(approximate)) == Decimal(token)


def bits(length: int, decode: Decoder) -> Literal:
    """A BIT(n) as a number."""

    def render(value: Any) -> str:
        number = decode(value)
        if number >> length:
            raise DataError(f"{number.bit_length()} bits do not fit BIT({length})")
        return f"{number:d}"

    return Literal(render)


def labels(allowed: tuple[str, ...]) -> Literal:
    """An ENUM column: exactly its labels (the server would take '1' for the first one)."""
    texts = {label: quoted(label) for label in allowed}

    def render(value: Any) -> str:
        try:
            return texts[value]
        except (KeyError, TypeError):
            raise DataError(f"{str(value)[:80]!r} is no label of the column") from None

    return Literal(render)


def geometry() -> Literal:
    """Debezium's geometry structs; longitude comes first as in PostGIS."""

    def render(value: Any) -> str:
        fields = getattr(value, "fields", value)
        wkb = fields.get("wkb")
        if wkb is None:
            wkb = struct.pack("<BIdd", 1, 1, fields["x"], fields["y"])
        srid = fields.get("srid") or 0
        order = ",'axis-order=long-lat'" if srid else ""
        return f"ST_GeomFromWKB(x'{bytes(wkb).hex()}',{srid:d}{order})"

    return Literal(render)
