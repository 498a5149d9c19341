"""Bad records of a source: every stage, its dead letters and their headers, what the broker refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest

from replicator.api.converter import HeaderConverter
from replicator.api.errors import DataError, RetriableError
from replicator.api.record import ConnectRecord, Header, SourceRecord, TopicPartition
from replicator.api.schema import STRING
from replicator.api.transform import Transformation
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.embedded.producer import EmbeddedProducer
from replicator.broker.message import Message, NewMessage
from replicator.converters.text import StringConverter
from replicator.runtime.stats import TaskStats
from replicator.service import Service
from replicator.testing.fakes import record
from tests.unit.runtime.service_fixture import eventually, running, script, source, task_state

QUEUE = {
    "errors.tolerance": "all",
    "errors.deadletterqueue.topic.name": "dlq",
    "errors.deadletterqueue.context.headers.enable": "true",
}
CONNECT = "org.apache.kafka.connect."


class Picky(StringConverter):
    """Refuses the key or value `bad`."""

    aliases: ClassVar[tuple[str, ...]] = ("org.example.Picky",)

    def from_connect_data(self, topic: str, schema: Any, value: Any) -> bytes | None:
        if value == "bad":
            raise DataError("I do not like it")
        return super().from_connect_data(topic, schema, value)

    def from_connect_parts(self, topic: str, schema: Any, value: Any) -> Any:
        if value == "bad":
            raise DataError("I do not like it")
        return super().from_connect_parts(topic, schema, value)


class PickyHeaders(HeaderConverter):
    """Refuses the header `bad`."""

    aliases: ClassVar[tuple[str, ...]] = ("org.example.PickyHeaders",)

    def from_connect_header(self, topic: str, name: str, schema: Any, value: Any) -> bytes | None:
        if value == "bad":
            raise DataError("I do not like it")
        return str(value).encode()


class PickyTransform(Transformation):
    """Refuses the value `bad`, changes the others."""

    aliases: ClassVar[tuple[str, ...]] = ("org.example.PickyTransform",)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value == "bad":
            raise ValueError("I do not like it")
        record.value = f"{record.value}!"
        return record


class Unlucky(PickyTransform):
    """Fails twice with a retriable error, then passes everything on."""

    failures: ClassVar[list[int]] = []

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if len(self.failures) < 2:
            self.failures.append(1)
            raise RetriableError("not now")
        return record


def with_plugins(service: Service) -> None:
    registry = service.registry
    registry.add("converter", Picky)
    registry.add("header_converter", PickyHeaders)
    registry.add("transformation", PickyTransform)
    registry.add("transformation", Unlucky)


def consumed(service: Service, topic: str) -> list[Message]:
    if topic not in service.broker.admin().topics():
        return []
    consumer = service.broker.consumer("test")
    consumer.assign([TopicPartition(topic, 0)])
    found = consumer.poll(1000, 0)
    consumer.close()
    return found


def changed(change: Callable[[SourceRecord], object]) -> list[SourceRecord]:
    batch = [record("a", 1), record("b", 2), record("c", 3)]
    change(batch[1])
    return batch


STAGES: list[tuple[str, dict[str, str], Callable[[SourceRecord], object], str, str, str, bytes]] = [
    (
        "VALUE_CONVERTER",
        {"value.converter": "Picky"},
        lambda r: setattr(r, "value", "bad"),
        "org.example.Picky",
        f"{CONNECT}errors.DataException",
        "json",
        b'"bad"',
    ),
    (
        "KEY_CONVERTER",
        {"key.converter": "Picky"},
        lambda r: setattr(r, "key", "bad"),
        "org.example.Picky",
        f"{CONNECT}errors.DataException",
        "json",
        b'"b"',
    ),
    (
        "HEADER_CONVERTER",
        {"header.converter": "PickyHeaders"},
        lambda r: setattr(r, "headers", [Header("h", STRING, "bad")]),
        "org.example.PickyHeaders",
        f"{CONNECT}errors.DataException",
        "json",
        b'"b"',
    ),
    (
        "TRANSFORMATION",
        {"transforms": "p", "transforms.p.type": "PickyTransform"},
        lambda r: setattr(r, "value", "bad"),
        "org.example.PickyTransform",
        "builtins.ValueError",
        "converter",
        b"bad",
    ),
]


@pytest.mark.parametrize(
    ("stage", "options", "change", "cls", "exception", "encoding", "value"),
    STAGES,
    ids=[s[0] for s in STAGES],
)
def test_each_stage(
    stage: str,
    options: dict[str, str],
    change: Callable[[SourceRecord], object],
    cls: str,
    exception: str,
    encoding: str,
    value: bytes,
) -> None:
    own = script("src")
    own.add(changed(change))
    with running() as service:
        with_plugins(service)
        service.herder.put_connector_config("src", source(**QUEUE, **options))
        letter = eventually(lambda: consumed(service, "dlq"))[0]
        eventually(lambda: own.commits and own.commits[-1][-1][1] == {"n": 3})
        assert [(m.value or b"").rstrip(b"!") for m in consumed(service, "t")] == [b"a", b"c"]
        assert task_state(service, "src") == "RUNNING"
        assert len(consumed(service, "dlq")) == 1
        counts = service.herder.progress("src")[0].stats["errors"]
    headers = {name.removeprefix("__connect.errors."): text for name, text in letter.headers or ()}
    assert letter.value == value
    stack = headers.pop("exception.stacktrace") or b""
    own_headers = {} if stage != "HEADER_CONVERTER" else {"h": b'"bad"'}
    assert headers == own_headers | {
        "topic": b"t",
        "partition": None,
        "offset": None,
        "connector.name": b"src",
        "task.id": b"0",
        "stage": stage.encode(),
        "class.name": cls.encode(),
        "exception.class.name": exception.encode(),
        "exception.message": b"I do not like it",
        "source.partition": b'{"p": "1"}',
        "source.offset": b'{"n": 2}',
        "source.encoding": encoding.encode(),
    }
    assert stack.startswith(b"Traceback")
    assert (counts["failures"], counts["errors"], counts["skipped"], counts["letters"]) == (1, 1, 1, 1)
    assert counts["last_ms"] > 0


def test_without_tolerance_the_letter_is_written_and_the_task_fails() -> None:
    script("src").add(changed(lambda r: setattr(r, "value", "bad")))
    with running() as service:
        with_plugins(service)
        options = QUEUE | {"errors.tolerance": "none", "value.converter": "Picky"}
        service.herder.put_connector_config("src", source(**options))
        eventually(lambda: task_state(service, "src") == "FAILED")
        assert len(consumed(service, "dlq")) == 1
        assert consumed(service, "t") == []


def test_retries_are_counted_and_the_record_passes() -> None:
    Unlucky.failures.clear()
    script("src").add([record("a", 1)])
    with running() as service:
        with_plugins(service)
        chain = {"transforms": "u", "transforms.u.type": "Unlucky"}
        chain |= {"errors.retry.timeout": "5000", "errors.retry.delay.max.ms": "10"}
        service.herder.put_connector_config("src", source(**QUEUE, **chain))
        eventually(lambda: [m.value for m in consumed(service, "t")] == [b"a"])
        counts = service.herder.progress("src")[0].stats["errors"]
        assert consumed(service, "dlq") == []
    assert (counts["failures"], counts["errors"], counts["retries"]) == (2, 0, 2)


class SmallBroker(EmbeddedBroker):
    """Refuses values above ten bytes."""

    def producer(self, client_id: str, **options: Any) -> EmbeddedProducer:
        return _SmallProducer(self.log)


class _SmallProducer(EmbeddedProducer):
    def append(self, batch: Sequence[NewMessage], on_done: Any = None) -> None:
        if any(m.topic == "t" and len(m.value or b"") > 10 for m in batch):
            raise DataError("The message is too large.")
        super().append(batch, on_done)


@pytest.mark.parametrize("tolerance", ["all", "none"])
def test_what_the_broker_refuses(tolerance: str) -> None:
    own = script("src")
    own.add([record("x" * 11 if n in (3, 6) else str(n), n) for n in range(8)])
    broker = SmallBroker(":memory:")
    with running(broker) as service:
        service.herder.put_connector_config("src", source(**QUEUE | {"errors.tolerance": tolerance}))
        if tolerance == "none":
            eventually(lambda: task_state(service, "src") == "FAILED")
            assert consumed(service, "t") == []
            return
        eventually(lambda: own.commits and own.commits[-1][-1][1] == {"n": 7})
        assert [m.value for m in consumed(service, "t")] == [b"0", b"1", b"2", b"4", b"5", b"7"]
        letters = consumed(service, "dlq")
        assert [m.value for m in letters] == [b"x" * 11] * 2
        headers = dict(letters[0].headers or ())
        assert headers["__connect.errors.stage"] == b"KAFKA_PRODUCE"
        assert headers["__connect.errors.class.name"] == b"org.apache.kafka.connect.runtime.WorkerSourceTask"
    broker.close()


def test_counts_start_anew_with_each_run() -> None:
    from replicator.testing.clock import ManualClock

    stats = TaskStats(ManualClock())
    stats.errors.errors = 3
    assert stats.fresh_errors().errors == 0
    assert stats.snapshot()["errors"]["errors"] == 0


@pytest.mark.parametrize("named", [True, False])
def test_a_source_declares_the_queue_where_it_names_one(named: bool) -> None:
    script("src")
    options = {"errors.deadletterqueue.topic.replication.factor": "many"}
    if named:
        options["errors.deadletterqueue.topic.name"] = "dlq"
    with running() as service:
        infos = service.herder.validate("FakeSource", source(**options))
    declared = {c["definition"]["name"] for c in infos["configs"] if c["definition"]}
    errors = [e for c in infos["configs"] for e in c["value"]["errors"]]
    assert ("errors.deadletterqueue.context.headers.enable" in declared) is named
    assert [e.partition(":")[0] for e in errors] == (
        ["Invalid value many for configuration errors.deadletterqueue.topic.replication.factor"]
        if named
        else []
    )
