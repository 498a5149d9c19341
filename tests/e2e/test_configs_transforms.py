"""Fragments with transforms, added to a source or a sink as they stand."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from replicator.service import Service
from tests.unit.runtime.service_fixture import FAST, eventually

JSON = "org.apache.kafka.connect.json.JsonConverter"
FRAGMENTS: list[dict[str, str]] = json.loads(
    (Path(__file__).parent / "configs" / "transforms.json").read_text()
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "db.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, ssn TEXT, credit_card BIGINT, internal_column TEXT,"
            " temp_field TEXT, name TEXT)"
        )
        connection.execute("INSERT INTO people VALUES (7, '123-45', 4111, 'i', 't', 'Ann')")
    return path


def fragment(name: str) -> dict[str, str]:
    return next(found for found in FRAGMENTS if found["transforms"] == name)


def run(folder: Path, database: Path, of_source: dict[str, str], of_sink: dict[str, str]) -> tuple[Any, Any]:
    """Key and value in the topic, and the row in the target."""
    target = folder / "target.sqlite"
    service = Service(
        {**FAST, "key.converter": JSON, "value.converter": JSON, "data.dir": str(folder / "data")}
    )
    service.start()
    try:
        service.herder.put_connector_config(
            "source",
            {
                "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "mode": "incrementing",
                "connection.url": f"jdbc:sqlite:{database}", "topic.prefix": "all-", **of_source,
            },
        )  # fmt: skip
        service.herder.put_connector_config(
            "sink",
            {
                "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "all-people",
                "connection.url": f"jdbc:sqlite:{target}", "auto.create": "true", "table.name.format": "copy",
                **of_sink,
            },
        )  # fmt: skip
        consumer = service.broker.consumer("look", "look")
        consumer.subscribe(["all-people"])
        messages: list[Any] = []
        eventually(lambda: messages.extend(consumer.poll(10, 0.1)) or messages)
        eventually(lambda: table(target))
        consumer.close()
        shown = [
            json.loads(part)["payload"] if part else None for part in (messages[0].key, messages[0].value)
        ]
        return tuple(shown), table(target)[0]
    finally:
        service.stop()


def table(path: Path) -> list[dict[str, Any]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute("SELECT * FROM copy")]
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


WHOLE = {
    "id": 7,
    "ssn": "123-45",
    "credit_card": 4111,
    "internal_column": "i",
    "temp_field": "t",
    "name": "Ann",
}
LESS = {"id": 7, "ssn": "123-45", "credit_card": 4111, "name": "Ann"}
MASKED = {**WHOLE, "ssn": "", "credit_card": 0}


def test_a_key_is_made_and_its_field_taken_out(tmp_path: Path, database: Path) -> None:
    keyed = {"pk.mode": "record_key", "pk.fields": "id"}
    topic, row = run(tmp_path, database, fragment("createKey"), {**fragment("extractId"), **keyed})
    assert topic == ({"id": 7}, WHOLE)
    assert row == WHOLE


@pytest.mark.parametrize(("name", "expected"), [("dropFields", LESS), ("mask", MASKED)])
@pytest.mark.parametrize("side", ["source", "sink"])
def test_fields_are_dropped_and_masked(
    tmp_path: Path, database: Path, name: str, expected: dict[str, Any], side: str
) -> None:
    added = fragment(name)
    topic, row = run(tmp_path, database, *((added, {}) if side == "source" else ({}, added)))
    assert topic == (None, expected if side == "source" else WHOLE)
    assert row == expected


def test_every_fragment_is_tried() -> None:
    assert {found["transforms"] for found in FRAGMENTS} == {"createKey", "extractId", "dropFields", "mask"}
