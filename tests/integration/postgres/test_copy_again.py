"""Tables copied anew in the running connector: signals, the stream around the copy, crashes in the middle."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.postgres.task import PostgresSourceTask
from replicator.api import BadRequestError, IllegalStateError, SourceRecord
from tests.integration.postgres.driver import Driver, ids, op, row
from tests.support.fix_servers import Database

SMALL = {"snapshot__chunk__rows": "50", "max__batch__size": "20", "max__queue__size": "21"}


def _signal(driver: Driver, *patterns: str) -> None:
    assert driver.task is not None
    driver.task.signal("execute-snapshot", {"type": "blocking", "data-collections": list(patterns)})


def _table(driver: Driver, name: str) -> dict[str, Any]:
    facts: dict[str, Any] = driver.context.facts.get("tables", {}).get(f"public.{name}", {})
    return facts


def _until_copied(driver: Driver, name: str, after: int) -> None:
    """Until the table's rows are of a copy later than a position, and the stream goes on."""
    driver.until(
        lambda: (
            _table(driver, name).get("state") == "copied"
            and _table(driver, name)["as_of"] > after
            and driver.context.facts.get("phase") == "streaming"
        )
    )


def _lsn(database: Database) -> int:
    return int(database.query("SELECT (pg_current_wal_insert_lsn() - '0/0')::int8")[0][0])


def _of(records: Sequence[SourceRecord], name: str) -> list[SourceRecord]:
    return [r for r in records if r.topic == f"srv.public.{name}"]


def _keyed(records: Sequence[SourceRecord]) -> dict[Any, dict[str, Any]]:
    """What a target holds after these records of a table with key `id`."""
    held: dict[Any, dict[str, Any]] = {}
    for record in records:
        if op(record) == "t":
            held.clear()
            continue
        fields = row(record)
        assert fields is not None
        if op(record) == "d":
            held.pop(fields["id"], None)
        else:
            held[fields["id"]] = fields
    return held


def _keyless(records: Sequence[SourceRecord]) -> Counter[int]:
    """The same for a table that rows are only added to."""
    held: Counter[int] = Counter()
    for record in records:
        if op(record) == "t":
            held.clear()
        else:
            assert op(record) in "rc"
            held[(row(record) or {})["n"]] += 1
    return held


def _two_tables(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "INSERT INTO t SELECT g, 0 FROM generate_series(1, 300) g",
        "CREATE TABLE log (n int)",
        "INSERT INTO log SELECT generate_series(1, 300)",
        "CREATE TABLE other (id int PRIMARY KEY)",
        "INSERT INTO other SELECT generate_series(1, 30)",
        "ANALYZE",
    )


@contextmanager
def _load(database: Database) -> Iterator[None]:
    """Changes of all tables in small transactions, until the end of the block."""
    ended = threading.Event()

    def work() -> None:
        with database.connect() as connection:
            n = 1000
            while not ended.is_set():
                n += 1
                with connection.transaction():
                    connection.execute("UPDATE t SET v = v + 1 WHERE id = %s", [n % 300 + 1])
                    connection.execute("INSERT INTO log VALUES (%s)", [n])
                    if n % 5 == 0:
                        connection.execute("INSERT INTO t VALUES (%s, 1)", [n])
                    if n % 10 == 0:
                        connection.execute("DELETE FROM t WHERE id = %s", [n - 5])
                        connection.execute("INSERT INTO other VALUES (%s)", [n])
                ended.wait(0.002)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _assert_held(driver: Driver, database: Database) -> None:
    """Read to the end of the log; then the records must make exactly the tables."""
    database.execute("INSERT INTO other VALUES (-1)")
    driver.until(lambda: -1 in ids(_of(driver.records, "other")))
    expected = {r[0]: r[1] for r in database.query("SELECT id, v FROM t")}
    assert {key: fields["v"] for key, fields in _keyed(_of(driver.records, "t")).items()} == expected
    numbers = Counter(r[0] for r in database.query("SELECT n FROM log"))
    assert _keyless(_of(driver.records, "log")) == numbers


def test_a_table_is_copied_anew_and_the_stream_goes_on(pg_database: Database) -> None:
    _two_tables(pg_database)
    with Driver(pg_database) as driver:
        driver.until_phase("streaming")
        driver.until_count(630)
        pg_database.execute("UPDATE t SET v = 1 WHERE id = 1")
        driver.until_count(631)
        before = _lsn(pg_database)
        _signal(driver, r"public\.t")
        _until_copied(driver, "t", before)
        again = driver.records[631:]
        assert [r.topic for r in again] == ["srv.public.t"] * 301
        assert [op(r) for r in again] == ["t"] + ["r"] * 300
        assert _keyed(again)[1] == {"id": 1, "v": 1}
        pg_database.execute("UPDATE t SET v = 2 WHERE id = 2", "INSERT INTO log VALUES (0)")
        driver.until_count(934)
        assert [op(r) for r in driver.records[932:]] == ["u", "c"]
        assert driver.quiet(0.5) == []
    # Nothing of it is left over for the next life.
    with driver:
        driver.until_phase("streaming")
        assert driver.quiet(0.5) == []


