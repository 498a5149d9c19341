"""Transactional producers (KIP-618): appends become visible at the commit; a later producer of the id fences this one.

Belongs to the thread that appends. librdkafka tells three kinds of errors apart: try the same call again, abort, and
fenced or fatal; the first is handled here, the second leaves as a RetriableError with nothing committed (INV-10).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from replicator.api.errors import ConnectError, FencedError, IllegalStateError, RetriableError
from replicator.broker.kafka.errors import AUTHORIZATION, kafka_error, translate
from replicator.broker.kafka.producer import Done, KafkaProducer, unreachable
from replicator.broker.message import NewMessage

_CALL_SECONDS: Final = 10.0
_INIT_SECONDS: Final = 60.0
_TRANSACTION_MS: Final = "60000"


class TransactionalKafkaProducer(KafkaProducer):
    """See the module.

    Once superseded it sends nothing more: librdkafka follows an abort with a new epoch, which would fence the
    successor. The successor aborts what is open.
    """

    def __init__(
        self, options: Mapping[str, Any], transactional_id: str, superseded: threading.Event | None = None
    ) -> None:
        """Fence the predecessors and wait until their transactions are decided; `superseded` is set by any thread.

        Raises:
            RetriableError: the cluster cannot be reached, or is still busy with a predecessor's transaction.
            BrokerError: the principal may not use this id.
        """
        super().__init__({**options, "transactional.id": transactional_id})
        self._id = transactional_id
        self._superseded = superseded or threading.Event()
        self._right = f"WRITE and DESCRIBE on the transactional id {transactional_id}"
        self._open = False
        # An append met a transaction that the brokers had ended; the commit says so, as then everything must be redone.
        self._doomed = False
        self._began = 0.0
        try:
            self._call("to begin as the only producer of", self._client.init_transactions, _INIT_SECONDS)
        except BaseException as failure:
            if isinstance(failure, ConnectError):
                self._fatal = self._fatal or failure  # nothing was appended: there is nothing to wait for
            self.close()
            raise

    def _settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        # Idempotence comes with transactions; a gap aborts the transaction.
        settings = super()._settings(options)
        del settings["enable.idempotence"]
        settings.pop("enable.gapless.guarantee", None)
        limit = int(settings.setdefault("transaction.timeout.ms", _TRANSACTION_MS))
        self._limit_seconds = limit / 1000.0
        settings["delivery.timeout.ms"] = str(min(limit, int(settings["delivery.timeout.ms"])))
        return settings

    def begin_transaction(self) -> None:
        """Open a transaction."""
        if self._open:
            raise IllegalStateError(f"The transaction of {self._id} is open already.")
        self._call("to begin a transaction of", lambda _: self._client.begin_transaction(), _CALL_SECONDS)
        self._open, self._doomed = True, False
        self._began = time.monotonic()

    def append(self, batch: Sequence[NewMessage], on_done: Done | None = None) -> None:
        """Append to the open transaction."""
        if not self._open:
            raise IllegalStateError(f"There is no open transaction of {self._id}.")
        try:
            super().append(batch, on_done)
        except FencedError:
            if not self._expired():
                raise
            self._doomed = True
        except IllegalStateError as error:
            if error.__cause__ is None:
                raise
            self._doomed = True  # librdkafka takes nothing into a transaction that can only be aborted

    def _expired(self) -> bool:
        """Whether the brokers may have ended the transaction by its time-out, which looks like being fenced."""
        return self._open and time.monotonic() - self._began > self._limit_seconds

    def commit_transaction(self) -> None:
        """Wait for everything appended, then make it visible.

        Raises:
            RetriableError: the transaction was aborted instead; nothing of it becomes visible.
            FencedError: another producer took over.
        """
        if not self._open:
            raise IllegalStateError(f"There is no open transaction of {self._id}.")
        # Of a transaction that cannot be committed this call says why; it aborts it.
        self._call("to commit a transaction of", self._client.commit_transaction, None)
        self._open = False
        if self._doomed:
            raise RetriableError(f"Kafka: a transaction of {self._id} was aborted.")

    def abort_transaction(self) -> None:
        """Drop the open transaction."""
        if self._open:
            self._open = False
            self._call("to abort a transaction of", self._client.abort_transaction, None)

    def close(self) -> None:
        """Drop an open transaction and end; if Kafka is away, its time-out ends the transaction."""
        if self._closed.is_set():
            return
        if self._open and self._fatal is None and not self._superseded.is_set():
            self._open = False
            self._client.purge()
            try:
                self._client.abort_transaction(_CALL_SECONDS)
            except KafkaException:
                pass  # the successor's init_transactions, or the time-out, ends it
        super().close()

    def _call(self, doing: str, call: Callable[[float], Any], seconds: float | None) -> None:
        """Make a call again while librdkafka says so; without `seconds` for as long as it takes."""
        deadline = None if seconds is None else time.monotonic() + seconds
        what = f"{doing} {self._id}"
        while True:
            try:
                call(_CALL_SECONDS)
            except KafkaException as raised:
                error = kafka_error(raised)
                failure = self._failure(error, what)
                if error.fatal() or self._fatal is not None:
                    if isinstance(failure, FencedError) and self._expired():
                        raise RetriableError(f"Kafka: a transaction of {self._id} took too long.") from raised
                    raise failure from raised
                if self._superseded.is_set():
                    raise FencedError(f"{failure.message} Another one may use {self._id} now.") from raised
                if error.txn_requires_abort():
                    self._abort_after(failure)
                    raise _again(failure, error.str()) from raised
                if not error.retriable() or (deadline is not None and time.monotonic() > deadline):
                    raise unreachable(failure, self._last_error) from raised
                self._closed.wait(0.05)
            else:
                return

    def _failure(self, error: KafkaError, what: str) -> ConnectError:
        """Our error for one of a call; whoever lacks a right is told which one, not what came of it."""
        if error.code() not in AUTHORIZATION:
            return self._fatal or translate(error, what)
        topics = ", ".join(sorted(self._known))
        of_topics = error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
        return translate(error, what, f"WRITE on the topics {topics}" if of_topics else self._right)

    def _abort_after(self, failure: ConnectError) -> None:
        try:
            self._abort_failed()
        except ConnectError as error:
            if isinstance(failure, RetriableError):
                raise
            raise failure from error

    def _abort_failed(self) -> None:
        """End a transaction that can only be aborted."""
        self._open = False
        try:
            self._client.abort_transaction(_CALL_SECONDS)
        except KafkaException as raised:
            error = kafka_error(raised)
            raise translate(error, f"to abort a transaction of {self._id}") from raised


def _again(failure: ConnectError, reason: str) -> ConnectError:
    if isinstance(failure, RetriableError):
        return failure
    hint = failure.hint
    return (
        type(failure)(failure.message, hint=hint)
        if hint
        else RetriableError(f"The transaction was aborted: {reason}.")
    )
