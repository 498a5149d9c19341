"""Levels set by Java's names reach our loggers."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from replicator.rest.java_loggers import counterparts
from replicator.rest.levels import LoggerLevels

SINK = tuple(f"replicator.runtime.sink_{part}" for part in ("task", "delivery", "partitions", "positions"))
NAMES = ("replicator.runtime", *SINK, "connectors.jdbc", "connectors.jdbc.writer")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in NAMES}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("io.debezium.connector.postgresql.PostgresStreamingChangeEventSource", ("connectors.postgres",)),
        ("org.apache.kafka.connect.runtime.WorkerSinkTask", SINK),
        ("org.apache.kafka.connect", ("replicator", "connectors")),
        ("org.apache.kafka", ()),
        ("replicator.runtime", ()),
    ],
)
def test_the_longest_known_name_counts(name: str, expected: tuple[str, ...]) -> None:
    assert counterparts(name) == expected


def test_levels_reach_ours_and_those_below() -> None:
    levels = LoggerLevels()
    levels.set("io.confluent.connect.jdbc", "DEBUG")
    assert logging.getLogger("connectors.jdbc").level == logging.DEBUG
    assert logging.getLogger("connectors.jdbc.writer").level == logging.DEBUG
    levels.set("org.apache.kafka.connect.runtime.WorkerSinkTask", "ERROR")
    assert {logging.getLogger(name).level for name in SINK} == {logging.ERROR}
    assert levels.one("io.confluent.connect.jdbc")["level"] == "DEBUG"
