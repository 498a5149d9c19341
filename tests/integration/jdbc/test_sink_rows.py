"""Rows of real targets after envelopes went through the sink task: order, merging, keys, partial rows."""

from __future__ import annotations

import pytest

from tests.support.fix_servers import Database
from tests.support.jdbc_sink import (
    USER_FIELDS,
    FakeContext,
    FakeReporter,
    Feed,
    running,
    sync_config,
)

USER_ID, USER_NAME, _, USER_AGE = (schema for _, schema in USER_FIELDS)
UNCHANGED = "__debezium_unavailable_value"


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Database:
    return request.getfixturevalue(f"{request.param}_database")


def users(target: Database) -> list[tuple[object, ...]]:
    return target.query("SELECT id, name, email, age FROM users ORDER BY id")


def test_creates_updates_and_deletes(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, name="a"), feed.create(id=2, name="b"), feed.create(id=3, name="c")])
        task.put([feed.update(id=2, name="B", age=7), feed.delete(id=3)])
    assert users(target) == [(1, "a", None, None), (2, "B", None, 7)]
    assert target.query("SELECT next_offset, position_text FROM replicator_ledger") == [(5, "0/410")]


def test_insert_delete_insert_of_one_key_in_one_put(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, name="a", age=1), feed.delete(id=1), feed.create(id=1, name="z")])
        assert users(target) == [(1, "z", None, None)]
        task.put([feed.update(id=1, name="y"), feed.delete(id=1), feed.tombstone(id=1)])
        assert users(target) == []
        task.put([feed.delete(id=9), feed.delete(id=8)])
    assert users(target) == []


def test_an_unchanged_value_is_left_alone_in_every_mix(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=i, name=f"long {i}", age=0) for i in range(1, 6)])
        task.put(
            [
                feed.update(id=1, name=UNCHANGED, age=1),
                feed.update(id=2, name="new 2", age=2),
                feed.update(id=2, name=UNCHANGED, age=22),
                feed.update(id=3, name=UNCHANGED, email="x", age=3),
                feed.update(id=3, name="new 3", email=UNCHANGED, age=33),
                feed.update(id=4, name="full 4", age=4),
                feed.create(id=6, name="six", age=6),
                feed.update(id=6, name=UNCHANGED, age=66),
            ]
        )
    assert users(target) == [
        (1, "long 1", None, 1),
        (2, "new 2", None, 22),
        (3, "new 3", "x", 33),
        (4, "full 4", None, 4),
        (5, "long 5", None, 0),
        (6, "six", None, 66),
    ]


def test_a_key_change_with_an_unchanged_value_moves_the_row(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, name="kept", age=1), feed.create(id=5, name="other")])
        task.put(
            [
                feed.delete(id=1, new={"id": 2}, end=False),
                feed.tombstone(id=1),
                feed.create(id=2, name=UNCHANGED, age=2),
            ]
        )
        assert users(target) == [(2, "kept", None, 2), (5, "other", None, None)]
        # Created, moved and changed within one batch.
        task.put(
            [
                feed.create(id=7, name="seven"),
                feed.delete(id=7, new={"id": 8}, end=False),
                feed.create(id=8, name=UNCHANGED, age=8),
                feed.delete(id=8, new={"id": 9}, end=False),
                feed.create(id=9, name="nine", age=9),
            ]
        )
    assert users(target) == [(2, "kept", None, 2), (5, "other", None, None), (9, "nine", None, 9)]


def test_two_rows_swap_their_keys(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, name="one"), feed.create(id=2, name="two")])
        swap = [(1, 3, "one"), (2, 1, "two"), (3, 2, "one")]
        records = []
        for old, new, _ in swap:
            records.append(feed.delete(id=old, new={"id": new}, end=False))
            records.append(feed.create(id=new, name=UNCHANGED, end=False))
        records.append(feed.update(id=1, name=UNCHANGED, age=5))
        task.put(records)
    assert users(target) == [(1, "two", None, 5), (2, "one", None, None)]


def test_truncate_is_a_barrier(target: Database) -> None:
    feed = Feed()
    other = Feed("shop.public.things", [("id", USER_ID), ("name", USER_NAME)], clock=feed.clock)
    with running(sync_config(target.url), [feed.topic, other.topic]) as task:
        task.put(
            [
                feed.create(id=1, name="gone"),
                other.create(id=1, name="stays"),
                feed.truncate(),
                other.create(id=2, name="later"),
                feed.create(id=3, name="after"),
            ]
        )
    assert users(target) == [(3, "after", None, None)]
    assert target.query("SELECT id, name FROM things ORDER BY id") == [(1, "stays"), (2, "later")]
    assert sorted(target.query("SELECT next_offset FROM replicator_ledger")) == [(2,), (3,)]


