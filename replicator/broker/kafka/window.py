"""How much of an append is handed to librdkafka at a time: a request's worth for each partition.

An idempotent producer of librdkafka has one full request of a partition on its way, and its thread polls without a
pause while another one is ready. So the next request's worth is handed over when the last one was acknowledged; what
comes meanwhile makes larger requests. `requests_of` is pure; a `Window` is used by the thread that appends and the one
that serves acknowledgements.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from replicator.api.errors import DataError
from replicator.broker.message import MessageHeaders, NewMessage

Place = tuple[str, int]

OVERHEAD: Final = 128
"""More than what a message takes beside its parts."""
_BLOCK_BITS: Final = 16
"""lz4 and snappy look for repetitions within 64 KB."""
_PATIENCE: Final = 0.25
"""How long an append waits, however little it brings: while Kafka is away, small ones go on for a while."""


class Request:
    """What is handed over at a time for one partition.

    Attributes:
        place: topic and partition.
        last: index of its last message within the append.
        size: bytes in memory.
        sent: bytes on the wire, estimated from above.
    """

    __slots__ = ("last", "place", "prefix", "sent", "size")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.last = 0
        self.size = 0
        self.sent = 0
        self.prefix: bytes | None = None

    def add(self, message: NewMessage, index: int, limits: Limits) -> bool:
        """Take a message in; False when there is no room.

        Raises:
            DataError: there is no room for it in any request.
        """
        body, prefix = message.body, message.prefix
        same = len(prefix)
        own = len(message.key or b"") + OVERHEAD
        if body is not None:
            own += len(body) + len(message.suffix)
        if message.headers:
            own += _size_of(message.headers)
        size = same + own
        if size > limits.message:
            raise _too_large(message.topic, size - OVERHEAD, limits.message)
        sent = size
        if prefix is self.prefix and limits.compressed:
            # The same text again, but for the first time in its block.
            sent = own + (same * size >> _BLOCK_BITS)
        if self.size and (self.size + size > limits.size or self.sent + sent > limits.sent):
            return False
        self.size += size
        self.sent += sent
        self.prefix = prefix
        self.last = index
        return True


class Limits:
    """Bounds of a request.

    Attributes:
        message: bytes of one message (`max.request.size`).
        size: bytes in memory.
        sent: bytes on the wire, which brokers bound (`message.max.bytes`).
        compressed: whether these differ.
    """

    __slots__ = ("compressed", "message", "sent", "size")

    def __init__(self, message: int, size: int, sent: int, *, compressed: bool) -> None:
        self.message = message
        self.size = size
        self.sent = sent
        self.compressed = compressed


def requests_of(
    batch: Sequence[NewMessage], placed: Sequence[Place], limits: Limits
) -> dict[Place, list[Request]]:
    """The requests of each partition, in order.

    Raises:
        DataError: a message is too large.
    """
    found: dict[Place, list[Request]] = {}
    place: Place | None = None
    request: Request | None = None
    for index, message in enumerate(batch):
        if placed[index] is not place or request is None:
            place = placed[index]
            known = found.setdefault(place, [])
            if not known:
                known.append(Request(place))
            request = known[-1]
        if not request.add(message, index, limits):
            request = Request(request.place)
            request.add(message, index, limits)
            found[request.place].append(request)
    return found


def _size_of(headers: MessageHeaders) -> int:
    if len(headers) == 1:  # the position, which OVERHEAD has room for but for odd ones
        return len(headers[0][1] or b"")
    return sum(len(name.encode()) + len(value or b"") for name, value in headers)


def _too_large(topic: str, size: int, limit: int) -> DataError:
    return DataError(
        f"The message for {topic} is {size} bytes when serialized which is larger than"
        f" {limit}, which is the value of the max.request.size configuration.",
        hint="Raise producer.max.request.size, and max.message.bytes of the topic.",
    )


class Window:
    """What is on its way to each partition."""

    def __init__(self, most: int) -> None:
        """`most`: bytes that may become one request."""
        self._most = most
        self._sent: dict[Place, int] = {}
        self._changed = threading.Condition()

    def enter(self, request: Request, check: Callable[[], None]) -> None:
        """Wait until a request may be handed over.

        Nothing is to be ready while another is on its way. When that takes long (Kafka is away, or slow), what is
        little is handed over all the same, so that whoever appends can go on and be stopped.

        Args:
            request: the next of its partition.
            check: called now and then; raises to give up.
        """
        place, size = request.place, request.sent
        with self._changed:
            if place in self._sent:
                self._changed.wait_for(lambda: place not in self._sent, _PATIENCE)
                check()
                # What is ready may leave as one request.
                while place in self._sent and self._sent[place] + size > self._most:
                    self._changed.wait(_PATIENCE)
                    check()
            self._sent[place] = self._sent.get(place, 0) + size

    def leave(self, request: Request) -> None:
        """A request was acknowledged, has failed, or was not handed over after all."""
        place = request.place
        with self._changed:
            left = self._sent[place] - request.sent
            if left > 0:
                self._sent[place] = left
            else:
                del self._sent[place]
            self._changed.notify_all()
