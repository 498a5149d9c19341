"""Making and changing tables for records, on the real servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.jdbc import evolution
from connectors.jdbc.dialects import Connection, Dialect, TableName, TargetTable, dialect_for
from connectors.jdbc.url import parse_url
from replicator.api import Schema, SchemaType, StructuralError
from replicator.api import logical as names

T = TableName(None, "Orders")
INT = Schema(SchemaType.INT32)
LONG = Schema(SchemaType.INT64)
TEXT = Schema(SchemaType.STRING)
BASE = [("id", LONG), ("v", INT)]


def sized(native: str, *sizes: int) -> Schema:
    parameters = {names.SOURCE_TYPE_PARAMETER: native}
    for size, name in zip(sizes, (names.SOURCE_LENGTH_PARAMETER, names.SOURCE_SCALE_PARAMETER), strict=False):
        parameters[name] = str(size)
    return Schema(SchemaType.STRING, parameters=parameters)


class Target:
    """A target and the way the writer uses evolution."""

    def __init__(self, dialect: Dialect, connection: Connection) -> None:
        self.dialect = dialect
        self.connection = connection

    def describe(self) -> TargetTable | None:
        found = self.dialect.describe_table(self.connection, T)
        self.connection.commit()
        return found

    def evolve(
        self, fields: list[tuple[str, Schema]], *, create: bool = True, change: bool = True
    ) -> TargetTable:
        found = self.describe()
        return evolution.evolve(
            self.dialect, self.connection, T, found, fields, ["id"], create=create, change=change
        )

    def put(self, fields: list[tuple[str, Schema]], row: dict[str, Any]) -> None:
        table = self.describe()
        assert table is not None
        statement = self.dialect.upsert(T, self.dialect.bind(table, fields), ["id"])
        self.connection.run(statement, [statement.row_text(row)])
        self.connection.commit()

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        return self.connection.query(f"SELECT {columns} FROM {self.dialect.quote_table(T)} ORDER BY id")


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    database = request.getfixturevalue(f"{request.param}_database")
    dialect = dialect_for(request.param)
    connection = dialect.connect(parse_url(database.url), "test")
    yield Target(dialect, connection)
    connection.close()


def test_a_missing_table_is_made_once(target: Target) -> None:
    with pytest.raises(StructuralError, match=r"does not exist.*auto\.create"):
        target.evolve(BASE, create=False)
    made = target.evolve(BASE)
    assert made.primary_key == ("id",)
    # Another task made it after this one had looked.
    again = evolution.evolve(
        target.dialect, target.connection, T, None, BASE, ["id"], create=True, change=True
    )
    assert again == made


def test_missing_columns_are_added(target: Target) -> None:
    target.evolve(BASE)
    target.put(BASE, {"id": 1, "v": 1})
    fields = [*BASE, ("required", INT), ("note", TEXT.as_optional())]
    with pytest.raises(StructuralError, match=r"lacks required, note.*ADD COLUMN"):
        target.evolve(fields, change=False)
    table = target.evolve(fields)
    # The row that is there has no value for it.
    required = table.column("required")
    assert required is not None
    assert required.nullable
    target.put(fields, {"id": 2, "v": 2, "required": 3, "note": "x"})
    assert target.rows("id, required, note") == [(1, None, None), (2, 3, "x")]
    assert target.evolve(fields) == table


def test_defaults_fill_the_rows_that_are_there(target: Target) -> None:
    target.evolve(BASE)
    target.put(BASE, {"id": 1, "v": 1})
    fields = [
        *BASE,
        ("n", Schema(SchemaType.INT32, default=5)),
        ("s", Schema(SchemaType.STRING, default="it's")),
    ]
    table = target.evolve(fields)
    assert [c.nullable for c in table.columns] == [False, False, False, False]
    assert target.rows("n, s") == [(5, "it's")]


def test_a_column_added_by_another_in_the_meantime(target: Target) -> None:
    stale = target.evolve(BASE)
    fields = [*BASE, ("a", INT), ("b", INT)]
    target.evolve([*BASE, ("a", INT)])
    table = evolution.evolve(
        target.dialect, target.connection, T, stale, fields, ["id"], create=True, change=True
    )
    assert [c.name for c in table.columns] == ["id", "v", "a", "b"]


def test_names_match_exactly_and_then_without_case(target: Target) -> None:
    target.evolve(BASE)
    fields = [("ID", LONG), ("V", INT)]
    assert [c.name for c in target.evolve(fields).columns] == ["id", "v"]


@pytest.mark.parametrize(
    ("before", "after", "type_"),
    [
        (Schema(SchemaType.INT16), LONG, "bigint"),
        (sized("NUMERIC", 10, 2), sized("NUMERIC", 14, 4), "decimal(14,4)"),
        (INT, sized("NUMERIC", 14, 2), "decimal(14,2)"),
        (sized("VARCHAR", 10), sized("VARCHAR", 20), "varchar(20)"),
        (sized("VARCHAR", 10), TEXT, "longtext"),
        (sized("BPCHAR", 10), TEXT, "longtext"),
    ],
)
def test_columns_grow(target: Target, before: Schema, after: Schema, type_: str) -> None:
    target.evolve([("id", LONG), ("x", before)])
    table = target.evolve([("id", LONG), ("x", after)])
    assert table.columns[1].type.partition("(")[0] == type_.partition("(")[0]
    assert type_ in table.columns[1].type
    assert not table.columns[1].nullable
    # And never shrink again.
    assert target.evolve([("id", LONG), ("x", before)]) == table


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LONG, INT),
        (sized("NUMERIC", 10, 4), sized("NUMERIC", 10, 2)),
        (sized("NUMERIC", 10, 2), sized("NUMERIC", 10, 4)),
        (TEXT, sized("VARCHAR", 5)),
        (TEXT, INT),
    ],
)
def test_what_is_no_widening_is_left_alone(target: Target, before: Schema, after: Schema) -> None:
    table = target.evolve([("id", LONG), ("x", before)])
    assert target.evolve([("id", LONG), ("x", after)]) == table


def test_not_null_is_relaxed_when_the_source_is(target: Target) -> None:
    target.evolve([("id", LONG), ("s", sized("VARCHAR", 9))])
    fields = [("id", LONG), ("s", sized("VARCHAR", 9).as_optional())]
    target.evolve(fields)
    target.put(fields, {"id": 1, "s": None})
    assert target.rows("s") == [(None,)]


def test_columns_of_somebody_else_keep_their_defaults(target: Target) -> None:
    target.connection.execute_text(
        "CREATE TABLE Orders (id BIGINT PRIMARY KEY, v SMALLINT NOT NULL DEFAULT 7, w INT)"
    )
    nothing_missing = {names.MISSING_VALUE_PARAMETER: "null"}
    fields = [BASE[0], ("v", INT.evolve(default=7, parameters=nothing_missing)), ("w", LONG)]
    for columns in ([*BASE, ("w", LONG)], fields):
        target.evolve(columns)
    table = target.describe()
    assert table is not None
    assert [c.base for c in table.columns] == ["bigint", "smallint", "bigint"]
    assert table.columns[1].has_default


def test_a_default_that_came_later_is_not_what_older_rows_hold(target: Target) -> None:
    target.evolve([("id", LONG)])
    target.put([("id", LONG)], {"id": 1})
    late = TEXT.evolve(optional=True, default="x", parameters={names.MISSING_VALUE_PARAMETER: "null"})
    target.evolve([("id", LONG), ("note", late)])
    assert target.rows("note") == [(None,)]


def test_nothing_is_ever_dropped(target: Target) -> None:
    target.evolve([*BASE, ("old", INT.as_optional())])
    assert [c.name for c in target.evolve(BASE).columns] == ["id", "v", "old"]


def test_views_are_never_altered(target: Target) -> None:
    target.connection.execute_text("CREATE TABLE u (id BIGINT PRIMARY KEY, v INT NOT NULL)")
    target.connection.execute_text("CREATE VIEW Orders AS SELECT * FROM u")
    with pytest.raises(StructuralError, match="never altered"):
        target.evolve([*BASE, ("w", INT)])


def test_a_table_that_cannot_hold_the_type(target: Target) -> None:
    target.connection.execute_text("CREATE TABLE Orders (id BIGINT PRIMARY KEY, v DATE)")
    table = target.evolve(BASE)
    with pytest.raises(StructuralError, match="Column v of type date cannot hold int32"):
        target.dialect.bind(table, BASE)


def test_a_column_that_cannot_grow_does_not_stop_the_table(target: Target) -> None:
    target.connection.execute_text(
        "CREATE TABLE Orders (id BIGINT PRIMARY KEY, v VARCHAR(9) NOT NULL, KEY k (v))"
    )
    fields = [("id", LONG), ("v", TEXT)]
    table = target.evolve(fields)
    # MariaDB indexes a prefix of long text by itself.
    assert table.columns[1].base == ("varchar" if target.dialect.kind == "mysql" else "longtext")
    target.put(fields, {"id": 1, "v": "short"})
    assert target.rows("v") == [("short",)]