def test_swapped_unique_values_and_taken_over_ones(target: Database) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50) UNIQUE, age BIGINT)"
    )
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, email="a"), feed.create(id=2, email="b"), feed.create(id=3, email="c")])
        task.put([feed.update(id=1, email="b", end=False), feed.update(id=2, email="a")])
        assert users(target) == [(1, None, "b", None), (2, None, "a", None), (3, None, "c", None)]
        task.put([feed.update(id=3, email="d", end=False), feed.create(id=4, email="c")])
        task.put([feed.delete(id=4, end=False), feed.create(id=5, email="c")])
        # A partial row gives up a value that a whole row takes, and the other way round.
        task.put([feed.update(id=1, name=UNCHANGED, email="q", end=False), feed.update(id=2, email="b")])
        task.put([feed.update(id=2, email="w", end=False), feed.update(id=1, name=UNCHANGED, email="b")])
    assert users(target) == [
        (1, None, "b", None),
        (2, None, "w", None),
        (3, None, "d", None),
        (5, None, "c", None),
    ]


def test_an_upsert_never_hits_another_row_through_a_unique_index(target: Database) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50) UNIQUE, age BIGINT,"
        " extra INT DEFAULT 5)"
    )
    feed = Feed()
    reporter = FakeReporter()
    with running(sync_config(target.url), context=FakeContext(reporter=reporter)) as task:
        task.put([feed.create(id=1, email="a"), feed.create(id=2, email="b")])
        task.put([feed.create(id=3, email="a"), feed.update(id=2, email="c", name="two")])
    assert [r.value.fields["after"]["id"] for r, _ in reporter.reported] == [3]
    assert users(target) == [(1, None, "a", None), (2, "two", "c", None)]


def test_columns_the_source_does_not_know_stay(target: Database) -> None:
    target.execute(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50) UNIQUE, age BIGINT,"
        " extra INT DEFAULT 5)"
    )
    feed = Feed()
    with running(sync_config(target.url)) as task:
        task.put([feed.create(id=1, email="a"), feed.create(id=2, email="b")])
        target.execute("UPDATE users SET extra = 77")
        task.put([feed.update(id=1, email="a2"), feed.delete(id=2), feed.create(id=2, email="b2")])
    assert target.query("SELECT id, email, extra FROM users ORDER BY id") == [(1, "a2", 77), (2, "b2", 5)]


def test_tables_without_key(target: Database) -> None:
    feed = Feed("shop.public.log", [("word", USER_NAME), ("n", USER_AGE)], keys=())
    with running(sync_config(target.url), [feed.topic]) as task:
        row = feed.row
        task.put([feed.create(word="a", n=1), feed.create(word="a", n=1), feed.create(word="b")])
        task.put(
            [
                feed.envelope("d", row(word="a", n=1), None),
                feed.envelope("u", row(word="b"), row(word="b", n=9)),
                feed.create(word="c", n=3),
                feed.envelope("u", row(word="c", n=3), row(word="c", n=4)),
            ]
        )
        assert target.query("SELECT word, n FROM log ORDER BY word, n") == [("a", 1), ("b", 9), ("c", 4)]
        task.put([feed.truncate(), feed.create(word="z")])
    assert target.query("SELECT word, n FROM log") == [("z", None)]


def test_ten_thousand_upserts_take_few_statements(mysql_database: Database) -> None:
    feed = Feed()
    with running(sync_config(mysql_database.url)) as task:
        task.put([feed.create(id=0, name="first")])
        own = task._session.connection()
        statements = "SHOW SESSION STATUS LIKE 'Questions'"
        before = int(own.query(statements)[0][1])
        task.put([feed.create(id=i, name=f"n{i}") for i in range(10_000)])
        after = int(own.query(statements)[0][1])
    assert mysql_database.query("SELECT count(*) FROM users") == [(10_000,)]
    assert after - before < 50


def test_the_schema_changes_within_a_put(target: Database) -> None:
    feed = Feed()
    with running(sync_config(target.url)) as task:
        first = [feed.create(id=i, name=f"n{i}") for i in range(5)]
        feed.set_fields([*USER_FIELDS, ("city", USER_NAME)])
        second = [feed.create(id=i, name=f"m{i}", city="here") for i in range(3, 8)]
        feed.set_fields(USER_FIELDS)
        third = [feed.update(id=4, name="last")]
        task.put([*first, *second, *third])
    assert target.query("SELECT id, name, city FROM users ORDER BY id") == [
        (0, "n0", None),
        (1, "n1", None),
        (2, "n2", None),
        (3, "m3", "here"),
        (4, "last", "here"),
        (5, "m5", "here"),
        (6, "m6", "here"),
        (7, "m7", "here"),
    ]


def test_parent_and_child_go_in_one_put(target: Database) -> None:
    target.execute(
        "CREATE TABLE parents (id BIGINT PRIMARY KEY)",
        "CREATE TABLE children (id BIGINT PRIMARY KEY, parent BIGINT, FOREIGN KEY (parent) REFERENCES parents (id))",
    )
    parents = Feed("shop.public.parents", [("id", USER_ID)])
    children = Feed("shop.public.children", [("id", USER_ID), ("parent", USER_AGE)], clock=parents.clock)
    with running(sync_config(target.url), [parents.topic, children.topic]) as task:
        task.put([parents.create(id=1), children.create(id=1, parent=1)])
        task.put(
            [
                parents.create(id=2),
                children.create(id=2, parent=2),
                children.delete(id=2),
                parents.delete(id=2),
            ]
        )
        task.put([children.delete(id=1), parents.delete(id=1)])
    assert target.query("SELECT count(*) FROM parents") == [(0,)]
    assert target.query("SELECT count(*) FROM children") == [(0,)]
