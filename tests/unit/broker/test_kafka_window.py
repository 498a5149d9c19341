"""How appends are cut into requests, and when one may follow another."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replicator.api.errors import DataError, IllegalStateError
from replicator.broker.kafka.window import OVERHEAD, Limits, Request, Window, requests_of
from replicator.broker.message import NewMessage

_SCHEMA = b"s" * 4000
_PLACES = [("a", 0), ("a", 1), ("b", 0)]
_LIMITS = Limits(20_000, 40_000, 10_000, compressed=True)


def _message(
    rest: bytes, prefix: bytes = b"", headers: list[tuple[str, bytes | None]] | None = None
) -> NewMessage:
    return NewMessage("a", b"key", rest, None, None, headers, prefix)


_messages = st.tuples(st.integers(0, 2), st.integers(0, 5000), st.sampled_from([b"", _SCHEMA, b"t" * 9000]))


@given(st.lists(_messages, max_size=40))
def test_every_message_is_in_one_request_of_its_partition_and_none_is_too_large(
    drawn: list[tuple[int, int, bytes]],
) -> None:
    batch = [_message(b"r" * size, prefix) for _, size, prefix in drawn]
    placed = [_PLACES[number] for number, _, _ in drawn]
    found = requests_of(batch, placed, _LIMITS)
    assert set(found) == set(placed)
    for place, requests in found.items():
        mine = [index for index, where in enumerate(placed) if where == place]
        ends = [request.last for request in requests]
        assert ends == sorted(set(ends))
        assert ends[-1] == mine[-1]
        first = 0
        for request in requests:
            inside = mine[first : mine.index(request.last) + 1]
            first += len(inside)
            parts = [(len(batch[i].prefix), len(batch[i].rest or b"") + 3) for i in inside]
            assert request.size == sum(prefix + own + OVERHEAD for prefix, own in parts)
            # What repeats may be counted once; what does not, never less than in full.
            assert sum(own + OVERHEAD for _, own in parts) <= request.sent <= request.size
            assert len(inside) == 1 or (request.size <= _LIMITS.size and request.sent <= _LIMITS.sent)


def test_a_schema_is_counted_in_full_whenever_it_follows_another() -> None:
    one, other = b"1" * 1000, b"2" * 1000
    placed = [("a", 0)] * 4
    alternating = [_message(b"r", prefix) for prefix in (one, other, one, other)]
    repeated = [_message(b"r", one) for _ in range(4)]
    assert requests_of(alternating, placed, _LIMITS)["a", 0][0].sent == 4 * (1004 + OVERHEAD)
    assert requests_of(repeated, placed, _LIMITS)["a", 0][0].sent < 2 * (1004 + OVERHEAD)
    plain = Limits(20_000, 40_000, 10_000, compressed=False)
    assert requests_of(repeated, placed, plain)["a", 0][0].sent == 4 * (1004 + OVERHEAD)


@pytest.mark.parametrize(
    "message",
    [
        _message(b"r" * 20_000),
        _message(b"r" * 16_000, _SCHEMA),
        _message(b"r", headers=[("h", b"v" * 20_000)]),
        _message(b"r", headers=[("h", b"v" * 10_000), ("i", None), ("h", b"v" * 10_000)]),
    ],
)
def test_a_message_too_large_for_any_request_is_refused(message: NewMessage) -> None:
    with pytest.raises(DataError, match=r"larger than 20000, which is the value of the max\.request\.size"):
        requests_of([_message(b"small"), message], [("a", 0)] * 2, _LIMITS)


def _request(sent: int, partition: int = 0) -> Request:
    request = Request(("a", partition))
    request.sent = sent
    return request


def _nothing() -> None:
    return None


def test_a_request_waits_for_the_one_before_it_in_its_partition_only() -> None:
    window = Window(1000)
    first, second = _request(900), _request(900)
    window.enter(first, _nothing)
    window.enter(_request(900, partition=1), _nothing)
    entered = threading.Event()

    def enter() -> None:
        window.enter(second, _nothing)
        entered.set()

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    assert not entered.wait(0.6)  # longer than its patience: both would not fit into one request
    window.leave(first)
    assert entered.wait(20)
    thread.join(20)


def test_small_requests_do_not_wait_for_ever() -> None:
    window = Window(1000)
    requests = [_request(300) for _ in range(3)]
    for request in requests:
        window.enter(request, _nothing)
    closed = threading.Event()

    def check() -> None:
        if closed.is_set():
            raise IllegalStateError("closed")

    failed = threading.Event()

    def enter() -> None:
        with pytest.raises(IllegalStateError):
            window.enter(_request(300), check)
        failed.set()

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    assert not failed.wait(0.6)
    closed.set()
    assert failed.wait(20)
    thread.join(20)
    for request in requests:
        window.leave(request)
    window.enter(_request(1000), _nothing)
