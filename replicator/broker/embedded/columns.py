"""Columns of a stored batch: byte strings, or None, whose shared beginning is stored once; packed integers."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Final

ABSENT: Final = -1
"""The length of None."""


def encode_column(items: Sequence[bytes | None], sections: list[bytes]) -> int:
    """Append prefix, lengths and joined rest of a column to `sections`; returns its delivered size."""
    present: Sequence[bytes]
    try:
        lengths = list(map(len, items))  # type: ignore[arg-type]
        present = items  # type: ignore[assignment]
        size = sum(lengths)
    except TypeError:  # some are None
        present = [item for item in items if item is not None]
        lengths = [ABSENT if item is None else len(item) for item in items]
        size = sum(map(len, present))
    shared = _shared_prefix(min(present), max(present)) if len(present) > 1 else 0
    if lengths.count(lengths[0]) == len(lengths):
        del lengths[1:]
    if shared:
        sections += (present[0][:shared], ints("i", lengths), b"".join([item[shared:] for item in present]))
    else:
        sections += (b"", ints("i", lengths), b"".join(present))
    return size


def decode_column(sections: Sequence[bytes], count: int) -> Sequence[bytes | None]:
    """Inverse of `encode_column`."""
    prefix, packed_lengths, data = sections
    stored = integers("i", packed_lengths)
    lengths = [stored[0]] * count if len(stored) == 1 else stored
    shared = len(prefix)
    if min(lengths) == ABSENT:
        return decode_sparse_column(prefix, lengths, data)
    if shared:
        starts = accumulate([n - shared for n in lengths], initial=0)
        return [prefix + data[a:b] for a, b in pairwise(starts)]
    return [data[a:b] for a, b in pairwise(accumulate(lengths, initial=0))]


def decode_sparse_column(prefix: bytes, lengths: Sequence[int], data: bytes) -> Sequence[bytes | None]:
    """As `decode_column`, where some are None."""
    shared = len(prefix)
    starts = accumulate([0 if n == ABSENT else n - shared for n in lengths], initial=0)
    return [
        None if n == ABSENT else prefix + data[a:b]
        for n, (a, b) in zip(lengths, pairwise(starts), strict=True)
    ]


def _shared_prefix(low: bytes, high: bytes) -> int:
    """Length of the longest common prefix, by bisection: comparing slices is a memcmp."""
    good, bad = 0, min(len(low), len(high)) + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if low[good:middle] == high[good:middle]:
            good = middle
        else:
            bad = middle
    return good


def ints(code: str, numbers: Iterable[int]) -> bytes:
    """Packed integers, little-endian, of `array`'s type code."""
    packed = array(code, numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def integers(code: str, data: bytes) -> array[int]:
    """Inverse of `ints`."""
    numbers = array(code)
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
