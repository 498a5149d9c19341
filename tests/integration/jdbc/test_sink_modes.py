"""Insert modes, key modes, the other connectors' option names, and rules about partitions and the copy."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from connectors.jdbc.task import ConfluentSinkTask, DebeziumSinkTask
from replicator.api import ConnectError, DataError, Schema, StructuralError, TopicPartition
from replicator.api.position import COPY, STREAM
from replicator.api.schema import INT64, OPTIONAL_INT64, OPTIONAL_STRING, STRING, struct_schema
from tests.support.fix_servers import Database
from tests.support.jdbc_sink import TOPIC, FakeContext, Feed, flat, running, sync_config

UNCHANGED = "__debezium_unavailable_value"
VALUE = struct_schema([("id", INT64), ("name", OPTIONAL_STRING), ("n", OPTIONAL_INT64)])
KEY = struct_schema([("id", INT64)])


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Database:
    return request.getfixturevalue(f"{request.param}_database")


def confluent(target: Database, **more: str) -> dict[str, str]:
    return {
        "connection.url": target.url,
        "auto.create": "true",
        "auto.evolve": "true",
        "pk.mode": "record_key",
        **{k.replace("__", "."): v for k, v in more.items()},
    }


def record(offset: int, schema: Schema = VALUE, **values: Any) -> Any:
    return flat("t", schema, values, offset, KEY, {"id": values["id"]})


def rows(target: Database) -> list[tuple[Any, ...]]:
    return target.query("SELECT id, name, n FROM t ORDER BY id")


def test_insert_mode_refuses_a_key_twice_and_upsert_does_not(target: Database) -> None:
    with running(confluent(target), ["t"], task=ConfluentSinkTask()) as task:
        task.put([record(0, id=1, name="a")])
        with pytest.raises(DataError, match="t-0@1"):
            task.put([record(1, id=1, name="again")])
    target.execute("DELETE FROM replicator_ledger")
    with running(confluent(target, insert__mode="upsert"), ["t"], task=ConfluentSinkTask()) as task:
        task.put([record(0, id=1, name="a"), record(1, id=1, name="again"), record(2, id=2)])
    assert rows(target) == [(1, "again", None), (2, None, None)]


@pytest.mark.parametrize(
    "more",
    [
        {"pk__mode": "kafka"},
        {"pk__mode": "record_key"},
        {"pk__mode": "record_value", "pk__fields": "id"},
    ],
)
def test_replaying_upserts_changes_nothing(target: Database, more: dict[str, str]) -> None:
    config = confluent(target, insert__mode="upsert", **more)
    records = [record(i, id=i % 3, n=i) for i in range(7)]
    with running(config, ["t"], task=ConfluentSinkTask()) as task:
        task.put(records)
    first = target.query("SELECT * FROM t ORDER BY 1, 2, 3")
    target.execute("DELETE FROM replicator_ledger")
    with running(config, ["t"], task=ConfluentSinkTask()) as task:
        task.put(records[4:])
        # A suffix, too, ends in the same rows.
        assert target.query("SELECT * FROM t ORDER BY 1, 2, 3") == first


def test_update_mode_never_inserts(target: Database) -> None:
    target.execute(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, n BIGINT)", "INSERT INTO t VALUES (1, 'x', 1)"
    )
    config = confluent(target, insert__mode="update", delete__enabled="true")
    with running(config, ["t"], task=ConfluentSinkTask()) as task:
        task.put([record(0, id=1, name="new"), record(1, id=2, name="nobody"), record(2, id=1, n=5)])
        assert rows(target) == [(1, None, 5)]
        tombstone = record(3, id=1)
        tombstone.value = tombstone.value_schema = None
        task.put([tombstone, record(4, id=1, name="gone")])
    assert rows(target) == []


def test_debezium_options(target: Database) -> None:
    config = {
        "connection.url": target.url,
        "connection.username": target.server.user,
        "connection.password": target.server.password,
        "insert.mode": "upsert",
        "primary.key.mode": "record_key",
        "schema.evolution": "basic",
        "delete.enabled": "true",
        "collection.name.format": "x_${topic}",
        "field.exclude.list": "age",
    }
    feed = Feed()
    with running(config, [TOPIC], task=DebeziumSinkTask()) as task:
        task.put([feed.create(id=1, name="a", age=3), feed.create(id=2), feed.delete(id=2)])
    assert target.query("SELECT id, name, email FROM x_shop_public_users") == [(1, "a", None)]


def test_validate_only_wants_the_table_at_start(target: Database) -> None:
    config = {
        "connection.url": target.url,
        "connection.username": target.server.user,
        "connection.password": target.server.password,
        "schema.evolution": "validate-only",
    }
    with pytest.raises(StructuralError, match="users"), running(config, [TOPIC], task=DebeziumSinkTask()):
        pass
    target.execute("CREATE TABLE shop_public_users (id BIGINT)")
    with running(config, [TOPIC], task=DebeziumSinkTask()):
        pass


def test_truncates_and_key_changes_need_one_partition(target: Database) -> None:
    for change in ("truncate", "move"):
        feed, context = Feed(), FakeContext()
        with running(sync_config(target.url), context=context) as task:
            second = TopicPartition(TOPIC, 1)
            task.open([second])
            one = feed.truncate() if change == "truncate" else feed.delete(id=1, new={"id": 2})
            with pytest.raises(ConnectError, match="one partition"):
                task.put([feed.create(id=1), one])


def test_updates_before_the_copys_point_may_find_no_row(
    target: Database, caplog: pytest.LogCaptureFixture
) -> None:
    feed, context = Feed(), FakeContext()
    with running(sync_config(target.url), context=context) as task:
        feed.clock.phase, feed.clock.commit = COPY, 5000
        task.put([feed.create(id=1, name="copied")])
        feed.clock.phase, feed.clock.commit = STREAM, 2000
        with caplog.at_level(logging.WARNING):
            task.put([feed.update(id=9, name=UNCHANGED, age=1), feed.update(id=1, name=UNCHANGED, age=1)])
            assert caplog.messages == []
            feed.clock.commit = 6000
            task.put([feed.update(id=9, name=UNCHANGED, age=1)])
        assert "found no row" in caplog.text
    assert target.query("SELECT id, name, age FROM users") == [(1, "copied", 1)]


def test_names_with_quotes_reserved_words_and_length(target: Database) -> None:
    odd = [("id", INT64), ("order", OPTIONAL_STRING), ("a`b", OPTIONAL_STRING), ("c'd%s", OPTIONAL_STRING)]
    feed = Feed("shop.public.select", odd)
    with running(sync_config(target.url), [feed.topic]) as task:
        task.put([feed.create(**{"id": 1, "order": "x", "a`b": "y%s", "c'd%s": "z\\'\"\n"})])
        task.put([feed.update(**{"id": 1, "order": UNCHANGED, "a`b": "y2"}), feed.delete(id=5)])
    assert target.query("SELECT * FROM `select`") == [(1, "x", "y2", None)]


def test_strings_become_one_column(target: Database) -> None:
    config = confluent(target, insert__mode="upsert", pk__fields="k")
    with running(config, ["t"], task=ConfluentSinkTask()) as task:
        task.put([flat("t", STRING, "hello", 0, INT64, 1), flat("t", STRING, "you", 1, INT64, 2)])
    assert target.query("SELECT k, record_value FROM t ORDER BY k") == [(1, "hello"), (2, "you")]


def test_text_keys_that_differ_in_case_stay_apart(target: Database) -> None:
    feed = Feed("shop.public.words", [("k", STRING), ("n", OPTIONAL_INT64)], keys=("k",))
    with running(sync_config(target.url), [feed.topic]) as task:
        task.put([feed.create(k=k, n=i) for i, k in enumerate(["a", "A", "ss", "ß", "x", "x "])])
        task.put([feed.delete(k="A"), feed.update(k="x ", n=77)])
    assert sorted(target.query("SELECT k, n FROM words")) == [
        ("a", 0),
        ("ss", 2),
        ("x", 4),
        ("x ", 77),
        ("ß", 3),
    ]
