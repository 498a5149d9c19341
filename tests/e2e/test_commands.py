"""The commands: what they do, what they print, what they leave behind."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path

from scripts import service
from scripts.devservers.process import free_port
from scripts.service import PROGRAM, until
from tests.support.fix_servers import Database
from tests.support.sync_process import (
    MakeSync,
    catch_up,
    has_table,
    publications,
    running,
    slots,
    target_tables,
    verified,
)


def _shop(database: Database) -> None:
    database.execute(
        "CREATE SCHEMA shop",
        "CREATE TABLE customers (id int PRIMARY KEY, name text)",
        "CREATE TABLE shop.orders (id bigint PRIMARY KEY, total numeric(10,2))",
        "INSERT INTO customers SELECT n, 'c' || n FROM generate_series(1, 500) n",
        "INSERT INTO shop.orders SELECT n, n / 3.0 FROM generate_series(1, 500) n",
    )


def test_dry_run_changes_nothing(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    _shop(pg_database)
    sync = make_sync(pg_database, mysql_database)
    assert sync.start("--dry-run").wait() == 0
    assert "public.customers -> customers" in sync.output
    assert "shop.orders -> shop_orders" in sync.output
    assert not slots(pg_database, sync)
    assert not publications(pg_database)
    assert target_tables(mysql_database) == []
    assert not (sync.data_dir / sync.name).exists()


def test_choice_of_tables(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    _shop(pg_database)
    pg_database.execute(
        "CREATE TABLE customers_old (id int PRIMARY KEY)", "CREATE TABLE shop.tmp (id int PRIMARY KEY)"
    )
    options = ["--tables", "public.customers*,shop.*", "--exclude", "shop.tmp,public.*_old"]
    sync = make_sync(pg_database, mysql_database, *options)
    catch_up(sync)
    tables = [name for name in target_tables(mysql_database) if not name.startswith("replicator_")]
    assert tables == ["customers", "shop_orders"]
    verified(sync)


def test_stop_and_go_on(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    _shop(pg_database)
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "customers")
    pg_database.execute("INSERT INTO customers VALUES (1000, 'while it runs')")
    until(lambda: mysql_database.query("SELECT 1 FROM customers WHERE id = 1000"), 60)
    assert sync.stop() == 0
    assert "Traceback" not in sync.output
    pg_database.execute(
        "INSERT INTO customers VALUES (1001, 'while it was down')",
        "UPDATE shop.orders SET total = 0 WHERE id <= 100",
        "DELETE FROM customers WHERE id <= 10",
    )
    sync.start()
    until(lambda: mysql_database.query("SELECT 1 FROM customers WHERE id = 1001"), 60)
    verified(sync)
    assert sync.stop() == 0
    # A copy made anew would have been noticed here: rows deleted in the target only stay deleted.
    mysql_database.execute("DELETE FROM customers WHERE id = 400")
    catch_up(sync)
    assert not mysql_database.query("SELECT 1 FROM customers WHERE id = 400")


def test_verify_tells_what_differs(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    _shop(pg_database)
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    report = json.loads(verified(sync, 0, "--json").out)
    assert report["verdict"] == "equal"
    assert {table["table"]: table["rows"] for table in report["tables"]} == {
        "public.customers": 500,
        "shop.orders": 500,
    }
    mysql_database.execute(
        "UPDATE customers SET name = 'C17' WHERE id = 17",
        "DELETE FROM customers WHERE id = 18",
        "INSERT INTO customers VALUES (9999, 'extra')",
    )
    outcome = verified(sync, 1, "--json")
    table = next(t for t in json.loads(outcome.out)["tables"] if t["table"] == "public.customers")
    found = {(d["kind"], d["key"][0]) for d in table["differences"]}
    assert found == {("changed", "17"), ("missing", "18"), ("extra", "9999")}
    assert verified(sync, 0, "--tables", "shop.*")


def test_verify_could_not_tell(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    _shop(pg_database)
    sync = make_sync(pg_database, mysql_database.url.replace(f":{mysql_database.server.port}/", ":1/"))
    outcome = verified(sync, 2)
    assert "Traceback" not in outcome.text


def test_status(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    _shop(pg_database)
    sync = running(make_sync(pg_database, mysql_database, port=None), mysql_database, "customers")
    place = ["--data-dir", str(sync.data_dir)]
    outcome = service.run("status", *place, "--json")
    (pipeline,) = json.loads(outcome.out)["pipelines"]
    assert outcome.code == 0, outcome.text
    assert (pipeline["name"], pipeline["state"], pipeline["pid"]) == (sync.name, "RUNNING", sync.pid)
    overview = sync.get("/replicator/overview")
    assert {task["state"] for c in overview["connectors"] for task in c["tasks"]} == {"RUNNING"}
    assert sync.get("/connectors") == [f"{sync.name}-sink", f"{sync.name}-source"]
    assert sync.get(f"/connectors/{sync.name}-sink/status")["connector"]["state"] == "RUNNING"
    assert sync.name in service.run("status", *place).out
    assert sync.stop() == 0
    outcome = service.run("status", *place, "--json")
    assert json.loads(outcome.out)["pipelines"][0]["state"] == "STOPPED"
    assert outcome.code == 1
    password = pg_database.server.password
    written = "".join(path.read_text(errors="replace") for path in sync.data_dir.rglob("*.json"))
    assert f":{password}@" not in written + sync.output


def test_two_pipelines_take_two_ports(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    _shop(pg_database)
    first = running(
        make_sync(pg_database, mysql_database, "--tables", "customers", port=None),
        mysql_database,
        "customers",
    )
    second = make_sync(pg_database, mysql_database, "--tables", "shop.*", port=None)
    running(second, mysql_database, "shop_orders")
    ports = {sync.pipeline()["port"] for sync in (first, second)}
    assert len(ports) == 2
    assert all(sync.get("/")["version"] for sync in (first, second))
    with socket.create_connection(("127.0.0.1", min(ports))):
        pass
    again = make_sync(pg_database, mysql_database, name=first.name)
    assert again.start().wait() == 1
    assert "running already" in again.output
    assert first.stop() == 0
    assert second.stop() == 0


def test_clean_takes_back_what_was_made(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    _shop(pg_database)
    pg_database.execute("CREATE TABLE keyless (a int)")
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "customers")
    assert slots(pg_database, sync)
    assert sync.clean().code == 1  # it runs
    assert slots(pg_database, sync)
    assert sync.stop() == 0
    outcome = sync.clean()
    assert outcome.code == 0, outcome.text
    assert f"replicator_{sync.name}" in outcome.out
    assert not slots(pg_database, sync)
    assert not publications(pg_database)
    assert not (sync.data_dir / sync.name).exists()
    assert mysql_database.query("SELECT count(*) FROM customers") == [(500,)]
    assert sync.clean().code == 0  # nothing left, and says so
    assert mysql_database.query("SELECT count(*) FROM replicator_ledger") == [(0,)]


def test_recopy_makes_one_table_equal_again(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    _shop(pg_database)
    sync = running(make_sync(pg_database, mysql_database, port=None), mysql_database, "shop_orders")
    until(lambda: mysql_database.query("SELECT count(*) FROM customers") == [(500,)], 60)
    mysql_database.execute(
        "UPDATE customers SET name = 'wrong'", "INSERT INTO customers VALUES (7777, 'extra')"
    )
    verified(sync, 1)
    outcome = sync.recopy("public.customers")
    assert outcome.code == 0, outcome.text
    until(lambda: not mysql_database.query("SELECT 1 FROM customers WHERE name = 'wrong' OR id = 7777"), 60)
    verified(sync)
    assert sync.stop() == 0


def test_schema_changes_on_the_way(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    _shop(pg_database)
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "customers")
    pg_database.execute(
        "ALTER TABLE customers ADD COLUMN phone varchar(10)",
        "UPDATE customers SET phone = '123' WHERE id < 9",
        "ALTER TABLE customers ALTER COLUMN phone TYPE varchar(40)",
        "INSERT INTO customers VALUES (600, 'new', repeat('7', 30))",
        "ALTER TABLE customers ALTER COLUMN id TYPE bigint",
        "INSERT INTO customers VALUES (5000000000, 'far', NULL)",
        "ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(14,4)",
        "UPDATE shop.orders SET total = 1234567890.1234 WHERE id = 1",
        "ALTER TABLE customers ADD COLUMN active boolean NOT NULL DEFAULT true",
        "INSERT INTO customers VALUES (601, 'newer', NULL, false)",
        "ALTER TABLE customers DROP COLUMN name",
        "INSERT INTO customers VALUES (602, NULL, true)",
    )
    until(lambda: mysql_database.query("SELECT 1 FROM customers WHERE id = 602"), 60)
    verified(sync)
    assert sync.stop() == 0


def test_partitions_arrive_as_one_table(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE e (id int, day date, x text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
        "CREATE TABLE e_1 PARTITION OF e FOR VALUES FROM ('2025-01-01') TO ('2025-07-01')",
        "CREATE TABLE e_2 PARTITION OF e FOR VALUES FROM ('2025-07-01') TO ('2026-01-01')",
        "INSERT INTO e SELECT n, date '2025-01-01' + n, 'x' FROM generate_series(0, 300) n",
    )
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    pg_database.execute(
        "CREATE TABLE e_3 PARTITION OF e FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "INSERT INTO e VALUES (1000, '2026-02-02', 'y')",
        "UPDATE e SET day = '2025-12-01' WHERE id = 3",
        "DELETE FROM e WHERE id = 4",
    )
    catch_up(sync)
    verified(sync)
    assert [name for name in target_tables(mysql_database) if name.startswith("e")] == ["e"]
    assert mysql_database.query("SELECT count(*) FROM e") == [(301,)]


def test_a_name_for_the_pipeline_is_made_from_the_urls(
    pg_database: Database, mysql_database: Database, tmp_path: Path
) -> None:
    _shop(pg_database)
    place = ["--data-dir", str(tmp_path), "--port", "off"]
    outcome = service.run("sync", pg_database.url, mysql_database.url, *place, "--until-caught-up")
    assert outcome.code == 0, outcome.text
    found = re.search(r"Pipeline ([0-9a-f]{8})", outcome.out)
    assert found
    assert (tmp_path / found.group(1) / "pipeline.json").exists()
    verify = service.run("verify", pg_database.url, mysql_database.url, "--data-dir", str(tmp_path))
    assert verify.code == 0, verify.text
    clean = service.run("clean", pg_database.url, "--data-dir", str(tmp_path))
    assert clean.code == 0, clean.text
    assert not publications(pg_database)


def test_standalone_runs_connectors_from_files(
    pg_database: Database, mysql_database: Database, tmp_path: Path
) -> None:
    pg_database.execute(
        "CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric(10,2))",
        "INSERT INTO orders SELECT n, 'n' || n, n FROM generate_series(1, 100) n",
    )
    source, target = pg_database.server, mysql_database.server
    (tmp_path / "worker.properties").write_text(
        "key.converter=org.apache.kafka.connect.json.JsonConverter\n"
        "value.converter=org.apache.kafka.connect.json.JsonConverter\n"
        f"data.dir={tmp_path}/data\n"
        f"listeners=http://127.0.0.1:{free_port()}\n"
    )
    slot = f"standalone_{pg_database.name}"
    (tmp_path / "source.properties").write_text(
        "name=orders-source\n"
        "connector.class=io.debezium.connector.postgresql.PostgresConnector\n"
        f"database.hostname={source.host}\ndatabase.port={source.port}\n"
        f"database.user={source.user}\ndatabase.password={source.password}\n"
        f"database.dbname={pg_database.name}\n"
        f"topic.prefix=shop\nplugin.name=pgoutput\nslot.name={slot}\npublication.name={slot}\n"
        "table.include.list=public.orders\ndecimal.handling.mode=string\n"
    )
    (tmp_path / "sink.json").write_text(
        json.dumps(
            {
                "name": "orders-sink",
                "config": {
                    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
                    "topics": "shop.public.orders",
                    "connection.url": f"jdbc:mysql://{target.host}:{target.port}/{mysql_database.name}",
                    "connection.username": target.user,
                    "connection.password": target.password,
                    "insert.mode": "upsert",
                    "delete.enabled": "true",
                    "primary.key.mode": "record_key",
                    "schema.evolution": "basic",
                    "collection.name.format": "${source.table}",
                },
            }
        )
    )
    files = [str(tmp_path / name) for name in ("worker.properties", "source.properties", "sink.json")]
    with (tmp_path / "log").open("wb") as log:
        child = subprocess.Popen([str(PROGRAM), "standalone", *files], stdout=log, stderr=log)
    try:

        def arrived(rows: int) -> bool:
            assert child.poll() is None, (tmp_path / "log").read_text()
            return has_table(mysql_database, "orders") and mysql_database.query(
                "SELECT count(*) FROM orders"
            ) == [(rows,)]

        until(lambda: arrived(100), 60)
        pg_database.execute(
            "DELETE FROM orders WHERE id > 90", "UPDATE orders SET note = 'changed' WHERE id = 1"
        )
        until(lambda: arrived(90), 60)
        child.terminate()
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.wait()
    assert mysql_database.query("SELECT note FROM orders WHERE id = 1") == [("changed",)]
