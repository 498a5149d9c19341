"""A connector instance on a thread of its own."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from replicator.api.errors import ConnectError, RetriableError
from replicator.herder import local_connector
from replicator.herder.local_connector import LocalConnector
from replicator.storage.states import TargetState

CONFIG = {"name": "c", "connector.class": "X", "tasks.max": "3", "topics": "t"}


begun = threading.Event()


class Task:
    pass


def eventually(check) -> bool:
    for _ in range(500):
        if check():
            return True
        time.sleep(0.01)
    return False


class Connector:
    aliases: tuple[str, ...] = ()
    blocked: threading.Event | None = None
    broken = False

    def initialize(self, context: Any) -> None:
        self.context = context

    def start(self, config):
        if self.broken:
            raise ConnectError("cannot")
        if self.blocked is not None:
            begun.set()
            self.blocked.wait(10)

    def task_class(self):
        return Task

    def task_configs(self, limit):
        return [{"n": str(n)} for n in range(limit)]

    def stop(self):
        pass


class Host:
    def __init__(self) -> None:
        self.states: list[str] = []
        self.published: list[list[dict[str, str]]] = []
        self.refusals = 0
        self.done = threading.Event()

    def resolve(self, config):
        return dict(config)

    def report_connector(self, name, state, trace):
        self.states.append(state)

    def publish(self, name, configs):
        if self.refusals:
            self.refusals -= 1
            raise RetriableError("a round is under way")
        self.published.append(configs)
        self.done.set()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(local_connector, "_FIRST_BACKOFF", 0.01)
    return Host()


def test_started_instances_publish_their_tasks(host: Host):
    host.refusals = 2
    connector = LocalConnector("c", Connector, CONFIG, host)
    connector.set_target(TargetState.STARTED)
    assert host.done.wait(5)
    assert [c["n"] for c in host.published[0]] == ["0", "1", "2"]
    assert {c["topics"] for c in host.published[0]} == {"t"}
    assert all(c["task.class"] for c in host.published[0])
    connector.stop()
    assert connector.join(5)
    assert host.states == ["RUNNING"]


def test_created_paused_nothing_starts_before_the_first_resume(host: Host):
    connector = LocalConnector("c", Connector, CONFIG, host)
    connector.set_target(TargetState.PAUSED)
    assert not host.done.wait(0.2)
    connector.set_target(TargetState.STARTED)
    assert host.done.wait(5)
    connector.stop()
    assert connector.join(5)
    assert host.states == ["PAUSED", "RUNNING"]


def test_a_start_that_fails_is_shown(host: Host):
    broken = type("Broken", (Connector,), {"broken": True})
    connector = LocalConnector("c", broken, CONFIG, host)
    connector.set_target(TargetState.STARTED)
    connector.set_target(TargetState.STOPPED)
    assert eventually(lambda: host.states == ["FAILED", "STOPPED"])
    connector.stop()
    assert connector.join(5)
    assert host.published == []


def test_a_start_that_hangs_holds_nobody_up(host: Host):
    release = threading.Event()
    hanging = type("Hanging", (Connector,), {"blocked": release})
    connector = LocalConnector("c", hanging, CONFIG, host)
    connector.set_target(TargetState.STARTED)
    assert begun.wait(5)
    connector.stop()
    assert not connector.join(0.2), "it is abandoned"
    release.set()
    assert connector.join(5)
    assert host.states == [], "what an abandoned instance does is not told"
