"""Target tables that were there before, with other types than ours: equal values are equal."""

from __future__ import annotations

import pytest

from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, verified

COLUMNS: dict[str, tuple[str, str, list[str]]] = {
    "i_dec": ("integer", "DECIMAL(12,2)", ["5", "-7"]),
    "i_big": ("smallint", "BIGINT", ["-32768", "7"]),
    "b_bit": ("boolean", "BIT(1)", ["true", "false"]),
    "n_dbl": ("numeric(10,2)", "DOUBLE", ["1.50", "-99999999.99"]),
    "n_dec": ("numeric(10,2)", "DECIMAL(20,6)", ["1.50", "0"]),
    "r_flt": ("real", "FLOAT", ["0.1", "3.4e38"]),
    "ts_tz": ("timestamptz", "TIMESTAMP(6) NULL", ["'2020-01-01 00:00+02'", "'2037-06-01 10:00:00.123456Z'"]),
    "d_dt": ("date", "DATETIME", ["'2020-01-01'", "'1999-12-31'"]),
    "u_bin": ("uuid", "BINARY(16)", ["'00000000-0000-0000-0000-00000000000a'", "gen_random_uuid()"]),
    "t_var": ("text", "VARCHAR(40) CHARACTER SET latin1", ["'größer'", "''"]),
    "e_enum": ("tone", "ENUM('low','high')", ["'low'", "'high'"]),
    "j_var": ("jsonb", "LONGTEXT", ['\'{"b": 1.50, "a": []}\'', "'null'"]),
    "j_json": ("json", "JSON", ['\'{"b": 1.50,  "a": [1, "ü"], "b": 2}\'', "'[]'"]),
    "x_bin": ("bytea", "VARBINARY(20)", ["'\\x00ff27'", "''"]),
    "bit_n": ("bit(8)", "BIT(8)", ["B'00000101'", "B'10000000'"]),
}


@pytest.mark.parametrize("target_kind", ["mysql", "mariadb"])
def test_equal_values_in_other_types(
    pg_database: Database, make_sync: MakeSync, request: pytest.FixtureRequest, target_kind: str
) -> None:
    target: Database = request.getfixturevalue(f"{target_kind}_database")
    ours = ", ".join(f"{name} {kind}" for name, (kind, _, _) in COLUMNS.items())
    theirs = ", ".join(f"{name} {kind}" for name, (_, kind, _) in COLUMNS.items())
    pg_database.execute(
        "CREATE TYPE tone AS ENUM ('low', 'high')", f"CREATE TABLE t (id int PRIMARY KEY, {ours})"
    )
    target.execute(f"CREATE TABLE t (id INT PRIMARY KEY, {theirs})")
    for row in range(2):
        values = ", ".join(f"CAST({values[row]} AS {kind})" for kind, _, values in COLUMNS.values())
        pg_database.execute(f"INSERT INTO t VALUES ({row}, {values})")
    pg_database.execute("INSERT INTO t (id) VALUES (9)")
    sync = make_sync(pg_database, target)
    catch_up(sync)
    assert target.query("SELECT count(*) FROM t") == [(3,)]
    verified(sync)
    for name in COLUMNS:
        target.execute(f"UPDATE t SET {name} = NULL WHERE id = 1")
    outcome = verified(sync, 1)
    assert f"row (1) differs in {', '.join(COLUMNS)}" in outcome.out


def test_keys_of_other_types(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    keys = {
        "a": ("int", "DECIMAL(12,0)", "n"),
        "b": ("uuid", "BINARY(16)", "('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid"),
        "c": ("varchar(9)", "VARCHAR(20) COLLATE utf8mb4_bin", "'k' || n"),
        "d": ("timestamptz", "TIMESTAMP(6)", "timestamptz '2020-01-01 00:00Z' + n * interval '1 s'"),
        "e": ("bytea", "VARBINARY(16)", "decode(lpad(to_hex(n), 8, '0'), 'hex')"),
        "f": ("numeric(8,2)", "DECIMAL(12,4)", "n / 4.0"),
    }
    for name, (kind, other, value) in keys.items():
        pg_database.execute(
            f"CREATE TABLE {name} (k {kind} PRIMARY KEY, v text)",
            f"INSERT INTO {name} SELECT {value}, 'x' FROM generate_series(1, 1200) n",
        )
        mysql_database.execute(f"CREATE TABLE {name} (k {other} NOT NULL PRIMARY KEY, v LONGTEXT)")
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    verified(sync)
    for name in keys:
        mysql_database.execute(
            f"UPDATE {name} SET v = 'y' ORDER BY k DESC LIMIT 1", f"DELETE FROM {name} ORDER BY k LIMIT 700"
        )
    outcome = verified(sync, 1)
    assert outcome.out.count("701 rows in all") == len(keys), outcome.out


def test_uuid_keys_in_the_uuid_type_of_mariadb(
    pg_database: Database, mariadb_database: Database, make_sync: MakeSync
) -> None:
    # Stored so that the time part comes last in order.
    pg_database.execute(
        "CREATE TABLE t (k uuid PRIMARY KEY, v text)",
        "INSERT INTO t SELECT (lpad(to_hex(n * 7919 % 65521), 8, '0') || '-0000-1000-8000-'"
        " || lpad(to_hex(n * 31 % 997), 12, '0'))::uuid, 'x' FROM generate_series(1, 6000) n",
    )
    mariadb_database.execute("CREATE TABLE t (k UUID NOT NULL PRIMARY KEY, v LONGTEXT)")
    sync = make_sync(pg_database, mariadb_database)
    catch_up(sync)
    verified(sync)
    mariadb_database.execute("DELETE FROM t LIMIT 3")
    assert verified(sync, 1).out.count("is missing in the target") == 3
