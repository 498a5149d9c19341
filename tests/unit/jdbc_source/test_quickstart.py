"""The first configuration everybody tries: a SQLite table with an auto-increment key, as JSON with schemas."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from replicator.config.files import read_connector
from tests.unit.runtime.service_fixture import eventually, running

PROPERTIES = """name=test-source-sqlite-jdbc-autoincrement
connector.class=io.confluent.connect.jdbc.JdbcSourceConnector
tasks.max=1
connection.url=jdbc:sqlite:test.db
mode=incrementing
incrementing.column.name=id
topic.prefix=test-sqlite-jdbc-
"""
SCHEMA = {
    "type": "struct",
    "fields": [
        {"type": "int32", "optional": False, "field": "id"},
        {"type": "string", "optional": True, "field": "name"},
    ],
    "optional": False,
    "name": "accounts",
}


def test_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "source-quickstart-sqlite.properties"
    file.write_text(PROPERTIES)
    connection = sqlite3.connect("test.db", isolation_level=None)
    connection.execute(
        "CREATE TABLE accounts(id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name VARCHAR(255))"
    )
    connection.execute("INSERT INTO accounts(name) VALUES('alice'), ('bob')")
    with running(None, **{"value.converter": "org.apache.kafka.connect.json.JsonConverter"}) as service:
        found = read_connector(file)
        service.herder.put_connector_config(found.name, found.config | {"poll.interval.ms": "50"})
        consumer = service.broker.consumer("look", "look")
        consumer.subscribe(["test-sqlite-jdbc-accounts"])
        messages: list[Any] = []
        eventually(lambda: messages.extend(consumer.poll(10, 0.1)) or len(messages) == 2)
        connection.execute("INSERT INTO accounts(name) VALUES('cathy')")
        eventually(lambda: messages.extend(consumer.poll(10, 0.1)) or len(messages) == 3)
        consumer.close()
    connection.close()
    assert [message.key for message in messages] == [None] * 3
    values = [json.loads(message.value) for message in messages]
    assert [value["payload"] for value in values] == [
        {"id": 1, "name": "alice"}, {"id": 2, "name": "bob"}, {"id": 3, "name": "cathy"}
    ]  # fmt: skip
    assert values[0]["schema"] == SCHEMA
