"""Worker options and what every connector has."""

from __future__ import annotations

import pytest

from replicator.config.connector import SINK_DEF, SOURCE_DEF
from replicator.config.sink_topics import check_topics
from replicator.config.worker import WorkerConfig

_COMMON = {
    "name", "connector.class", "tasks.max", "tasks.max.enforce", "key.converter", "value.converter",
    "header.converter", "transforms", "predicates", "config.action.reload", "errors.retry.timeout",
    "connector.plugin.version", "key.converter.plugin.version", "value.converter.plugin.version",
    "header.converter.plugin.version", "errors.retry.delay.max.ms", "errors.tolerance",
    "errors.log.enable", "errors.log.include.messages",
}  # fmt: skip


def test_options_of_connectors_are_connects() -> None:
    assert set(SOURCE_DEF.keys) == _COMMON | {
        "topic.creation.groups", "exactly.once.support", "transaction.boundary",
        "transaction.boundary.interval.ms", "offsets.storage.topic",
    }  # fmt: skip
    assert set(SINK_DEF.keys) == _COMMON | {
        "topics", "topics.regex", "errors.deadletterqueue.topic.name",
        "errors.deadletterqueue.topic.replication.factor", "errors.deadletterqueue.context.headers.enable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        ("http://:8083", ("", 8083)),
        ("http://127.0.0.1:1, https://x:2", ("127.0.0.1", 1)),
        ("http://[::1]:9", ("::1", 9)),
        ("off", None),
        ("", None),
    ],
)
def test_listeners(listeners: str, expected: tuple[str, int] | None) -> None:
    assert WorkerConfig({"listeners": listeners}).listener == expected


def test_worker_id() -> None:
    assert WorkerConfig({}).worker_id == "127.0.0.1:8083"
    config = WorkerConfig(
        {"listeners": "http://:80", "rest.advertised.host.name": "h", "rest.advertised.port": "9"}
    )
    assert config.worker_id == "h:9"
    both = {"listeners": "http://a:1,https://b:2"}
    assert WorkerConfig(both).worker_id == "a:1"
    assert WorkerConfig(both | {"rest.advertised.listener": "https"}).worker_id == "b:2"


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({}, ["topics", "topics.regex"]),
        ({"topics": "a", "topics.regex": "b"}, ["topics", "topics.regex"]),
        ({"topics": "a,d", "errors.deadletterqueue.topic.name": "d"}, ["topics"]),
        ({"topics.regex": "d.*", "errors.deadletterqueue.topic.name": "dlq"}, ["topics.regex"]),
        ({"topics": "a", "errors.deadletterqueue.topic.name": "dlq"}, []),
    ],
)
def test_topics_of_sinks(config: dict[str, str], wrong: list[str]) -> None:
    assert [option for option, _ in check_topics(config)] == wrong
