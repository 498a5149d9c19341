"""What happens when one record cannot be handled: retry, then tolerance and reports (task thread).

Retries follow Kafka Connect's formula. Where Connect drops a record whose retriable error did not
go away although errors.tolerance is none, we fail the task (INV-6, C23).
"""

from __future__ import annotations

import enum
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from replicator.api.errors import ConnectError, RetriableError
from replicator.runtime.clock import Clock
from replicator.runtime.java_names import class_name

FIRST_DELAY_MS: Final = 300


class Stage(enum.Enum):
    """Where in a task an error happened."""

    TRANSFORMATION = "TRANSFORMATION"
    HEADER_CONVERTER = "HEADER_CONVERTER"
    KEY_CONVERTER = "KEY_CONVERTER"
    VALUE_CONVERTER = "VALUE_CONVERTER"
    KAFKA_PRODUCE = "KAFKA_PRODUCE"
    TASK_PUT = "TASK_PUT"


class _Failed:
    def __repr__(self) -> str:
        return "FAILED"


FAILED: Final = _Failed()
"""Returned by `ErrorHandler.call` for a record that is skipped because the options say so."""


_OPTIONS: Final = {
    Stage.KEY_CONVERTER: "key.converter and its options (key.converter.schemas.enable for JSON)",
    Stage.VALUE_CONVERTER: "value.converter and its options (value.converter.schemas.enable for JSON)",
    Stage.HEADER_CONVERTER: "header.converter",
    Stage.TRANSFORMATION: "transforms",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed record.

    Attributes:
        stage: where it failed.
        executing: class that failed.
        error: why.
        attempts: how often it was tried.
        original: the consumed Message (sinks), the SourceRecord as polled (sources), or the NewMessage that the
            broker refused.
    """

    stage: Stage
    executing: type
    error: BaseException
    attempts: int
    original: Any


class Reporter(Protocol):
    """Where failures are told: log, dead letter queue."""

    def report(self, failure: Failure) -> None:
        """Report; never raises for its own troubles."""
        ...


@dataclass(frozen=True, slots=True)
class ErrorPolicy:
    """The `errors.*` options of a connector."""

    retry_timeout_ms: int = 0
    retry_delay_max_ms: int = 60000
    tolerate_all: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> ErrorPolicy:
        """From parsed connector options."""
        return cls(
            config["errors.retry.timeout"],
            config["errors.retry.delay.max.ms"],
            str(config["errors.tolerance"]).lower() == "all",
        )


@dataclass(slots=True)
class ErrorCounts:
    """Totals since the task started; written by the task thread and the producer's, read by anybody.

    Attributes:
        failures: attempts that failed.
        errors: records that failed for good.
        retries: attempts that followed a failed one.
        skipped: records skipped because errors are tolerated.
        logged: errors written to the log.
        letters: dead letters handed to the producer.
        letter_failures: dead letters the producer could not write.
        last_ms: when a record last failed, or 0.
    """

    failures: int = 0
    errors: int = 0
    retries: int = 0
    skipped: int = 0
    logged: int = 0
    letters: int = 0
    letter_failures: int = 0
    last_ms: int = 0


def _advice(failure: Failure) -> str:
    """Where it went wrong, and which options decide."""
    where = f"Executing stage '{failure.stage.value}' with class '{class_name(failure.executing)}'."
    options = _OPTIONS.get(failure.stage)
    return f"{where} Look at {options}, or set errors.tolerance=all." if options else where


class ErrorHandler:
    """Calls an operation on one record with retries, reports and tolerance."""

    def __init__(
        self,
        policy: ErrorPolicy,
        reporters: Sequence[Reporter],
        clock: Clock,
        stopping: threading.Event,
        counts: ErrorCounts | None = None,
    ) -> None:
        self.policy = policy
        self.counts = counts or ErrorCounts()
        self._reporters = reporters
        self._clock = clock
        self._stopping = stopping

    def call(
        self,
        stage: Stage,
        executing: type,
        operation: Callable[[], Any],
        original: Any,
        *,
        failed: Exception | None = None,
    ) -> Any:
        """The operation's result, or FAILED when the record is to be skipped.

        Args:
            stage: where in the task.
            executing: class that does it.
            operation: what to do.
            original: the record as it came.
            failed: how the first attempt failed, where it was made already.

        Raises:
            ConnectError: errors.tolerance is none.
            RetriableError: the task is to stop while it waits; nothing was decided.
        """
        attempts = 0
        delays = self._delays()
        while True:
            attempts += 1
            try:
                if failed is not None:
                    error, failed = failed, None
                    raise error
                return operation()
            except RetriableError as error:
                self.counts.failures += 1
                if self._stopping.is_set():
                    raise
                delay = next(delays, None)
                if delay is None:
                    return self._give_up(stage, executing, error, attempts, original)
                self._clock.wait(self._stopping, delay / 1000.0)
                self.counts.retries += 1
            except MemoryError:
                # As Java's Errors: the process is in trouble, not the record.
                raise
            except Exception as error:  # noqa: BLE001 - any error of a plugin is the record's, as in Connect
                self.counts.failures += 1
                return self._give_up(stage, executing, error, attempts, original)

    def fail(self, failure: Failure) -> None:
        """Report a failure, then fail the task unless errors are tolerated.

        Raises:
            ConnectError: errors.tolerance is none.
        """
        self.counts.errors += 1
        self.counts.last_ms = self._clock.wall_ms()
        for reporter in self._reporters:
            reporter.report(failure)
        if not self.policy.tolerate_all:
            raise ConnectError(
                "Tolerance exceeded in error handler", hint=_advice(failure)
            ) from failure.error
        self.counts.skipped += 1

    def refused(self, executing: type, error: BaseException, original: Any) -> None:
        """The broker refused a message of a source for good.

        Raises:
            ConnectError: errors.tolerance is none.
        """
        self.counts.failures += 1
        stage = Stage.KAFKA_PRODUCE
        self.fail(Failure(stage=stage, executing=executing, error=error, attempts=1, original=original))

    def _give_up(
        self, stage: Stage, executing: type, error: BaseException, attempts: int, original: Any
    ) -> _Failed:
        failed = Failure(stage=stage, executing=executing, error=error, attempts=attempts, original=original)
        self.fail(failed)
        return FAILED

    def _delays(self) -> Iterator[float]:
        timeout = self.policy.retry_timeout_ms
        deadline = self._clock.now() * 1000.0 + timeout if timeout >= 0 else float("inf")
        attempt = 0
        while (now := self._clock.now() * 1000.0) < deadline:
            # Beyond 2**40 ms the shift only makes big integers.
            delay: float = FIRST_DELAY_MS << min(attempt, 40)
            if delay > self.policy.retry_delay_max_ms:
                delay = random.random() * self.policy.retry_delay_max_ms
            if now + delay > deadline:
                delay = max(0.0, deadline - now)
            attempt += 1
            yield delay
