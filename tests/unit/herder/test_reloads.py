"""Secrets from config providers: used by tasks, stored and shown nowhere, and taken anew when they change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from replicator.service import Service
from tests.unit.runtime.service_fixture import eventually, running, script, source, task_state

PROVIDER = "org.apache.kafka.common.config.provider.FileConfigProvider"


def worker(folder: Path, **parameters: str) -> dict[str, str]:
    options = {
        "config.providers": "file", "config.providers.file.class": PROVIDER,
        "config.providers.file.param.allowed.paths": str(folder),
    }  # fmt: skip
    return options | {f"config.providers.file.param.{n.replace('_', '.')}": v for n, v in parameters.items()}


def shown(service: Service) -> str:
    """Everything a user can see of the connector."""
    herder = service.herder
    return json.dumps(
        [
            herder.connector_info("src").to_json(),
            [task.to_json() for task in herder.task_infos("src")],
            herder.connector_status("src").to_json(),
            herder.validate("FakeSource", herder.connector_config("src")),
        ]
    )


def test_a_secret_is_used_and_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "s.properties").write_text("pw=top-secret-1\nscript=src")
    text = f"${{file:{tmp_path}/s.properties:pw}}"
    events = script("src")
    with running(None, **worker(tmp_path)) as service:
        config = source() | {"secret": text, "script": f"${{file:{tmp_path}/s.properties:script}}"}
        service.herder.put_connector_config("src", config)
        events.wait(lambda: events.instances)
        assert events.instances[0].config["secret"] == "top-secret-1"
        assert "top-secret" not in shown(service)
        assert service.herder.task_infos("src")[0].config["secret"] == text


@pytest.mark.parametrize("action", ["restart", "none"])
def test_a_value_whose_lease_ends_is_taken_anew(tmp_path: Path, action: str) -> None:
    file = tmp_path / "s.properties"
    file.write_text("pw=one")
    events = script("src")
    with running(None, **worker(tmp_path, ttl_ms="50")) as service:
        config = source(secret=f"${{file:{file}:pw}}") | {"config.action.reload": action}
        service.herder.put_connector_config("src", config)
        events.wait(lambda: events.starts == 1)
        # The lease ends without a change first: nothing restarts.
        eventually(lambda: len(_reloads(service)) == 1)
        file.write_text("pw=two")
        if action == "none":
            before = _reloads(service)["src"].digest
            eventually(lambda: _reloads(service)["src"].digest != before)
            assert events.starts == 1
        else:
            events.wait(lambda: events.starts == 2)
            assert events.instances[-1].config["secret"] == "two"
        eventually(lambda: task_state(service, "src") == "RUNNING")


def _reloads(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = service.reloads._leases
    return found


def test_a_provider_that_fails_later_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / "s.properties"
    file.write_text("pw=one")
    events = script("src")
    with running(None, **worker(tmp_path, ttl_ms="50")) as service:
        service.herder.put_connector_config("src", source(secret=f"${{file:{file}:pw}}"))
        eventually(lambda: len(_reloads(service)) == 1)
        file.unlink()
        service.reloads.look(1e12)
        assert task_state(service, "src") == "RUNNING"
        file.write_text("pw=two")
        service.reloads.look(2e12)
        events.wait(lambda: events.starts == 2)
