"""What the watch notices: tables whose changes are missing, retained log, the snapshot's age."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from connectors.postgres import catalog
from connectors.postgres.catalog import Relation
from connectors.postgres.config import CONFIG
from connectors.postgres.departures import Departures
from connectors.postgres.divergence import Copied, changes
from connectors.postgres.status import Status
from connectors.postgres.watch import Watch
from tests.integration.postgres.driver import Context, Driver, Offsets
from tests.support.fix_servers import Database


class Captured:
    def __init__(self, captured: list[Relation]) -> None:
        self.captured = captured
        self.snapshot_opened: float | None = None
        self.copies: deque[Copied] = deque()
        self.fitting = threading.Lock()
        self.departures = Departures()
        self.notes: deque[dict[str, Any]] = deque()

    def refit(self, streamed: Sequence[str] = ()) -> None:
        raise AssertionError("nothing here is to be fitted")


def test_tables_that_escape_are_named(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE bare (v int)",
        "INSERT INTO bare VALUES (1)",
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)",
    )
    config = Driver(pg_database, publish__via__partition__root="true").config
    with pg_database.connect() as connection:
        captured = catalog.with_leaves(connection, catalog.candidates(connection, via_root=True))
        reader = Captured(captured)
        watch = Watch(CONFIG.parse(config), reader, Status(Context(Offsets())))
        assert watch.inspect(connection) == []
        pg_database.execute(
            "DROP TABLE p2",
            "UPDATE bare SET v = 2",
            "CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY)",
        )
        connection.execute("SELECT pg_sleep(1.2), pg_stat_clear_snapshot()")
        said = watch.inspect(connection)
        assert len(said) == 3, said
        for part in ("scratch matches but is UNLOGGED",
                     "Partitions of public.p were dropped", "Table public.bare diverged"):  # fmt: skip
            assert any(part in sentence for sentence in said), part
        reader.copies.append(Copied(["public.p", "public.bare"], changes(connection, captured)))
        assert not any("diverged" in s or "dropped" in s for s in watch.inspect(connection))
        pg_database.execute("UPDATE bare SET v = 3")
        connection.execute("SELECT pg_sleep(1.2), pg_stat_clear_snapshot()")
        assert any("Table public.bare diverged" in s for s in watch.inspect(connection))
        pg_database.execute("ALTER TABLE bare ADD PRIMARY KEY (v)")
        assert not any("diverged" in sentence for sentence in watch.inspect(connection))


def test_rows_changed_by_ddl_are_named(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, old text, price numeric(8,4), small int)",
        "INSERT INTO t VALUES (1, 'x', 1.2345, 1)",
        "CREATE TABLE quiet (id int PRIMARY KEY, small int)",
        "INSERT INTO quiet VALUES (1, 1)",
        "CREATE TABLE wider (id int PRIMARY KEY, small int DEFAULT 3)",
        "INSERT INTO wider VALUES (1)",
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE full_one (id int PRIMARY KEY)",
        "INSERT INTO full_one VALUES (11)",
        "CREATE TABLE empty_one (id int PRIMARY KEY)",
    )
    config = Driver(pg_database, publish__via__partition__root="true").config
    with pg_database.connect() as connection:
        found = catalog.candidates(connection, via_root=True)
        captured = catalog.with_leaves(
            connection, [r for r in found if r.name in ("t", "quiet", "wider", "p")]
        )
        reader = Captured(captured)
        watch = Watch(CONFIG.parse(config), reader, Status(Context(Offsets())))
        told = watch.inspect(connection)
        pg_database.execute(
            "ALTER TABLE quiet ADD COLUMN plain text, ADD COLUMN constant int DEFAULT 5",
            "ALTER TABLE wider ALTER small TYPE bigint",
            "ALTER TABLE p ATTACH PARTITION empty_one FOR VALUES FROM (20) TO (30)",
            "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (30) TO (40)",
            "INSERT INTO p VALUES (25), (35)",
        )
        assert [s for s in watch.inspect(connection) if s not in told] == []
        pg_database.execute(
            "ALTER TABLE t RENAME old TO fresh",
            "ALTER TABLE t ADD COLUMN number serial",
            "ALTER TABLE t ALTER price TYPE numeric(8,2)",
            "ALTER TABLE p ATTACH PARTITION full_one FOR VALUES FROM (10) TO (20)",
        )
        said = [s for s in watch.inspect(connection) if s not in told]
        for part in ("Column old of public.t was renamed fresh", "Column number was added to public.t",
                     "price of public.t changed from numeric(8,4) to numeric(8,2)",
                     "Partition public.full_one was attached to public.p with rows"):  # fmt: skip
            assert any(part in sentence for sentence in said), (part, said)
        assert len(said) == 4, said
        reader.copies.append(Copied(["public.t", "public.p"], {}))
        assert [s for s in watch.inspect(connection) if s not in told] == []


def test_retained_log_is_reported(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with Driver(pg_database) as driver:
        driver.until(lambda: "retained_bytes" in driver.context.facts)
        assert driver.context.facts["retained_bytes"] >= 0


def test_rows_changed_by_ddl_while_nothing_ran_are_named(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, old text)", "INSERT INTO t VALUES (1, 'x')",
        "CREATE TABLE quiet (id int PRIMARY KEY)", "INSERT INTO quiet VALUES (1)",
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE full_one (id int PRIMARY KEY)", "INSERT INTO full_one VALUES (11)",
        "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)",
    )  # fmt: skip
    driver = Driver(
        pg_database,
        publish__via__partition__root="true",
        table__include__list=r"public\.(t|quiet|p|a|b)",
        catalog__watch__interval__ms="200",
    )

    def warnings() -> list[str]:
        return [str(w) for w in driver.context.facts.get("warnings", [])]

    with driver:
        driver.until_phase("streaming")
        driver.until(lambda: driver.offsets.notes is not None)
    pg_database.execute(
        "ALTER TABLE t RENAME old TO fresh",
        "ALTER TABLE quiet ADD COLUMN plain text",
        "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (30) TO (40)",
        "INSERT INTO p VALUES (35)",
        "ALTER TABLE p ATTACH PARTITION full_one FOR VALUES FROM (10) TO (20)",
        "ALTER TABLE a RENAME TO b",
    )
    with driver:
        driver.until_phase("streaming")
        driver.until(lambda: any("full_one was attached to public.p with rows" in w for w in warnings()))
        assert any("Column old of public.t was renamed fresh" in w for w in warnings())
        assert any("Table public.a was renamed public.b" in w for w in warnings())
        assert not any("quiet" in w or "p3" in w for w in warnings())
        driver.until(lambda: "renamed fresh" in str(driver.offsets.notes))
    with driver:
        # Still so at the next start, until the table is copied anew.
        driver.until_phase("streaming")
        driver.until(lambda: any("Column old of public.t was renamed" in w for w in warnings()))
        assert driver.task is not None
        driver.task.signal("execute-snapshot", {"type": "blocking", "data-collections": [r"public\.t"]})
        driver.until(lambda: "renamed fresh" not in str(driver.offsets.notes))
    with driver:
        driver.until_phase("streaming")
        driver.quiet(1.5)
        assert not any("renamed fresh" in w for w in warnings())
