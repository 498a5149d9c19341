"""Array literals: from Postgres' text to lists, or straight to JSON text.

Pure functions. Lower bounds (`[0:2]=...`) are dropped; NULL elements are None. A literal that is
not well formed raises DataError.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from replicator.api import DataError

_BOUNDS = re.compile(r"(\[-?\d+:-?\d+\])+=")
_PLAIN = re.compile(r'[{}"\\]')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


def parse_array(text: str, decode: Callable[[str], Any] | None, delimiter: str = ",") -> list[Any]:
    """The elements of an array literal, decoded; more dimensions are nested lists.

    Raises:
        DataError: not an array literal.
    """
    if text.startswith("["):
        text = _BOUNDS.sub("", text, count=1)
    if text == "{}":
        return []
    if text[:1] == "{" and text[-1:] == "}" and not _PLAIN.search(text, 1, len(text) - 1):
        parts = text[1:-1].split(delimiter)
        if decode is None:
            return [None if p == "NULL" else p for p in parts]
        return [None if p == "NULL" else decode(p) for p in parts]
    return _parse(text, decode, delimiter)


def _parse(text: str, decode: Callable[[str], Any] | None, delimiter: str) -> list[Any]:
    """The general form: one pattern matches braces, delimiters, quoted and bare elements."""
    token = _token(delimiter)
    stack: list[list[Any]] = []
    done: list[Any] | None = None
    pos = 0
    while pos < len(text):
        match = token.match(text, pos)
        if match is None or done is not None:
            raise DataError(f"Not an array literal: {text[:80]!r}")
        pos = match.end()
        mark, quoted, bare = match.groups()
        if mark == "{":
            inner: list[Any] = []
            if stack:
                stack[-1].append(inner)
            stack.append(inner)
        elif not stack:
            raise DataError(f"Not an array literal: {text[:80]!r}")
        elif mark == "}":
            closed = stack.pop()
            done = None if stack else closed
        elif quoted is not None:
            plain = _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted
            stack[-1].append(plain if decode is None else decode(plain))
        elif bare is not None:
            stack[-1].append(None if bare == "NULL" else bare if decode is None else decode(bare))
    if done is None:
        raise DataError(f"Not an array literal: {text[:80]!r}")
    return done


_TOKENS: dict[str, re.Pattern[str]] = {}


def _token(delimiter: str) -> re.Pattern[str]:
    pattern = _TOKENS.get(delimiter)
    if pattern is None:
        sep = re.escape(delimiter)
        pattern = re.compile(rf'([{{}}{sep}])|"((?:[^"\\]|\\.)*)"|([^{{}}"\\{sep}]+)', re.DOTALL)
        _TOKENS[delimiter] = pattern
    return pattern


def flat_array(decode: Callable[[str], Any] | None, delimiter: str = ",") -> Callable[[str], list[Any]]:
    """A decoder for ARRAY schemas, which have one dimension.

    The decoder raises DataError for more dimensions: the schema has no place for them.
    """

    def decode_array(text: str) -> list[Any]:
        if text.startswith("["):
            text = _BOUNDS.sub("", text, count=1)
        if text.startswith("{{"):
            raise DataError(
                "An array of more than one dimension has no place in an ARRAY of scalars",
                hint="Use array.handling.mode=json.",
            )
        return parse_array(text, decode, delimiter)

    return decode_array


def json_array(to_json: Callable[[str], str], delimiter: str = ",") -> Callable[[str], str]:
    """A decoder into JSON text, given the JSON text of an element; dimensions are nested lists."""

    def write(value: Any) -> str:
        if type(value) is list:
            return f"[{','.join(map(write, value))}]"
        return "null" if value is None else value

    return lambda text: write(parse_array(text, to_json, delimiter))


def json_text(text: str) -> str:
    """A scalar without a form in JSON, as a JSON string."""
    return orjson.dumps(text).decode()


def json_number(text: str) -> str:
    """A number with its exact digits; NaN and infinities as strings."""
    return text if _JSON_NUMBER.fullmatch(text) else json_text(text)


def json_boolean(text: str) -> str:
    """A boolean."""
    return "true" if text == "t" else "false"


def json_document(text: str) -> str:
    """A JSON document as it is."""
    return text


def json_timestamp(text: str) -> str:
    """A timestamp as the server itself writes it in JSON: with a T, and the offset in full."""
    day, space, rest = text.partition(" ")
    if not space:
        return json_text(text)
    era = " BC" if rest.endswith(" BC") else ""
    rest = rest.removesuffix(" BC")
    if len(rest) > 3 and rest[-3] in "+-":
        rest += ":00"
    return json_text(f"{day}T{rest}{era}")
