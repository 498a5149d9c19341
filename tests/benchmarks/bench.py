"""The table that is measured, and the two databases that hold it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
import pymysql

from scripts import service
from scripts.devservers import Instance

DATABASE = "replicator_bench"
FOLDER = Path(".dev/bench-run")
NO_SUCH_TABLE = 1146

_TABLE = """
CREATE TABLE bench (
    id          bigint PRIMARY KEY,
    customer_id integer NOT NULL,
    status      varchar(16) NOT NULL,
    amount      numeric(12, 2) NOT NULL,
    note        text,
    updated_at  timestamptz
)
"""
# About 120 bytes a row as text.
INSERT = """
INSERT INTO bench
SELECT n, n % 100000, (array['new','paid','shipped','returned'])[1 + n % 4], (n::bigint * 7919 % 1000000) / 100.0,
       md5(n::text) || ' ' || md5((n + 1)::text), clock_timestamp()
FROM generate_series({first}, {last}) n
"""


class Pipeline(Protocol):
    """What is measured: one or more processes that replicate. `start` may be called again after `stop`."""

    @property
    def output(self) -> str:
        """Everything it printed so far."""
        ...

    def start(self) -> object:
        """Start it and, the first time, tell it what to do."""
        ...

    def running(self) -> bool:
        """Whether all of it lives."""
        ...

    def stop(self) -> object:
        """End it orderly."""
        ...

    def usage(self) -> service.Usage:
        """Peak memory of its largest process, processor time of all."""
        ...


@dataclass(frozen=True)
class Site:
    """Where a measurement happens, and what is measured there.

    Attributes:
        pipeline: makes one from the two databases and a name.
    """

    postgres: Instance
    mysql: Instance
    pipeline: Callable[[Instance, Instance, str], Pipeline]


@dataclass
class Bench:
    """Fresh databases with the empty table, and a pipeline between them that does not run yet."""

    postgres: Instance
    mysql: Instance
    sync: Pipeline

    @property
    def source_url(self) -> str:
        """The source, as psycopg takes it."""
        return self.postgres.url(DATABASE)

    def source(self) -> psycopg.Connection:
        """A new connection to the source."""
        return psycopg.connect(self.source_url, autocommit=True)

    def target(self) -> pymysql.connections.Connection:
        """A new connection to the target."""
        return pymysql.connect(
            host=self.mysql.host,
            port=self.mysql.port,
            user=self.mysql.user,
            password=self.mysql.password,
            database=DATABASE,
            autocommit=True,
        )

    def fill(self, first: int, last: int) -> None:
        """Insert rows in one transaction."""
        with self.source() as connection:
            connection.execute(INSERT.format(first=first, last=last))

    def settle(self) -> None:
        """Let the source write its dirty pages now, so that they do not disturb what is measured."""
        with self.source() as connection:
            connection.execute("VACUUM ANALYZE bench")
            connection.execute("CHECKPOINT")

    def wait_for_row(self, row: int, seconds: float) -> float:
        """Wait until the target shows a row; the moment at which it did.

        Raises:
            RuntimeError: the service ended, or the row did not come.
        """
        deadline = time.perf_counter() + seconds
        with self.target() as connection, connection.cursor() as cursor:
            while time.perf_counter() < deadline:
                with suppress_missing_table():
                    cursor.execute("SELECT 1 FROM bench WHERE id = %s", [row])
                    if cursor.fetchone():
                        return time.perf_counter()
                if not self.sync.running():
                    raise RuntimeError(f"the pipeline ended:\n{self.sync.output[-3000:]}")
                time.sleep(0.01)
        raise RuntimeError(f"row {row} did not arrive:\n{self.sync.output[-3000:]}")

    def check_equal(self) -> int:
        """Compare count and sums of both sides; the number of rows.

        Raises:
            RuntimeError: they differ; a figure for wrong rows is worth nothing.
        """
        sums = "SELECT count(*), sum(id), sum(amount), sum(length(note)), count(updated_at) FROM bench"
        with self.source() as source, self.target() as target, target.cursor() as cursor:
            ours = source.execute(sums).fetchone()
            cursor.execute(sums)
            theirs = cursor.fetchone()
        if ours is None or theirs is None or [str(v) for v in ours] != [str(v) for v in theirs]:
            raise RuntimeError(f"the sides differ: {ours} in Postgres, {theirs} in MySQL")
        return int(ours[0])


def embedded(postgres: Instance, mysql: Instance, name: str) -> Pipeline:
    """`replicator sync`, with the REST interface, as it runs by default."""
    only = ["--tables", "public.bench"]
    source, target = postgres.url(DATABASE), mysql.url(DATABASE)
    return service.Sync(source, target, f"bench_{name}", FOLDER, port=None, options=only)


@contextmanager
def fresh(site: Site, part: str) -> Iterator[Bench]:
    """Databases and pipeline for one measurement; everything is removed afterwards."""
    postgres, mysql = site.postgres, site.mysql
    sync = site.pipeline(postgres, mysql, part)
    bench = Bench(postgres, mysql, sync)
    _drop(bench)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    with _admin(mysql) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    with bench.source() as connection:
        connection.execute(_TABLE)
    try:
        yield bench
    finally:
        sync.stop()
        _drop(bench)
        shutil.rmtree(FOLDER, ignore_errors=True)


@contextmanager
def suppress_missing_table() -> Iterator[None]:
    """The target's table is created by the service: until then there is none."""
    try:
        yield
    except pymysql.err.ProgrammingError as error:
        if error.args[0] != NO_SUCH_TABLE:
            raise


def _drop(bench: Bench) -> None:
    with psycopg.connect(bench.postgres.url("postgres"), autocommit=True) as connection:
        slots = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s"
        with suppress(psycopg.errors.ObjectInUse):
            connection.execute(slots, [DATABASE])
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    with _admin(bench.mysql) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")


def _admin(mysql: Instance) -> pymysql.connections.Connection:
    return pymysql.connect(
        host=mysql.host, port=mysql.port, user=mysql.user, password=mysql.password, autocommit=True
    )
