"""What the service manager hears, through a real datagram socket."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from replicator.api.errors import ConfigError
from replicator.cli.notify import Notifier
from replicator.cli.notify_loop import TASK_SECONDS, Heartbeat
from replicator.herder.views import Health, TaskId, TaskProgress
from tests.unit.deploy.service_manager import Manager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.socket.close()


class FakeHerder:
    """As much of a herder as a heartbeat looks at."""

    def __init__(self) -> None:
        self.silent = 0.0
        self.status = "healthy"

    def connectors(self) -> list[str]:
        return ["shop"]

    def progress(self, name: str) -> list[TaskProgress]:
        return [TaskProgress(TaskId(name, 0), "RUNNING", {"lag_ms": 1500}, silent_seconds=self.silent)]

    def health(self) -> Health:
        return Health(self.status, "Worker is\nstill starting up.")


class FakeLoop:
    idle = 0.0

    def idle_for(self) -> float:
        return self.idle


def _heartbeat(manager: Manager, seconds: float | None = 0.2, **environ: str) -> Heartbeat:
    return Heartbeat(Notifier(manager.address, seconds), environ)


def _turns(
    heartbeat: Heartbeat, herder: FakeHerder, loop: FakeLoop | None = None, seconds: float = 0.25
) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        heartbeat.turn(herder, loop)  # type: ignore[arg-type]
        time.sleep(0.005)


def _everything(manager: Manager) -> list[dict[str, str]]:
    found = []
    while message := manager.heard():
        found.append(message)
    return found


def test_ready_then_signs_of_life(manager: Manager) -> None:
    heartbeat = _heartbeat(manager)
    _turns(heartbeat, FakeHerder())
    heartbeat.stopping()
    heard = _everything(manager)
    assert heard[0] == {"READY": "1", "STATUS": "1 connectors, 1 tasks here (1 running), lag 1.5 s"}
    assert [m for m in heard[1:-1] if m == {"WATCHDOG": "1"}][2:], heard
    assert heard[-1]["STOPPING"] == "1"


def test_a_hanging_loop_gets_no_sign_of_life(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    heartbeat, herder, loop = _heartbeat(manager), FakeHerder(), FakeLoop()
    _turns(heartbeat, herder, loop)
    assert {"WATCHDOG": "1"} in _everything(manager)
    loop.idle = 61
    _turns(heartbeat, herder, loop)
    assert {"WATCHDOG": "1"} not in _everything(manager)
    assert "herder's thread hangs" in caplog.text
    loop.idle = 0
    _turns(heartbeat, herder, loop)
    assert {"WATCHDOG": "1"} in _everything(manager)


def test_a_hanging_task_counts_only_when_asked_for(manager: Manager) -> None:
    herder = FakeHerder()
    watched, unwatched = _heartbeat(manager, **{TASK_SECONDS: "30"}), _heartbeat(manager)
    for heartbeat in (watched, unwatched):
        _turns(heartbeat, herder)
    _everything(manager)
    herder.silent = 31
    _turns(watched, herder)
    assert {"WATCHDOG": "1"} not in _everything(manager)
    _turns(unwatched, herder)
    assert {"WATCHDOG": "1"} in _everything(manager)


def test_a_main_loop_that_does_not_turn_says_nothing(manager: Manager) -> None:
    _turns(_heartbeat(manager), FakeHerder())
    _everything(manager)
    time.sleep(0.3)
    assert manager.heard() == {}


def test_while_it_starts_it_asks_for_time(manager: Manager) -> None:
    heartbeat, herder = _heartbeat(manager), FakeHerder()
    heartbeat.turn(herder, ready=False)  # type: ignore[arg-type]
    assert manager.heard() == {"EXTEND_TIMEOUT_USEC": "60000000", "STATUS": "Worker is still starting up."}
    _turns(heartbeat, herder)
    assert "READY" in manager.heard()


def test_no_watchdog_no_signs_of_life_but_a_status(manager: Manager) -> None:
    _turns(_heartbeat(manager, None), FakeHerder())
    assert [sorted(m) for m in _everything(manager)] == [["READY", "STATUS"], ["STATUS"]]


def test_a_manager_that_does_not_read_holds_up_nothing(manager: Manager) -> None:
    notifier = Notifier(manager.address, 1)
    began = time.monotonic()
    sent = [notifier.status(str(number)) for number in range(2000)]
    assert sent[0]
    assert not sent[-1]
    assert time.monotonic() - began < 2


def test_from_the_environment() -> None:
    environ = {
        "NOTIFY_SOCKET": f"@replicator-{os.getpid()}",
        "WATCHDOG_USEC": "2000000",
        "WATCHDOG_PID": str(os.getpid()),
    }
    manager = Manager(environ["NOTIFY_SOCKET"])
    notifier = Notifier.from_environment(environ)
    assert environ == {}, "child processes would speak in our name"
    assert notifier.watchdog_seconds == 2
    assert notifier.watchdog()
    assert manager.heard() == {"WATCHDOG": "1"}
    manager.socket.close()
    assert not notifier.watchdog(), "nobody listens any more"


@pytest.mark.parametrize(
    "environ",
    [{}, {"WATCHDOG_USEC": "5"}, {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "5"}],
)
def test_nobody_to_tell(environ: dict[str, str]) -> None:
    notifier = Notifier.from_environment(environ)
    assert not notifier.active
    assert notifier.watchdog_seconds is None
    assert not notifier.ready("fine")


def test_a_watchdog_meant_for_another_process() -> None:
    environ = {"NOTIFY_SOCKET": "@nobody", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}
    assert Notifier.from_environment(environ).watchdog_seconds is None


def test_the_limit_of_a_task_must_be_a_number() -> None:
    with pytest.raises(ConfigError, match=TASK_SECONDS):
        Heartbeat(Notifier(None), {TASK_SECONDS: "soon"})


def test_a_real_worker(manager: Manager, tmp_path: Path) -> None:
    """Ready once its connector is there, then alive, then stopping; silent when the process is stopped."""
    worker, source = tmp_path / "worker.properties", tmp_path / "source.properties"
    worker.write_text("listeners=off\n")
    source.write_text(f"name=file\nconnector.class=FileStreamSource\nfile={worker}\ntopic=lines\n")
    environ = {**os.environ, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000"}
    child = subprocess.Popen(
        [sys.executable, "-m", "replicator", "standalone", str(worker), str(source)],
        env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert manager.until("READY", 30) == "1"
        assert manager.until("WATCHDOG", 5) == "1"
        manager.until("STATUS", 15, "1 connectors, 1 tasks here (1 running)")
        child.terminate()
        assert manager.until("STOPPING", 10) == "1"
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.wait()


def test_a_real_task_that_hangs(manager: Manager, tmp_path: Path) -> None:
    """A pipe that nobody writes to holds the task in its step; once somebody does, all is well again."""
    worker, source, pipe = tmp_path / "worker.properties", tmp_path / "source.properties", tmp_path / "pipe"
    os.mkfifo(pipe)
    worker.write_text("listeners=off\n")
    source.write_text(f"name=file\nconnector.class=FileStreamSource\nfile={pipe}\ntopic=lines\n")
    environ = {
        **os.environ,
        "NOTIFY_SOCKET": manager.address,
        "WATCHDOG_USEC": "2000000",
        TASK_SECONDS: "1.5",
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "replicator", "standalone", str(worker), str(source)],
        env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        manager.until("READY", 30)
        manager.until("STATUS", 15, "file-0 has been in one step for over 1.5 s")
        _everything(manager)
        time.sleep(1.2)
        assert {"WATCHDOG": "1"} not in _everything(manager)
        with pipe.open("w"):
            manager.until("WATCHDOG", 5)
    finally:
        child.kill()
        child.wait()
