"""murmur2 as Java computes it: the vectors of Kafka's own tests."""

from __future__ import annotations

import pytest

from replicator.broker.partitioner import murmur2, partition_for_key


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_vectors(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0xFFFFFFFF
    assert partition_for_key(key, 1000) == (signed & 0x7FFFFFFF) % 1000


def test_the_empty_key() -> None:
    assert murmur2(b"") == 275646681
