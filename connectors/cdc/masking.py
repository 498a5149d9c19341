"""Masks and truncation of character columns, as the `column.mask.*` and `column.truncate.*` options say.

Applied to the codec of a column, so keys and rows are treated alike. NULL becomes stars as well, so that nobody sees
where there is no value; truncated and hashed it stays NULL. Immutable.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from connectors.cdc.codec import ColumnCodec
from connectors.cdc.selection import Patterns
from connectors.cdc.tables import Column
from replicator.api import ConfigError, Schema, SchemaType

Change = Callable[[str], str]

_MASK = re.compile(r"column\.mask\.with\.(\d+)\.chars")
_TRUNCATE = re.compile(r"column\.truncate\.to\.(\d+)\.chars")
_HASH = re.compile(r"column\.mask\.hash\.(v2\.)?(.+?)\.with\.salt\.(.+)")
_CHARACTER_TYPES: Final = frozenset({"varchar", "bpchar"})


def mask_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """The masking options of a raw configuration: their names carry numbers, so they cannot be declared."""
    return {k: v for k, v in config.items() if any(p.fullmatch(k) for p in (_MASK, _TRUNCATE, _HASH))}


class ColumnMasks:
    """The masking rules among the options of a configuration.

    Raises:
        ConfigError: an option names an unknown algorithm or a wrong expression.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._rules: list[tuple[Patterns, Callable[[Column], Change], dict[str, str], str | None]] = []
        for option, value in config.items():
            rule = _rule(option) if value is not None else None
            if rule is not None:
                masked = _MASK.fullmatch(option)
                stars = "*" * int(masked[1]) if masked is not None else None
                self._rules.append((Patterns(option, value), *rule, stars))

    def apply(self, table: str, column: Column, codec: ColumnCodec) -> ColumnCodec:
        """The codec with the rules that match the column; only plain strings are changed."""
        if codec.schema.type is not SchemaType.STRING or codec.schema.name is not None:
            return codec
        for patterns, change, parameters, stars in self._rules:
            if patterns.match(f"{table}.{column.name}"):
                codec = codec.then(change(column), _with(codec.schema, parameters))
                if stars is not None:
                    codec = replace(codec, null=stars)
        return codec


def _with(schema: Schema, parameters: Mapping[str, str]) -> Schema:
    return schema.evolve(parameters={**schema.parameters, **parameters})


def _rule(option: str) -> tuple[Callable[[Column], Change], dict[str, str]] | None:
    match = _MASK.fullmatch(option)
    if match is not None:
        stars = "*" * int(match[1])
        return (lambda _column: lambda _text: stars), {"masked": "true"}
    match = _TRUNCATE.fullmatch(option)
    if match is not None:
        length = int(match[1])
        return (lambda _column: lambda text: text[:length]), {"truncateLength": match[1]}
    match = _HASH.fullmatch(option)
    if match is not None:
        return _hashed(option, match), {"masked": "true"}
    return None


def _hashed(option: str, match: re.Match[str]) -> Callable[[Column], Change]:
    """Salted digest of the value in hexadecimal, cut to the column's length: of its UTF-8, or, by the first version
    of the option, of its form in Java's object streams.
    """
    form = str.encode if match[1] else _serialised
    name = match[2].replace("-", "", 1).replace("/", "_").lower()
    if name not in hashlib.algorithms_available:
        raise ConfigError(f"{option}: unknown algorithm {match[2]}", option=option)
    salt = match[3].encode()

    def change(column: Column) -> Change:
        length = column.typmod - 4 if column.type_name in _CHARACTER_TYPES and column.typmod > 4 else None

        def digest(text: str) -> str:
            return hashlib.new(name, salt + form(text)).hexdigest()[:length]

        return digest

    return change


def _serialised(text: str) -> bytes:
    """A string as Java writes it to an object stream: a header, its length, each UTF-16 unit in UTF-8's manner."""
    units = text.encode("utf-16-be", "surrogatepass")
    split = "".join(chr(units[i] << 8 | units[i + 1]) for i in range(0, len(units), 2))
    body = split.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
    if len(body) <= 0xFFFF:
        return b"\xac\xed\x00\x05t" + len(body).to_bytes(2) + body
    return b"\xac\xed\x00\x05|" + len(body).to_bytes(8) + body
