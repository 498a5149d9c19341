"""Reporters of failed records: the log, and the dead letter queue (task thread).

Trouble in reporting never fails the task; it is logged and counted. A sink's letter is the consumed
record, byte for byte. A source's letter (Connect has none) is the polled record in the form of the
connector's converters, or as plain JSON where those are what failed.
"""

from __future__ import annotations

import json
import logging
import traceback
from concurrent.futures import Future
from typing import Any, Final, Protocol, cast

from replicator.api.errors import ConnectError
from replicator.api.record import SourceRecord
from replicator.broker.admin import Admin, NewTopic
from replicator.broker.base import Producer
from replicator.broker.message import Message, MessageHeaders, NewMessage
from replicator.runtime.java_names import class_name
from replicator.runtime.tolerance import ErrorCounts, Failure

log = logging.getLogger(__name__)

HEADER_PREFIX: Final = "__connect.errors."
SOURCE_PARTITION: Final = HEADER_PREFIX + "source.partition"
SOURCE_OFFSET: Final = HEADER_PREFIX + "source.offset"
SOURCE_ENCODING: Final = HEADER_PREFIX + "source.encoding"
SYNC_SECONDS: Final = 30.0


class SourceEncoder(Protocol):
    """Makes messages of source records that failed."""

    def encode(self, record: SourceRecord) -> tuple[NewMessage, str]:
        """The record as a message, and the form of its key and value: `converter` or `json`."""
        ...


class LogReporter:
    """One ERROR line per failure (`errors.log.enable`)."""

    def __init__(
        self, connector: str, task: int, *, include_messages: bool, counts: ErrorCounts | None = None
    ) -> None:
        self._id = f"{connector}-{task}"
        self._include = include_messages
        self._counts = counts or ErrorCounts()

    def report(self, failure: Failure) -> None:
        """Log it, in Connect's words."""
        text = (
            f"Error encountered in task {self._id}. Executing stage '{failure.stage.value}' with class"
            f" '{class_name(failure.executing)}'"
        )
        if self._include:
            text += _described(failure.original)
        attempts = f" Attempts: {failure.attempts}." if failure.attempts > 1 else ""
        log.error("%s.%s", text, attempts, exc_info=failure.error)
        self._counts.logged += 1


