"""Statements, errors and locks of the MySQL and MariaDB sessions on the real servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from connectors.jdbc.dialects import Connection, DuplicateKeyError
from connectors.jdbc.url import parse_url
from replicator.api import ConfigError, DataError, RetriableError, Schema, SchemaType, Secret, StructuralError
from tests.support.mysql_target import INT, T, Target


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    made = Target(request.param, request.getfixturevalue(f"{request.param}_database"))
    yield made
    made.connection.close()


def test_one_statement_writes_many_rows(target: Target) -> None:
    fields = [("id", INT), ("v", INT)]
    made = target.make(fields, ["id"])
    bound = target.dialect.bind(made, fields)
    upsert = target.dialect.upsert(T, bound, ["id"])
    before = _questions(target)
    target.connection.begin()
    target.connection.run(upsert, [upsert.row_text({"id": i, "v": i}) for i in range(1000)])
    target.connection.run(upsert, [upsert.row_text({"id": i, "v": i + 1}) for i in range(500, 1500)])
    delete = target.dialect.delete(T, bound[:1])
    assert target.connection.run(delete, [delete.row_text({"id": i}) for i in range(100)]) == 100
    target.connection.commit()
    # begin, three statements, commit, and the question itself
    assert _questions(target) - before == 6
    assert target.connection.query("SELECT COUNT(*), SUM(v=id+1) FROM t") == [(1400, 1000)]


def _questions(target: Target) -> int:
    return int(target.connection.query("SHOW SESSION STATUS LIKE 'Questions'")[0][1])


def test_updates_tell_whether_the_row_was_there(target: Target) -> None:
    fields = [("id", INT), ("v", INT)]
    made = target.make(fields, ["id"])
    bound = target.dialect.bind(made, fields)
    insert = target.dialect.insert(T, bound)
    target.connection.run(insert, [insert.row_text({"id": 1, "v": 1})])
    update = target.dialect.update(T, bound, ["id"])
    rows = [update.row_text({"id": i, "v": 1}) for i in (1, 2)]
    assert [target.connection.run(update, [row]) for row in rows] == [1, 0]


def test_an_error_in_the_middle_of_many_updates(target: Target) -> None:
    fields = [("id", INT), ("v", INT)]
    made = target.make(fields, ["id"])
    bound = target.dialect.bind(made, fields)
    insert = target.dialect.insert(T, bound)
    target.connection.run(insert, [insert.row_text({"id": i, "v": 1}) for i in range(3)])
    target.connection.commit()
    update = target.dialect.update(T, bound, ["id"])
    rows = [update.row_text({"id": i, "v": v}) for i, v in ((0, 5), (1, 2**40), (2, 5))]
    with pytest.raises(DataError):
        target.connection.run(update, rows)
    target.connection.rollback()
    assert target.connection.query("SELECT DISTINCT v FROM t") == [(1,)]


def test_the_session_is_pinned(target: Target) -> None:
    ((zone, mode, autocommit, charset),) = target.connection.query(
        "SELECT @@time_zone, @@sql_mode, @@autocommit, @@character_set_connection"
    )
    assert (zone, autocommit, charset) == ("+00:00", 0, "utf8mb4")
    assert "STRICT_ALL_TABLES" in mode
    assert "NO_BACKSLASH_ESCAPES" not in mode
    assert "ANSI_QUOTES" not in mode
    assert target.connection.connection_id() == target.connection.query("SELECT CONNECTION_ID()")[0][0]


def test_duplicates_name_the_index(target: Target) -> None:
    target.connection.execute_text("CREATE TABLE t (id INT PRIMARY KEY, e VARCHAR(50) UNIQUE)")
    target.connection.execute_text("INSERT INTO t VALUES (1, 'it''s')")
    with pytest.raises(DuplicateKeyError) as caught:
        target.connection.execute_text("INSERT INTO t VALUES (2, 'it''s')")
    assert caught.value.index.rpartition(".")[2] == "e"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT * FROM missing", StructuralError),
        ("SELECT missing FROM t", StructuralError),
        ("INSERT INTO t (id, v) VALUES (1, 'too long')", DataError),
        ("INSERT INTO t (id, v) VALUES (NULL, 'x')", DataError),
        ("INSERT INTO t (id, v) VALUES (99999999999, 'x')", DataError),
        ("INSERT INTO t (id) VALUES ('x')", DataError),
        ("INSERT INTO t (v) VALUES ('x')", StructuralError),
    ],
)
def test_errors_are_translated(target: Target, sql: str, kind: type[Exception]) -> None:
    target.connection.execute_text("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(3))")
    with pytest.raises(kind) as caught:
        target.connection.execute_text(sql)
    assert type(caught.value) is kind


def test_lock_waits_and_deadlocks_are_retriable(target: Target) -> None:
    connection, other = target.connection, target.connect()
    connection.execute_text("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    connection.execute_text("INSERT INTO t VALUES (1,1),(2,2)")
    connection.commit()
    other.execute("SET SESSION innodb_lock_wait_timeout=1")
    connection.execute("UPDATE t SET v=5 WHERE id=1")
    with pytest.raises(RetriableError, match="1205"):
        other.execute("UPDATE t SET v=6 WHERE id=1")
    other.rollback()
    other.execute("SET SESSION innodb_lock_wait_timeout=20")
    other.execute("UPDATE t SET v=6 WHERE id=2")
    seen: list[Exception] = []

    def cross(session: Connection, key: int) -> None:
        try:
            session.execute(f"UPDATE t SET v=7 WHERE id={key}")
        except RetriableError as error:
            seen.append(error)

    threads = [threading.Thread(target=cross, args=pair) for pair in ((connection, 2), (other, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [("1213" in str(e)) for e in seen] == [True]
    other.close()


def test_lost_connections_are_retriable(target: Target) -> None:
    killer = target.connect()
    killer.execute(f"KILL {target.connection.connection_id()}")
    with pytest.raises(RetriableError):
        target.connection.query("SELECT SLEEP(1)")
    with pytest.raises(RetriableError):
        target.connection.execute("SELECT 1")
    target.connection.rollback()
    killer.close()


def test_who_may_not_connect(target: Target) -> None:
    with pytest.raises(ConfigError) as caught:
        target.dialect.connect(parse_url(target.database.url, password=Secret("s3cret-wrong")), "test")
    assert caught.value.option == "connection.user"
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ConfigError):
        target.dialect.connect(parse_url(target.database.url + "_none"), "test")
    url = target.database.url.replace(f":{target.database.server.port}", ":1")
    with pytest.raises(RetriableError):
        target.dialect.connect(parse_url(url), "test")


def test_rows_above_the_packet_size(target: Target) -> None:
    assert (
        target.dialect.max_statement_bytes * 2 == target.connection.query("SELECT @@max_allowed_packet")[0][0]
    )


@pytest.mark.parametrize("keys", [["a"], ["a", "b"]])
def test_deletes_of_many_keys_use_the_index(target: Target, keys: list[str]) -> None:
    fields = [("a", INT), ("b", Schema(SchemaType.STRING)), ("v", INT)]
    made = target.make(fields, keys)
    bound = target.dialect.bind(made, fields)
    insert = target.dialect.insert(T, bound)
    rows = [{"a": i, "b": f"k{i}", "v": i} for i in range(20_000)]
    target.connection.run(insert, [insert.row_text(row) for row in rows])
    target.connection.commit()
    target.connection.query("ANALYZE TABLE t")
    delete = target.dialect.delete(T, [c for c in bound if c.column in keys])
    text = delete.render([delete.row_text(row) for row in rows[: min(delete.max_rows, 2000)]])
    (plan,) = target.connection.query(f"EXPLAIN FORMAT=TRADITIONAL {text}")
    assert "range" in plan
    assert target.connection.execute_text(text) == min(delete.max_rows, 2000)
