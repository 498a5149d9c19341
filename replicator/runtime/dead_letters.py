"""Reporters of failed records: the log, and the dead letter queue of a sink (task thread).

Trouble in reporting never fails the task; it is logged and counted.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from replicator.api.errors import ConnectError
from replicator.api.record import SinkRecord, SourceRecord
from replicator.broker.base import Admin, Message, MessageHeaders, NewMessage, NewTopic, Producer
from replicator.runtime.tolerance import ErrorHandler, Failure, Stage

log = logging.getLogger(__name__)

HEADER_PREFIX: Final = "__connect.errors."


class LogReporter:
    """One ERROR line per failure (`errors.log.enable`)."""

    def __init__(self, connector: str, task: int, *, include_messages: bool) -> None:
        self._id = f"{connector}-{task}"
        self._include = include_messages

    def report(self, failure: Failure) -> None:
        """Log it."""
        text = (
            f"Error encountered in task {self._id}. Executing stage '{failure.stage.value}' with class"
            f" '{_class_name(failure.executing)}' (attempts {failure.attempts})"
        )
        if self._include:
            text += f", where {_describe(failure.original)}"
        log.error("%s: %s", text, failure.error, exc_info=failure.error)


class DeadLetterQueue:
    """Writes the consumed bytes of a failed record to a topic, with up to ten headers.

    Attributes:
        written: dead letters appended.
        failed: dead letters that could not be appended.
    """

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
    ) -> None:
        self._topic = topic
        self._connector = connector
        self._task = task
        self._producer = producer
        self._admin = admin
        self._replication = replication
        self._with_headers = headers
        self._created = False
        self.written = 0
        self.failed = 0

    def report(self, failure: Failure) -> None:
        """Append the record."""
        original = failure.original
        if not isinstance(original, Message):
            return
        headers = list(original.headers or ())
        if self._with_headers:
            headers += self._context(failure, original)
        timestamp = original.timestamp if original.timestamp >= 0 else None
        letter = NewMessage(self._topic, original.key, original.value, None, timestamp, headers or None)
        try:
            self._create()
            self._producer.append([letter], self._done)
        except ConnectError as error:
            self._done(error)

    def sync(self, timeout: float) -> bool:
        """Wait until the letters survive power loss."""
        return self._producer.sync(timeout)

    def close(self) -> None:
        """Release the producer."""
        self._producer.close()

    def _done(self, error: Exception | None) -> None:
        if error is None:
            self.written += 1
        else:
            self.failed += 1
            log.error("Could not produce message to dead letter queue. topic=%s: %s", self._topic, error)

    def _create(self) -> None:
        if not self._created:
            self._admin.create_topics(
                [NewTopic(self._topic, 1, self._replication, {"cleanup.policy": "delete"})]
            )
            self._created = True

    def _context(self, failure: Failure, original: Message) -> MessageHeaders:
        error = failure.error
        message = error.message if isinstance(error, ConnectError) else str(error)
        facts: list[tuple[str, str | None]] = [
            ("topic", original.topic),
            ("partition", str(original.partition)),
            ("offset", str(original.offset)),
            ("connector.name", self._connector),
            ("task.id", str(self._task)),
            ("stage", failure.stage.value),
            ("class.name", _class_name(failure.executing)),
            ("exception.class.name", _class_name(type(error))),
            ("exception.message", message or None),
            ("exception.stacktrace", "".join(traceback.format_exception(error))),
        ]
        return [(HEADER_PREFIX + name, None if text is None else text.encode()) for name, text in facts]


class RecordReporter:
    """`context.reporter` of sink tasks (KIP-610).

    Attributes:
        failure: set when a report under tolerance none must fail the task, even if the task swallowed it.
    """

    def __init__(
        self, errors: ErrorHandler, original: Callable[[SinkRecord], Message], task_class: Callable[[], type]
    ) -> None:
        self._errors = errors
        self._original = original
        self._task_class = task_class
        self.failure: ConnectError | None = None

    def report(self, record: SinkRecord, error: BaseException) -> Future[None]:
        """Report one record; the future is done when this returns."""
        failed = Failure(
            stage=Stage.TASK_PUT,
            executing=self._task_class(),
            error=error,
            attempts=1,
            original=self._original(record),
        )
        try:
            self._errors.fail(failed)
        except ConnectError as tolerance_exceeded:
            self.failure = tolerance_exceeded
            raise
        done: Future[None] = Future()
        done.set_result(None)
        return done


def _class_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _describe(original: Any) -> str:
    if isinstance(original, Message):
        return (
            f"consumed record is {{topic='{original.topic}', partition={original.partition},"
            f" offset={original.offset}, timestamp={original.timestamp}}}"
        )
    if isinstance(original, SourceRecord):
        return (
            f"source record is {{topic='{original.topic}', key={original.key!r}, value={original.value!r},"
            f" sourcePartition={original.source_partition!r}, sourceOffset={original.source_offset!r}}}"
        )
    return "record is not known"
