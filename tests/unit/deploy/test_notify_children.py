"""`distributed --workers N` under a service manager."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from replicator.cli import distributed
from replicator.cli.notify import Notifier
from replicator.cli.notify_children import GroupHeartbeat
from tests.unit.deploy.service_manager import Manager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.socket.close()


def _child(group: GroupHeartbeat, number: int) -> Notifier:
    """The worker's end."""
    return Notifier.from_environment(dict(group.environment(number)))


def _turned(group: GroupHeartbeat, *running: bool) -> None:
    for number in range(len(running)):
        group.hangs(number)
    time.sleep(0.06)
    group.turn(running)


def test_ready_when_all_are(manager: Manager) -> None:
    group = GroupHeartbeat(2, Notifier(manager.address, 0.2))
    first, second = _child(group, 0), _child(group, 1)
    first.ready("one")
    _turned(group, True, True)
    assert manager.heard() == {"EXTEND_TIMEOUT_USEC": "60000000", "STATUS": "1 of 2 workers are ready"}
    second.ready("two")
    _turned(group, True, True)
    assert manager.heard() == {"READY": "1", "STATUS": "2 of 2 workers are ready"}
    _turned(group, True, False)
    assert manager.heard() == {"WATCHDOG": "1"}
    assert manager.heard() == {"STATUS": "1 of 2 workers are ready"}
    group.stopping()
    assert manager.heard()["STOPPING"] == "1"


def test_a_worker_that_hangs_is_noticed(manager: Manager) -> None:
    group = GroupHeartbeat(1, Notifier(manager.address, 0.2))
    child = _child(group, 0)
    assert child.watchdog_seconds == 0.2
    time.sleep(0.3)
    assert not group.hangs(0), "it may take its time to start"
    child.ready("fine")
    assert not group.hangs(0)
    time.sleep(0.15)
    child.watchdog()
    time.sleep(0.15)
    assert not group.hangs(0)
    time.sleep(0.25)
    assert group.hangs(0)
    # Its successor begins anew.
    _child(group, 0)
    assert not group.hangs(0)


def test_without_a_watchdog_nobody_is_ended(manager: Manager) -> None:
    group = GroupHeartbeat(1, Notifier(manager.address))
    child = _child(group, 0)
    child.ready("fine")
    assert child.watchdog_seconds is None
    time.sleep(0.05)
    assert not group.hangs(0)


def test_without_a_service_manager() -> None:
    group = GroupHeartbeat(2, Notifier(None))
    assert group.environment(1) == {}
    assert not group.hangs(0)
    group.turn([True, True])


@pytest.mark.parametrize("deaf", [False, True])
def test_a_process_that_hangs_is_ended(deaf: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "_ABORT_SECONDS", 0.3)
    ignore = "signal.signal(signal.SIGABRT, signal.SIG_IGN);" if deaf else ""
    code = f"import signal, time; {ignore} print(flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    distributed._abort(child)
    assert child.wait(10) == -(signal.SIGKILL if deaf else signal.SIGABRT)
