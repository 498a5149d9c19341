"""What the sink does with records and tables that do not fit: dead letters, stopped tables, evolution."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from connectors.jdbc import task as task_module
from connectors.jdbc.task import ConfluentSinkTask
from replicator.api import (
    BadRequestError,
    ConnectError,
    DataError,
    RetriableError,
    SinkRecord,
    TopicPartition,
)
from tests.support.fix_servers import Database
from tests.support.jdbc_sink import TOPIC, USER_FIELDS, FakeContext, FakeReporter, Feed, running, sync_config


class RefusingReporter(FakeReporter):
    """As the runtime's with errors.tolerance=none."""

    def report(self, record: SinkRecord, error: BaseException) -> Future[None]:
        raise ConnectError("Tolerance exceeded in error handler")


USER_ID, USER_NAME, _, USER_AGE = (schema for _, schema in USER_FIELDS)


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Database:
    return request.getfixturevalue(f"{request.param}_database")


def ids(target: Database, table: str = "users") -> list[Any]:
    return [row[0] for row in target.query(f"SELECT id FROM {table} ORDER BY id")]


def test_one_bad_record_in_the_middle_is_reported_and_the_others_are_written_once(target: Database) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50), age BIGINT, CHECK (age < 100))"
    )
    feed, reporter = Feed(), FakeReporter()
    with running(sync_config(target.url), context=FakeContext(reporter=reporter)) as task:
        task.put([feed.create(id=i, name="x", age=1000 if i in (37, 90) else i % 90) for i in range(100)])
        task.put([feed.create(id=200)])
    assert [r.original_kafka_offset for r, _ in reporter.reported] == [37, 90]
    assert ids(target) == [i for i in range(100) if i not in (37, 90)] + [200]


def test_a_value_that_cannot_be_written_is_found_before_sending(target: Database) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(5), email VARCHAR(50), age BIGINT)"
    )
    feed, reporter = Feed(), FakeReporter()
    config = sync_config(target.url, auto__evolve="false")
    with running(config, context=FakeContext(reporter=reporter)) as task:
        task.put([feed.create(id=1, name="short"), feed.create(id=2, name="far too long"), feed.create(id=3)])
    assert [r.original_kafka_offset for r, _ in reporter.reported] == [1]
    assert "name" in str(reporter.reported[0][1])
    assert ids(target) == [1, 3]


def test_without_tolerance_the_task_fails_and_names_the_record(target: Database) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(5), email VARCHAR(50), age BIGINT)"
    )
    feed = Feed()
    config = sync_config(target.url, auto__evolve="false")
    config = {k: v for k, v in config.items() if k != "table.naming"} | {"table.name.format": "users"}
    with running(config, task=ConfluentSinkTask()) as task, pytest.raises(DataError, match=rf"{TOPIC}-0@1"):
        task.put([feed.create(id=1), feed.create(id=2, name="far too long")])
    assert ids(target) == []
    assert target.query("SELECT next_offset FROM replicator_ledger") == [(0,)]


@pytest.mark.parametrize("tolerate", [False, None])
def test_without_tolerance_our_own_sink_stops_the_table(target: Database, tolerate: bool | None) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(5), email VARCHAR(50), age BIGINT)"
    )
    feed = Feed()
    other = Feed("shop.public.things", clock=feed.clock)
    context = FakeContext(reporter=None if tolerate is None else RefusingReporter())
    config = sync_config(target.url, auto__evolve="false")
    with running(config, [feed.topic, other.topic], context=context) as task:
        task.put([feed.create(id=1)])
        task.put([feed.create(id=2, name="far too long"), feed.create(id=3), other.create(id=1)])
        assert context.paused == {TopicPartition(TOPIC, 0)}
        assert f"{TOPIC}-0@1" in context.facts["stopped_tables"]["users"]
        task.put([other.envelope("x", None, other.row(id=1))])
        assert context.paused == {TopicPartition(TOPIC, 0), TopicPartition(other.topic, 0)}
    assert (ids(target), ids(target, "things")) == ([1], [1])


