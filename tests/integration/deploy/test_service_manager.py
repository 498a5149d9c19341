"""A pipeline, and a parent of workers, under a service manager with a watchdog."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.devservers.process import free_port
from scripts.service import PROGRAM, until
from tests.support.fix_servers import Database, KafkaServer
from tests.support.sync_process import MakeSync, running
from tests.unit.deploy.service_manager import Manager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.socket.close()


def test_a_pipeline(
    manager: Manager,
    make_sync: MakeSync,
    pg_database: Database,
    mysql_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ready, alive, with the lag in its status, and stopping. Its password is in no argument."""
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 10)")
    monkeypatch.setenv("SHOP_SOURCE", pg_database.url)
    environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000"}
    sync = make_sync("${env:SHOP_SOURCE}", mysql_database.url, env=environ)
    running(sync, mysql_database, "t")
    assert pg_database.url.encode() not in Path(f"/proc/{sync.pid}/cmdline").read_bytes()
    assert manager.until("READY", 30) == "1"
    assert manager.until("WATCHDOG", 5) == "1"
    manager.until("STATUS", 20, "2 connectors, 2 tasks here (2 running), lag ")
    os.kill(sync.pid, signal.SIGTERM)
    assert manager.until("STOPPING", 10) == "1"
    assert sync.wait(30) == 0
    assert sync.clean().code == 0


@pytest.mark.slow
def test_several_workers(manager: Manager, kafka: KafkaServer, kafka_prefix: str, tmp_path: Path) -> None:
    """Ready when both are; one that hangs is replaced while the other runs on."""
    file = tmp_path / "worker.properties"
    topics = "".join(
        f"{kind}.storage.topic={kafka_prefix}{kind}\n{kind}.storage.replication.factor=1\n"
        for kind in ("config", "offset", "status")
    )
    file.write_text(
        f"bootstrap.servers={kafka.bootstrap}\ngroup.id={kafka_prefix}group\n{topics}"
        f"listeners=http://127.0.0.1:{free_port()}\nsession.timeout.ms=6000\n"
    )
    environ = {
        **os.environ,
        "NOTIFY_SOCKET": manager.address,
        "WATCHDOG_USEC": "4000000",
        "PYTHONFAULTHANDLER": "1",
    }
    log = tmp_path / "log"
    with log.open("wb") as out:
        words = [str(PROGRAM), "distributed", str(file), "--workers", "2"]
        parent = subprocess.Popen(words, env=environ, stdout=out, stderr=subprocess.STDOUT)
    try:
        manager.until("READY", 60)
        first, second = _children(parent.pid)
        os.kill(first, signal.SIGSTOP)
        until(lambda: manager.heard(0.1) is not None and len({first, *_children(parent.pid)}) == 3, 30)
        assert second in _children(parent.pid)
        assert "Worker 0 gives no sign of life and is ended." in log.read_text()
        manager.until("STATUS", 40, "2 of 2")
        parent.terminate()
        manager.until("STOPPING", 10)
        assert parent.wait(40) == 0
    finally:
        for pid in _children(parent.pid):
            os.kill(pid, signal.SIGKILL)
        parent.kill()
        parent.wait()


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []
