"""Parsing JSON as Connect's parser does: fast where orjson can, thorough for what it cannot. Pure, any thread."""

from __future__ import annotations

import codecs
import json
import re
from decimal import Decimal
from typing import Any, Final

import orjson

from replicator.api.errors import DataError

_NUMBERS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|(-?)0+([0-9][0-9.eE+-]*)|-?[0-9][0-9.eE+-]*')
_DIGITS: Final = bytes(ord("0") if ord("0") <= n <= ord("9") else n for n in range(256))
_LONG: Final = b"0" * 20


def parse(data: bytes) -> Any:
    """Parse JSON as leniently as Connect does.

    Raises:
        DataError: it is no JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        # What Connect's parser takes as well: a mark of the encoding, zeros in front of numbers.
        lenient = _NUMBERS.sub(lambda m: m[1] + m[2] if m[2] else m[0], data.removeprefix(codecs.BOM_UTF8))
        if lenient != data:
            return parse(lenient)
        raise DataError(
            f"Converting byte[] to Kafka Connect data failed due to serialization error: {error}"
        ) from error


def parse_schemaless(data: bytes) -> Any:
    """Parse a payload without a schema; integers too long for the fast parser stay whole."""
    if _LONG in data.translate(_DIGITS):
        parse(data)  # raises for what is no JSON
        return json.loads(data)
    return parse(data) if data.strip() else None


def parse_exactly(data: bytes) -> Any:
    """Parse without binary floats, so that NUMERIC decimals keep all digits."""
    return json.loads(data, parse_float=Decimal)
