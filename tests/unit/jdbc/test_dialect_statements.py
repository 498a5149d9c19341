"""Statements' text, the generated row formatter and its failures, without a server."""

from __future__ import annotations

import re
from typing import Any

import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jdbc.dialects import (
    BoundColumn,
    DuplicateKeyError,
    Literal,
    TableName,
    Unrepresentable,
    dialect_for,
    moved,
)
from connectors.jdbc.dialects.mysql import MySqlDialect
from connectors.jdbc.dialects.mysql_errors import translate
from connectors.jdbc.dialects.mysql_literals import text
from replicator.api import ConnectError, DataError, RetriableError, StructuralError

T = TableName("d`b", "t")


def plain(*names: str) -> tuple[BoundColumn, ...]:
    return tuple(BoundColumn(n, n, Literal(lambda v: f"{v:d}")) for n in names)


ROW = {"a": 1, "b": 2, "c": 3}


def rendered(statement: Any, *rows: dict[str, Any]) -> str:
    return str(statement.render([statement.row_text(r) for r in rows]))


def test_mysql_upsert() -> None:
    dialect = MySqlDialect()
    sql = rendered(dialect.upsert(T, plain("a", "b"), ["a"]), ROW, ROW | {"b": None})
    assert (
        sql
        == "INSERT INTO `d``b`.`t` (`a`,`b`) VALUES (1,2),(1,NULL) AS `new` ON DUPLICATE KEY UPDATE `b`=`new`.`b`"
    )
    only_keys = rendered(dialect.upsert(T, plain("a"), ["a"]), ROW)
    assert only_keys.endswith("ON DUPLICATE KEY UPDATE `a`=`new`.`a`")


def test_mariadb_has_no_row_alias() -> None:
    sql = rendered(dialect_for("mariadb").upsert(T, plain("a", "b"), ["a"]), ROW)
    assert sql.endswith("VALUES (1,2) ON DUPLICATE KEY UPDATE `b`=VALUES(`b`)")


def test_deletes() -> None:
    mysql, maria = MySqlDialect(), dialect_for("mariadb")
    assert rendered(mysql.delete(T, plain("a")), ROW, ROW) == "DELETE FROM `d``b`.`t` WHERE `a` IN (1,1)"
    assert rendered(mysql.delete(T, plain("a", "b")), ROW, ROW).endswith("WHERE (`a`,`b`) IN ((1,2),(1,2))")
    assert rendered(maria.delete(T, plain("a", "b")), ROW, ROW).endswith(
        "WHERE (`a`=1 AND `b`=2) OR (`a`=1 AND `b`=2)"
    )
    assert maria.delete(T, plain("a")).max_rows < 1000


def test_updates_are_statements_of_their_own() -> None:
    sql = rendered(MySqlDialect().update(T, plain("a", "b", "c"), ["a"]), ROW, ROW)
    one = "UPDATE `d``b`.`t` SET `b`=2,`c`=3 WHERE `a`=1"
    assert sql == f"{one};{one}"


def test_moves() -> None:
    move = MySqlDialect().move_key(T, plain("a", "b"))
    row = {moved("old", "a"): 1, moved("old", "b"): 2, moved("new", "a"): 3, moved("new", "b"): 4}
    assert rendered(move, row) == "UPDATE `d``b`.`t` SET `a`=3,`b`=4 WHERE `a`=1 AND `b`=2"


def test_postgres_and_sqlite() -> None:
    sql = rendered(dialect_for("postgresql").upsert(T, plain("a", "b"), ["a"]), ROW)
    assert sql.endswith(
        'OVERRIDING SYSTEM VALUE VALUES (1,2) ON CONFLICT ("a") DO UPDATE SET "b"=EXCLUDED."b"'
    )
    assert rendered(dialect_for("sqlite").upsert(T, plain("a"), ["a"]), ROW).endswith(
        'ON CONFLICT ("a") DO NOTHING'
    )


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True), st.data())
def test_any_names_make_a_formatter(names: list[str], data: st.DataObject) -> None:
    statement = MySqlDialect().update(T, plain("key", *names), ["key"]) if "key" not in names else None
    if statement is None:
        return
    row = {name: data.draw(st.integers()) for name in ("key", *names)}
    sql = statement.row_text(row)
    for name in names:
        assert f"`{name.replace('`', '``')}`={row[name]}" in sql
    assert sql == statement.lossy_text(row, [])


def unescape(literal: str) -> str:
    """What MySQL reads in a string literal."""
    body = literal[1:-1]
    assert not re.search(r"(?<!')(?:'')*'(?!')", re.sub(r"\\\\", "", body).replace("''", ""))
    return re.sub(r"\\\\|''", lambda m: m[0][0], body)


@given(st.text())
def test_text_is_escaped_completely(value: str) -> None:
    literal = text()
    statement = MySqlDialect().insert(T, [BoundColumn("a", "a", literal)])
    row = statement.row_text({"a": value})
    assert unescape(row[1:-1]) == value
    assert row == f"({literal(value)})"


@pytest.mark.parametrize("value", [5, ["'"], {"a": "'"}, b"'", 1.5, True])
def test_only_text_is_taken_for_text(value: Any) -> None:
    statement = MySqlDialect().insert(T, [BoundColumn("a", "the_column", text())])
    with pytest.raises(DataError, match="the_column"):
        statement.row_text({"a": value})


def refuse(value: Any) -> str:
    raise Unrepresentable("too odd", "'sub'")


def roughly(value: Any) -> str:
    raise Unrepresentable("too fine", "1", rounded=True)


def test_a_row_names_the_column_that_cannot_be_written() -> None:
    columns = [*plain("a"), BoundColumn("b", "B", Literal(refuse))]
    statement = MySqlDialect().insert(T, columns)
    with pytest.raises(Unrepresentable, match="B: too odd") as caught:
        statement.row_text(ROW)
    assert caught.value.substitute == "'sub'"
    assert statement.row_text(ROW | {"b": None}) == "(1,NULL)"
    with pytest.raises(DataError, match="no value for b"):
        statement.row_text({"a": 1})
    with pytest.raises(DataError, match="a: a value of type str"):
        statement.row_text({"a": "x", "b": None})


@pytest.mark.parametrize(
    ("render", "nullable", "expected"),
    [(refuse, True, "NULL"), (refuse, False, "'sub'"), (roughly, True, "1"), (roughly, False, "1")],
)
def test_the_lossy_form(render: Any, nullable: bool, expected: str) -> None:
    statement = MySqlDialect().insert(T, [*plain("a"), BoundColumn("b", "B", Literal(render), nullable)])
    lost: list[str] = []
    assert statement.lossy_text(ROW, lost) == f"(1,{expected})"
    assert lost == ["B"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1213, RetriableError), (1205, RetriableError), (2006, RetriableError), (2013, RetriableError),
        (2003, RetriableError), (1290, RetriableError), (1792, RetriableError), (1021, RetriableError),
        (1114, RetriableError), (1040, RetriableError), (1062, DuplicateKeyError), (1048, DataError), (1264, DataError),
        (1366, DataError), (1406, DataError), (3140, DataError), (1153, DataError), (2020, DataError),
        (1054, StructuralError), (1146, StructuralError), (9999, ConnectError),
    ],
)  # fmt: skip
def test_errors_by_number(number: int, kind: type[ConnectError]) -> None:
    error = translate(pymysql.err.OperationalError(number, "Duplicate entry 'x' for key 't.e_uq'"))
    assert type(error) is kind
    assert str(number) in str(error)
    if isinstance(error, DuplicateKeyError):
        assert error.index == "t.e_uq"
