"""Names, sizes and columns of the MySQL and MariaDB dialects on the real servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.jdbc.dialects import TableName, moved
from replicator.api import DataError, Schema, SchemaType, StructuralError
from replicator.api import logical as names
from tests.support.mysql_target import INT, LONG, TEXT, T, Target, varchar


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


# --- errors ---
