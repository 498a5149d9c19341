"""Codec of record batches: many messages of one partition <-> one compressed blob.

Pure functions, called by producers and consumers on their own threads. A batch is stored by columns (offsets,
timestamps, keys, values, headers); what all its keys start with, and what all its values start and end with, such as a
spliced JSON schema, is stored once. Loops over messages are comprehensions and C functions only.
Layout (little-endian): docs/decisions/20261121-embedded-log-format.md.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise, repeat
from typing import Final, NamedTuple

import zstandard

from replicator.api.errors import BrokerError
from replicator.broker.embedded.batch_headers import decode_headers, encode_headers
from replicator.broker.embedded.columns import (
    ABSENT,
    decode_column,
    decode_sparse_column,
    encode_column,
    integers,
    ints,
)
from replicator.broker.message import Message, NewMessage

_PLAIN: Final = b"\x00"
_ZSTD: Final = b"\x01"
_SMALLEST_TO_COMPRESS: Final = 256
_HEAD: Final = struct.Struct("<IB")

# Half the time of level 1, for a log that is a quarter larger and lives for minutes.
_LEVEL: Final = -2

_local = threading.local()


class EncodedBatch(NamedTuple):
    """A batch ready to be stored.

    Attributes:
        blob: the encoded messages.
        messages: number of messages.
        raw: size of keys and values as delivered, for limits on memory.
    """

    blob: bytes
    messages: int
    raw: int


def encode_batch(
    messages: Sequence[NewMessage | Message], now: int, offsets: Sequence[int] | None = None
) -> EncodedBatch:
    """Encode messages of one partition.

    Args:
        messages: at least one message.
        now: timestamp (milliseconds) of messages without one.
        offsets: distances from the batch's base offset, when they are not 0, 1, 2 ...
    """
    count = len(messages)
    header_mode, header_sections = encode_headers([m.headers for m in messages])
    sections = [
        _HEAD.pack(count, header_mode),
        b"" if offsets is None else ints("q", offsets),
        _encode_timestamps([m.timestamp for m in messages], now),
    ]
    raw = encode_column([m.key for m in messages], sections)
    raw += _encode_values(messages, sections)
    sections += header_sections
    table = ints("I", [len(sections), *map(len, sections)])
    body = b"".join([table, *sections])
    if len(body) < _SMALLEST_TO_COMPRESS:
        return EncodedBatch(_PLAIN + body, count, raw)
    return EncodedBatch(_ZSTD + _compressor().compress(body), count, raw)


def decode_batch(blob: bytes, topic: str, partition: int, base: int) -> list[Message]:
    """The messages of a stored batch whose base offset is `base`.

    Raises:
        BrokerError: the blob is damaged.
    """
    try:
        return _decode(blob, topic, partition, base)
    except (zstandard.ZstdError, struct.error, ValueError, IndexError) as error:
        raise BrokerError(
            f"A batch of {topic}-{partition} at offset {base} is damaged: {error}.",
            hint="Restore the log from a backup, or remove it and start with a new copy.",
        ) from error


def _decode(blob: bytes, topic: str, partition: int, base: int) -> list[Message]:
    body = _decompressor().decompress(blob[1:]) if blob[:1] == _ZSTD else blob[1:]
    sections = _split(body)
    count, header_mode = _HEAD.unpack(sections[0])
    keys = decode_column(sections[3:6], count)
    prefix, bodies, suffix = _decode_values(sections[6:10], count)
    headers = decode_headers(header_mode, sections[10:], count)
    offsets: Iterable[int] = (
        [base + d for d in integers("q", sections[1])] if sections[1] else range(base, base + count)
    )
    times = integers("q", sections[2])
    timestamps: Iterable[int] = repeat(times[0], count) if len(times) == 1 else times
    return list(
        map(
            Message,
            repeat(topic),
            repeat(partition),
            offsets,
            timestamps,
            keys,
            bodies,
            headers,
            repeat(prefix),
            repeat(suffix),
        )
    )


def _split(body: bytes) -> list[bytes]:
    (number,) = struct.unpack_from("<I", body)
    start = 4 + 4 * number
    ends = accumulate(integers("I", body[4:start]), initial=start)
    return [body[a:b] for a, b in pairwise(ends)]


def _encode_timestamps(timestamps: list[int | None], now: int) -> bytes:
    known = [now if t is None else t for t in timestamps]
    if known.count(known[0]) == len(known):
        del known[1:]
    return ints("q", known)


def _encode_values(messages: Sequence[NewMessage | Message], sections: list[bytes]) -> int:
    """Values without what their producer says they share, if it is one for all; else what they turn out to share."""
    prefix, suffix = messages[0].prefix, messages[0].suffix
    if not prefix or not all(m.prefix is prefix for m in messages):
        size = encode_column([m.value for m in messages], sections)
        sections.append(b"")
        return size
    if suffix and all(m.suffix is suffix for m in messages):
        bodies = [m.body for m in messages]
    else:
        suffix = b""
        bodies = [m.rest for m in messages]
    shared = len(prefix) + len(suffix)
    lengths = [ABSENT if b is None else shared + len(b) for b in bodies]
    if lengths.count(lengths[0]) == len(lengths):
        del lengths[1:]
    data = b"".join([b for b in bodies if b is not None])
    sections += (prefix, ints("i", lengths), data, suffix)
    return len(data)


def _decode_values(sections: Sequence[bytes], count: int) -> tuple[bytes, Sequence[bytes | None], bytes]:
    """The shared prefix, what is between in each value, and the shared suffix."""
    prefix, packed_lengths, data, suffix = sections
    stored = integers("i", packed_lengths)
    lengths = [stored[0]] * count if len(stored) == 1 else stored
    if min(lengths) == ABSENT:
        return b"", decode_sparse_column(prefix, lengths, data), b""
    shared = len(prefix) + len(suffix)
    starts = accumulate([n - shared for n in lengths] if shared else lengths, initial=0)
    return prefix, [data[a:b] for a, b in pairwise(starts)], suffix


def pack_positions(positions: Sequence[int]) -> bytes:
    """Indices of a batch's messages within their append."""
    return ints("I", positions)


def unpack_positions(data: bytes) -> Sequence[int]:
    """Inverse of `pack_positions`."""
    return integers("I", data)


def _compressor() -> zstandard.ZstdCompressor:
    # Compressors must not be shared by threads that use them at the same time.
    held: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if held is None:
        held = _local.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    return held


def _decompressor() -> zstandard.ZstdDecompressor:
    held: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if held is None:
        held = _local.decompressor = zstandard.ZstdDecompressor()
    return held
