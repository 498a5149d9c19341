"""The source loop over an in-memory log: offsets, durability, errors, pause."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from replicator.api.errors import BrokerError, ConfigError, DiskFullError, RetriableError
from replicator.api.record import Header, SourceRecord, TopicPartition, offset_only
from replicator.api.schema import STRING
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import Message, NewMessage
from replicator.runtime import appending, source_task, task
from replicator.runtime.source_records import newest_offsets
from replicator.service import Service
from replicator.testing.failpoints import armed
from replicator.testing.fakes import record
from replicator.testing.faults import FaultyBroker
from tests.unit.runtime.service_fixture import eventually, running, script, source, task_state


def messages(service: Service, topic: str) -> list[Message]:
    if topic not in service.broker.admin().topics():
        return []
    consumer = service.broker.consumer("test")
    partitions = service.broker.admin().topics()[topic].partitions
    consumer.assign([TopicPartition(topic, p) for p in range(partitions)])
    found = consumer.poll(1000, 0)
    consumer.close()
    return found


def values(service: Service, topic: str = "t") -> list[bytes | None]:
    return [m.value for m in messages(service, topic)]


def test_records_and_offsets_arrive_and_are_committed_when_durable() -> None:
    own = script("src")
    own.add([record("a", 1), record("b", 2)], [record("c", 3)])
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits and own.commits[-1] == [({"p": "1"}, {"n": 3})])
        assert values(service) == [b"a", b"b", b"c"]
        assert service.herder.connector_offsets("src") == [{"partition": {"p": "1"}, "offset": {"n": 3}}]
        # One offset record per batch, not per record.
        assert len(messages(service, "connect-offsets")) == 2
    assert own.stops == 1


def test_records_and_their_offset_are_one_append() -> None:
    appended: list[list[str]] = []

    def on_append(batch: Sequence[NewMessage]) -> None:
        appended.append([m.topic for m in batch])

    own = script("src")
    own.add([record("a", 1), record("b", 2, topic="u")])
    broker: Any = FaultyBroker(EmbeddedBroker(":memory:"), on_append)
    with running(broker) as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
    assert appended == [["t", "u", "connect-offsets"]]


def test_offset_only_records_move_the_offset() -> None:
    own = script("src")
    own.add([offset_only({"p": "1"}, {"n": 7})])
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
        assert "t" not in service.broker.admin().topics()
        assert service.herder.connector_offsets("src")[0]["offset"] == {"n": 7}


def test_a_restarted_task_reads_its_offset() -> None:
    own = script("src")
    own.add([record("a", 1)])
    broker = EmbeddedBroker(":memory:")
    with running(broker) as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.polled)
    with running(broker) as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: len(own.instances) == 2)
        assert own.instances[1].context.offsets.offset({"p": "1"}) == {"n": 1}
        assert own.instances[1].context.offsets.offset({"p": "2"}) is None


def test_stop_commits_what_was_appended() -> None:
    own = script("src")
    own.add([record("a", 1)])
    with running(**{"durability.interval.ms": "3600000"}) as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: values(service))
        assert own.commits == []
    assert own.commits == [[({"p": "1"}, {"n": 1})]]


def test_offsets_in_a_file(tmp_path: Path) -> None:
    file = {"offset.storage.file.filename": str(tmp_path / "offsets")}
    own = script("src")
    own.add([record("a", 1)])
    with running(**file) as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
        assert messages(service, "connect-offsets") == []
    own.add([record("b", 2)])
    with running(**file) as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: len(own.instances) == 2)
        assert own.instances[1].context.offsets.offset({"p": "1"}) == {"n": 1}


def test_internal_headers_are_raw_and_others_converted() -> None:
    internal = Header("__replicator.position", None, "s:x:1:0:1")
    own = script("src")
    own.add([record("a", 1).evolve(headers=[internal, Header("h", STRING, "v")])])
    with running() as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: values(service))
        headers = dict(messages(service, "t")[0].headers or ())
    assert headers == {"__replicator.position": b"s:x:1:0:1", "h": b"v"}


def test_an_append_that_did_not_happen_is_made_again() -> None:
    errors: list[Exception] = [RetriableError("busy"), RetriableError("busy")]

    def on_append(batch: Sequence[NewMessage]) -> None:
        if errors:
            raise errors.pop()

    own = script("src")
    own.add([record("a", 1)])
    broker: Any = FaultyBroker(EmbeddedBroker(":memory:"), on_append)
    with running(broker) as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
        assert values(service) == [b"a"]
        assert own.polled == 1


def test_a_full_disk_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "_DISK_FULL_RETRY", 0.05)
    full = [True]

    def on_append(batch: Sequence[NewMessage]) -> None:
        if full:
            raise DiskFullError("no space")

    own = script("src")
    own.add([record("a", 1)])
    broker: Any = FaultyBroker(EmbeddedBroker(":memory:"), on_append)
    with running(broker) as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: service.herder.progress("src")[0].facts.get("warnings") == ["no space"])
        assert task_state(service, "src") == "RUNNING"
        full.clear()
        own.wait(lambda: own.commits)
        assert service.herder.progress("src")[0].facts["warnings"] == []


def test_a_refused_append_fails_the_task_and_stores_nothing() -> None:
    def on_append(batch: Sequence[NewMessage]) -> None:
        raise BrokerError("too large")

    own = script("src")
    own.add([record("a", 1)])
    broker: Any = FaultyBroker(EmbeddedBroker(":memory:"), on_append)
    with running(broker) as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: task_state(service, "src") == "FAILED")
        assert "too large" in (service.herder.task_status("src", 0).trace or "")
        assert service.herder.connector_status("src").connector.state == "RUNNING"
        assert service.herder.connector_offsets("src") == []
    assert (own.commits, own.stops) == ([], 1)


def test_a_crash_before_the_append_stores_nothing() -> None:
    own = script("src")
    own.add([record("a", 1)])
    with armed("before_append:raise@1"), running() as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: task_state(service, "src") == "FAILED")
        assert values(service) == []
        assert service.herder.connector_offsets("src") == []


def test_retriable_poll_counts_as_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_task, "_POLL_RETRY", 0.01)
    own = script("src")
    own.add(RetriableError("later"), [record("a", 1)])
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
        assert own.starts == 1
        assert service.herder.progress("src")[0].stats["retries"] == 1


def test_a_start_that_may_succeed_later_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "FIRST_BACKOFF", 0.02)
    down = [True]

    def on_start(started: Any) -> None:
        if down:
            raise RetriableError("the database is down")

    own = script("src")
    own.on_start = on_start
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.starts >= 2)
        eventually(lambda: task_state(service, "src") == "RESTARTING")
        assert "the database is down" in (service.herder.task_status("src", 0).trace or "")
        down.clear()
        eventually(lambda: task_state(service, "src") == "RUNNING")
        assert service.herder.task_status("src", 0).trace is None
        # Every attempt is a new task, and each was stopped.
        assert own.stops == own.starts - 1
        assert len({id(t) for t in own.instances}) == own.starts


def test_other_errors_of_start_fail_the_task() -> None:
    def on_start(started: Any) -> None:
        raise ConfigError("wrong password")

    own = script("src")
    own.on_start = on_start
    with running() as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: task_state(service, "src") == "FAILED")
    assert (own.starts, own.stops) == (1, 1)


def test_unconvertible_records_by_tolerance() -> None:
    def bad(offset: int) -> SourceRecord:
        return record("x", offset).evolve(headers=[Header("__replicator.x", None, 1)])

    own = script("src")
    own.add([record("a", 1), bad(2), record("b", 3), bad(4)])
    with running() as service:
        service.herder.put_connector_config("src", source(**{"errors.tolerance": "all"}))
        own.wait(lambda: own.commits)
        assert values(service) == [b"a", b"b"]
        assert service.herder.connector_offsets("src")[0]["offset"] == {"n": 4}
    own = script("src")
    own.add([record("a", 1), bad(2)])
    with running() as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: task_state(service, "src") == "FAILED")
        assert "Tolerance exceeded in error handler" in (service.herder.task_status("src", 0).trace or "")
        assert values(service) == []


def test_newest_offset_of_each_partition() -> None:
    one, two = {"p": "1"}, {"p": "2"}

    class Lazy:
        def to_map(self) -> dict[str, Any]:
            return {"n": 9}

    records = [
        record("a", 1, partition=one),
        record("b", 2, partition=two),
        record("c", 3, partition=dict(one)),
        record("d", 4, partition=one),
        record("e", 5, partition=dict(two)).evolve(source_offset=Lazy()),
        SourceRecord(None, None, "t", None, None, None, None, None),
    ]
    assert newest_offsets(records) == [({"p": "2"}, {"n": 9}), ({"p": "1"}, {"n": 4})]


def test_topics_are_created_by_the_rules() -> None:
    own = script("src")
    own.add([record("a", 1, topic="big"), record("b", 2, topic="small")])
    rules = {
        "topic.creation.groups": "wide",
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": "-1",
        "topic.creation.wide.include": "b.*",
        "topic.creation.wide.partitions": "3",
        "topic.creation.wide.retention.ms": "1000",
    }
    with running() as service:
        service.herder.put_connector_config("src", source(**rules))
        own.wait(lambda: own.commits)
        topics = service.broker.admin().topics()
        assert (topics["big"].partitions, topics["small"].partitions) == (3, 1)
        assert topics["big"].config["retention.ms"] == "1000"
        assert service.herder.active_topics("src") == ["big", "small"]
