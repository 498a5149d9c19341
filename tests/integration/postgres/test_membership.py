"""Tables that come, go, are renamed or lose their replica identity while the connector runs (C3, C4, C7)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from connectors.postgres import catalog
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import PlainConnection
from connectors.postgres.membership import Membership
from replicator.api import SourceRecord
from tests.integration.postgres.driver import PATIENCE, Driver, ids, op, row
from tests.support.fix_servers import Database

QUICK = {"catalog__watch__interval__ms": "200"}


def _of(driver: Driver, name: str) -> list[SourceRecord]:
    return [r for r in driver.records if r.topic == f"srv.public.{name}"]


def _held(records: list[SourceRecord]) -> Counter[tuple[object, ...]]:
    """Rows that a target holds after these records; a row of a keyed table that comes again replaces itself."""
    held: Counter[tuple[object, ...]] = Counter()
    for record in records:
        if op(record) == "t":
            held.clear()
            continue
        fields = record.value.fields
        if record.key is not None:
            old = (fields.get("before") or fields["after"])["id"]
            for gone in [r for r in held if r[0] == old]:
                del held[gone]
        elif fields.get("before") is not None:
            held[tuple(fields["before"].values())] -= 1
        if fields.get("after") is not None:
            held[tuple(fields["after"].values())] += 1
    return +held


def _warns(driver: Driver, text: str) -> bool:
    return any(text in warning for warning in driver.context.facts.get("warnings", []))


class Looks:
    """Counts the watch's looks, and remembers which of them took tables out of the publication of updates."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.moved: list[int] = []
        look, move_out = Membership.look, Membership._move_out

        def counted(membership: Membership, connection: PlainConnection) -> list[str]:
            self.begun += 1
            return look(membership, connection)

        def remembered(membership: Membership, *args: Any) -> None:
            move_out(membership, *args)
            self.moved.append(self.begun)

        monkeypatch.setattr(Membership, "look", counted)
        monkeypatch.setattr(Membership, "_move_out", remembered)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


def _lose(driver: Driver, looks: Looks, lose: Sequence[str], update: str) -> None:
    """A table loses its replica identity: the first look behind it makes the server take the application's UPDATE."""
    driver.database.execute(*lose)
    begun = looks.begun
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            driver.database.execute(update)
            break
        except psycopg.errors.ObjectNotInPrerequisiteState:
            assert time.monotonic() < deadline, "UPDATE is still refused"
        driver.poll()
    assert looks.moved[0] <= begun + 1


@pytest.mark.parametrize(
    ("lose", "regain"),
    [
        ("ALTER TABLE t DROP CONSTRAINT t_pkey", "ALTER TABLE t ADD PRIMARY KEY (id)"),
        ("ALTER TABLE t REPLICA IDENTITY NOTHING", "ALTER TABLE t REPLICA IDENTITY FULL"),
    ],
)
def test_an_identity_lost_and_regained(pg_database: Database, looks: Looks, lose: str, regain: str) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 0), (2, 0)",
        "CREATE TABLE other (id int PRIMARY KEY)",
    )  # fmt: skip
    with Driver(pg_database, **QUICK) as driver:
        driver.until_phase("streaming")
        driver.until_count(2)
        _lose(driver, looks, [lose], "UPDATE t SET v = 1 WHERE id = 1")
        driver.until(lambda: _warns(driver, "public.t has no replica identity: only its inserts"))
        pg_database.execute("INSERT INTO t VALUES (3, 0)", "DELETE FROM t WHERE id = 2")
        driver.until_count(3)
        assert [op(r) for r in _of(driver, "t")] == ["r", "r", "c"]
        pg_database.execute(regain)
        driver.until(lambda: [op(r) for r in _of(driver, "t")][3:] == ["t", "r", "r"])
        driver.until_phase("streaming")
        pg_database.execute("UPDATE t SET v = 2 WHERE id = 3", "INSERT INTO other VALUES (1)")
        driver.until(lambda: len(_of(driver, "other")) == 1)
        assert [(op(r), row(r)) for r in _of(driver, "t")[4:]] == [
            ("r", {"id": 1, "v": 1}), ("r", {"id": 3, "v": 0}), ("u", {"id": 3, "v": 2}),
        ]  # fmt: skip
        driver.until(lambda: not _warns(driver, "public.t"))
    with driver:
        driver.until_phase("streaming")
        assert driver.quiet(0.5) == []


