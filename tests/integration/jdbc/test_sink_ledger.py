"""The ledger: resuming, fencing, operator resets, logs that are new or shorter, lost connections."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from connectors.jdbc.connector import JdbcSinkConnector
from connectors.jdbc.task import JdbcSinkTask
from replicator.api import ConnectError, FencedError, OffsetAndMetadata, RetriableError, TopicPartition
from tests.support.fix_servers import Database
from tests.support.jdbc_sink import TOPIC, FakeContext, Feed, running, sync_config

PARTITION = TopicPartition(TOPIC, 0)


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Database:
    return request.getfixturevalue(f"{request.param}_database")


def users(target: Database) -> list[tuple[Any, ...]]:
    return target.query("SELECT id, name FROM users ORDER BY id")


def ledger(target: Database) -> list[tuple[Any, ...]]:
    return target.query("SELECT next_offset, epoch FROM replicator_ledger ORDER BY updated_at")


def test_a_restart_goes_on_where_the_ledger_stands(target: Database) -> None:
    feed, config = Feed(), sync_config(target.url)
    records = [feed.create(id=i, name=f"n{i}") for i in range(4)]
    with running(config) as task:
        task.put(records)
    context = FakeContext()
    with running(config, context=context) as task:
        assert context.seeks == {PARTITION: 4}
        # Redelivered records (the group's offset was older) change nothing.
        target.execute("UPDATE users SET name = 'seen' WHERE id = 1")
        task.put(records)
        task.put([*records[2:], feed.create(id=9, name="new")])
        assert task.pre_commit({PARTITION: OffsetAndMetadata(5)}) == {
            PARTITION: OffsetAndMetadata(5, "replicator:2:5")
        }
    assert users(target) == [(0, "n0"), (1, "seen"), (2, "n2"), (3, "n3"), (9, "new")]
    assert ledger(target) == [(5, 2)]


def test_insert_mode_is_applied_once_in_spite_of_redelivery(target: Database) -> None:
    feed = Feed()
    config = sync_config(target.url, insert__mode="insert", pk__mode="none", delete__enabled="false")
    records = [feed.create(id=1, name="a"), feed.create(id=1, name="a")]
    with running(config) as task:
        task.put(records)
        task.put(records)
    with running(config) as task:
        task.put(records)
    assert users(target) == [(1, "a"), (1, "a")]


def test_the_old_owner_is_fenced(target: Database) -> None:
    feed, config = Feed(), sync_config(target.url)
    with running(config) as old:
        old.put([feed.create(id=1, name="old")])
        with running(config) as new:
            late = feed.create(id=1, name="late")
            with pytest.raises(FencedError):
                old.put([late])
            feed.offset -= 1
            new.put([feed.create(id=2, name="new")])
    assert users(target) == [(1, "old"), (2, "new")]


def test_a_new_owner_ends_a_writer_that_holds_the_ledger(target: Database) -> None:
    feed, config = Feed(), sync_config(target.url)
    with running(config) as old:
        old.put([feed.create(id=1, name="old")])
        connection = old._session.connection()
        connection.begin()
        connection.execute("UPDATE replicator_ledger SET next_offset = 77")
        connection.execute("UPDATE users SET name = 'never'")
        started = time.monotonic()
        with running(config) as new:
            assert time.monotonic() - started < 8
            new.put([feed.create(id=2, name="new")])
            with pytest.raises((FencedError, RetriableError)):
                old.put([feed.create(id=3, name="late")])
            with pytest.raises(FencedError):
                old.put([feed.create(id=3, name="late")])
    assert users(target) == [(1, "old"), (2, "new")]


def test_an_operators_reset_is_followed_and_repeats_rows(target: Database) -> None:
    feed, config = Feed(), sync_config(target.url)
    records = [feed.create(id=i, name=f"n{i}") for i in range(4)]
    with running(config) as task:
        task.put(records)
    target.execute("DELETE FROM users WHERE id >= 2")
    context = FakeContext()
    context.groups[PARTITION] = OffsetAndMetadata(2)
    with running(config, context=context) as task:
        assert context.seeks == {PARTITION: 2}
        task.put(records[2:])
    assert len(users(target)) == 4
    context = FakeContext()
    context.groups[PARTITION] = OffsetAndMetadata(1, "replicator:2:1")
    with running(config, context=context):
        assert context.seeks == {PARTITION: 4}


def test_offsets_changed_through_the_connector(target: Database) -> None:
    feed, config = Feed(), sync_config(target.url)
    with running(config) as task:
        task.put([feed.create(id=1, name="a")])
    assert JdbcSinkConnector().alter_offsets(config, {PARTITION: 0})
    assert ledger(target)[0][0] == 0
    assert JdbcSinkConnector().alter_offsets(config, {PARTITION: None})
    assert ledger(target) == []
    with pytest.raises(RetriableError):
        JdbcSinkConnector().alter_offsets(sync_config("mysql://u:p@127.0.0.1:1/x"), {PARTITION: 0})


def test_a_new_log_is_matched_by_source_position(target: Database) -> None:
    feed, config = Feed(), sync_config(target.url)
    records = [feed.create(id=i, name=f"n{i}") for i in range(4)]
    with running(config) as task:
        task.put(records[:3])
    target.execute("UPDATE users SET name = 'seen'")
    context = FakeContext()
    context.identity = "log-2"
    for offset, record in enumerate(records[1:]):
        record.original_kafka_offset = record.kafka_offset = offset
    with running(config, context=context) as task:
        assert context.seeks == {}
        task.put(records[1:])
    assert users(target) == [(0, "seen"), (1, "seen"), (2, "seen"), (3, "n3")]
    assert sorted(row[0] for row in ledger(target)) == [3, 3]


def test_a_log_that_lost_its_end(target: Database) -> None:
    feed, config = Feed(), sync_config(target.url)
    records = [feed.create(id=i, name=f"n{i}") for i in range(4)]
    with running(config) as task:
        task.put(records)
    target.execute("UPDATE users SET name = 'seen'")
    context = FakeContext()
    context.end = 2
    with running(config, context=context) as task:
        assert context.seeks == {PARTITION: 2}
        task.put([*records[2:], feed.create(id=9, name="new")])
    assert users(target) == [(0, "seen"), (1, "seen"), (2, "seen"), (3, "seen"), (9, "new")]


def kill(target: Database, task: JdbcSinkTask) -> None:
    target.execute(f"KILL {task._session.connection().connection_id()}")


def test_a_killed_connection_between_batches_and_an_exact_end(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, name="a")])
        kill(target, task)
        batch = [feed.update(id=1, name="b"), feed.create(id=2, name="c")]
        with pytest.raises(RetriableError):
            task.put(batch)
        task.put(batch)
        task.put([feed.delete(id=1)])
    assert users(target) == [(2, "c")]
    assert ledger(target)[0][0] == 4


def test_a_commit_whose_answer_was_lost_is_not_repeated(
    target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed()
    config = sync_config(target.url, insert__mode="insert", pk__mode="none", delete__enabled="false")
    with running(config) as task:
        task.put([feed.create(id=1, name="a")])
        connection = task._session.connection()
        commit = connection.commit

        def commit_and_lose() -> None:
            commit()
            connection.close()
            raise RetriableError("The answer was lost")

        monkeypatch.setattr(connection, "commit", commit_and_lose)
        batch = [feed.create(id=2, name="b")]
        with pytest.raises(RetriableError):
            task.put(batch)
        task.put(batch)
    assert users(target) == [(1, "a"), (2, "b")]


def test_a_lock_held_by_another_session_is_waited_for(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, name="a")])
        task._session.connection().execute("SET SESSION innodb_lock_wait_timeout = 1")
        other = target.connect(autocommit=False)
        with other.cursor() as cursor:
            cursor.execute("SELECT * FROM users WHERE id = 1 FOR UPDATE")
        batch = [feed.update(id=1, name="b")]
        with pytest.raises(RetriableError):
            task.put(batch)
        assert users(target) == [(1, "a")]
        other.rollback()
        other.close()
        task.put(batch)
    assert users(target) == [(1, "b")]


def test_a_deadlock_is_tried_again_at_once(target: Database) -> None:
    feed = Feed()
    feed2 = Feed("shop.public.things", feed.fields, clock=feed.clock)
    with running(sync_config(target.url), [feed.topic, feed2.topic]) as task:
        task.put([feed.create(id=1, name="a"), feed2.create(id=1, name="a")])
        other = target.connect(autocommit=False)
        with other.cursor() as cursor:
            # Much to undo: the sink is the cheaper victim.
            cursor.execute("UPDATE things SET name = 'x'")
            cursor.execute("CREATE TEMPORARY TABLE t (i INT) ENGINE=InnoDB")
            numbers = (
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<900) SELECT i FROM n"
            )
            cursor.execute(f"INSERT INTO t {numbers}")
            worker = threading.Thread(
                target=lambda: task.put([feed.update(id=1, name="b"), feed2.update(id=1, name="b")])
            )
            worker.start()
            time.sleep(0.5)
            cursor.execute("UPDATE users SET age = 5 WHERE id = 1")
            other.commit()
            worker.join(20)
        other.close()
    assert target.query("SELECT name, age FROM users") == [("b", None)]
    assert target.query("SELECT name FROM things") == [("b",)]


def test_many_partitions_move_with_one_statement(target: Database) -> None:
    clock = Feed().clock
    feeds = [Feed(f"shop.public.t{i}", clock=clock) for i in range(30)]
    with running(sync_config(target.url), [f.topic for f in feeds]) as task:
        task.put([f.create(id=1, name="a") for f in feeds])
        task.put([f.update(id=1, name="b") for f in feeds])
    rows = target.query("SELECT topic, next_offset, position_commit FROM replicator_ledger")
    assert len(rows) == 30
    assert {row[1] for row in rows} == {2}
    assert len({row[2] for row in rows}) == 30


def test_the_migration_makes_the_same_table_as_the_task(target: Database) -> None:
    columns = (
        "SELECT column_name, column_type, is_nullable, collation_name FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND table_name = 'replicator_ledger' ORDER BY ordinal_position"
    )
    with running(sync_config(target.url)):
        made = target.query(columns)
    target.execute("DROP TABLE replicator_ledger", "DELETE FROM replicator_version")
    # A version that is behind: the task migrates before it claims anything.
    with running(sync_config(target.url)) as task:
        task.put([Feed().create(id=1, name="a")])
    assert target.query(columns) == made
    assert target.query("SELECT version_num FROM replicator_version") == [("0001",)]


def test_a_newer_ledger_is_refused(target: Database) -> None:
    with running(sync_config(target.url)):
        pass
    target.execute("UPDATE replicator_version SET version_num = '9999'")
    with pytest.raises(ConnectError, match="newer version"), running(sync_config(target.url)):
        pass