def test_a_transient_failure_never_reaches_the_dead_letters(target: Database) -> None:
    feed, reporter = Feed(), FakeReporter()
    config = sync_config(target.url, max__retries="2", retry__backoff__ms="5")
    context = FakeContext(reporter=reporter)
    with running(config, context=context) as task:
        task.put([feed.create(id=1, name="a")])
        task._session.connection().execute("SET SESSION innodb_lock_wait_timeout = 1")
        other = target.connect(autocommit=False)
        with other.cursor() as cursor:
            cursor.execute("SELECT * FROM users WHERE id = 1 FOR UPDATE")
        batch = [feed.update(id=1, name="b")]
        for _ in range(2):
            with pytest.raises(RetriableError):
                task.put(batch)
        assert context.waits[-2:] == [5, 5]
        with pytest.raises(ConnectError, match="after 2 retries"):
            task.put(batch)
        other.close()
    assert reporter.reported == []


def test_a_missing_table_stops_alone(target: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50), age BIGINT)"
    )
    feed = Feed()
    lost = Feed("shop.public.lost", clock=feed.clock)
    context = FakeContext()
    config = sync_config(target.url, auto__create="false")
    with running(config, [feed.topic, lost.topic], context=context) as task:
        task.put([feed.create(id=1), lost.create(id=1), feed.create(id=2)])
        assert ids(target) == [1, 2]
        assert context.paused == {TopicPartition(lost.topic, 0)}
        assert "lost" in context.facts["stopped_tables"]
        assert "auto.create" in context.facts["stopped_tables"]["lost"]
        late = lost.create(id=2)
        task.put([late, feed.create(id=3)])
        assert ids(target) == [1, 2, 3]
        target.execute("CREATE TABLE lost (id BIGINT PRIMARY KEY, name TEXT, email TEXT, age BIGINT)")
        monkeypatch.setattr(task._stopped, "retry_at", 0.0)
        task.put([])
        assert context.paused == set()
        assert context.seeks[TopicPartition(lost.topic, 0)] == 0
        lost.offset = 0
        task.put([lost.create(id=1), lost.create(id=2)])
        assert ids(target, "lost") == [1, 2]
        task.put([])
        assert context.facts["stopped_tables"] == {}


def test_a_stopped_table_goes_on_behind_a_truncate(target: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(5), email VARCHAR(50), age BIGINT)"
    )
    feed, context = Feed(), FakeContext()
    here = TopicPartition(TOPIC, 0)
    with running(sync_config(target.url, auto__evolve="false"), context=context) as task:
        task.put([feed.create(id=1)])
        waiting = [feed.create(id=2, name="far too long"), feed.create(id=3)]
        task.put(waiting)
        assert context.paused == {here}
        with pytest.raises(BadRequestError):
            task.signal("execute-snapshot", {})
        task.signal("skip-to-truncate", {"tables": ["other", "users"]})
        task.put([])
        assert (context.paused, context.seeks[here]) == (set(), 1)
        task.put(waiting)
        # Nothing is given up before the truncate is seen: a crash here would lose nothing.
        assert ids(target) == [1]
        assert target.query("SELECT next_offset FROM replicator_ledger") == [(1,)]
        task.put([feed.create(id=4), feed.truncate(), feed.create(id=5)])
        assert ids(target) == [5]
        assert target.query("SELECT next_offset FROM replicator_ledger") == [(6,)]
        assert context.facts["stopped_tables"] == {}


def test_without_a_truncate_a_stopped_table_gives_nothing_up(
    target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(5), email VARCHAR(50), age BIGINT)"
    )
    feed, context = Feed(), FakeContext()
    here = TopicPartition(TOPIC, 0)
    with running(sync_config(target.url, auto__evolve="false"), context=context) as task:
        waiting = [feed.create(id=2, name="far too long"), feed.create(id=3)]
        task.put(waiting)
        task.signal("skip-to-truncate", {"tables": ["users"]})
        task.put([])
        task.put(waiting)
        assert context.paused == set()
        context.seeks.clear()
        monkeypatch.setattr(task._stopped, "_skipping_until", 0.1)
        task.put([])
        assert context.seeks == {here: 0}
        task.put(waiting)
        assert context.paused == {here}
        target.execute("ALTER TABLE users MODIFY name VARCHAR(50)")
        task.signal("retry", {})
        task.put([])
        task.put(waiting)
        assert ids(target) == [2, 3]


def test_a_table_dropped_by_hand_is_made_again(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1)])
        target.execute("DROP TABLE users")
        task.put([feed.create(id=2)])
    assert ids(target) == [2]


