"""Tables read with SQL and written by the SQL sink: what arrives equals what was there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.fix_servers import Database
from tests.support.jdbc_source import service, url
from tests.support.jdbc_source_rows import MYSQL, MYSQL_ROW, POSTGRES, POSTGRES_ROW
from tests.unit.runtime.service_fixture import eventually


def account(database: Database) -> dict[str, str]:
    return {
        "connection.url": url(database), "connection.user": database.server.user,
        "connection.password": database.server.password,
    }  # fmt: skip


@pytest.mark.parametrize(
    "connector", ["JdbcSourceConnector", "io.confluent.connect.jdbc.JdbcSourceConnector"]
)
@pytest.mark.parametrize("hand_over", [True, False])
def test_postgres_to_mysql(
    pg_database: Database, mysql_database: Database, tmp_path: Path, connector: str, hand_over: bool
) -> None:
    free = "" if connector.startswith("io") else ", free"
    pg_database.execute(
        "CREATE TYPE mood AS ENUM ('sad')", POSTGRES, POSTGRES_ROW, "ALTER TABLE t ADD id serial"
    )
    if free == "":
        # 127 fraction digits fit no column of MySQL.
        pg_database.execute("ALTER TABLE t DROP free")
    row = run(pg_database, mysql_database, tmp_path, connector, hand_over)
    plain = f"a, b, c, e, f, g, i, j, k, l, m, o, q, r, s, v, w, y, z{free}"
    as_written = plain
    for name, cast in {"o": "text", "q": "text", "v": "int", "w": "int"}.items():
        as_written = as_written.replace(f" {name},", f" {name}::{cast},")
    expected = pg_database.query(f"SELECT {as_written} FROM t")[0]
    got = mysql_database.query(f"SELECT {plain} FROM t")[0]
    for name, there, here in zip(plain.split(", "), expected, got, strict=True):
        assert same(there, here), (name, there, here)
    assert row["id"] == 1
    if free:
        assert (row["odd"], row["odder"]) == ("{1,2}", "1 day 02:00:00")


def test_mysql_to_postgres(mysql_database: Database, pg_database: Database, tmp_path: Path) -> None:
    mysql_database.execute(MYSQL, MYSQL_ROW, "ALTER TABLE t ADD id int auto_increment primary key")
    run(mysql_database, pg_database, tmp_path, "JdbcSourceConnector", True)
    plain = "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, s, y, z"
    expected = mysql_database.query(f"SELECT {plain} FROM t")[0]
    got = pg_database.query(f"SELECT {plain} FROM t")[0]
    for name, there, here in zip(plain.split(", "), expected, got, strict=True):
        assert same(there, here), (name, there, here)


def same(there: Any, here: Any) -> bool:
    """Equal, where Connect's milliseconds are."""
    if hasattr(there, "microsecond") and hasattr(here, "microsecond"):
        return bool(there.replace(microsecond=there.microsecond // 1000 * 1000) == here)
    if hasattr(here, "total_seconds"):
        return bool(f"{there}"[:11] == f"0{here}"[-15:][:11])
    if isinstance(there, bool):
        return bool(there) == bool(here)
    return bool(there == here)


def run(source: Database, target: Database, folder: Path, connector: str, hand_over: bool) -> dict[str, Any]:
    running = service(folder)
    running.start()
    try:
        # A transform keeps the bytes between the two; without one the sink may get the objects themselves.
        keyed = {
            "transforms": "key,id", "transforms.key.type": "org.apache.kafka.connect.transforms.ValueToKey",
            "transforms.key.fields": "id", "transforms.id.type": "org.apache.kafka.connect.transforms.ExtractField$Key",
            "transforms.id.field": "id",
        }  # fmt: skip
        running.herder.put_connector_config(
            "source",
            {"connector.class": connector, "mode": "incrementing", "incrementing.column.name": "id",
             "topic.prefix": "x-", "table.whitelist": "t", **account(source), **({} if hand_over else keyed)},
        )  # fmt: skip
        keys = {} if hand_over else {"insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id"}
        running.herder.put_connector_config(
            "sink",
            {"connector.class": "JdbcSinkConnector", "topics": "x-t", "table.name.format": "t", "auto.create": "true",
             **account(target), **keys},
        )  # fmt: skip

        def arrived() -> list[tuple[Any, ...]]:
            trace = running.herder.task_status("sink", 0).trace
            assert trace is None, trace
            there = target.query("SELECT count(*) FROM information_schema.tables WHERE table_name='t' AND table_schema"
                                 f" IN ('public', '{target.name}')")  # fmt: skip
            return target.query("SELECT * FROM t") if there != [(0,)] else []

        found = eventually(arrived)[0]
        names = target.query(
            "SELECT column_name FROM information_schema.columns WHERE table_name='t' AND table_schema IN"
            f" ('public', '{target.name}') ORDER BY ordinal_position"
        )
        return dict(zip([name for (name,) in names], found, strict=True))
    finally:
        running.stop()
