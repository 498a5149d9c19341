"""Batches whose end is seen late: what fails is handled as if it had failed at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from connectors.jdbc import task as task_module
from connectors.jdbc.dialects import mysql_connection
from replicator.api import FencedError, OffsetAndMetadata, RetriableError, TopicPartition
from replicator.api.schema import INT64, OPTIONAL_FLOAT64, OPTIONAL_INT64, OPTIONAL_STRING
from scripts.service import until
from tests.support.fix_servers import Database
from tests.support.jdbc_sink import TOPIC, FakeContext, FakeReporter, Feed, running, sync_config

HERE = TopicPartition(TOPIC, 0)


@pytest.fixture(autouse=True, params=["one text", "one by one"])
def always_ahead(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(task_module, "WORTH_GOING_AHEAD", 1)
    if request.param == "one by one":
        monkeypatch.setattr(mysql_connection, "JOINED_BYTES", 0)
    return str(request.param)


def ids(target: Database, table: str = "users") -> list[Any]:
    return [row[0] for row in target.query(f"SELECT id FROM {table} ORDER BY id")]


def test_the_group_follows_what_is_committed(mysql_database: Database) -> None:
    feed, context = Feed(), FakeContext()
    with running(sync_config(mysql_database.url), context=context) as task:
        task.put([feed.create(id=i) for i in range(5)])
        assert context.waits == [1]  # nobody waits long for the end of it
        task.put([])
        assert ids(mysql_database) == [0, 1, 2, 3, 4]
        task.put([feed.create(id=5)])
        safe = task.pre_commit({HERE: OffsetAndMetadata(6)})
        assert safe[HERE].offset == 6
        assert ids(mysql_database) == [0, 1, 2, 3, 4, 5]
        task.put([feed.create(id=6)])
        task.close([HERE])
        assert ids(mysql_database) == [0, 1, 2, 3, 4, 5, 6]


def test_a_bad_record_is_found_though_its_batch_was_delivered(mysql_database: Database) -> None:
    mysql_database.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50), age BIGINT, CHECK (age < 100))"
    )
    feed, reporter = Feed(), FakeReporter()
    with running(sync_config(mysql_database.url), context=FakeContext(reporter=reporter)) as task:
        task.put([feed.create(id=i, age=1000 if i in (7, 11) else 1) for i in range(20)])
        task.put([feed.create(id=50), feed.delete(id=3)])
        task.put([])
    assert [r.original_kafka_offset for r, _ in reporter.reported] == [7, 11]
    assert ids(mysql_database) == [i for i in range(20) if i not in (3, 7, 11)] + [50]


def test_what_is_lost_by_policy_counts_once(mysql_database: Database) -> None:
    mysql_database.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, rate DOUBLE, age BIGINT, CHECK (age < 100))"
    )
    feed = Feed(TOPIC, [("id", INT64), ("rate", OPTIONAL_FLOAT64), ("age", OPTIONAL_INT64)])
    context, nan = FakeContext(reporter=FakeReporter()), float("nan")
    with running(sync_config(mysql_database.url, policy__unrepresentable="null"), context=context) as task:
        task.put([feed.create(id=1, rate=1.5, age=1)])
        # The statements of each batch are made while the one before it runs; those of the last come to nothing.
        task.put([feed.create(id=2, rate=nan, age=1)])
        task.put([feed.create(id=3, rate=0.5, age=1000), feed.create(id=4, rate=2.5, age=1)])
        task.put([feed.create(id=5, rate=nan, age=1)])
        task.put([])
    assert ids(mysql_database) == [1, 2, 4, 5]
    assert mysql_database.query("SELECT id FROM users WHERE rate IS NULL") == [(2,), (5,)]
    assert context.facts["values_lost"] == {"users.rate": 2}


def test_a_lost_connection_loses_and_repeats_nothing(mysql_database: Database, always_ahead: str) -> None:
    feed = Feed(TOPIC, [("word", OPTIONAL_STRING), ("n", OPTIONAL_INT64)], keys=())
    config = sync_config(mysql_database.url, max__retries="-1", retry__backoff__ms="1")
    blocker = mysql_database.connect(autocommit=False)
    with running(config) as task:
        task.put([feed.create(word="a", n=n) for n in range(10)])
        task.put([])
        number = task._session.connection().connection_id()
        if always_ahead == "one text":
            with blocker.cursor() as cursor:
                cursor.execute("SELECT * FROM replicator_ledger FOR UPDATE")
            task.put([feed.create(word="b", n=n) for n in range(10)])  # waits at the ledger's row
            mysql_database.execute(f"KILL {number}")
            blocker.rollback()
        else:
            task.put([feed.create(word="b", n=n) for n in range(10)])
            mysql_database.execute(f"KILL {number}")
        late = [feed.create(word="c", n=n) for n in range(10)]
        for _ in range(5):
            try:
                task.put(late)
                break
            except RetriableError:
                continue
        task.put([])
    blocker.close()
    found = mysql_database.query(
        "SELECT word, count(*), count(DISTINCT n) FROM users GROUP BY word ORDER BY word"
    )
    assert list(found) == [("a", 10, 10), ("b", 10, 10), ("c", 10, 10)]


def test_a_small_batch_that_loses_its_connection_is_not_repeated(
    mysql_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its `put` fails, so it is delivered again: nobody else may keep it."""
    monkeypatch.setattr(task_module, "WORTH_GOING_AHEAD", 500)
    feed = Feed(TOPIC, [("n", OPTIONAL_INT64)], keys=())
    config = sync_config(mysql_database.url, max__retries="-1", retry__backoff__ms="1")
    blocker = mysql_database.connect(autocommit=False)
    with running(config) as task:
        task.put([feed.create(n=n) for n in range(10)])
        number = task._session.connection().connection_id()
        with blocker.cursor() as cursor:
            cursor.execute("SELECT * FROM replicator_ledger FOR UPDATE")
        batch = [feed.create(n=n) for n in range(10, 20)]
        killing = threading.Thread(target=_kill_waiting, args=(mysql_database, number))
        killing.start()
        with pytest.raises(RetriableError):
            task.put(batch)  # waits at the ledger's row until it is killed
        killing.join()
        blocker.rollback()
        task.put(batch)
        task.put([])
    blocker.close()
    assert list(mysql_database.query("SELECT count(*), count(DISTINCT n) FROM users")) == [(20, 20)]