def test_an_identity_that_was_away_between_two_looks_of_the_reader(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 0)")
    driver = Driver(pg_database, catalog__watch__interval__ms="0")
    with driver:
        driver.until_phase("streaming")
        driver.until_count(1)
    # As if the watch had moved it out and back, and the process had died before the reader could tell.
    publication = "dbz_publication"
    pg_database.execute(
        f"ALTER PUBLICATION {publication} DROP TABLE t",
        "UPDATE t SET v = 5",
        f"ALTER PUBLICATION {publication} ADD TABLE t",
    )
    with driver:
        driver.until(lambda: [op(r) for r in driver.records] == ["r", "t", "r"])
        assert row(driver.records[-1]) == {"id": 1, "v": 5}
    with driver:
        driver.until_phase("streaming")
        assert driver.quiet(0.5) == []


def test_a_partition_without_identity_is_attached(pg_database: Database, looks: Looks) -> None:
    pg_database.execute(
        "CREATE TABLE p (id int, v int) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "ALTER TABLE p1 REPLICA IDENTITY FULL",
        "INSERT INTO p VALUES (1, 0)",
    )
    with Driver(pg_database, publish__via__partition__root="true", **QUICK) as driver:
        driver.until_phase("streaming")
        driver.until_count(1)
        # A new partition does not inherit REPLICA IDENTITY FULL.
        partition = "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)"
        _lose(driver, looks, [partition, "INSERT INTO p VALUES (11, 0)"], "UPDATE p SET v = 1 WHERE id = 11")
        driver.until_count(2)
        pg_database.execute("ALTER TABLE p2 REPLICA IDENTITY FULL")
        driver.until(lambda: [op(r) for r in driver.records][2:] == ["t", "r", "r"])
        assert _held(driver.records) == Counter([(1, 0), (11, 1)])


@contextmanager
def _writing(database: Database, *tables: str) -> Iterator[None]:
    """Rows for tables that may not be there yet, and for one that always is."""
    ended = threading.Event()

    def work() -> None:
        n = 1000
        with psycopg.connect(database.url, autocommit=True) as connection:
            while not ended.wait(0.003):
                n += 1
                connection.execute("INSERT INTO t VALUES (%s, 0)", [n])
                for table in tables:
                    try:
                        with connection.transaction():
                            connection.execute(f"INSERT INTO {table} VALUES (%s, 0)", [n])
                            connection.execute(f"UPDATE {table} SET v = v + 1 WHERE id = %s", [n - 1])
                    except psycopg.errors.UndefinedTable:
                        pass

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _rows(database: Database, table: str) -> Counter[tuple[object, ...]]:
    return Counter(tuple(r) for r in database.query(f"SELECT * FROM {table}"))


def _assert_equal(driver: Driver, *tables: str) -> None:
    driver.database.execute("INSERT INTO t VALUES (-1, 0)")
    driver.until(lambda: -1 in ids(_of(driver, "t")))
    for table in tables:
        assert _held(_of(driver, table)) == _rows(driver.database, table), table


@pytest.mark.parametrize("cut", [None, 2, 12])
def test_new_tables_join_under_load(pg_database: Database, cut: int | None) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY, v int)")
    small = {"snapshot__chunk__rows": "50", "max__batch__size": "20", "max__queue__size": "21"}
    driver = Driver(pg_database, table__include__list=r"public\..*", **QUICK, **small)
    with _writing(pg_database, "late", "bare"):
        with driver:
            driver.until_phase("streaming")
            driver.until_count(20)
            pg_database.execute(
                "BEGIN; CREATE TABLE late (id int PRIMARY KEY, v int); ALTER TABLE late REPLICA IDENTITY FULL;"
                "INSERT INTO late SELECT g, 0 FROM generate_series(1, 300) g; COMMIT"
            )
            pg_database.execute("CREATE TABLE bare AS SELECT g AS id, 0 AS v FROM generate_series(1, 300) g")
            pg_database.execute("ALTER TABLE bare REPLICA IDENTITY FULL")
            driver.until(lambda: len(_of(driver, "late")) > 0)
            if cut is not None:
                batches = len(driver.batches)
                driver.until(lambda: len(driver.batches) >= batches + cut)
                driver.crash()
                driver.start()
            driver.until(lambda: len(_of(driver, "late")) > 330 and len(_of(driver, "bare")) > 330)
        time.sleep(0.2)
    with driver:
        _assert_equal(driver, "t", "late", "bare")