def test_copied_anew_while_the_tables_change(pg_database: Database) -> None:
    _two_tables(pg_database)
    with Driver(pg_database, **SMALL) as driver, _load(pg_database):
        driver.until_phase("streaming")
        for _ in range(3):
            before = _lsn(pg_database)
            _signal(driver, r"public\.(t|log)")
            assert _table(driver, "t")["state"] == "requested"
            _until_copied(driver, "t", before)
            _until_copied(driver, "log", before)
            count = len(driver.records)
            driver.until_count(count + 50)
        assert [op(r) for r in _of(driver.records, "t")].count("t") == 3
        assert [op(r) for r in _of(driver.records, "other")].count("t") == 0
    with driver:
        _assert_held(driver, pg_database)


@pytest.mark.parametrize("cut", [0, 1, 3, 9, 20, 40])
def test_a_crash_in_the_middle(pg_database: Database, cut: int) -> None:
    _two_tables(pg_database)
    driver = Driver(pg_database, **SMALL)
    with _load(pg_database):
        with driver:
            driver.until_phase("streaming")
            driver.until(lambda: len(_of(driver.records, "other")) > 30)
            _signal(driver, r"public\.t", r"public\.log")
            void = len(driver.batches)
            driver.until(lambda: '"f":"void"' in str(driver.offsets.stored))
            assert len(driver.batches) > void
            void = len(driver.batches)
            driver.until(lambda: len(driver.batches) >= void + cut)
        before = _lsn(pg_database) if cut == 0 else 0
        with driver:
            _until_copied(driver, "t", before)
            _until_copied(driver, "log", before)
            count = len(driver.records)
            driver.until_count(count + 50)
    with driver:
        _assert_held(driver, pg_database)
    assert "t" in [op(r) for r in _of(driver.records, "t")]
    assert "t" in [op(r) for r in _of(driver.records, "log")]


def test_the_request_is_stored_before_the_copy_begins(pg_database: Database) -> None:
    _two_tables(pg_database)
    driver = Driver(pg_database)
    with driver:
        driver.until_phase("streaming")
        driver.until_count(630)
        _signal(driver, r"public\.t")
        driver.until(lambda: '"f":"void"' in str(driver.offsets.stored))
        assert len(driver.records) == 630
    with driver:
        driver.until_count(931)
        assert [op(r) for r in driver.records[630:]] == ["t"] + ["r"] * 300
        driver.until_phase("streaming")
        assert driver.quiet(0.3) == []


def test_a_request_waits_for_the_end_of_a_transaction(pg_database: Database) -> None:
    _two_tables(pg_database)
    with Driver(pg_database, **SMALL) as driver:
        driver.until_phase("streaming")
        driver.until_count(630)
        pg_database.execute("INSERT INTO other SELECT generate_series(1000, 3000)")
        driver.until_count(700)
        _signal(driver, r"public\.t")
        driver.until(lambda: "t" in [op(r) for r in driver.records])
        operations = [op(r) for r in driver.records[630:]]
        assert operations.index("t") == 2001


def test_requests_that_are_refused(pg_database: Database) -> None:
    _two_tables(pg_database)
    driver = Driver(pg_database, table__exclude__list=r"public\.other")
    with driver:
        assert driver.task is not None
        driver.until_phase("streaming")
        with pytest.raises(BadRequestError, match=r"Captured are: public\.log, public\.t"):
            _signal(driver, r"public\.t", r"public\.other")
        with pytest.raises(BadRequestError, match="incremental"):
            driver.task.signal("execute-snapshot", {"type": "odd", "data-collections": [r"public\.t"]})
        with pytest.raises(BadRequestError, match="data-collections"):
            driver.task.signal("execute-snapshot", {"type": "blocking"})
        with pytest.raises(BadRequestError, match="additional-conditions"):
            driver.task.signal("execute-snapshot", {"type": "blocking", "additional-conditions": [{}]})
        with pytest.raises(BadRequestError, match="start-snapshot"):
            driver.task.signal("start-snapshot", {})
        driver.until_count(600)
        assert driver.quiet(0.5) == []
    with pytest.raises(IllegalStateError):
        PostgresSourceTask().signal("execute-snapshot", {"type": "blocking", "data-collections": [".*"]})


def test_a_table_whose_rows_were_not_wanted(pg_database: Database) -> None:
    _two_tables(pg_database)
    with Driver(pg_database, snapshot__mode="no_data") as driver:
        driver.until_phase("streaming")
        assert _table(driver, "t")["state"] == "not copied"
        _signal(driver, r"public\.t")
        driver.until(lambda: _table(driver, "t").get("state") == "copied")
        driver.until_count(301)
        assert [op(r) for r in driver.records] == ["t"] + ["r"] * 300
