"""What the log removes, what it keeps for groups, and what compaction leaves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replicator.api import OffsetAndMetadata, TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import Message, NewMessage
from tests.unit.broker.reading import everything

TP = TopicPartition("t", 0)
DAY = 24 * 3600.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path, maintenance=False) as opened:
        yield opened


def fill(broker: EmbeddedBroker, count: int = 10, **config: str) -> None:
    named = {name.replace("_", "."): value for name, value in config.items()}
    broker.admin().create_topics([NewTopic("t", 1, config=named)])
    producer = broker.producer("p")
    for n in range(count):
        producer.append([NewMessage("t", b"k%d" % n, b"%d" % n * 100)])


def begin(broker: EmbeddedBroker) -> int:
    return broker.admin().begin_offsets([TP])[TP]


def upkeep(broker: EmbeddedBroker, later: float) -> None:
    broker.maintenance.run_once(time.time() + later)


def kept(broker: EmbeddedBroker, topic: str = "t") -> list[Message]:
    """What is in the file, not only in memory."""
    broker.log.forget_tail()
    return everything(broker, topic)


def test_old_messages_go(broker: EmbeddedBroker) -> None:
    fill(broker, retention_ms="3600000")
    upkeep(broker, 3500)
    assert begin(broker) == 0
    upkeep(broker, 3700)
    assert begin(broker) == 10
    assert broker.admin().end_offsets([TP]) == {TP: 10}
    assert kept(broker) == []


def test_the_end_is_remembered_when_everything_went(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        fill(broker, retention_ms="0")
        upkeep(broker, 10)
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        broker.producer("p").append([NewMessage("t", None, b"next")])
        assert [(m.offset, m.value) for m in kept(broker)] == [(10, b"next")]


def test_the_oldest_go_when_there_is_too_much(broker: EmbeddedBroker) -> None:
    fill(broker, retention_bytes="1")
    upkeep(broker, 0)
    assert begin(broker) >= 9


def test_negative_retention_keeps_kept(broker: EmbeddedBroker) -> None:
    fill(broker, retention_ms="-1")
    upkeep(broker, 1000 * DAY)
    assert begin(broker) == 0


def test_a_group_keeps_what_it_has_not_read(broker: EmbeddedBroker) -> None:
    fill(broker, retention_ms="0")
    broker.admin().alter_group_offsets("g", {TP: OffsetAndMetadata(4)})
    upkeep(broker, 3600)
    assert begin(broker) == 4
    broker.admin().delete_group("g")
    upkeep(broker, 3600)
    assert begin(broker) == 10


def test_a_silent_group_keeps_for_a_day(broker: EmbeddedBroker) -> None:
    fill(broker, retention_ms="0")
    broker.admin().alter_group_offsets("g", {TP: OffsetAndMetadata(4)})
    upkeep(broker, DAY - 60)
    assert begin(broker) == 4
    upkeep(broker, DAY + 60)
    assert begin(broker) == 10


def test_a_live_group_keeps_for_ever(broker: EmbeddedBroker) -> None:
    fill(broker, retention_ms="0")
    consumer = broker.consumer("c", "g")
    consumer.subscribe(["t"])
    upkeep(broker, 30 * DAY)
    assert begin(broker) == 0
    consumer.close()


def test_a_subscription_is_remembered_over_a_restart(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        fill(broker, retention_ms="0")
        consumer = broker.consumer("c", "g")
        consumer.subscribe(["t"])
        consumer.close()
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        upkeep(broker, 3600)
        assert begin(broker) == 0


def test_time_does_not_run_while_the_log_is_closed(tmp_path: Path) -> None:
    """A service that was down for a week must find what its sink has not read."""
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        fill(broker, retention_ms="0")
        broker.admin().alter_group_offsets("g", {TP: OffsetAndMetadata(4)})
        upkeep(broker, 0)
        week_ago = int((time.time() - 7 * DAY) * 1000)
        with broker.log.transaction() as connection:
            connection.execute("UPDATE consumer_groups SET active_at = ?", (week_ago,))
            connection.execute("UPDATE meta SET value = ? WHERE name = 'seen_at'", (str(week_ago),))
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        upkeep(broker, 3600)
        assert begin(broker) == 4
        upkeep(broker, DAY + 60)
        assert begin(broker) == 10


def test_what_every_group_has_read_goes_after_ten_minutes(broker: EmbeddedBroker) -> None:
    fill(broker)
    admin = broker.admin()
    admin.alter_group_offsets("g", {TP: OffsetAndMetadata(8)})
    admin.alter_group_offsets("h", {TP: OffsetAndMetadata(5)})
    upkeep(broker, 300)
    assert begin(broker) == 0
    upkeep(broker, 700)
    assert begin(broker) == 5


def test_nobody_has_read_it_then_it_stays(broker: EmbeddedBroker) -> None:
    fill(broker)
    upkeep(broker, 3600)
    assert begin(broker) == 0


def test_keeping_what_was_read_can_be_asked_for(broker: EmbeddedBroker) -> None:
    fill(broker, delete_consumed="false")
    broker.admin().alter_group_offsets("g", {TP: OffsetAndMetadata(10)})
    upkeep(broker, 3600)
    assert begin(broker) == 0


def test_a_reader_behind_the_log_starts_over_as_told(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    fill(broker, retention_ms="0")
    upkeep(broker, 10)
    broker.producer("p").append([NewMessage("t", None, b"next")])
    consumer = broker.consumer("c")
    consumer.assign([TP])
    consumer.seek(TP, 3)
    assert [m.offset for m in consumer.poll(10, 0)] == [10]
    assert "outside the log" in caplog.text
    consumer.close()


def test_space_of_deleted_topics_is_given_back(broker: EmbeddedBroker) -> None:
    import os

    producer = broker.producer("p")
    for _ in range(40):
        producer.append([NewMessage("big", None, os.urandom(1 << 20))])
    broker.maintenance.checkpoint()
    assert broker.log.path is not None
    before = broker.log.path.stat().st_size
    broker.admin().delete_topic("big")
    broker.log.forget_tail()
    for _ in range(3):
        upkeep(broker, 0)
    broker.maintenance.checkpoint()
    assert broker.log.path.stat().st_size < before / 2
    assert broker.log.doomed == []


# -- compaction


def compacted(broker: EmbeddedBroker, records: list[tuple[str, int | None]]) -> None:
    broker.admin().create_topics([NewTopic("t", 1, config={"cleanup.policy": "compact"})])
    producer = broker.producer("p")
    for at in range(0, len(records), 3):
        producer.append(
            [NewMessage("t", k.encode(), None if v is None else b"%d" % v) for k, v in records[at : at + 3]]
        )
    topic = broker.log.topics["t"]
    broker.maintenance._compaction.compact(topic, topic.partitions[0], int(time.time() * 1000))


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.one_of(st.none(), st.integers(0, 9))), min_size=1, max_size=40
    )
)
@settings(max_examples=60, deadline=None)
def test_the_newest_of_each_key_stays_at_its_offset(records: list[tuple[str, int | None]]) -> None:
    newest = {key: (offset, value) for offset, (key, value) in enumerate(records)}
    with EmbeddedBroker(":memory:", maintenance=False) as broker:
        compacted(broker, records)
        got = {
            (m.key or b"").decode(): (m.offset, None if m.value is None else int(m.value))
            for m in kept(broker)
        }
        assert got == newest
        assert broker.admin().end_offsets([TP]) == {TP: len(records)}


def test_a_reader_in_the_middle_misses_nothing(broker: EmbeddedBroker) -> None:
    broker.admin().create_topics([NewTopic("t", 1, config={"cleanup.policy": "compact"})])
    producer = broker.producer("p")
    for n in range(20):
        producer.append([NewMessage("t", b"k%d" % (n % 7), b"%d" % n)])
    broker.log.forget_tail()
    consumer = broker.consumer("c")
    consumer.assign([TP])
    seen = [m.offset for m in consumer.poll(9, 0)]
    topic = broker.log.topics["t"]
    broker.maintenance._compaction.compact(topic, topic.partitions[0], 0)
    while piece := consumer.poll(100, 0):
        seen += [m.offset for m in piece]
    assert set(range(13, 20)) <= set(seen)
    assert seen == sorted(set(seen))
    consumer.close()


def test_compaction_keeps_the_order_of_other_topics(broker: EmbeddedBroker) -> None:
    producer = broker.producer("p")
    broker.admin().create_topics([NewTopic("t", 1, config={"cleanup.policy": "compact"})])
    sent = [("abt"[n * n % 3 if n % 5 else 2], b"%d" % n) for n in range(60)]
    for at in range(0, 60, 20):
        producer.append([NewMessage(topic, b"k", value) for topic, value in sent[at : at + 20]])
    topic = broker.log.topics["t"]
    broker.maintenance._compaction.compact(topic, topic.partitions[0], 0)
    broker.log.forget_tail()
    consumer = broker.consumer("c")
    consumer.assign([TopicPartition(t, 0) for t in "abt"])
    got = [(m.topic, m.value) for m in consumer.poll(1000, 0) if m.topic != "t"]
    assert got == [(topic, value) for topic, value in sent if topic != "t"]
    consumer.close()


def test_tombstones_go_after_a_day(broker: EmbeddedBroker) -> None:
    compacted(broker, [("a", 1), ("b", 2), ("a", None)])
    topic = broker.log.topics["t"]
    assert [m.key for m in kept(broker)] == [b"b", b"a"]
    broker.maintenance._compaction.compact(topic, topic.partitions[0], int((time.time() + 1.1 * DAY) * 1000))
    assert [m.key for m in kept(broker)] == [b"b"]


def test_compaction_starts_by_itself(broker: EmbeddedBroker) -> None:
    broker.admin().create_topics([NewTopic("t", 1, config={"cleanup.policy": "compact"})])
    producer = broker.producer("p")
    for n in range(600):
        producer.append([NewMessage("t", b"k", b"%d" % n)])
    upkeep(broker, 0)
    assert [m.value for m in kept(broker)] == [b"599"]
    rows = broker.log.writer.execute("SELECT count(*) FROM batches").fetchone()[0]
    assert rows == 1
