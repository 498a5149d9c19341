"""`connect-standalone` and `connect-distributed` take the reference's arguments."""

from __future__ import annotations

import os
import signal
import urllib.request
from pathlib import Path

import pytest

from replicator.cli import reference_script
from replicator.cli.distributed import command as distributed
from replicator.cli.standalone import command as standalone
from scripts.devservers.process import free_port
from tests.unit.runtime.service_fixture import eventually


@pytest.mark.parametrize("arguments", [[], ["-daemon"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        reference_script.run("connect-distributed", distributed, "x.properties", arguments)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "USAGE: connect-distributed [-daemon] x.properties\n"


def test_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "logs"))
    port = free_port()
    worker = tmp_path / "worker.properties"
    worker.write_text(f"listeners=http://127.0.0.1:{port}\ndata.dir={tmp_path}/data\n")
    with pytest.raises(SystemExit) as ended:
        reference_script.run("connect-standalone", standalone, "x", ["-daemon", str(worker)])
    assert ended.value.code == 0

    def healthy() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    assert eventually(healthy, 20)
    pid = int((tmp_path / "data" / "log.lock").read_text())
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    assert "Worker is running" in (tmp_path / "logs" / "connectStandalone.out").read_text()


def test_in_the_background_with_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_DIR", str(tmp_path))
    monkeypatch.setattr(reference_script, "_SECONDS_TO_FAIL", 20.0)
    with pytest.raises(SystemExit) as ended:
        reference_script.run("connect-standalone", standalone, "x", ["-daemon", str(tmp_path / "missing")])
    assert ended.value.code == 1
    assert "connectStandalone.out tells why" in capsys.readouterr().err
    assert "There is no file" in (tmp_path / "connectStandalone.out").read_text()
