"""The demo from beginning to end; leaves nothing behind but the servers that it was given."""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pymysql

from scripts import service
from scripts.devservers import Instance, ensure_running
from scripts.showcase import schema
from scripts.showcase.load import SCHEMA_CHANGES, Pgbench, Shop
from scripts.showcase.pulse import Pulse
from scripts.showcase.screen import Screen

DATABASE = "replicator_demo"
NAME = "demo"
FOLDER = Path(".dev/demo")
EVERYTHING_COPIED_WITHIN = 120
LAST_CHANGE_WITHIN = 120


class DemoFailed(Exception):
    """The demo cannot go on; the message says why."""


class Demo:
    """One run; the main thread's."""

    def __init__(self, seconds: int | None, screen: Screen) -> None:
        """Take the checkout's servers; nothing else happens yet."""
        self._seconds = seconds
        self._screen = screen
        self._postgres: Instance = ensure_running("postgres")
        self._mysql: Instance = ensure_running("mysql")
        source, target = self._postgres.url(DATABASE), self._mysql.url(DATABASE)
        self._sync = service.Sync(source, target, NAME, FOLDER, port=None)
        self._pgbench = Pgbench(source, FOLDER / "pgbench.log")
        self._shop = Shop(source, self._schema_changed, self._between_changes())
        self._pulse = Pulse(source, self._mysql, DATABASE)

    def run(self) -> int:
        """Show everything; the exit code."""
        try:
            with self._databases():
                try:
                    self._start()
                    self._watch()
                    return self._finish()
                finally:
                    self._end()
        except DemoFailed as reason:
            self._screen.bad(f"The demo failed: {reason}")
            return 1

    # --- the steps ---

    def _start(self) -> None:
        say = self._screen
        say.step("Filling Postgres: a shop, and pgbench's own tables")
        with psycopg.connect(self._postgres.url(DATABASE), autocommit=True) as connection:
            rows = schema.create(connection)
        self._pgbench.create_tables()
        say.note(f"{rows + 100_011:,} rows; audit and pgbench_history have no key, events is partitioned")
        say.step(
            "Starting the load: pgbench TPC-B, a shop that inserts, updates, deletes and alters its tables"
        )
        self._pgbench.start()
        self._shop.start()
        say.step("One command replicates it, here into an empty MySQL:")
        say.plain("    " + " ".join(["replicator", *self._sync.command()[1:]]))
        self._sync.start()

    def _watch(self) -> None:
        self._wait_until_copied()
        self._pulse.start()
        deadline = None if self._seconds is None else time.monotonic() + self._seconds
        if deadline is None:
            self._screen.step("Replicating; Ctrl-C stops the load and verifies")
        try:
            with self._pulse.reader() as reader:
                before = self._applied(reader)
                while deadline is None or time.monotonic() < deadline:
                    time.sleep(1)
                    now = self._applied(reader)
                    self._check()
                    self._status(now - before)
                    before = now
        except KeyboardInterrupt:
            self._screen.note("Ctrl-C: ending")

    def _wait_until_copied(self) -> None:
        began = time.monotonic()
        page = None
        shown = 0
        with self._pulse.reader() as reader:
            while self._pulse.seen(reader) < 0:
                self._check()
                if time.monotonic() - began > EVERYTHING_COPIED_WITHIN:
                    raise DemoFailed(f"the copy did not end:\n{self._sync.output[-2000:]}")
                if page is None and (port := self._sync.pipeline().get("port")):
                    page = f"http://127.0.0.1:{port}"
                    self._screen.step(f"Its page: {page}")
                if time.monotonic() - began > shown + 1:
                    shown += 1
                    self._screen.status(f"copying: {self._applied(reader):,} rows are in MySQL")
                time.sleep(0.05)
        self._screen.step(f"Copied while the load went on, {time.monotonic() - began:.1f} s after the start")

    def _finish(self) -> int:
        say = self._screen
        say.step("Stopping the load, waiting for the last change")
        self._check()
        self._shop.stop()
        self._pgbench.stop()
        self._pulse.stop()
        began = time.monotonic()
        if not self._pulse.last_beat_arrives(LAST_CHANGE_WITHIN):
            raise DemoFailed(f"the last change did not arrive:\n{self._sync.output[-2000:]}")
        used = self._sync.usage()
        say.note(f"there after {(time.monotonic() - began) * 1000:.0f} ms")
        say.note(
            f"replicator used {used.peak_mb:.0f} MB at most and {used.cpu_seconds:.1f} s of processor time"
        )
        say.step("Verifying every row of every table:  replicator verify SOURCE TARGET --name demo")
        outcome = self._sync.verify()
        say.plain(outcome.text.rstrip())
        if outcome.code != 0:
            say.bad(f"NOT EQUAL (exit code {outcome.code}); the service said:\n{self._sync.output[-3000:]}")
            return 1
        say.good("EQUAL: MySQL holds exactly what Postgres holds.")
        return 0

    def _end(self) -> None:
        """Whatever happened: nothing of the demo keeps running."""
        if self._shop.is_alive():
            self._shop.stop()
        self._pgbench.stop()
        if self._pulse.is_alive():
            self._pulse.stop()
        if not self._sync.data_dir.exists():
            return
        code = self._sync.stop()
        if code != 0:
            self._screen.bad(f"replicator sync ended with {code}:\n{self._sync.output[-2000:]}")
        outcome = self._sync.clean()
        if outcome.code != 0:
            self._screen.bad(f"replicator clean failed:\n{outcome.text}")

    # --- looking ---

    def _status(self, records: int) -> None:
        lag = self._pulse.lag_ms
        words = [
            f"{records:6,} changes/s applied",
            "lag     ?   " if lag is None else f"lag {lag:6.1f} ms",
            f"{self._shop.transactions:6,} shop transactions",
            *self._from_overview(),
        ]
        self._screen.status("   ".join(words))

    def _applied(self, reader: pymysql.connections.Connection) -> int:
        """Records that the target has taken so far, by its own ledger."""
        with suppress(pymysql.err.ProgrammingError), reader.cursor() as cursor:
            cursor.execute("SELECT COALESCE(SUM(next_offset), 0) FROM replicator_ledger")
            row = cursor.fetchone()
            return int(row[0]) if row else 0
        return 0

    def _from_overview(self) -> list[str]:
        try:
            overview = self._sync.get("/replicator/overview")
        except (OSError, urllib.error.URLError, json.JSONDecodeError):
            return []
        states = [str(task.get("state")) for task in _tasks(overview)]
        return [f"{states.count('RUNNING')}/{len(states)} tasks RUNNING"] if states else []

    def _check(self) -> None:
        if not self._sync.running():
            raise DemoFailed(f"replicator sync ended with {self._sync.wait()}:\n{self._sync.output[-3000:]}")
        for who in (self._shop, self._pulse):
            if who.error is not None:
                raise DemoFailed(f"{who.name}: {who.error}")
        trouble = self._pgbench.failure()
        if trouble:
            raise DemoFailed(trouble)

    def _schema_changed(self, statement: str) -> None:
        self._screen.note(f"schema change under load: {statement}")

    def _between_changes(self) -> float:
        return max(1.0, min(5.0, (self._seconds or 60) / (len(SCHEMA_CHANGES) + 1)))

    # --- databases ---

    @contextmanager
    def _databases(self) -> Iterator[None]:
        self._drop()
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        with psycopg.connect(self._postgres.url("postgres"), autocommit=True) as postgres:
            postgres.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        with self._admin() as mysql, mysql.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        try:
            yield
        finally:
            self._drop()
            shutil.rmtree(FOLDER, ignore_errors=True)

    def _drop(self) -> None:
        with psycopg.connect(self._postgres.url("postgres"), autocommit=True) as postgres:
            slots = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s"
            postgres.execute(f"{slots} AND NOT active", [DATABASE])
            postgres.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        with self._admin() as mysql, mysql.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")

    def _admin(self) -> pymysql.connections.Connection:
        server = self._mysql
        return pymysql.connect(
            host=server.host, port=server.port, user=server.user, password=server.password, autocommit=True
        )


def _tasks(node: object) -> Iterator[dict[str, object]]:
    """Every object under a "tasks" key, however deep."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "tasks" and isinstance(value, list):
                yield from (task for task in value if isinstance(task, dict))
            else:
                yield from _tasks(value)
    elif isinstance(node, list):
        for value in node:
            yield from _tasks(value)
