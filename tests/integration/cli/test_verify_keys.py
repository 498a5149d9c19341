"""Rows that differ are found and named whatever the key's type is, and only those."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, verified

KEYS: dict[str, tuple[str, list[str]]] = {
    "k_int": ("k integer", ["-2147483648", "-1", "0", "10", "9"]),
    "k_big": ("k bigint", ["-9223372036854775808", "9223372036854775807", "9007199254740993", "5"]),
    "k_text": (
        "k text",
        ["''", "'a'", "'A'", "'a '", "E'a\\u0001'", "'ä'", "'🔔'", "'\uffee'", "E'q''\"\\\\%s'", "'z'", "'NULL'"],
    ),
    "k_varchar": ("k varchar(30)", ["'Ab'", "'aB'", "'ab'", "''", "E'x\\ty'"]),
    "k_uuid": (
        "k uuid",
        [
            "'ffffffff-ffff-4fff-bfff-ffffffffffff'",
            "'00000000-0000-0000-0000-000000000001'",
            "'9a000000-0000-1000-8000-000000000000'",
            "'1a000000-0000-1000-8000-00000000000f'",
        ],
    ),
    "k_numeric": ("k numeric(20,4)", ["0.5", "-1", "1000000000000000", "1.2500"]),
    "k_timestamp": ("k timestamp", ["'2020-01-01 00:00:00.000001'", "'1999-12-31'", "'2024-02-29 12:00:00'"]),
    "k_timestamptz": ("k timestamptz", ["'2020-01-01 00:00+02'", "'2020-01-01 00:00+00'", "'2021-01-01'"]),
    "k_date": ("k date", ["'2020-01-01'", "'9999-12-31'", "'1582-10-10'"]),
    "k_time": ("k time", ["'00:00:00'", "'24:00'", "'12:00:00.5'"]),
    "k_bytea": ("k bytea", ["''", "'\\x00ff'", "'\\x5c27'"]),
    "k_bpchar": ("k char(6)", ["'ab'", "'AB'", "''"]),
    "k_enum": ("k shade", ["'light'", "'dark'", "'Dunkel ü'"]),
    "k_inet": ("k inet", ["'10.0.0.1'", "'10.0.0.1/8'", "'::1'"]),
    "k_bit": ("k bit(5)", ["B'00001'", "B'10000'", "B'11111'"]),
    "k_interval": ("k interval", ["'1 mon'", "'1 day 02:00'", "'-00:00:01.5'"]),
    "k_double": ("k double precision", ["0.1", "-2.5e-7", "1e15"]),
    "k_domain": ("k code", ["'a1'", "'b2'", "'B2'"]),
    "k_two": ("k text, l integer", ["'x', 1", "'x', -2", "'X', 10", "'', 3"]),
    "k_three": (
        "k uuid, l date, m bigint",
        [f"'00000000-0000-0000-0000-00000000000{n}', '2020-01-0{n}', {n}" for n in range(1, 5)],
    ),
}  # fmt: skip
SETUP = """
CREATE TYPE shade AS ENUM ('light', 'dark', 'Dunkel ü');
CREATE DOMAIN code AS varchar(12) CHECK (VALUE <> '')
"""


@pytest.mark.parametrize("target_kind", ["mysql", "mariadb"])
def test_changed_missing_and_extra_rows_of_each_kind_of_key(
    pg_database: Database, make_sync: MakeSync, request: pytest.FixtureRequest, target_kind: str
) -> None:
    target: Database = request.getfixturevalue(f"{target_kind}_database")
    pg_database.execute(SETUP)
    for table, (columns, values) in KEYS.items():
        names = ", ".join(c.strip().split()[0] for c in columns.split(", "))
        pg_database.execute(f"CREATE TABLE {table} ({columns}, v text, PRIMARY KEY ({names}))")
        # The last value is kept back: it will be missing in the target.
        pg_database.execute(*(f"INSERT INTO {table} VALUES ({v}, 'same')" for v in values[:-1]))
    sync = make_sync(pg_database, target)
    catch_up(sync)
    verified(sync)
    for table, (columns, values) in KEYS.items():
        names = ", ".join(c.strip().split()[0] for c in columns.split(", "))
        pg_database.execute(
            f"UPDATE {table} SET v = 'other' WHERE ({names}) = ({_cast(columns, values[0])})",
            f"DELETE FROM {table} WHERE ({names}) = ({_cast(columns, values[1])})",
            f"INSERT INTO {table} VALUES ({values[-1]}, 'new')",
        )
    report = json.loads(verified(sync, 1, "--json").out)
    for table in report["tables"]:
        kinds = sorted(d["kind"] for d in table["differences"])
        assert (table["table"], kinds) == (table["table"], ["changed", "extra", "missing"])
        assert table["different_rows"] == 3
        (changed,) = [d for d in table["differences"] if d["kind"] == "changed"]
        assert changed["columns"] == ["v"]
    catch_up(sync)
    verified(sync)


def _cast(columns: str, values: str) -> str:
    types = [c.strip().split(" ", 1)[1] for c in columns.split(", ")]
    parts = values.split(", ") if len(types) > 1 else [values]
    return ", ".join(f"CAST({v} AS {t})" for v, t in zip(parts, types, strict=True))


def test_keys_are_looked_up_by_index(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    from connectors.jdbc import canonical
    from connectors.jdbc.database import MySqlDatabase
    from connectors.postgres.database import PostgresDatabase
    from replicator.cli.plan import find_pairs

    chosen = (
        "k_int",
        "k_big",
        "k_text",
        "k_uuid",
        "k_date",
        "k_timestamp",
        "k_numeric",
        "k_bytea",
        "k_three",
    )
    pg_database.execute(SETUP)
    for table in chosen:
        columns, values = KEYS[table]
        names = ", ".join(c.strip().split()[0] for c in columns.split(", "))
        pg_database.execute(f"CREATE TABLE {table} ({columns}, v text, PRIMARY KEY ({names}))")
        pg_database.execute(*(f"INSERT INTO {table} VALUES ({v}, 'same')" for v in values))
    catch_up(make_sync(pg_database, mysql_database))
    source, target = PostgresDatabase(pg_database.url), MySqlDatabase(mysql_database.url)
    for pair in find_pairs(source, target, [f"public.{t}" for t in chosen], []):
        columns_ = [*pair.source.key, "v"]
        every = list(target.rows(pair, columns_))
        size = len(pair.source.key)
        keys = [row[:size] for row in every[:2]]
        found: list[Any] = sorted(target.rows(pair, columns_, keys), key=repr)
        assert found == sorted(every[:2], key=repr)
        assert sorted(source.rows(pair.source, columns_, keys), key=repr) == found
        table = target._existing(pair)
        by_name = {c.name: c for c in pair.source.columns}
        key_columns = [(by_name[k], canonical._column(table, k)) for k in pair.source.key]
        where = canonical._where(target._dialect, key_columns, keys)
        mysql_database.execute(f"ANALYZE TABLE {pair.target_name}")
        explained = mysql_database.query(
            f"EXPLAIN FORMAT=TRADITIONAL SELECT v FROM {pair.target_name} FORCE INDEX (PRIMARY) WHERE {where}"
        )
        assert explained[0][4] in ("range", "const", "eq_ref", "ref"), (pair.target_name, where, explained)
    source.close()
    target.close()
