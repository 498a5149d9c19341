"""Producers: idempotent, acks=all, partitions chosen as Java does (C12).

Belongs to the thread that appends. A thread of its own serves acknowledgements; `on_done` is called there, in the
order of the acknowledgements. Only the last message of each request carries a callback: an idempotent producer
acknowledges a partition in order, and with `enable.gapless.guarantee` any message lost before it is fatal for all that
follow (INV-1, INV-6).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, murmur2
from confluent_kafka import Producer as Client

from replicator.api.errors import ConfigError, ConnectError, IllegalStateError, RetriableError
from replicator.broker.kafka.client_log import client_log
from replicator.broker.kafka.errors import AUTHORIZATION, kafka_error, translate, translated
from replicator.broker.kafka.options import made
from replicator.broker.kafka.window import Limits, Place, Request, Window, requests_of
from replicator.broker.message import NewMessage

Done = Callable[[Exception | None], None]

log = logging.getLogger(__name__)

DEFAULTS: Final = {
    "enable.idempotence": "true",
    "acks": "all",
    "partitioner": "murmur2_random",
    "delivery.timeout.ms": str(2**31 - 1),
    "compression.type": "lz4",
    "linger.ms": "1",
    # In memory; compressed it is held below max.request.size, see window.
    "batch.size": str(4 << 20),
    "batch.num.messages": "10000",
    # As Java's max.request.size; what is larger is refused before anything of its append is sent.
    "message.max.bytes": str(1 << 20),
    "queue.buffering.max.messages": "50000",
    "queue.buffering.max.kbytes": str(32 << 10),
    "topic.metadata.refresh.interval.ms": "60000",
}
_PARTITIONS_KNOWN_FOR: Final = 60.0
_METADATA_TIMEOUT: Final = 10.0
_POLL_SECONDS: Final = 0.5
_CLOSE_SECONDS: Final = 5.0


class _Append:
    """One append on its way; done when the last message of each of its requests is acknowledged."""

    __slots__ = ("error", "left", "on_done", "owner")

    def __init__(self, owner: KafkaProducer, on_done: Done | None) -> None:
        self.owner = owner
        self.on_done = on_done
        # One more than there are callbacks, so that it is not done before everything was produced.
        self.left = 1
        self.error: Exception | None = None

    def delivered(self, request: Request, error: KafkaError | None, _: Any) -> None:
        """Callback of librdkafka."""
        self.owner.leave(request)
        topic = request.place[0]
        failure = (
            None
            if error is None
            else translate(error, f"to append to {topic}", f"WRITE on the topic {topic}")
        )
        self.owner.count_down(self, failure)


class KafkaProducer:
    """See the module."""

    atomic = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Connect in the background; `options` are librdkafka's."""
        settings = self._settings(options)
        self._window, self._limits = self._bounds(settings)
        self._client: Any = made(Client, settings)
        self._known: dict[str, tuple[int, float]] = {}
        self._changed = threading.Condition()
        self._outstanding: deque[_Append] = deque()
        self._fatal: ConnectError | None = None
        self._last_error: KafkaError | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="kafka-producer", daemon=True)
        self._thread.start()

    def _settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        settings: dict[str, Any] = {
            **DEFAULTS,
            **options,
            "error_cb": self._client_error,
            "logger": client_log,
        }
        if str(settings["enable.idempotence"]).lower() == "true":
            settings.setdefault("enable.gapless.guarantee", "true")
        return settings

    def _bounds(self, settings: dict[str, Any]) -> tuple[Window | None, Limits]:
        """How much is handed over at a time, which only idempotent producers need; sets what the client bounds."""
        idempotent = "transactional.id" in settings or str(settings["enable.idempotence"]).lower() == "true"
        compressed = settings["compression.type"] != "none"
        # Room for what is added to a request, and for data that compression makes larger.
        message = _number(settings, "message.max.bytes")
        sent = message - message // 8
        largest = _number(settings, "batch.size")
        if not (idempotent and compressed):
            settings["batch.size"] = str(min(largest, message))
            return Window(sent) if idempotent else None, Limits(message, sent, sent, compressed=False)
        settings["message.max.bytes"] = str(max(message, largest))
        return Window(sent), Limits(message, largest - largest // 8, sent, compressed=True)

    # -- appending

    def append(self, batch: Sequence[NewMessage], on_done: Done | None = None) -> None:
        """Hand messages to the client in order; waits while its queue is full.

        Raises:
            DataError: a message is too large; nothing was appended.
            RetriableError: the partitions of a topic could not be looked up; nothing was appended.
            ConnectError: the producer has failed for good.
        """
        self._check()
        if not batch:
            if on_done is not None:
                on_done(None)
            return
        placed = self._placed(batch)
        requests = requests_of(batch, placed, self._limits)
        entry = _Append(self, on_done)
        with self._changed:
            self._outstanding.append(entry)
        try:
            self._produce(batch, placed, requests, entry)
        except BaseException as error:
            # What was produced before stays; the caller must see the failure, not a later success.
            entry.on_done = None
            entry.left = 1
            self.count_down(entry, error if isinstance(error, Exception) else None)
            raise
        self.count_down(entry, None)

    def _placed(self, batch: Sequence[NewMessage]) -> list[Place]:
        """The partition of each message, one object for each partition."""
        placed: list[Place] = []
        places: dict[Place, Place] = {}
        counts: dict[str, int] = {}
        loose: dict[str, int] = {}
        for message in batch:
            topic = message.topic
            count = counts.get(topic)
            if count is None:
                count = counts[topic] = self._count(topic)
            partition = message.partition
            if partition is None:
                key = message.key
                if count == 1:
                    partition = 0
                elif key is not None:
                    partition = murmur2(key, count)
                else:
                    # Without a key any will do: one for the whole append, as Java's sticky partitioner.
                    partition = loose.setdefault(topic, random.randrange(count))
            elif not 0 <= partition < count:
                raise IllegalStateError(f"The topic {topic} has {count} partitions; there is no {partition}.")
            place = topic, partition
            placed.append(places.setdefault(place, place))
        return placed

    def _count(self, topic: str) -> int:
        known = self._known.get(topic)
        now = time.monotonic()
        if known is not None and now < known[1]:
            return known[0]
        try:
            count = self._ask_count(topic)
        except RetriableError as error:
            if known is None:
                raise unreachable(error, self._last_error) from error
            count = known[0]
        self._known[topic] = (count, now + _PARTITIONS_KNOWN_FOR)
        return count

    def _ask_count(self, topic: str) -> int:
        """Partitions of a topic now; asking makes the broker create it, if it does so (`auto.create.topics.enable`)."""
        deadline = time.monotonic() + _METADATA_TIMEOUT
        while True:
            with translated(f"to look up the topic {topic}", f"DESCRIBE on the topic {topic}"):
                found = self._client.list_topics(topic, timeout=_METADATA_TIMEOUT).topics[topic]
            if found.partitions:
                return len(found.partitions)
            refused = found.error is not None and found.error.code() in AUTHORIZATION
            if found.error is not None and (refused or time.monotonic() > deadline):
                raise translate(found.error, f"to look up the topic {topic}", f"WRITE on the topic {topic}")
            if time.monotonic() > deadline:
                raise RetriableError(f"Kafka: the topic {topic} has no partitions yet.")
            time.sleep(0.05)

    def _produce(
        self,
        batch: Sequence[NewMessage],
        placed: Sequence[Place],
        requests: dict[Place, list[Request]],
        entry: _Append,
    ) -> None:
        entry.left += sum(map(len, requests.values()))
        open_now: dict[Place, Request] = {}
        current: Request | None = None
        try:
            for index, message in enumerate(batch):
                place = placed[index]
                if current is None or place is not current.place:
                    current = open_now.get(place)
                    if current is None:
                        current = open_now[place] = self._entered(requests[place].pop(0))
                if index == current.last:
                    self._produce_one(message, place[1], partial(entry.delivered, current))
                    del open_now[place]
                    current = None
                else:
                    self._produce_one(message, place[1], None)
        except BaseException:
            for request in open_now.values():
                self.leave(request)
            raise

    def _produce_one(self, message: NewMessage, partition: int, done: Callable[..., None] | None) -> None:
        body = message.body
        arguments = (
            message.topic,
            None if body is None else b"".join((message.prefix, body, message.suffix)),
            message.key,
            partition,
            done,
            None,
            message.timestamp or 0,
            message.headers or None,
        )
        try:
            self._client.produce(*arguments)
        except BufferError:
            self._produce_when_room(arguments)
        except KafkaException as error:
            raise translate(kafka_error(error), f"to append to {message.topic}") from error

    def _entered(self, request: Request) -> Request:
        if self._window is not None:
            self._window.enter(request, self._check_open)
        return request

    def leave(self, request: Request) -> None:
        """A request that was handed over has an answer, or its rest will not be handed over."""
        if self._window is not None:
            self._window.leave(request)

    def _check_open(self) -> None:
        self._check()
        if self._closed.is_set():
            raise IllegalStateError("The producer was closed while it waited for room.")

    def _produce_when_room(self, arguments: tuple[Any, ...]) -> None:
        """The client's queue is full: Kafka is slower than we are, or away."""
        while True:
            self._check_open()
            self._closed.wait(0.005)
            try:
                self._client.produce(*arguments)
            except BufferError:
                continue
            except KafkaException as error:
                raise translate(kafka_error(error), f"to append to {arguments[0]}") from error
            return

    # -- acknowledgements

    def count_down(self, entry: _Append, error: Exception | None) -> None:
        """One of the things an append waits for has come, or has failed."""
        with self._changed:
            entry.error = entry.error or error
            entry.left -= 1
            if entry.left > 0:
                return
            outstanding = self._outstanding
            while outstanding and outstanding[0].left <= 0:
                outstanding.popleft()
            self._changed.notify_all()
        if entry.on_done is not None:
            entry.on_done(entry.error)

    def sync(self, timeout: float) -> bool:
        """Wait until everything appended so far is acknowledged by all replicas in sync."""
        with self._changed:
            newest = self._outstanding[-1] if self._outstanding else None
            if newest is None:
                return True
            return self._changed.wait_for(lambda: newest not in self._outstanding, timeout)

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                self._client.poll(_POLL_SECONDS)
            except KafkaException as raised:
                error = kafka_error(raised)
                if error.fatal():
                    self._fatal = self._fatal or translate(error, "to append")
                self._closed.wait(_POLL_SECONDS)

    def _client_error(self, error: KafkaError) -> None:
        self._last_error = error
        if error.fatal():
            self._fatal = translate(error, "to append")

    def _check(self) -> None:
        if self._fatal is not None:
            raise self._fatal

    # -- transactions: see transactions.py

    def begin_transaction(self) -> None:
        """Only transactional producers have transactions."""
        raise IllegalStateError("This producer was made without a transactional id.")

    def commit_transaction(self) -> None:
        """See begin_transaction."""
        self.begin_transaction()

    def abort_transaction(self) -> None:
        """See begin_transaction."""
        self.begin_transaction()

    def close(self) -> None:
        """Wait a little for what is outstanding, then end."""
        if self._closed.is_set():
            return
        if self._fatal is None:
            self._client.flush(_CLOSE_SECONDS)
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_SECONDS)
        left = len(self._client)
        if left:
            log.warning("A producer is closed with %d messages not acknowledged.", left)
            self._client.purge()
            self._client.poll(0)


def _number(settings: Mapping[str, Any], name: str) -> int:
    try:
        return int(settings[name])
    except ValueError as error:
        raise ConfigError(f"Kafka's client needs a number for {name}.", option=name) from error


def unreachable(error: ConnectError, last: KafkaError | None) -> ConnectError:
    """The reason a client could not reach its cluster, if it told one."""
    if last is None or not isinstance(error, RetriableError):
        return error
    told = translate(last, "to connect")
    if isinstance(told, ConfigError):
        return told
    return RetriableError(f"{error.message} The client says: {last.str()}")
