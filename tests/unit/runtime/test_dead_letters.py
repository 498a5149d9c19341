"""Bad records of a sink: dead letter queue, its headers, the log, the task's own reports."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from replicator.api.converter import HeaderConverter, SchemaAndValue
from replicator.api.errors import ConnectError, DataError
from replicator.api.record import ConnectRecord, SinkRecord, TopicPartition
from replicator.api.sink import SinkTask
from replicator.api.transform import Transformation
from replicator.broker.message import Message
from replicator.service import Service
from tests.unit.runtime.service_fixture import (
    eventually,
    group_offset,
    running,
    script,
    sink,
    task_state,
    write,
)

JSON = {
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "errors.deadletterqueue.topic.name": "dlq",
}
HEADERS = {"errors.deadletterqueue.context.headers.enable": "true"}
ALL = {"errors.tolerance": "all"}


def letters(service: Service) -> list[Message]:
    if "dlq" not in service.broker.admin().topics():
        return []
    consumer = service.broker.consumer("test")
    consumer.assign([TopicPartition("dlq", 0)])
    found = consumer.poll(1000, 0)
    consumer.close()
    return found


def test_good_ones_are_delivered_bad_ones_dead_lettered_in_order() -> None:
    own = script("snk")
    with running() as service:
        write(service, *(f'"{i}"' if i % 2 else f"bad {i}" for i in range(20)), timestamp=7)
        service.herder.put_connector_config("snk", sink(**JSON, **ALL))
        own.wait(lambda: own.values() == [str(i) for i in range(1, 20, 2)])
        eventually(lambda: len(letters(service)) == 10)
        assert [m.value for m in letters(service)] == [f"bad {i}".encode() for i in range(0, 20, 2)]
        assert [m.key for m in letters(service)] == [b"k"] * 10
        assert {m.timestamp for m in letters(service)} == {7}
        assert {m.headers for m in letters(service)} in ({None}, set())
        eventually(lambda: group_offset(service) == 20)
        assert task_state(service, "snk") == "RUNNING"


def test_without_tolerance_the_first_bad_one_is_dead_lettered_and_fails_the_task() -> None:
    own = script("snk")
    with running() as service:
        write(service, '"a"', "bad 1", "bad 2")
        service.herder.put_connector_config("snk", sink(**JSON))
        eventually(lambda: task_state(service, "snk") == "FAILED")
        assert [m.value for m in letters(service)] == [b"bad 1"]
        assert own.values() == []


def test_ten_headers_behind_those_of_the_record() -> None:
    script("snk")
    with running() as service:
        write(service, "bad", headers=[("own", b"1"), ("__connect.errors.topic", b"older")])
        service.herder.put_connector_config("snk", sink(**JSON, **ALL, **HEADERS))
        letter = eventually(lambda: letters(service))[0]
    headers = letter.headers or []
    assert headers[:2] == [("own", b"1"), ("__connect.errors.topic", b"older")]
    context = dict(headers[2:])
    assert [name for name, _ in headers[2:]] == [
        f"__connect.errors.{name}"
        for name in (
            "topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name",
            "exception.class.name", "exception.message", "exception.stacktrace",
        )
    ]  # fmt: skip
    assert context["__connect.errors.topic"] == b"t"
    assert context["__connect.errors.partition"] == b"0"
    assert context["__connect.errors.offset"] == b"0"
    assert context["__connect.errors.connector.name"] == b"snk"
    assert context["__connect.errors.task.id"] == b"0"
    assert context["__connect.errors.stage"] == b"VALUE_CONVERTER"
    assert context["__connect.errors.class.name"] == b"org.apache.kafka.connect.json.JsonConverter"
    assert (
        context["__connect.errors.exception.class.name"] == b"org.apache.kafka.connect.errors.DataException"
    )
    assert b"Traceback" in (context["__connect.errors.exception.stacktrace"] or b"")


def report(error: BaseException) -> Any:
    def on_put(task: SinkTask, records: Sequence[SinkRecord]) -> None:
        for record in records:
            assert task.context.reporter is not None
            try:
                task.context.reporter.report(record, error)
            except ConnectError:
                logging.getLogger(__name__).info("a task may swallow this")

    return on_put


def test_reports_of_the_task() -> None:
    own = script("snk")
    own.on_put = report(DataError(""))
    with running() as service:
        write(service, "a", "b")
        queue = {"errors.deadletterqueue.topic.name": "dlq"}
        service.herder.put_connector_config("snk", sink(**queue, **ALL, **HEADERS))
        eventually(lambda: len(letters(service)) == 2)
        headers = dict(letters(service)[0].headers or ())
        assert letters(service)[0].value == b"a"
        assert headers["__connect.errors.stage"] == b"TASK_PUT"
        assert headers["__connect.errors.exception.message"] is None
        eventually(lambda: group_offset(service) == 2)


def test_a_report_without_tolerance_fails_even_a_task_that_swallows_it() -> None:
    own = script("snk")
    own.on_put = report(DataError("bad row"))
    with running() as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink(**{"errors.deadletterqueue.topic.name": "dlq"}))
        eventually(lambda: task_state(service, "snk") == "FAILED")
        assert group_offset(service) in (None, 0)
        assert len(letters(service)) == 1


def test_no_reporter_without_log_or_queue() -> None:
    own = script("snk")
    with running() as service:
        service.herder.put_connector_config("snk", sink())
        own.wait(lambda: own.instances)
        assert own.instances[0].context.reporter is None


@pytest.mark.parametrize("include", [True, False])
def test_errors_are_logged(caplog: pytest.LogCaptureFixture, include: bool) -> None:
    script("snk")
    options = {"errors.log.enable": "true", "errors.log.include.messages": str(include).lower()}
    with running() as service:
        write(service, "bad")
        service.herder.put_connector_config("snk", sink(**JSON, **ALL, **options))
        eventually(lambda: "Error encountered in task snk-0" in caplog.text)
    assert "stage 'VALUE_CONVERTER'" in caplog.text
    assert (
        "where consumed record is {topic='t', partition=0, offset=0, timestamp=" in caplog.text
    ) is include


class PickyHeaders(HeaderConverter):
    """Refuses the header `bad`."""

    aliases: ClassVar[tuple[str, ...]] = ("org.example.PickyHeaders",)

    def to_connect_header(self, topic: str, name: str, data: bytes | None) -> SchemaAndValue:
        if name == "bad":
            raise DataError("no")
        return SchemaAndValue(None, data)


class PickyTransform(Transformation):
    """Refuses the value `bad`."""

    aliases: ClassVar[tuple[str, ...]] = ("org.example.PickyTransform",)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value == "bad":
            raise ValueError("no")
        return record


JSON_KEY = {"key.converter": "JsonConverter", "key.converter.schemas.enable": "false"}


@pytest.mark.parametrize(
    ("stage", "options", "value", "headers", "cls", "exception"),
    [
        (
            "KEY_CONVERTER",
            JSON_KEY,
            "v",
            None,
            "org.apache.kafka.connect.json.JsonConverter",
            "DataException",
        ),
        (
            "VALUE_CONVERTER",
            JSON,
            "bad",
            None,
            "org.apache.kafka.connect.json.JsonConverter",
            "DataException",
        ),
        (
            "HEADER_CONVERTER",
            {"header.converter": "PickyHeaders"},
            "v",
            [("bad", b"1")],
            "org.example.PickyHeaders",
            "DataException",
        ),
        (
            "TRANSFORMATION",
            {"transforms": "p", "transforms.p.type": "PickyTransform"},
            "bad",
            None,
            "org.example.PickyTransform",
            "builtins.ValueError",
        ),
    ],
)
def test_each_stage_of_a_sink(
    stage: str, options: dict[str, str], value: str, headers: Any, cls: str, exception: str
) -> None:
    script("snk")
    with running() as service:
        service.registry.add("header_converter", PickyHeaders)
        service.registry.add("transformation", PickyTransform)
        write(service, value, headers=headers)
        queue = {"errors.deadletterqueue.topic.name": "dlq"}
        service.herder.put_connector_config("snk", sink(**{**queue, **options, **ALL, **HEADERS}))
        letter = eventually(lambda: letters(service))[0]
        eventually(lambda: group_offset(service) == 1)
        counts = service.herder.progress("snk")[0].stats["errors"]
    found = {name.removeprefix("__connect.errors."): text for name, text in letter.headers or ()}
    assert (letter.key, letter.value) == (b"k", value.encode())
    assert found["stage"] == stage.encode()
    assert found["class.name"] == cls.encode()
    assert (found["exception.class.name"] or b"").decode().endswith(exception)
    assert found.get("bad") == (b"1" if headers else None)
    assert (counts["failures"], counts["errors"], counts["skipped"], counts["letters"]) == (1, 1, 1, 1)
