"""Retry formula and tolerance, on a clock held by the test."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from replicator.api.errors import ConnectError, DataError, RetriableError
from replicator.runtime.tolerance import FAILED, ErrorHandler, ErrorPolicy, Failure, Stage
from replicator.testing.clock import ManualClock


class Collector:
    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def report(self, failure: Failure) -> None:
        self.failures.append(failure)


class Operation:
    """Fails with the errors given, then answers."""

    def __init__(self, *errors: Exception, forever: bool = False) -> None:
        self.errors = list(errors)
        self.forever = forever
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.forever:
            raise self.errors[0]
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def handler(
    timeout: int = 0, longest: int = 60000, *, tolerate: bool = False
) -> tuple[ErrorHandler, ManualClock, Collector]:
    clock, collector = ManualClock(), Collector()
    policy = ErrorPolicy(timeout, longest, tolerate)
    return ErrorHandler(policy, [collector], clock, threading.Event()), clock, collector


def call(errors: ErrorHandler, operation: Any) -> Any:
    return errors.call(Stage.TRANSFORMATION, Operation, operation, "the record")


@pytest.mark.parametrize(
    ("timeout", "waits"),
    [(6000, [300, 600, 1200, 2400, 1500]), (5000, [300, 600, 1200, 2400, 500]), (0, []), (300, [300])],
)
def test_waits(timeout: int, waits: list[int]) -> None:
    errors, clock, collector = handler(timeout, tolerate=True)
    operation = Operation(RetriableError("x"), forever=True)
    assert call(errors, operation) is FAILED
    assert [round(w * 1000) for w in clock.waits] == waits
    assert operation.calls == len(waits) + 1
    assert collector.failures[0].attempts == len(waits) + 1


def test_longest_delay_is_random_below_the_limit() -> None:
    errors, clock, _ = handler(60000, 1000, tolerate=True)
    call(errors, Operation(RetriableError("x"), forever=True))
    assert [round(w * 1000) for w in clock.waits[:2]] == [300, 600]
    assert all(w <= 1.0 for w in clock.waits)
    assert len({round(w, 6) for w in clock.waits[2:-1]}) > 1


def test_for_ever() -> None:
    errors, clock, collector = handler(-1)
    assert call(errors, Operation(*[RetriableError("x")] * 50)) == "done"
    assert len(clock.waits) == 50
    assert collector.failures == []
    assert errors.counts.retries == 50


def test_data_errors_are_not_retried() -> None:
    errors, clock, collector = handler(6000, tolerate=True)
    operation = Operation(DataError("bad"), forever=True)
    assert call(errors, operation) is FAILED
    assert (operation.calls, clock.waits) == (1, [])
    assert errors.counts.skipped == 1
    assert collector.failures[0].original == "the record"


@pytest.mark.parametrize("error", [DataError("bad"), ValueError("bad"), RetriableError("gone")])
def test_without_tolerance_everything_is_reported_and_fails_the_task(error: Exception) -> None:
    errors, _, collector = handler()
    with pytest.raises(ConnectError, match="Tolerance exceeded in error handler") as raised:
        call(errors, Operation(error, forever=True))
    assert raised.value.__cause__ is error
    assert [f.error for f in collector.failures] == [error]
    assert errors.counts.skipped == 0


def test_a_stopping_task_decides_nothing() -> None:
    stopping = threading.Event()
    stopping.set()
    collector = Collector()
    errors = ErrorHandler(ErrorPolicy(-1, 60000, True), [collector], ManualClock(), stopping)
    with pytest.raises(RetriableError):
        call(errors, Operation(RetriableError("x"), forever=True))
    assert collector.failures == []
