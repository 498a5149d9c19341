"""Life of a task's thread, its numbers, and failpoints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from replicator.api.errors import ConnectError, DiskFullError, RetriableError
from replicator.api.failpoints import arm, failpoint
from replicator.runtime.stats import TaskStats
from replicator.runtime.task import FAILED, RESTARTING, RUNNING, TaskRunner
from replicator.testing.clock import ManualClock
from replicator.testing.failpoints import armed, environment
from tests.unit.runtime.service_fixture import eventually, running, script, source


class Work:
    """Fails as told; the runner ends when `steps` are done."""

    def __init__(
        self, runner: list[TaskRunner], error: Exception | None, close_error: Exception | None
    ) -> None:
        self.runner = runner
        self.error = error
        self.close_error = close_error
        self.closed = 0

    def start(self) -> None:
        if self.error is not None:
            raise self.error

    def step(self) -> None:
        self.runner[0].stopping.set()

    def close(self) -> None:
        self.closed += 1
        if self.close_error is not None:
            raise self.close_error

    def wake(self) -> None:
        """Another thread asks: nothing of this run ends there."""

    pause = resume = idle = start


def run(
    *errors: Exception | None, close_error: Exception | None = None
) -> tuple[list[Any], list[float], list[Work]]:
    """States, waits and works of a task whose runs fail one after another."""
    holder: list[TaskRunner] = []
    works = [Work(holder, error, close_error) for error in errors]
    left = list(works)
    clock = ManualClock()
    states: list[Any] = []
    runner = TaskRunner(
        "c-0",
        lambda: left.pop(0),
        threading.Event(),
        clock,
        lambda state, trace: states.append((state, trace)),  # type: ignore[arg-type,return-value]
    )
    holder.append(runner)
    runner.start()
    assert runner.join(40)
    return states, clock.waits, works


def test_backoff_doubles_up_to_half_a_minute() -> None:
    states, waits, works = run(*[RetriableError("down")] * 8, None)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert [state for state, _ in states] == [RESTARTING] * 8 + [RUNNING]
    assert [work.closed for work in works] == [1] * 9


def test_a_full_disk_of_the_log_is_outlived() -> None:
    states, waits, _ = run(DiskFullError("no space"), None)
    assert ([state for state, _ in states], waits) == ([RESTARTING, RUNNING], [1])


def test_the_first_error_is_shown_even_when_closing_fails_too() -> None:
    states, _, _ = run(ValueError("first"), close_error=ConnectError("second"))
    assert [state for state, _ in states] == [FAILED]
    assert "ValueError: first" in states[0][1]
    assert "second" not in states[0][1]


def test_a_task_that_hangs_is_abandoned_in_time() -> None:
    release = threading.Event()
    own = script("src")
    own.on_start = lambda task: release.wait(20)
    with running(**{"task.shutdown.graceful.timeout.ms": "100"}) as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.instances)
        service.herder.stop_connector("src")
        assert service.herder.connector_status("src").to_json()["tasks"] == []
        assert own.stops == 0
        release.set()
        own.wait(lambda: own.stops == 1)


def test_what_becomes_of_an_abandoned_task_is_no_news() -> None:
    """Another worker may run it already: a late failure must not cover that one's state."""
    begun, release = threading.Event(), threading.Event()

    class Stuck(Work):
        def start(self) -> None:
            begun.set()
            assert release.wait(30)
            super().start()

    states: list[str] = []
    works = [Stuck([], ValueError("fenced"), None)]
    runner = TaskRunner(
        "c-0", works.pop, threading.Event(), ManualClock(), lambda state, _: states.append(state)
    )
    runner.start()
    assert begun.wait(30)
    runner.stop()
    assert not runner.join(0.01)
    runner.abandon()
    release.set()
    assert runner.join(30)
    assert states == []
    assert runner.state == FAILED


def test_facts_and_gauges_are_snapshots() -> None:
    own = script("src")
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.instances)
        context = own.instances[0].context
        context.progress(phase="snapshot", lag_ms=5)
        before = service.herder.progress("src")[0]
        context.progress(phase="streaming")
        context.gauge("retained", 7, slot="s")
        after = eventually(lambda: service.herder.progress("src")[0])
    assert (before.facts["phase"], after.facts["phase"]) == ("snapshot", "streaming")
    assert after.facts["lag_ms"] == after.stats["lag_ms"] == 5
    assert after.gauges == {'retained{slot="s"}': 7.0}
    assert after.to_json()["id"] == {"connector": "src", "task": 0}


def test_rates_rise_and_fall() -> None:
    clock = ManualClock()
    stats = TaskStats(clock)
    for _ in range(20):
        clock.advance(0.5)
        stats.received(500)
        stats.sent(500)
    rates = stats.snapshot()
    assert rates["records_in"] == rates["records_out"] == 10000
    assert 900 <= rates["records_in_per_second"] <= 1050
    assert 900 <= rates["records_out_per_second"] <= 1050
    clock.advance(30)
    assert stats.snapshot()["records_in_per_second"] < 20


def test_failpoints() -> None:
    failpoint("here")
    with armed("here:raise@2,there:raise@1"):
        failpoint("here")
        with pytest.raises(ConnectError, match="Failpoint here"):
            failpoint("here")
        failpoint("here")
    failpoint("there")
    with pytest.raises(ValueError, match="expected"):
        arm("here:explode@1")


def test_a_failpoint_kills() -> None:
    code = "from replicator.api.failpoints import failpoint as f; f('x'); f('x'); print('alive')"
    killed = subprocess.run(
        [sys.executable, "-c", code], env=environment(os.environ, "x:kill@2"), check=False
    )
    assert killed.returncode == -signal.SIGKILL


def test_a_service_without_rest_imports_no_web_framework() -> None:
    heavy = ("fastapi", "uvicorn", "sqlalchemy", "alembic", "confluent_kafka", "rich")
    code = (
        "import sys; from replicator.service import Service; s = Service({'listeners': 'off'}); s.start(); s.stop();"
        f"sys.exit(repr([m for m in sys.modules if m in {heavy}]) if any(m in sys.modules for m in {heavy}) else 0)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr == ""
    )