def test_tables_that_are_renamed_and_exchanged(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "CREATE TABLE a (id int PRIMARY KEY, v int)", "INSERT INTO a VALUES (1, 0), (2, 0)",
        "CREATE TABLE b (id int PRIMARY KEY, v int)", "INSERT INTO b VALUES (7, 0)",
    )  # fmt: skip
    with Driver(pg_database, table__include__list=r"public\..*", **QUICK) as driver:
        driver.until_phase("streaming")
        driver.until_count(3)
        with pg_database.connect() as connection, connection.transaction():
            connection.execute("ALTER TABLE a RENAME TO a_old")
            connection.execute("ALTER TABLE b RENAME TO a")
            connection.execute("INSERT INTO a VALUES (8, 0)")
            connection.execute("INSERT INTO a_old VALUES (3, 0)")
        driver.until(lambda: _held(_of(driver, "a")) == Counter([(7, 0), (8, 0)]))
        driver.until(lambda: _held(_of(driver, "a_old")) == Counter([(1, 0), (2, 0), (3, 0)]))
        driver.until(lambda: _warns(driver, "public.b was renamed public.a"))
        pg_database.execute("CREATE SCHEMA s", "ALTER TABLE a_old SET SCHEMA s")
        driver.until(lambda: _warns(driver, "public.a_old was renamed s.a_old"))
        assert _warns(driver, "is captured once it matches the filters")
        pg_database.execute("DROP TABLE a")
        driver.until(lambda: _warns(driver, "public.a was dropped"))
        driver.until_phase("streaming")
        _assert_equal(driver, "t")


