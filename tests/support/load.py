"""Writes that show every lost and every repeated effect: counters, keyless appends, rows that come and go."""

from __future__ import annotations

import random
import threading
import time

import psycopg

from tests.support.fix_servers import Database

SCHEMA = (
    "CREATE TABLE counters (id int PRIMARY KEY, n bigint NOT NULL)",
    "INSERT INTO counters SELECT i, 0 FROM generate_series(1, 20) i",
    "CREATE TABLE appended (writer int NOT NULL, number bigint NOT NULL)",
    "CREATE TABLE items (id bigint PRIMARY KEY, note text, seen int NOT NULL DEFAULT 0, big text)",
    "INSERT INTO items SELECT i, 'item ' || i, 0, repeat(md5(i::text), 100) FROM generate_series(1, 3000) i",
    "INSERT INTO appended SELECT 0, i FROM generate_series(1, 2000) i",
)
TABLES = ("counters", "appended", "items")


class Load(threading.Thread):
    """One writer; survives the loss of its server."""

    def __init__(self, database: Database, number: int = 1, rate: float = 150) -> None:
        super().__init__(name=f"load-{number}", daemon=True)
        self.transactions = 0
        self.errors: list[str] = []
        self._database = database
        self._number = number
        self._rate = rate
        self._random = random.Random(number)
        self._ended = threading.Event()
        self._following = number * 1_000_000_000

    def __enter__(self) -> Load:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._ended.set()
        self.join(30)

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                with psycopg.connect(self._database.url, connect_timeout=5) as connection:
                    self._work(connection)
            except psycopg.OperationalError as error:
                self.errors.append(str(error))
                self._ended.wait(0.3)

    def _work(self, connection: psycopg.Connection) -> None:
        while not self._ended.is_set():
            self._transaction(connection)
            if self._random.random() < 0.1:
                connection.rollback()
            else:
                connection.commit()
            self.transactions += 1
            self._ended.wait(1 / self._rate)

    def _transaction(self, connection: psycopg.Connection) -> None:
        pick = self._random
        for counter in sorted(pick.sample(range(1, 21), pick.randint(1, 3))):
            connection.execute("UPDATE counters SET n = n + 1 WHERE id = %s", [counter])
        self._following += 1
        connection.execute("INSERT INTO appended VALUES (%s, %s)", [self._number, self._following])
        kind = pick.random()
        if kind < 0.4:
            connection.execute("INSERT INTO items (id, note) VALUES (%s, 'new')", [self._following])
        elif kind < 0.8:
            connection.execute("UPDATE items SET seen = seen + 1 WHERE id = %s", [pick.randint(1, 3000)])
        elif kind < 0.9:
            connection.execute("DELETE FROM items WHERE id = %s", [pick.randint(1, 3000)])
        else:
            connection.execute(
                "UPDATE items SET note = note || '.', big = NULL WHERE id BETWEEN %s AND %s",
                [self._number * 40, self._number * 40 + 20],
            )


def assert_same(source: Database, target: Database) -> None:
    """Exact equality of the load's tables, read by plain queries: an oracle apart from `verify`."""
    for query in (
        "SELECT id, n FROM counters ORDER BY id",
        "SELECT writer, count(*), count(DISTINCT number), sum(number) FROM appended GROUP BY writer ORDER BY writer",
        "SELECT id, note, seen, big FROM items ORDER BY id",
    ):
        ours = [tuple(map(str, row)) for row in source.query(query)]
        theirs = [tuple(map(str, row)) for row in target.query(query)]
        assert theirs == ours, _first_difference(query, ours, theirs)


def wait_transactions(load: Load, more: int, seconds: float = 90) -> None:
    """Wait until the writer has made so many more transactions."""
    goal = load.transactions + more
    deadline = time.monotonic() + seconds
    while load.transactions < goal:
        assert time.monotonic() < deadline, f"the load stands still: {load.errors[-1:]}"
        time.sleep(0.02)


def _first_difference(query: str, ours: list[tuple[str, ...]], theirs: list[tuple[str, ...]]) -> str:
    left, right = sorted(set(ours) - set(theirs))[:3], sorted(set(theirs) - set(ours))[:3]
    return (
        f"{query}: {len(ours)} rows in Postgres, {len(theirs)} in MySQL; only here {left}, only there {right}"
    )
