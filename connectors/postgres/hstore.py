"""hstore: from its text to a map or to JSON text.

Pure functions.
"""

from __future__ import annotations

import re

import orjson

from replicator.api import DataError

_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|(NULL))(?:, |$)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def hstore_map(text: str) -> dict[str, str | None]:
    """The pairs of an hstore.

    Raises:
        DataError: not the text of an hstore.
    """
    pairs: dict[str, str | None] = {}
    pos = 0
    while pos < len(text):
        match = _PAIR.match(text, pos)
        if match is None:
            raise DataError(f"Not an hstore: {text[:80]!r}")
        pairs[_ESCAPED.sub(r"\1", match[1])] = None if match[3] else _ESCAPED.sub(r"\1", match[2])
        pos = match.end()
    return pairs


def hstore_json(text: str) -> str:
    """An hstore as a JSON object of strings and nulls."""
    return orjson.dumps(hstore_map(text)).decode()
