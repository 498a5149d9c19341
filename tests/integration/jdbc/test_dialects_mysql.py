"""Names, sizes, statements and errors of the MySQL and MariaDB dialects on the real servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.jdbc.dialects import Connection, Dialect, DuplicateKeyError, TableName, dialect_for, moved
from connectors.jdbc.url import parse_url
from replicator.api import ConfigError, DataError, RetriableError, Schema, SchemaType, Secret, StructuralError
from replicator.api import logical as names

INT = Schema(SchemaType.INT32)
LONG = Schema(SchemaType.INT64)
TEXT = Schema(SchemaType.STRING, optional=True)
T = TableName(None, "t")


def varchar(length: int, *, optional: bool = True) -> Schema:
    parameters = {names.SOURCE_TYPE_PARAMETER: "VARCHAR", names.SOURCE_LENGTH_PARAMETER: str(length)}
    return Schema(SchemaType.STRING, optional=optional, parameters=parameters)


class Target:
    """A database with its dialect and a session."""

    def __init__(self, kind: str, database: Any) -> None:
        self.database = database
        self.dialect: Dialect = dialect_for(kind)
        self.connection = self.connect()

    def connect(self) -> Connection:
        return self.dialect.connect(parse_url(self.database.url), "test")

    def make(self, fields: list[tuple[str, Schema]], keys: list[str], table: TableName = T) -> Any:
        self.connection.execute_text(
            self.dialect.create_table(table, self.dialect.plan_columns(fields, keys))
        )
        made = self.dialect.describe_table(self.connection, table)
        assert made is not None
        self.connection.commit()
        return made


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    made = Target(request.param, request.getfixturevalue(f"{request.param}_database"))
    yield made
    made.connection.close()


NASTY = [
    "a`b",
    "a'b\\",
    'x"y',
    "select",
    "a b",
    "per%cent_",
    "{0}",
    "größe",
    "日本",
    "x" * 64,
    "new",
    "%s",
    "a.b",
    "$v",
    "--",
    "A;B",
]


def test_nasty_names(target: Target) -> None:
    fields = [(name, INT) for name in NASTY]
    table = TableName(None, "t`'\"%s {0}.;--é")
    made = target.make(fields, NASTY[:2], table)
    assert {c.name for c in made.columns} == set(NASTY)
    dialect, connection = target.dialect, target.connection
    bound = dialect.bind(made, fields)
    row = {name: i for i, name in enumerate(NASTY)}
    upsert = dialect.upsert(table, bound, NASTY[:2])
    connection.run(upsert, [upsert.row_text(row)])
    connection.run(upsert, [upsert.row_text(row | {"select": 77})])
    update = dialect.update(table, bound, NASTY[:2])
    assert connection.run(update, [update.row_text(row | {"select": 78})]) == 1
    keys = [c for c in bound if c.column in NASTY[:2]]
    move = dialect.move_key(table, keys)
    both = {
        moved("old", NASTY[0]): 0,
        moved("old", NASTY[1]): 1,
        moved("new", NASTY[0]): 5,
        moved("new", NASTY[1]): 6,
    }
    assert connection.run(move, [move.row_text(both)]) == 1
    delete = dialect.delete(table, keys)
    assert connection.run(delete, [delete.row_text({NASTY[0]: 5, NASTY[1]: 6})]) == 1
    connection.execute_text(dialect.truncate(table))


def test_tables_are_found_by_their_exact_name(target: Target) -> None:
    target.make([("id", INT)], ["id"], TableName(None, "userXlog"))
    assert target.dialect.describe_table(target.connection, TableName(None, "user_log")) is None
    assert target.dialect.describe_table(target.connection, TableName(None, "%")) is None
    qualified = TableName(target.database.name, "userXlog")
    assert target.dialect.describe_table(target.connection, qualified) is not None


@pytest.mark.parametrize("name", ["", "x" * 65, "ends ", "a\0b", "em😀ji"])
def test_impossible_names_are_refused(target: Target, name: str) -> None:
    with pytest.raises(StructuralError):
        target.dialect.plan_columns([("id", INT), (name, INT)], ["id"])


def test_columns_that_differ_in_case_only(target: Target) -> None:
    with pytest.raises(StructuralError, match="differ in case"):
        target.dialect.plan_columns([("Id", INT), ("id", INT)], ["id"])


def test_describe(target: Target) -> None:
    target.connection.execute_text(
        "CREATE TABLE t (a INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, b VARCHAR(7) CHARACTER SET latin1 NOT NULL, "
        "c INT GENERATED ALWAYS AS (d + 1) VIRTUAL, d DECIMAL(7,2) DEFAULT 1, e ENUM('X','y''z'), f DATETIME(3), "
        "UNIQUE KEY u1 (b, d), KEY k (f))"
    )
    table = target.dialect.describe_table(target.connection, T)
    assert table is not None
    a, b, c, d, e, f = table.columns
    assert (a.base, a.nullable, a.has_default) == ("int", False, True)
    assert (b.length, b.nullable, b.has_default, b.collation) == (7, False, False, "latin1_swedish_ci")
    assert (c.generated, b.generated) == (True, False)
    assert (d.precision, d.scale, d.has_default) == (7, 2, True)
    assert "'y''z'" in e.type
    assert (f.fraction, f.has_default) == (3, False)
    assert (table.primary_key, table.unique_indexes, table.engine) == (("a",), {"u1": ("b", "d")}, "InnoDB")
    fields = [("a", LONG), ("b", TEXT), ("E", TEXT)]
    bound = target.dialect.bind(table, fields)
    assert [c.column for c in bound] == ["a", "b", "e"]
    statement = target.dialect.upsert(T, bound, ["a"])
    target.connection.run(statement, [statement.row_text({"a": 0, "b": "é", "E": "y'z"})])
    assert target.connection.query("SELECT a, b, e FROM t") == [(0, "é", "y'z")]
    with pytest.raises(DataError, match="e: 'x' is no label"):
        statement.row_text({"a": 1, "b": "", "E": "x"})
    with pytest.raises(DataError):
        statement.row_text({"a": 1, "b": "", "E": "1"})
    with pytest.raises(StructuralError, match="cannot hold"):
        target.dialect.bind(table, [("f", LONG.evolve(type=SchemaType.BOOLEAN))])


def test_a_view_is_told_apart(target: Target) -> None:
    target.make([("id", INT)], ["id"])
    target.connection.execute_text("CREATE VIEW v AS SELECT * FROM t")
    view = target.dialect.describe_table(target.connection, TableName(None, "v"))
    assert view is not None
    assert view.is_view


UUID = Schema(SchemaType.STRING, name=names.DBZ_UUID)
MOMENT = Schema(SchemaType.STRING, name=names.DBZ_ZONED_TIMESTAMP)
MICROS = Schema(SchemaType.INT64, name=names.DBZ_MICRO_TIMESTAMP)
NUMERIC = Schema(SchemaType.STRING, parameters={names.SOURCE_TYPE_PARAMETER: "NUMERIC"})
BOOLEAN = Schema(SchemaType.BOOLEAN)
DOUBLE = Schema(SchemaType.FLOAT64)
BYTES = Schema(SchemaType.BYTES)
ID = "0123abcd-0000-4000-8000-000000000001"
THEIRS = [
    ("INT", LONG, 5, "5", 2**31),
    ("INT UNSIGNED", LONG, 2**32 - 1, "4294967295", -1),
    ("BIGINT", MICROS, 12, "12", None),
    ("BIGINT", NUMERIC, "12.00", "12", "1.5"),
    ("TINYINT", BOOLEAN, True, "1", None),
    ("BIT(1)", BOOLEAN, True, "\x01", None),
    ("BINARY(16)", UUID, ID, "", None),
    ("VARBINARY(2)", BYTES, b"ab", "ab", b"abc"),
    ("BINARY(2)", BYTES, b"ab", "ab", b"a"),
    ("TINYTEXT", TEXT, "é" * 127, "é" * 127, "é" * 128),
    ("VARCHAR(40)", UUID, ID, ID, None),
    ("VARCHAR(40)", NUMERIC, "1.50", "1.50", None),
    ("VARCHAR(3) CHARACTER SET utf8mb3", TEXT, "é", "é", "😀"),
    ("SET('a','b')", TEXT, "a,b", "a,b", "c"),
    ("DATETIME", MOMENT, "2020-01-01T00:00:00Z", "2020-01-01 00:00:00", "2020-01-01T00:00:00.5Z"),
    ("TIMESTAMP(6)", MOMENT, "2038-01-19T03:14:07Z", "2038-01-19 03:14:07.000000", "2040-01-01T00:00:00Z"),
    ("TIMESTAMP", MOMENT, "1970-01-01T00:00:01Z", "1970-01-01 00:00:01", "1970-01-01T00:00:00Z"),
    ("FLOAT", DOUBLE, 0.1, "0.1", 0.1234567891),
    ("DOUBLE", NUMERIC, "0.1", "0.1", "0.12345678901234567890"),
    ("JSON", TEXT, "[1]", "[1]", None),
]


@pytest.mark.parametrize(
    ("type_", "schema", "value", "text", "refused"), THEIRS, ids=[f"{t[0]}-{t[2]}" for t in THEIRS]
)
def test_columns_of_somebody_elses_making(
    target: Target, type_: str, schema: Schema, value: Any, text: str, refused: Any
) -> None:
    target.connection.execute_text(f"CREATE TABLE t (id INT PRIMARY KEY, v {type_} NOT NULL)")
    table = target.dialect.describe_table(target.connection, T)
    assert table is not None
    fields = [("id", INT), ("v", schema)]
    statement = target.dialect.upsert(T, target.dialect.bind(table, fields), ["id"])
    target.connection.run(statement, [statement.row_text({"id": 1, "v": value})])
    if type_ == "BINARY(16)":
        assert target.connection.query("SELECT HEX(v) FROM t") == [(ID.replace("-", "").upper(),)]
    else:
        assert target.connection.query("SELECT CAST(v AS CHAR) FROM t") == [(text,)]
    if refused is not None:
        with pytest.raises(DataError):
            target.connection.run(statement, [statement.row_text({"id": 2, "v": refused})])


# --- sizes ---


def test_text_keys_share_the_index(target: Target) -> None:
    text = Schema(SchemaType.STRING)
    made = target.make(
        [("a", text), ("b", LONG), ("c", text), ("d", varchar(20, optional=False))], ["a", "b", "c", "d"]
    )
    lengths = {c.name: c.length for c in made.columns}
    assert lengths == {"a": 373, "b": None, "c": 373, "d": 20}


def test_a_key_that_does_not_fit(target: Target) -> None:
    plan = target.dialect.plan_columns
    with pytest.raises(StructuralError, match="index holds 3072"):
        plan([(f"k{i}", varchar(250, optional=False)) for i in range(16)], [f"k{i}" for i in range(16)])
    with pytest.raises(StructuralError, match="up to 800 characters; 768 fit"):
        plan([("k", Schema(SchemaType.STRING))], ["k"], {"k": 800})
    with pytest.raises(StructuralError, match="cannot be part of a key"):
        plan([("k", Schema(SchemaType.STRING, name=names.DBZ_GEOMETRY))], ["k"])


@pytest.mark.parametrize("count", [70, 100, 150])
def test_wide_rows_go_off_the_row(target: Target, count: int) -> None:
    fields = [("id", LONG), *((f"c{i}", varchar(255)) for i in range(count))]
    made = target.make(fields, ["id"])
    moved_off = [c for c in made.columns if c.base == "longtext"]
    assert bool(moved_off) is (count > 64)
    statement = target.dialect.insert(T, target.dialect.bind(made, fields))
    target.connection.run(
        statement, [statement.row_text({"id": 1} | {f"c{i}": "é" * 255 for i in range(count)})]
    )


def test_the_largest_row_that_is_planned_can_be_made(target: Target) -> None:
    refused = []
    for count in range(186, 200):
        fields = [("id", LONG), *((f"c{i}", TEXT) for i in range(count))]
        try:
            columns = target.dialect.plan_columns(fields, ["id"])
        except StructuralError as error:
            refused.append((count, error.message))
            continue
        target.connection.execute_text(target.dialect.create_table(TableName(None, f"t{count}"), columns))
    assert refused
    assert refused[0][0] > 190
    assert "too many long columns" in refused[0][1]


def test_many_small_columns(target: Target) -> None:
    fields = [("id", LONG), *((f"c{i}", INT.as_optional()) for i in range(1016))]
    assert len(target.make(fields, ["id"]).columns) == 1017
    with pytest.raises(StructuralError, match="at most 1017"):
        target.dialect.plan_columns([*fields, ("one_more", INT)], ["id"])


def test_a_long_varchar_becomes_text(target: Target) -> None:
    made = target.make(
        [("id", LONG), ("a", varchar(16383)), ("b", varchar(20000)), ("c", varchar(16383))], ["id"]
    )
    assert sorted(c.base for c in made.columns) == ["bigint", "longtext", "longtext", "longtext"]


# --- statements ---


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


# --- errors ---


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