def _kill_waiting(database: Database, number: int) -> None:
    waiting = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id = %s"
    until(lambda: database.query(waiting, [number]), 60)
    database.execute(f"KILL {number}")


def test_a_table_that_changed_under_a_batch_is_looked_at_again(mysql_database: Database) -> None:
    feed = Feed()
    other = Feed("shop.public.things", clock=feed.clock)
    context = FakeContext()
    with running(sync_config(mysql_database.url), [feed.topic, other.topic], context=context) as task:
        task.put([feed.create(id=1), other.create(id=1)])
        task.put([])
        mysql_database.execute("ALTER TABLE users DROP COLUMN email")
        task.put([feed.create(id=2), other.create(id=2)])
        task.put([feed.create(id=3), other.create(id=3)])
        task.put([])
        assert (ids(mysql_database), ids(mysql_database, "things")) == ([1, 2, 3], [1, 2, 3])
        assert context.facts["stopped_tables"] == {}
        mysql_database.execute("DROP TABLE users")
        mysql_database.execute("CREATE TABLE users (id BIGINT PRIMARY KEY, name INT)")
        task.put([feed.create(id=4, name="x"), other.create(id=4)])
        task.put([])
        assert list(context.facts["stopped_tables"]) == ["users"]
        assert ids(mysql_database, "things") == [1, 2, 3, 4]


def test_a_fenced_task_writes_nothing(mysql_database: Database) -> None:
    feed = Feed()
    with running(sync_config(mysql_database.url)) as task:
        task.put([feed.create(id=1)])
        task.put([])
        mysql_database.execute("UPDATE replicator_ledger SET epoch = epoch + 1")
        with pytest.raises(FencedError):
            for number in (2, 3):  # told late at the latest
                task.put([feed.create(id=number)])
    assert ids(mysql_database) == [1]
