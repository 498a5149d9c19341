"""Headers of a stored batch: none at all, one of the same name on each message, or any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise, repeat
from typing import Final

import orjson

from replicator.broker.embedded.columns import decode_column, encode_column, integers, ints
from replicator.broker.message import MessageHeaders

_NO_HEADERS: Final = 0
_UNIFORM: Final = 1
_RAGGED: Final = 2


def encode_headers(headers: list[MessageHeaders | None]) -> tuple[int, list[bytes]]:
    """How the headers of all messages are stored, and their sections."""
    if not any(headers):
        return _NO_HEADERS, [b""]
    sections: list[bytes] = []
    try:
        # One header a message, all of the same name: what log readers write.
        pairs = [pair for (pair,) in headers]  # type: ignore[misc]
        name = pairs[0][0]
        values = [value for key, value in pairs if key == name]
        if len(values) == len(pairs):
            encode_column(values, sections)
            return _UNIFORM, [orjson.dumps([name]), *sections]
    except (TypeError, ValueError):
        pass  # several headers, or none, on some message: the general form below
    names: dict[str, int] = {}
    ids = [names.setdefault(pair[0], len(names)) for held in headers for pair in held or ()]
    encode_column([pair[1] for held in headers for pair in held or ()], sections)
    counts = [len(held or ()) for held in headers]
    return _RAGGED, [orjson.dumps(list(names)), *sections, ints("I", counts), ints("I", ids)]


def decode_headers(mode: int, sections: Sequence[bytes], count: int) -> Iterable[MessageHeaders | None]:
    """Inverse of `encode_headers`."""
    if mode == _NO_HEADERS:
        return repeat(None, count)
    names = orjson.loads(sections[0])
    if mode == _UNIFORM:
        name = names[0]
        return [[(name, value)] for value in decode_column(sections[1:4], count)]
    counts, ids = integers("I", sections[4]), integers("I", sections[5])
    values = decode_column(sections[1:4], len(ids))
    flat = [(names[i], value) for i, value in zip(ids, values, strict=True)]
    return [flat[a:b] or None for a, b in pairwise(accumulate(counts, initial=0))]
