"""The sink loop over an in-memory log: order, redelivery, commits, seeks, dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from replicator.api.errors import ConnectError, DataError, FencedError, RetriableError
from replicator.api.record import Header, SinkRecord, TopicPartition
from replicator.api.schema import STRING
from replicator.api.sink import OffsetAndMetadata, SinkTask
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.runtime import task
from tests.unit.runtime.service_fixture import (
    eventually,
    group_offset,
    running,
    script,
    sink,
    task_state,
    write,
)

T0 = TopicPartition("t", 0)


def test_records_are_put_in_order_and_committed() -> None:
    own = script("snk")
    with running() as service:
        write(service, "a", "b", timestamp=5, headers=[("__replicator.position", b"s:x:1:0:1"), ("h", b"v")])
        service.herder.put_connector_config("snk", sink())
        own.wait(lambda: own.values() == ["a", "b"])
        write(service, None)
        own.wait(lambda: own.values() == ["a", "b", None])
        eventually(lambda: group_offset(service) == 3)
        first = own.puts[0][0]
        assert (first.topic, first.partition, first.kafka_offset, first.timestamp) == ("t", 0, 0, 5)
        assert first.key == "k"
        assert first.headers == [Header("__replicator.position", None, "s:x:1:0:1"), Header("h", STRING, "v")]
        assert service.herder.active_topics("snk") == ["t"]
    assert (own.opened, own.closed, own.stops) == ([[T0]], [[T0]], 1)


def test_a_batch_is_as_large_as_the_override_says() -> None:
    own = script("snk")
    with running() as service:
        write(service, *"abcde")
        service.herder.put_connector_config("snk", sink(**{"consumer.override.max.poll.records": "2"}))
        own.wait(lambda: own.values() == list("abcde"))
        assert [len(batch) for batch in own.puts] == [2, 2, 1]


def test_the_same_batch_is_delivered_again() -> None:
    seen: list[list[Any]] = []

    def on_put(task: SinkTask, records: Sequence[SinkRecord]) -> None:
        if records:
            seen.append([r.value for r in records])
            if len(seen) < 4:
                task.context.timeout(10)
                raise RetriableError("locked")

    own = script("snk")
    own.on_put = on_put
    with running() as service:
        write(service, "a", "b")
        service.herder.put_connector_config("snk", sink())
        eventually(lambda: len(seen) >= 2)
        write(service, "c")
        own.wait(lambda: own.values() == ["a", "b", "c"])
        assert seen == [["a", "b"]] * 4 + [["c"]]
        progress = service.herder.progress("snk")[0]
        assert progress.stats["retries"] == 3
        assert progress.facts["warnings"] == []
        assert task_state(service, "snk") == "RUNNING"


def test_other_errors_of_put_fail_the_task_and_commit_nothing() -> None:
    def on_put(task: SinkTask, records: Sequence[SinkRecord]) -> None:
        if records:
            raise DataError("bad row")

    own = script("snk")
    own.on_put = on_put
    with running() as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink(**{"errors.tolerance": "all"}))
        eventually(lambda: task_state(service, "snk") == "FAILED")
        assert "bad row" in (service.herder.task_status("snk", 0).trace or "")
        assert group_offset(service) in (None, 0)
        service.herder.restart_task("snk", 0)
        own.wait(lambda: own.starts == 2)
    assert own.stops == 2


def test_a_retriable_error_of_open_starts_the_task_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "FIRST_BACKOFF", 0.01)
    down = [1, 2]

    def on_open(task: SinkTask, partitions: Sequence[TopicPartition]) -> None:
        if down:
            down.pop()
            raise RetriableError("the target is down")

    own = script("snk")
    own.on_open = on_open
    with running() as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink())
        own.wait(lambda: own.values() == ["a"])
        assert own.starts == 3


def test_a_sink_seeks_to_its_own_position_before_anything_is_delivered() -> None:
    def on_open(task: SinkTask, partitions: Sequence[TopicPartition]) -> None:
        if T0 in partitions:
            task.context.offset(T0, 2)

    own = script("snk")
    own.on_open = on_open
    with running() as service:
        write(service, *"abcd")
        write(service, "x", topic="t2")
        service.herder.put_connector_config("snk", sink(topics="t,t2"))
        own.wait(lambda: own.values() == ["c", "d", "x"])
        eventually(lambda: len(service.herder.connector_offsets("snk")) == 2)
        assert group_offset(service) == 4


def test_context_facts_of_the_log() -> None:
    own = script("snk")
    with running() as service:
        write(service, "a", "b")
        service.herder.put_connector_config("snk", sink())
        own.wait(lambda: own.values() == ["a", "b"])
        context = own.instances[0].context
        assert context.log_end(T0) == 2
        assert context.log_identity(T0)
        assert context.assignment() == {T0}
        eventually(lambda: context.committed(T0) == OffsetAndMetadata(2))


def test_only_safe_offsets_are_committed_with_their_metadata() -> None:
    def pre_commit(task: SinkTask, offsets: Any) -> Any:
        return {
            T0: OffsetAndMetadata(min(offsets[T0].offset, 1), "stamp"),
            TopicPartition("no", 0): OffsetAndMetadata(9),
        }

    own = script("snk")
    own.pre_commit = pre_commit
    with running() as service:
        write(service, "a", "b")
        service.herder.put_connector_config("snk", sink())
        eventually(
            lambda: service.broker.admin().group_offsets("connect-snk") == {T0: OffsetAndMetadata(1, "stamp")}
        )


def test_offsets_beyond_what_was_delivered_are_refused() -> None:
    own = script("snk")
    own.pre_commit = lambda task, offsets: {T0: OffsetAndMetadata(99)}
    with running() as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink())
        own.wait(lambda: own.values() == ["a"])
        eventually(lambda: service.herder.progress("snk")[0].stats["batches"])
        assert group_offset(service) is None


def test_a_failed_flush_rewinds() -> None:
    errors: list[Exception] = []

    def pre_commit(task: SinkTask, offsets: Any) -> Any:
        if errors:
            raise errors.pop()
        return offsets

    own = script("snk")
    own.pre_commit = pre_commit
    with running() as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink())
        eventually(lambda: group_offset(service) == 1)
        errors.append(ConnectError("flush failed"))
        write(service, "b")
        own.wait(lambda: own.values()[-2:] == ["b", "b"] or own.values() == ["a", "b"])
        eventually(lambda: group_offset(service) == 2)
        assert own.values()[:2] == ["a", "b"]
        assert service.herder.progress("snk")[0].stats["commit_failures"] == 1


def test_a_fenced_task_fails() -> None:
    def on_put(task: SinkTask, records: Sequence[SinkRecord]) -> None:
        raise FencedError("another owner")

    own = script("snk")
    own.on_put = on_put
    with running() as service:
        service.herder.put_connector_config("snk", sink())
        eventually(lambda: task_state(service, "snk") == "FAILED")


def test_request_commit() -> None:
    own = script("snk")
    own.on_put = lambda task, records: task.context.request_commit() if records else None
    with running(**{"offset.flush.interval.ms": "3600000"}) as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink())
        eventually(lambda: group_offset(service) == 1)


def test_positions_are_committed_early_while_the_log_needs_room() -> None:
    own, broker = script("snk"), EmbeddedBroker(":memory:")
    with running(broker, **{"offset.flush.interval.ms": "3600000"}) as service:
        write(service, "a", "b")
        service.herder.put_connector_config("snk", sink())
        own.wait(lambda: own.values() == ["a", "b"])
        assert group_offset(service) is None
        broker.log.budget.hungry = True
        eventually(lambda: group_offset(service) == 2)


def test_stop_commits() -> None:
    own = script("snk")
    with running(**{"offset.flush.interval.ms": "3600000"}) as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink())
        own.wait(own.values)
        service.herder.stop_connector("snk")
        assert group_offset(service) == 1


def test_topics_by_regular_expression_also_later_ones() -> None:
    own = script("snk")
    options = sink(**{"topics.regex": "p\\..*"})
    del options["topics"]
    with running() as service:
        write(service, "a", topic="p.one")
        write(service, "no", topic="xp.one")
        service.herder.put_connector_config("snk", options)
        own.wait(lambda: own.values() == ["a"])
        write(service, "b", topic="p.two")
        own.wait(lambda: own.values() == ["a", "b"])


def test_pause_and_resume() -> None:
    own = script("snk")
    with running() as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink())
        own.wait(own.values)
        service.herder.pause_connector("snk")
        eventually(lambda: task_state(service, "snk") == "PAUSED")
        write(service, "b")
        assert service.herder.connector_status("snk").connector.state == "PAUSED"
        assert own.values() == ["a"]
        service.herder.resume_connector("snk")
        own.wait(lambda: own.values() == ["a", "b"])


def test_partitions_the_task_paused_stay_paused() -> None:
    def on_open(task: SinkTask, partitions: Sequence[TopicPartition]) -> None:
        if T0 in partitions:
            task.context.pause(T0)

    own = script("snk")
    own.on_open = on_open
    with running() as service:
        write(service, "a")
        write(service, "x", topic="t2")
        service.herder.put_connector_config("snk", sink(topics="t,t2"))
        own.wait(lambda: own.values() == ["x"])
        service.herder.pause_connector("snk")
        eventually(lambda: task_state(service, "snk") == "PAUSED")
        service.herder.resume_connector("snk")
        write(service, "y", topic="t2")
        own.wait(lambda: own.values() == ["x", "y"])


def test_two_tasks_share_the_partitions() -> None:
    own = script("snk")
    owners: dict[TopicPartition, int] = {}
    own.on_open = lambda task, partitions: owners.update(dict.fromkeys(partitions, id(task)))
    with running() as service:
        service.broker.admin().create_topics([NewTopic("t", 2)])
        service.herder.put_connector_config("snk", sink(**{"tasks.max": "2"}))
        # The task that begins first may have both until the other one joins.
        own.wait(lambda: len(owners) == 2 and len(set(owners.values())) == 2)
        assert set(owners) == {T0, TopicPartition("t", 1)}
        assert len(service.herder.task_infos("snk")) == 2