def test_a_look_that_the_reader_overtakes_asks_for_nothing_again(
    pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch looks while the reader it has asked lists the tables: nothing is copied twice."""
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v int)", "CREATE TABLE a (id int PRIMARY KEY, v int)",
        "INSERT INTO a VALUES (1, 0)",
    )  # fmt: skip
    driver = Driver(pg_database, table__include__list=r"public\..*", **QUICK)
    listed = catalog.candidates
    renamed, asked, looking = threading.Event(), threading.Event(), threading.Event()

    def overtaken(connection: PlainConnection, *, via_root: bool) -> list[Relation]:
        found = listed(connection, via_root=via_root)
        reader = driver.task and driver.task._reader
        assert reader is not None
        if threading.current_thread().name != "postgres-watch":
            if renamed.is_set() and not asked.is_set():
                asked.set()
                looking.wait(PATIENCE)
        elif asked.is_set() and not looking.is_set():
            before = reader.captured
            looking.set()
            _wait(lambda: reader.captured is not before)
        return found

    monkeypatch.setattr(catalog, "candidates", overtaken)
    with driver:
        driver.until_phase("streaming")
        renamed.set()
        with pg_database.connect() as connection, connection.transaction():
            connection.execute("ALTER TABLE a RENAME TO a_old")
            connection.execute("CREATE TABLE a (id int PRIMARY KEY, v int)")
            connection.execute("INSERT INTO a VALUES (8, 0)")
        driver.until(lambda: _held(_of(driver, "a")) == Counter([(8, 0)]) and looking.is_set())
        driver.until_phase("streaming")
        driver.quiet(1.0)
        _assert_equal(driver, "t", "a", "a_old")
    assert [op(r) for r in _of(driver, "a")] == ["r", "t", "r"]
    assert [op(r) for r in _of(driver, "a_old")] == ["t", "r"]


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < deadline:
        time.sleep(0.002)


def test_what_the_reader_finds_gone_by_itself_is_told(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE a (id int PRIMARY KEY)")
    with Driver(pg_database, catalog__watch__interval__ms="0") as driver:
        driver.until_phase("streaming")
        pg_database.execute("DROP TABLE a")
        pg_database.query(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s",
            [driver.config["slot.name"]],
        )
        driver.until(lambda: _warns(driver, "public.a was dropped"))


def test_changes_told_under_a_new_name_are_void_when_it_is_copied(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE a (id int, v int)", "ALTER TABLE a REPLICA IDENTITY FULL", "INSERT INTO a VALUES (1, 0)"
    )
    driver = Driver(pg_database, catalog__watch__interval__ms="0")
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("ALTER TABLE a RENAME TO b", "INSERT INTO b VALUES (2, 0), (3, 0)")
        driver.until(lambda: len(_of(driver, "b")) == 2)
    pg_database.execute("DELETE FROM b WHERE id = 3")
    with driver:
        driver.until_phase("streaming")
        driver.until(lambda: _held(_of(driver, "b")) == Counter([(1, 0), (2, 0)]))
        assert _warns(driver, "public.a was renamed public.b")
        assert driver.quiet(0.5) == []


def test_a_publication_of_all_tables_streams_new_ones_from_their_creation(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v int)", "CREATE PUBLICATION dbz_publication FOR ALL TABLES"
    )
    config = {"publication__autocreate__mode": "all_tables", "table__include__list": r"public\..*"}
    driver = Driver(pg_database, **config, **QUICK)
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("CREATE TABLE late (id int, v int)", "INSERT INTO late VALUES (1, 0)")
        driver.until_count(1)
        driver.until(lambda: "public.late" in str(driver.offsets.stored))
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO late VALUES (2, 0)")
        driver.until_count(2)
        assert driver.quiet(0.5) == []
    assert [op(r) for r in driver.records] == ["c", "c"]


def test_a_join_waits_for_old_transactions(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY, v int)")
    with (
        Driver(pg_database, table__include__list=r"public\..*", **QUICK) as driver,
        psycopg.connect(pg_database.url) as old,
    ):
        driver.until_phase("streaming")
        driver.quiet(0.5)
        old.execute("INSERT INTO t VALUES (1, 0)")
        driver.quiet(0.6)
        pg_database.execute("CREATE TABLE late (id int PRIMARY KEY, v int)", "INSERT INTO late VALUES (1, 0)")
        driver.until(lambda: _warns(driver, "public.late is new"))
        pg_database.execute("INSERT INTO t VALUES (2, 0)")
        driver.until_count(1)
        assert ids(driver.quiet(1.0)) == []
        old.commit()
        driver.until(lambda: len(_of(driver, "late")) == 1)


def test_a_table_of_somebody_else_does_not_join_and_fails_nothing(pg_database: Database) -> None:
    role = f"guest_{pg_database.name}"
    pg_database.execute(
        f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'guest'", f"GRANT ALL ON SCHEMA public TO {role}",
        f"GRANT CREATE ON DATABASE {pg_database.name} TO {role}",
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role}",
        "CREATE TABLE t (id int PRIMARY KEY, v int)", f"ALTER TABLE t OWNER TO {role}",
    )  # fmt: skip
    try:
        login = {"database.user": role, "database.password": "guest"}
        with Driver(pg_database, table__include__list=r"public\..*", **QUICK, **login) as driver:
            driver.until_phase("streaming")
            pg_database.execute("CREATE TABLE late (id int PRIMARY KEY)", "INSERT INTO late VALUES (1)")
            driver.until(lambda: _warns(driver, 'ADD TABLE "public"."late"'))
            pg_database.execute("INSERT INTO t VALUES (1, 0)")
            driver.until_count(1)
            pg_database.execute("ALTER PUBLICATION dbz_publication ADD TABLE late")
            driver.until(lambda: len(_of(driver, "late")) >= 1)
    finally:
        pg_database.execute(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")
