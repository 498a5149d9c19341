"""The table monitor: a database that is away at first, tables that come and go, errors that do not go away."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from connectors.jdbc.source import monitor as module
from connectors.jdbc.source.connector import ConfluentJdbcSourceConnector
from connectors.jdbc.source.monitor import TableMonitor
from connectors.jdbc.source.names import TableId
from connectors.jdbc.source.options import CONFLUENT_OPTIONS
from connectors.jdbc.source.parsing import read_settings
from replicator.api import ConfigError, RetriableError
from tests.unit.runtime.service_fixture import eventually

OPTIONS = {
    "connection.url": "jdbc:postgresql://h/db", "mode": "bulk", "table.poll.interval.ms": "10",
    "table.monitoring.startup.polling.limit.ms": "50", "topic.prefix": "p",
}  # fmt: skip


class Database:
    """What a reader of it finds: a list of tables, or an error."""

    name_parts = (False, True)

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.opened = 0
        self.closed = 0

    def __call__(self, settings: Any, name: str) -> Database:
        self.opened += 1
        return self

    def tables(self, types: frozenset[str]) -> list[TableId]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [TableId(None, "s", name) for name in answer]

    def quote(self, name: str) -> str:
        return f'"{name}"'

    def close(self) -> None:
        self.closed += 1


class Listener:
    """A connector's context."""

    def __init__(self) -> None:
        self.changes = 0
        self.errors: list[Exception] = []
        self.changed = threading.Event()

    def request_task_reconfiguration(self) -> None:
        self.changes += 1
        self.changed.set()

    def raise_error(self, error: Exception) -> None:
        self.errors.append(error)


def watching(monkeypatch: pytest.MonkeyPatch, database: Database) -> tuple[TableMonitor, Listener]:
    monkeypatch.setattr(module, "open_reader", database)
    listener = Listener()
    settings = read_settings(CONFLUENT_OPTIONS, OPTIONS, own=False)
    made = TableMonitor(settings, "src", listener.request_task_reconfiguration, listener.raise_error)
    made.start()
    return made, listener


def test_the_first_list_needs_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made, listener = watching(monkeypatch, Database(["a", "b"]))
    assert made.tables() == [TableId(None, "s", "a"), TableId(None, "s", "b")]
    assert listener.changes == 0
    made.stop()


def test_tables_that_come_and_go_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made, listener = watching(monkeypatch, Database(["a"], ["a"], ["a", "b"], ["b"]))
    eventually(lambda: listener.changes == 2)
    assert made.tables() == [TableId(None, "s", "b")]
    made.stop()


def test_a_database_that_is_away_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    away = [RetriableError("away")] * 12
    database = Database(*away, ["a"])
    made, listener = watching(monkeypatch, database)
    assert made.tables() is None
    # Whoever gave up waiting is called once there is a list.
    eventually(lambda: listener.changes == 1)
    assert made.tables() == [TableId(None, "s", "a")]
    assert database.opened == database.closed + 1
    made.stop()
    assert database.opened == database.closed


@pytest.mark.parametrize("answer", [ConfigError("no such database"), ["a", "a"]])
def test_what_does_not_go_away_fails_the_connector(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    made, listener = watching(monkeypatch, Database(answer))
    eventually(lambda: listener.errors)
    assert made.tables() is None
    made.stop()


def test_task_configurations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "open_reader", Database(["a", "b", "c"]))
    connector = ConfluentJdbcSourceConnector()
    connector.initialize(Listener())
    connector.start({**OPTIONS, "name": "src"})
    assert [c["tables"] for c in connector.task_configs(2)] == ['"s"."a","s"."b"', '"s"."c"']
    assert [c["tables"] for c in connector.task_configs(9)] == ['"s"."a"', '"s"."b"', '"s"."c"']
    assert all(c["tables.fetched"] == "true" for c in connector.task_configs(1))
    connector.stop()


def test_no_tables_and_a_query_have_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "open_reader", Database([]))
    connector = ConfluentJdbcSourceConnector()
    connector.initialize(Listener())
    connector.start(OPTIONS)
    assert [(c["tables"], c["tables.fetched"]) for c in connector.task_configs(3)] == [("", "true")]
    connector.stop()
    asking = {**OPTIONS, "query": "SELECT 1"}
    connector.start(asking)
    assert connector.task_configs(3) == [asking]
    connector.stop()