def test_a_column_dropped_by_hand_is_added_again(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, age=1)])
        target.execute("ALTER TABLE users DROP COLUMN age")
        task.put([feed.create(id=2, age=2)])
    assert target.query("SELECT id, age FROM users ORDER BY id") == [(1, None), (2, 2)]


def test_evolution_in_the_middle_of_a_put_and_a_failure_after_it(target: Database) -> None:
    feed, reporter = Feed(), FakeReporter()
    with running(sync_config(target.url), context=FakeContext(reporter=reporter)) as task:
        first = [feed.create(id=i) for i in range(70)]
        feed.set_fields([*USER_FIELDS, ("city", USER_NAME)])
        second = [feed.create(id=i, city="c") for i in range(70, 100)]
        bad = second[20]
        bad.value.fields["after"]["age"] = "no number"
        task.put([*first, *second])
    assert [r for r, _ in reporter.reported] == [bad]
    assert ids(target) == [i for i in range(100) if i != 90]


def test_without_evolution_a_missing_column_stops_the_table(target: Database) -> None:
    target.execute("CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT, email TEXT)")
    context = FakeContext()
    with running(sync_config(target.url, auto__evolve="false"), context=context) as task:
        task.put([Feed().create(id=1)])
    assert "age" in context.facts["stopped_tables"]["users"]
    assert ids(target) == []


def test_a_row_larger_than_a_statement_is_a_data_error(
    target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, reporter = Feed(), FakeReporter()
    with running(sync_config(target.url), context=FakeContext(reporter=reporter)) as task:
        task.put([feed.create(id=0)])
        monkeypatch.setattr(task._session.dialect, "_packet", 40_000)
        task.put(
            [feed.create(id=i, name="x" * 4000) for i in range(1, 20)]
            + [feed.create(id=20, name="y" * 30_000)]
        )
    assert [r.original_kafka_offset for r, _ in reporter.reported] == [20]
    assert ids(target) == list(range(20))


def test_values_lost_by_policy_are_counted(target: Database) -> None:
    from replicator.api.schema import OPTIONAL_FLOAT64

    feed = Feed(fields=[("id", USER_ID), ("x", OPTIONAL_FLOAT64)])
    context = FakeContext()
    with running(sync_config(target.url, policy__unrepresentable="null"), context=context) as task:
        task.put(
            [feed.create(id=1, x=1.5), feed.create(id=2, x=float("nan")), feed.create(id=3, x=float("inf"))]
        )
    assert target.query("SELECT id, x FROM users ORDER BY id") == [(1, 1.5), (2, None), (3, None)]
    assert context.facts["values_lost"] == {"users.x": 2}


def test_records_that_are_no_data_are_skipped_and_counted(target: Database) -> None:
    feed = Feed()
    heartbeat = feed.create(id=5)
    heartbeat.value_schema = heartbeat.value_schema.evolve(name="io.debezium.connector.common.Heartbeat")
    context = FakeContext()
    with running(sync_config(target.url, truncate__enabled="false"), context=context) as task:
        task.put([heartbeat, feed.create(id=1), feed.truncate(), feed.create(id=2)])
    assert context.facts["skipped"] == {"heartbeat": 1, "truncate.enabled is false": 1}
    assert ids(target) == [1, 2]


def test_an_unfinished_transaction_waits_for_its_end(
    target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed()
    context = FakeContext()
    with running(sync_config(target.url, transaction__max__rows="3"), context=context) as task:
        task.put([feed.create(id=1), feed.create(id=2, end=False), feed.create(id=3, end=False)])
        assert ids(target) == [1]
        assert context.waits == [50]
        task.put([])
        assert ids(target) == [1]
        task.put([feed.create(id=4)])
        assert ids(target) == [1, 2, 3, 4]
        # Too large to be kept whole.
        task.put([feed.create(id=i, end=False) for i in range(5, 9)])
        assert ids(target)[-1] == 8
        # Its end never comes here.
        task.put([feed.create(id=10, end=False)])
        assert ids(target)[-1] == 8
        monkeypatch.setattr(task_module, "_TAIL_PATIENCE", 0.0)
        task.put([])
        assert ids(target)[-1] == 10
        task.put([feed.create(id=11)])
        task.put([])
    assert context.facts["complete_through"] == "0/3FC"
