"""The batch codec gives back what it was given, and stores what a batch shares once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replicator.api import BrokerError
from replicator.broker.embedded.batches import decode_batch, encode_batch
from replicator.broker.message import Message, NewMessage

text_bytes = st.one_of(
    st.none(), st.binary(max_size=40), st.binary(max_size=6).map(lambda b: b'{"schema":1}' + b)
)
headers = st.one_of(
    st.none(),
    st.lists(st.tuples(st.text(max_size=5), st.one_of(st.none(), st.binary(max_size=10))), max_size=3),
    st.binary(max_size=10).map(lambda value: [("__replicator.position", value)]),
)
messages = st.lists(
    st.builds(
        NewMessage,
        st.just("t"),
        text_bytes,
        text_bytes,
        st.none(),
        st.one_of(st.none(), st.integers(0, 2**50)),
        headers,
    ),
    min_size=1,
    max_size=30,
)


def facts(found: list[Message]) -> list[tuple[object, ...]]:
    return [(m.offset, m.key, m.value, m.timestamp, m.headers or None) for m in found]


PREFIXES = [b"", b'{"schema":1,"payload":']
SUFFIXES = [b"", b',"op":"r"}', b',"op":"u"}']


@given(
    st.sampled_from(PREFIXES),
    st.lists(st.tuples(st.one_of(st.none(), st.binary(max_size=9)), st.sampled_from(SUFFIXES)), min_size=1),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_values_in_parts(prefix: bytes, parts: list[tuple[bytes | None, bytes]], one_suffix: bool) -> None:
    sent = []
    for body, suffix in parts:
        ended = b"" if body is None else parts[0][1] if one_suffix else suffix
        sent.append(NewMessage("t", b"k", body, prefix=b"" if body is None else prefix, suffix=ended))
    got = decode_batch(encode_batch(sent, now=7).blob, "t", 0, 0)
    assert [m.value for m in got] == [m.value for m in sent]


@given(messages, st.integers(0, 2**40))
@settings(max_examples=300, deadline=None)
def test_round_trip(sent: list[NewMessage], base: int) -> None:
    encoded = encode_batch(sent, now=77)
    got = decode_batch(encoded.blob, "t", 3, base)
    assert facts(got) == [
        (base + n, m.key, m.value, 77 if m.timestamp is None else m.timestamp, m.headers or None)
        for n, m in enumerate(sent)
    ]
    assert {(m.topic, m.partition) for m in got} == {("t", 3)}
    assert encoded.messages == len(sent)
    assert encoded.raw == sum(len(m.key or b"") + len(m.value or b"") for m in sent)


@given(st.lists(st.integers(0, 2**30), min_size=1, max_size=20, unique=True))
def test_offsets_with_gaps(distances: list[int]) -> None:
    distances.sort()
    encoded = encode_batch([NewMessage("t", None, b"v") for _ in distances], 0, distances)
    assert [m.offset for m in decode_batch(encoded.blob, "t", 0, 5)] == [5 + d for d in distances]


def test_a_shared_schema_is_stored_once() -> None:
    import os

    schema = os.urandom(2200)
    shared = encode_batch([NewMessage("t", None, schema + b"%d" % n) for n in range(1000)], 0)
    assert len(shared.blob) < 2 * len(schema) + 4000


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x01garbage", b"\x00" + b"\xff" * 40, b"\x00\x01\x00"],
    ids=["empty", "zstd", "lengths", "short"],
)
def test_a_damaged_batch_is_named(damage: bytes) -> None:
    with pytest.raises(BrokerError, match="t-0 at offset 9"):
        decode_batch(damage, "t", 0, 9)
