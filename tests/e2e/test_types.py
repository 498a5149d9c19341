"""Every type and its extreme values: copied, streamed, updated, and proved equal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from scripts.service import until
from tests.support import every_type
from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, running, verified


@pytest.mark.parametrize("target_kind", ["mysql", "mariadb"])
def test_copied_streamed_and_updated_values_are_equal(
    pg_database: Database, make_sync: MakeSync, request: pytest.FixtureRequest, target_kind: str
) -> None:
    target: Database = request.getfixturevalue(f"{target_kind}_database")
    names = _create_tables(pg_database)
    for name, group in names.items():
        if name.startswith("copied_"):
            pg_database.execute(*every_type.inserts(name, group))
    sync = make_sync(pg_database, target)
    catch_up(sync)
    for name, group in names.items():
        if name.startswith("streamed_"):
            pg_database.execute(*every_type.inserts(name, group))
        else:
            # Updates to other values of the same type, NULL to value and value to NULL.
            _rotate(pg_database, name, group)
    catch_up(sync)
    verified(sync)
    expected = sum(pg_database.query(f"SELECT count(*) FROM {name}")[0][0] for name in names)
    assert sum(target.query(f"SELECT count(*) FROM {name}")[0][0] for name in names) == expected


def test_values_as_mysql_shows_them(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    """Checked by eye, apart from what verify thinks is equal."""
    pg_database.execute(
        "CREATE TABLE v (id int PRIMARY KEY, n numeric(20,4), m money, t timestamptz, d timestamp, h time,"
        " b bytea, j jsonb, u uuid, a int[], o boolean, i interval, x bit(8), e text)",
        "INSERT INTO v VALUES (1, 1234567890123456.7891, '-12.34', '2024-03-31 02:30:00.123456+05:30',"
        " '9999-12-31 23:59:59.999999', '24:00', '\\x00ff27', '{\"a\": [1, \"ä\"]}',"
        " 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{1,NULL,3}', true, '1 mon 2 days 03:04:05.5', B'10000001', '')",
    )
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    row = mysql_database.query(
        "SELECT n, m, CAST(t AS CHAR), CAST(d AS CHAR), CAST(h AS CHAR), HEX(b), JSON_EXTRACT(j, '$.a[1]'), u, a, o, i,"
        " BIN(x), e FROM v"
    )[0]
    assert row == (
        Decimal("1234567890123456.7891"),
        Decimal("-12.34"),
        "2024-03-30 21:00:00.123456",
        "9999-12-31 23:59:59.999999",
        "24:00:00.000000",
        "00FF27",
        '"ä"',
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "[1, null, 3]",
        1,
        "P0Y1M2DT3H4M5.5S",
        "10000001",
        "",
    )


def test_values_lost_by_policy_are_counted_not_hidden(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(every_type.create_table("lost", every_type.LOST))
    pg_database.execute(*every_type.inserts("lost", every_type.LOST))
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    outcome = verified(sync, 3)
    assert "c1" in outcome.text
    assert mysql_database.query("SELECT count(*) FROM lost WHERE c1 IS NULL")[0][0] == 5
    pg_database.execute("UPDATE lost SET c1 = '2020-01-01' WHERE id = 1")
    catch_up(sync)
    assert mysql_database.query("SELECT CAST(c1 AS CHAR) FROM lost WHERE id = 1") == [("2020-01-01",)]


def test_everyday_defaults_do_not_stop_the_table(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial,"
        " a timestamptz NOT NULL DEFAULT now(), b timestamptz NOT NULL DEFAULT clock_timestamp(),"
        " c uuid NOT NULL DEFAULT gen_random_uuid(), d text DEFAULT 'it''s', e jsonb NOT NULL DEFAULT '{}',"
        " f numeric DEFAULT random(), g int GENERATED ALWAYS AS (7 * 6) STORED, h date DEFAULT CURRENT_DATE)",
        "INSERT INTO t (d) SELECT CASE WHEN n % 2 = 0 THEN NULL ELSE 'x' END FROM generate_series(1, 10) n",
    )
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    verified(sync)
    assert mysql_database.query("SELECT count(*) FROM t WHERE d IS NULL") == [(5,)]


def test_unchanged_large_values_survive_updates(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, n int, big text NOT NULL, pic bytea, doc jsonb)",
        "ALTER TABLE t ALTER big SET STORAGE EXTERNAL, ALTER pic SET STORAGE EXTERNAL, ALTER doc SET STORAGE EXTERNAL",
        "INSERT INTO t SELECT n, n, repeat('ä' || n, 5000), decode(repeat('0a', 9000), 'hex'),"
        " jsonb_build_object('x', repeat('y', 9000)) FROM generate_series(1, 20) n",
    )
    sync = make_sync(pg_database, mysql_database)
    running(sync, mysql_database, "t")
    pg_database.execute(
        "UPDATE t SET n = n + 1",
        "UPDATE t SET big = 'small' WHERE id = 3",
        "BEGIN; UPDATE t SET big = repeat('z', 9000) WHERE id = 4; UPDATE t SET n = 0 WHERE id = 4; COMMIT",
        "UPDATE t SET id = id + 1000 WHERE id > 15",
    )
    until(lambda: mysql_database.query("SELECT count(*) FROM t WHERE id > 1000")[0][0] == 5, 60)
    verified(sync)
    assert sync.stop() == 0


def _create_tables(database: Database) -> dict[str, every_type.Columns]:
    database.execute(every_type.SETUP)
    tables = {
        f"{how}_{name}": group for name, group in every_type.GROUPS.items() for how in ("copied", "streamed")
    }
    database.execute(*(every_type.create_table(name, group) for name, group in tables.items()))
    return tables


def _rotate(database: Database, name: str, group: every_type.Columns) -> None:
    columns = ", ".join(f"c{number}" for number in range(1, len(group) + 1))
    database.execute(
        f"UPDATE {name} SET ({columns}) = (SELECT {columns} FROM {name} o WHERE o.id = 1) WHERE id = 0",
        f"UPDATE {name} SET ({columns}) = (SELECT {columns} FROM {name} o WHERE o.id = 2) WHERE id = 1",
        f"UPDATE {name} SET c1 = NULL WHERE id = 2",
        f"DELETE FROM {name} WHERE id = 3",
    )
