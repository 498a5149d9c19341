"""Consumers: a group member or a plain reader, over librdkafka's consumer.

Belongs to the thread that polls; listeners are called there. librdkafka cannot be woken, so waits are cut into short
slices.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, KafkaException
from confluent_kafka import Consumer as Client
from confluent_kafka import TopicPartition as KafkaPartition

from replicator.api.errors import IllegalStateError, RetriableError
from replicator.api.record import TopicPartition
from replicator.broker.base import RebalanceListener
from replicator.broker.kafka.assignment import Assignment, Offsets
from replicator.broker.kafka.client_log import client_log
from replicator.broker.kafka.errors import AUTHORIZATION, translate, translated
from replicator.broker.kafka.options import made
from replicator.broker.kafka.producer import unreachable
from replicator.broker.kafka.topic_watch import TopicWatch
from replicator.broker.message import Message

log = logging.getLogger(__name__)

DEFAULTS: Final = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "isolation.level": "read_committed",
    "enable.partition.eof": "true",
    "partition.assignment.strategy": "cooperative-sticky",
    "allow.auto.create.topics": "false",
    "topic.metadata.refresh.interval.ms": "3000",
    # What is fetched is compressed: with a schema in every record it becomes twenty times as large.
    "max.partition.fetch.bytes": str(128 << 10),
    "fetch.max.bytes": str(1 << 20),
    "queued.max.messages.kbytes": str(8 << 10),
    "queued.min.messages": "20000",
    "fetch.queue.backoff.ms": "5",
}
_ENDED: Final = {KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID, KafkaError._FENCED}
_SCHEMA: Final = b'{"schema":'
_PAYLOAD: Final = b',"payload":'
_LONG: Final = 512
_SLICE: Final = 0.05


class KafkaConsumer(Assignment):
    """See the module."""

    commit_wanted = False  # Kafka keeps messages whatever is consumed

    def __init__(
        self, options: Mapping[str, Any], group: str | None, start: str, offsets: Offsets, watch: TopicWatch
    ) -> None:
        """Connect in the background.

        Args:
            options: librdkafka's.
            group: consumer group, or None.
            start: where a partition without a position begins: earliest, latest, or error.
            offsets: the first (`earliest`) or next (`latest`) offsets of partitions.
            watch: names of all topics, for subscriptions by pattern.
        """
        # librdkafka wants a group even of plain readers; without commits the broker never hears of it.
        settings = {
            **DEFAULTS,
            **options,
            "group.id": group or "replicator-reader",
            "auto.offset.reset": start,
        }
        if str(settings.get("group.protocol", "")).lower() == "consumer":  # KIP-848: the broker decides these
            for name in ("session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"):
                settings.pop(name, None)
        client: Any = made(Client, {**settings, "error_cb": self._client_error, "logger": client_log})
        super().__init__(client, group, start, offsets)
        self._watch = watch
        self._pattern: re.Pattern[str] | None = None
        self._matched: tuple[str, ...] = ()
        self._seen_topics = -1
        self._listener: RebalanceListener | None = None
        self._names: dict[str, str] = {}
        self._prefixes: dict[str, bytes] = {}
        self._woken = False
        self._callback_error: Exception | None = None
        self._failure: Exception | None = None
        self._last_error: KafkaError | None = None
        self._closed = False

    def subscribe(
        self, topics: Sequence[str] | re.Pattern[str], listener: RebalanceListener | None = None
    ) -> None:
        """Join the group."""
        if self._group is None:
            raise IllegalStateError("A consumer without a group cannot subscribe.")
        self._listener = listener
        self._subscribed = True
        if isinstance(topics, re.Pattern):
            self._pattern = topics
            self._watch.join()
            self._follow_pattern()
        else:
            self._pattern = None
            self._join(tuple(topics))

    def _join(self, topics: tuple[str, ...]) -> None:
        with translated("to subscribe"):
            self._client.subscribe(
                list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )

    def _follow_pattern(self) -> None:
        pattern = self._pattern
        version = self._watch.version
        if pattern is None or version == self._seen_topics:
            return
        self._seen_topics = version
        matched = tuple(sorted(name for name in self._watch.names if pattern.fullmatch(name)))
        if matched and matched != self._matched:
            self._matched = matched
            self._join(matched)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these; begins with the next poll."""
        kept = {tp: at for tp, at in self._assigned.items() if tp in set(partitions)}
        self._assigned = {tp: kept.get(tp) for tp in partitions}
        self._unstarted = set(partitions)
        self._paused.intersection_update(self._assigned)
        if not partitions:
            with translated("to assign partitions"):
                self._client.unassign()

    def _on_assign(self, _: Any, partitions: list[KafkaPartition]) -> None:
        added = [TopicPartition(p.topic, p.partition) for p in partitions]
        self._assigned |= dict.fromkeys(added)
        self._unstarted.update(added)
        self._known_commits = {tp: at for tp, at in self._known_commits.items() if tp not in set(added)}
        self._call_listener(lambda listener: self._tell_assigned(listener, added))
        # Positions are known now, or the poll that follows raises what went wrong.
        self._begin([tp for tp in added if tp in self._assigned], incremental=True)

    def _tell_assigned(self, listener: RebalanceListener, added: Sequence[TopicPartition]) -> None:
        self._find_starts(added)
        listener.assigned(added)

    def _on_revoke(self, _: Any, partitions: list[KafkaPartition]) -> None:
        gone = [tp for tp in self._own(partitions) if tp in self._assigned]
        if gone:
            self._call_listener(lambda listener: listener.revoked(gone))
        self._give_up(gone, partitions)

    def _on_lost(self, _: Any, partitions: list[KafkaPartition]) -> None:
        """Another member may own them already: the listener's commit fails, and so it should."""
        self._on_revoke(_, partitions)

    def _call_listener(self, call: Callable[[RebalanceListener], Any]) -> None:
        if self._listener is None:
            return
        try:
            call(self._listener)
        except Exception as error:  # noqa: BLE001 - raised by the poll that called us; librdkafka cannot carry it
            self._callback_error = self._callback_error or error

    def _give_up(self, gone: Sequence[TopicPartition], partitions: list[KafkaPartition]) -> None:
        for tp in gone:
            del self._assigned[tp]
            self._known_commits.pop(tp, None)
        self._unstarted.difference_update(gone)
        self._paused.difference_update(gone)
        try:
            self._client.incremental_unassign([KafkaPartition(p.topic, p.partition) for p in partitions])
        except KafkaException:
            self._client.unassign()  # an eager assignor, or lost membership: everything goes

    @staticmethod
    def _own(partitions: list[KafkaPartition]) -> list[TopicPartition]:
        return [TopicPartition(p.topic, p.partition) for p in partitions]

    def close(self) -> None:
        """Leave the group."""
        if self._closed:
            return
        self._closed = True
        if self._pattern is not None:
            self._watch.leave()
        with translated("to leave the group"):
            self._client.close()
        self._assigned = {}
        self._failure = None  # poll told it; what a listener raised at the end nobody has told yet
        self._raise_callback_error()

    def wakeup(self) -> None:
        """Let a waiting `poll` return soon. Any thread."""
        self._woken = True

    def poll(self, max_messages: int, timeout: float) -> list[Message]:
        """Next messages, as many as are here already once the first has come."""
        deadline = time.monotonic() + timeout
        while True:
            if self._pattern is not None:
                self._follow_pattern()
            if self._unstarted:
                self._begin_unstarted()
            left = deadline - time.monotonic()
            found = self._fetch(max_messages, min(_SLICE, max(0.0, left)))
            if self._callback_error is not None or self._failure is not None:
                self._raise_callback_error()
            if found:
                return found
            if self._woken:
                self._woken = False
                return []
            if left <= 0:
                return []

    def _fetch(self, most: int, wait: float) -> list[Message]:
        with translated("to read"):
            first = self._client.poll(wait)
            if first is None:
                return []
            batch = self._client.consume(most - 1, 0) if most > 1 else []
        return self._received([first, *batch])

    def _received(self, batch: list[Any]) -> list[Message]:
        found: list[Message] = []
        add = found.append
        names, prefixes = self._names, self._prefixes
        positions = self._assigned
        topic, partition, offset = "", -1, -1
        for raw in batch:
            error = raw.error()
            if error is not None:
                # An end of a partition lies behind the messages before it: markers of transactions are between them.
                if partition >= 0 and (topic, partition) in positions:
                    positions[TopicPartition(topic, partition)] = offset + 1
                partition = -1
                self._event(raw, error)
                continue
            name = raw.topic()
            known = names.get(name)
            if known is None:
                known = names[name] = name
            number = raw.partition()
            if number != partition or known is not topic:
                if partition >= 0 and (topic, partition) in positions:
                    positions[TopicPartition(topic, partition)] = offset + 1
                topic, partition = known, number
            offset = raw.offset()
            kind, timestamp = raw.timestamp()
            value, prefix = raw.value(), b""
            if value is not None and len(value) > _LONG:
                prefix = prefixes.get(known, b"")
                if prefix and value.startswith(prefix):
                    value = value[len(prefix) :]
                else:
                    prefix, value = self._split(known, value)
            add(
                Message(
                    known,
                    number,
                    offset,
                    timestamp if kind != TIMESTAMP_NOT_AVAILABLE else -1,
                    raw.key(),
                    value,
                    raw.headers(),
                    prefix,
                )
            )
        if partition >= 0 and (topic, partition) in positions:
            positions[TopicPartition(topic, partition)] = offset + 1
        return found

    def _split(self, topic: str, value: bytes) -> tuple[bytes, bytes]:
        """A value as what the next ones will share (the schema of Connect's JSON, most of the bytes) and the rest."""
        end = value.find(_PAYLOAD) if value.startswith(_SCHEMA) else -1
        if end < 0:
            return b"", value
        end += len(_PAYLOAD)
        prefix = self._prefixes[topic] = value[:end]
        return prefix, value[end:]

    def _event(self, raw: Any, error: KafkaError) -> None:
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            tp = TopicPartition(raw.topic(), raw.partition())
            at = self._assigned.get(tp)
            if tp in self._assigned and (at is None or raw.offset() > at):
                self._assigned[tp] = raw.offset()
        elif code == KafkaError.GROUP_AUTHORIZATION_FAILED and self._group is None:
            return  # a plain reader has no business with the group that librdkafka wants it to name
        elif code in _ENDED or error.fatal():
            # This client is of no use any more; a new one goes on where the group stands.
            self._failure = RetriableError(f"Kafka: this consumer has ended: {error.str()}")
        elif code in AUTHORIZATION or code == KafkaError._AUTO_OFFSET_RESET:
            group = code == KafkaError.GROUP_AUTHORIZATION_FAILED
            what = f"the group {self._group}" if group else f"the topic {raw.topic()}"
            self._failure = translate(error, f"to read {what}", f"READ on {what}")
        elif code not in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
            # librdkafka goes on by itself; a topic that does not exist yet is waited for.
            log.warning("Reading from Kafka: %s", error.str())

    def _client_error(self, error: KafkaError) -> None:
        self._last_error = error
        if error.fatal():
            self._failure = RetriableError(f"Kafka: this consumer has ended: {error.str()}")

    def _raise_callback_error(self) -> None:
        error = self._callback_error or self._failure
        self._callback_error = None
        if error is not None:
            if isinstance(error, RetriableError):
                raise unreachable(error, self._last_error) from error
            raise error