class DeadLetterQueue:
    """Writes failed records to a topic, with up to ten headers (thirteen for a source)."""

    def __init__(
        self,
        topic: str,
        connector: str,
        task: int,
        producer: Producer,
        admin: Admin,
        *,
        replication: int,
        headers: bool,
        counts: ErrorCounts | None = None,
        encoder: SourceEncoder | None = None,
    ) -> None:
        self._topic = topic
        self._connector = connector
        self._task = task
        self._producer = producer
        self._admin = admin
        self._replication = replication
        self._with_headers = headers
        self._counts = counts or ErrorCounts()
        self._encoder = encoder
        self._created = False
        self._unsynced = False

    def report(self, failure: Failure) -> None:
        """Append the record."""
        letter = self._letter(failure)
        if letter is None:
            return
        self._counts.letters += 1
        try:
            self._create()
            self._producer.append([letter], self._done)
            self._unsynced = True
        except ConnectError as error:
            self._done(error)

    def sync(self, timeout: float = SYNC_SECONDS) -> bool:
        """Wait until the letters so far survive power loss; False when time ran out."""
        if not self._unsynced:
            return True
        done = self._producer.sync(timeout)
        self._unsynced = not done
        return done

    def close(self) -> None:
        """Release the producer."""
        self._producer.close()

    def _letter(self, failure: Failure) -> NewMessage | None:
        """The record with what went wrong; None where nothing of it can be kept."""
        original, encoding = failure.original, None
        if isinstance(original, Message):
            key, value, stamp, given = original.key, original.value, _stamp(original), original.headers
        elif isinstance(original, SourceRecord) and self._encoder is not None:
            message, encoding = self._encoder.encode(original)
            key, value, stamp, given = message.key, message.value, message.timestamp, message.headers
        else:
            return None
        headers = list(given or ())
        if self._with_headers:
            headers += self._context(failure, encoding)
        return NewMessage(self._topic, key, value, None, stamp, headers or None)

    def _done(self, error: Exception | None) -> None:
        if error is not None:
            self._counts.letter_failures += 1
            log.error("Could not produce message to dead letter queue. topic=%s: %s", self._topic, error)

    def _create(self) -> None:
        if self._created:
            return
        settings = {"cleanup.policy": "delete"}
        try:
            self._admin.create_topics([NewTopic(self._topic, 1, self._replication, settings)])
        except ConnectError as error:
            if self._replication == -1 or "replication" not in error.message.lower():
                raise
            # Fewer replicas are better than no letters; the queue's own topic never fails the task.
            log.warning("Dead letter queue %s cannot have %d replicas (%s): it gets as many as the brokers give by"
                        " default.", self._topic, self._replication, error.message)  # fmt: skip
            self._admin.create_topics([NewTopic(self._topic, 1, -1, settings)])
        self._created = True

    def _context(self, failure: Failure, encoding: str | None) -> MessageHeaders:
        error, original = failure.error, failure.original
        message = error.message if isinstance(error, ConnectError) else str(error)
        facts: list[tuple[str, str | None]] = [
            *_place(original),
            ("connector.name", self._connector),
            ("task.id", str(self._task)),
            ("stage", failure.stage.value),
            ("class.name", class_name(failure.executing)),
            ("exception.class.name", class_name(type(error))),
            ("exception.message", message or None),
            ("exception.stacktrace", "".join(traceback.format_exception(error))),
        ]
        context = [(HEADER_PREFIX + name, None if text is None else text.encode()) for name, text in facts]
        if isinstance(original, SourceRecord):
            offset = original.source_offset
            plain = offset.to_map() if offset is not None and hasattr(offset, "to_map") else offset
            context += [
                (SOURCE_PARTITION, _json(original.source_partition)),
                (SOURCE_OFFSET, _json(plain)),
                (SOURCE_ENCODING, (encoding or "").encode()),
            ]
        return context


class Durable(Future[None]):
    """Done at once; asking for its result waits until the letters survive power loss.

    One flush serves all reports of a batch, so a report itself does not wait for the disk.
    """

    def __init__(self, queue: DeadLetterQueue) -> None:
        super().__init__()
        self._queue = queue
        self.set_result(None)

    def result(self, timeout: float | None = None) -> None:
        """Wait.

        Raises:
            TimeoutError: the letters could not be flushed in time.
        """
        if not self._queue.sync(SYNC_SECONDS if timeout is None else timeout):
            raise TimeoutError("The dead letter queue could not be flushed in time.")


def _stamp(message: Message) -> int | None:
    # A message that was refused has no timestamp yet.
    stamp = cast("int | None", message.timestamp)
    return None if stamp is None or stamp < 0 else stamp


def _place(original: Any) -> list[tuple[str, str | None]]:
    partition = original.partition
    offset = getattr(original, "offset", None)
    return [
        ("topic", original.topic),
        ("partition", None if partition is None else str(partition)),
        ("offset", None if offset is None else str(offset)),
    ]


def _json(value: Any) -> bytes | None:
    if value is None:
        return None
    return json.dumps(dict(value), ensure_ascii=False, default=str).encode()


def _described(original: Any) -> str:
    if isinstance(original, Message):
        return (
            f", where consumed record is {{topic='{original.topic}', partition={original.partition},"
            f" offset={original.offset}, timestamp={original.timestamp}, timestampType=CreateTime}}"
        )
    if isinstance(original, SourceRecord):
        return (
            f", where source record is = SourceRecord{{sourcePartition={original.source_partition!r},"
            f" sourceOffset={original.source_offset!r}}} ConnectRecord{{topic='{original.topic}',"
            f" kafkaPartition={original.partition}, key={original.key!r}, keySchema={original.key_schema!r},"
            f" value={original.value!r}, valueSchema={original.value_schema!r},"
            f" timestamp={original.timestamp}, headers={original.headers!r}}}"
        )
    if isinstance(original, NewMessage):
        return f", where produced record is {{topic='{original.topic}', partition={original.partition}}}"
    return ""
