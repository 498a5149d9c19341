"""The sink task on Postgres and SQLite: the same meaning with other SQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from replicator.api import FencedError, RetriableError, TopicPartition
from tests.support.fix_servers import Database
from tests.support.jdbc_sink import TOPIC, USER_FIELDS, FakeContext, FakeReporter, Feed, running, sync_config

USER_ID, USER_NAME, _, USER_AGE = (schema for _, schema in USER_FIELDS)
UNCHANGED = "__debezium_unavailable_value"


class SqliteFile:
    """Like the servers' `Database` fixture object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:{path}"

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def execute(self, *statements: str) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            for statement in statements:
                connection.execute(statement)
        finally:
            connection.close()


@pytest.fixture(params=["postgres", "sqlite"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "sqlite":
        return SqliteFile(tmp_path / "target.db")
    return request.getfixturevalue("pg_database")


def users(target: Any) -> list[tuple[Any, ...]]:
    return target.query("SELECT id, name, email, age FROM users ORDER BY id")


def test_rows_partial_rows_moves_and_truncates(target: Any) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=i, name=f"n{i}", age=i) for i in range(5)])
        task.put(
            [
                feed.update(id=0, name=UNCHANGED, age=100),
                feed.delete(id=1),
                feed.delete(id=2, new={"id": 22}, end=False),
                feed.create(id=22, name=UNCHANGED, age=22),
                feed.update(id=3, name='it\'s \\ "new"', email="e"),
            ]
        )
        assert users(target) == [
            (0, "n0", None, 100),
            (3, 'it\'s \\ "new"', "e", None),
            (4, "n4", None, 4),
            (22, "n2", None, 22),
        ]
        task.put([feed.truncate(), feed.create(id=7)])
    assert users(target) == [(7, None, None, None)]
    assert target.query("SELECT next_offset FROM replicator_ledger") == [(12,)]


def test_restart_and_fencing(target: Any) -> None:
    feed, config, context = Feed(), sync_config(target.url), FakeContext()
    with running(config) as old:
        batch = [feed.create(id=1, name="a")]
        old.put(batch)
        with running(config, context=context) as new:
            assert context.seeks == {TopicPartition(TOPIC, 0): 1}
            new.put([*batch, feed.create(id=2, name="b")])
            with pytest.raises(FencedError):
                old.put([feed.create(id=3)])
    assert [row[0] for row in users(target)] == [1, 2]


def test_a_bad_record_is_reported_and_the_others_are_written(target: Any) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT, email TEXT, age BIGINT CHECK (age < 100))"
    )
    feed, reporter = Feed(), FakeReporter()
    with running(sync_config(target.url), context=FakeContext(reporter=reporter)) as task:
        task.put([feed.create(id=i, age=500 if i == 13 else i) for i in range(40)])
    assert [r.original_kafka_offset for r, _ in reporter.reported] == [13]
    assert len(users(target)) == 39


def test_unique_values_swap_and_never_hit_another_row(target: Any) -> None:
    target.execute("CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT, email TEXT UNIQUE, age BIGINT)")
    feed, reporter = Feed(), FakeReporter()
    with running(sync_config(target.url), context=FakeContext(reporter=reporter)) as task:
        task.put([feed.create(id=1, email="a"), feed.create(id=2, email="b")])
        task.put([feed.update(id=1, email="b", end=False), feed.update(id=2, email="a")])
        task.put([feed.create(id=3, email="a"), feed.update(id=2, email="z")])
    assert users(target) == [(1, None, "b", None), (2, None, "z", None), (3, None, "a", None)]
    assert reporter.reported == []


def test_tables_without_key(target: Any) -> None:
    feed = Feed("shop.public.log", [("word", USER_NAME), ("n", USER_AGE)], keys=())
    with running(sync_config(target.url), [feed.topic]) as task:
        task.put([feed.create(word="a", n=1), feed.create(word="a", n=1), feed.create(word="b")])
        task.put(
            [
                feed.envelope("d", feed.row(word="a", n=1), None),
                feed.envelope("u", feed.row(word="b"), feed.row(word="b", n=9)),
            ]
        )
    assert target.query("SELECT word, n FROM log ORDER BY word, n") == [("a", 1), ("b", 9)]


def test_a_new_column_is_added(target: Any) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1)])
        feed.set_fields([*USER_FIELDS, ("city", USER_NAME)])
        task.put([feed.create(id=2, city="here")])
    assert target.query("SELECT id, city FROM users ORDER BY id") == [(1, None), (2, "here")]


def test_a_new_owner_ends_a_postgres_session_that_holds_the_ledger(pg_database: Database) -> None:
    feed, config = Feed(), sync_config(pg_database.url)
    with running(config) as old:
        old.put([feed.create(id=1, name="old")])
        connection = old._session.connection()
        connection.begin()
        connection.execute("UPDATE replicator_ledger SET next_offset = 77")
        with running(config) as new:
            new.put([feed.create(id=2, name="new")])
            late = [feed.create(id=3, name="late")]
            with pytest.raises((FencedError, RetriableError)):
                old.put(late)
            with pytest.raises(FencedError):
                old.put(late)
    assert [row[:2] for row in users(pg_database)] == [(1, "old"), (2, "new")]
