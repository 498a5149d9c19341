"""What cannot work is refused before anything is made, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.fix_servers import Database, Server
from tests.support.sync_process import (
    MakeSync,
    catch_up,
    has_table,
    publications,
    refusal,
    slots,
    target_tables,
    verified,
)


def test_wrong_password_of_the_source(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    url = pg_database.url.replace(":postgres@", ":secret-typo@")
    text = refusal(make_sync(url, mysql_database))
    assert "password" in text
    assert "secret-typo" not in text
    assert "Traceback" not in text


def test_wrong_password_of_the_target(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    url = mysql_database.url.replace(f":{mysql_database.server.password}@", ":secret-typo@")
    sync = make_sync(pg_database, url)
    text = refusal(sync)
    assert "password" in text.lower()
    assert "secret-typo" not in text
    assert "Traceback" not in text
    assert not slots(pg_database, sync)
    assert not publications(pg_database)


@pytest.mark.parametrize("side", ["source", "target"])
def test_nobody_listens(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync, side: str
) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    urls = {"source": pg_database.url, "target": mysql_database.url}
    server = pg_database.server if side == "source" else mysql_database.server
    urls[side] = urls[side].replace(f":{server.port}/", ":1/")
    text = refusal(make_sync(urls["source"], urls["target"]))
    assert "127.0.0.1" in text
    assert "Traceback" not in text


def test_log_level_is_not_logical(
    private_postgres: Callable[[], Server], mysql_database: Database, make_sync: MakeSync
) -> None:
    server = private_postgres()
    with server.connect() as admin:
        admin.execute("ALTER SYSTEM SET wal_level = 'replica'")
    server.restart()
    with server.database() as source:
        source.execute("CREATE TABLE t (id int PRIMARY KEY)")
        text = refusal(make_sync(source, mysql_database))
        assert "wal_level is 'replica'" in text
        assert "ALTER SYSTEM SET wal_level = 'logical'" in text
        assert not publications(source)
    assert target_tables(mysql_database) == []


def test_privileges_that_are_missing_are_named_all_at_once(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE u (id int PRIMARY KEY)")
    role = f"guest_{pg_database.name}"
    pg_database.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'guest'")
    mysql_database.execute(
        f"CREATE USER '{pg_database.name}'@'%' IDENTIFIED BY 'guest'",
        f"GRANT SELECT, INSERT ON `{mysql_database.name}`.* TO '{pg_database.name}'@'%'",
    )
    try:
        source = pg_database.url.replace("postgres:postgres@", f"{role}:guest@")
        account = f"{mysql_database.server.user}:{mysql_database.server.password}@"
        sync = make_sync(source, mysql_database.url.replace(account, f"{pg_database.name}:guest@"))
        text = refusal(sync)
        for words in (
            "REPLICATION",
            "GRANT USAGE ON SCHEMA",
            '"t"',
            '"u"',
            "CREATE PUBLICATION",
            "GRANT SELECT",
        ):
            assert words in text
        assert "CREATE, ALTER, DROP" in text.replace("DELETE, CREATE", "CREATE")
        assert not slots(pg_database, sync)
        assert target_tables(mysql_database) == []
    finally:
        pg_database.execute(f"DROP ROLE {role}")
        mysql_database.execute(f"DROP USER '{pg_database.name}'@'%'")


def test_a_role_with_just_enough_privileges_can_replicate(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    role = f"owner_{pg_database.name}"
    pg_database.execute(
        f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'owner'",
        f"GRANT CREATE ON DATABASE {pg_database.name} TO {role}",
        "CREATE SCHEMA app",
        f"ALTER SCHEMA app OWNER TO {role}",
        "CREATE TABLE app.t (id int PRIMARY KEY)",
        f"ALTER TABLE app.t OWNER TO {role}",
        "INSERT INTO app.t SELECT generate_series(1, 10)",
    )
    try:
        sync = make_sync(pg_database.url.replace("postgres:postgres@", f"{role}:owner@"), mysql_database)
        catch_up(sync)
        verified(sync)
        assert sync.clean().code == 0
    finally:
        pg_database.execute(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


def test_two_tables_for_one_name(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.orders (id int PRIMARY KEY)",
        "CREATE TABLE shop_orders (id int PRIMARY KEY)",
    )
    sync = make_sync(pg_database, mysql_database)
    text = refusal(sync)
    assert "shop.orders" in text
    assert "public.shop_orders" in text
    assert "--exclude" in text
    assert target_tables(mysql_database) == []
    assert not slots(pg_database, sync)


def test_tables_the_target_cannot_hold_are_refused_or_left_out(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    wide = ", ".join(f"c{n} int" for n in range(1100))
    pg_database.execute(
        "CREATE TABLE fine (id int PRIMARY KEY)",
        "INSERT INTO fine VALUES (1)",
        "CREATE TABLE empty ()",
        f"CREATE TABLE wide (id int PRIMARY KEY, {wide})",
        'CREATE TABLE cases (id int PRIMARY KEY, "A" int, a int)',
        "CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY)",
        "CREATE TABLE long_key (k text PRIMARY KEY)",
        "INSERT INTO long_key VALUES (repeat('x', 1000))",
        "CREATE TABLE other (id int PRIMARY KEY)",
    )
    sync = make_sync(pg_database, mysql_database)
    text = refusal(sync)
    for name in ("empty", "wide", "cases", "unlogged", "long_key"):
        assert f"public.{name}" in text, text
    assert "public.unlogged is unlogged" in text
    assert "--skip-unsupported" in text
    assert target_tables(mysql_database) == []
    printed = catch_up(sync, "--skip-unsupported")
    assert "Left out: public.unlogged is unlogged" in printed
    assert mysql_database.query("SELECT id FROM fine") == [(1,)]
    assert not has_table(mysql_database, "wide")


def test_no_table_matches(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    text = refusal(make_sync(pg_database, mysql_database, "--tables", "shop.*"))
    assert "shop.*" in text
    assert "--tables" in text


def test_updates_of_a_table_without_key_are_never_hindered(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute("CREATE TABLE log (a int, b text)", "INSERT INTO log VALUES (1, 'x'), (1, 'x')")
    sync = make_sync(pg_database, mysql_database)
    printed = catch_up(sync)
    assert "public.log" in printed
    assert "REPLICA IDENTITY FULL" in printed
    verified(sync)
    pg_database.execute("INSERT INTO log VALUES (2, NULL)", "TRUNCATE log", "INSERT INTO log VALUES (3, 'y')")
    catch_up(sync)
    verified(sync)
    pg_database.execute("UPDATE log SET b = 'z'")  # must not fail, and cannot be replicated
    catch_up(sync)
    outcome = verified(sync, 1)
    assert "log" in outcome.text
