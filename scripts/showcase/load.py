"""The demo's load: pgbench's TPC-B, a shop's everyday writes, and schema changes in the middle of them."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

SCHEMA_CHANGES = (
    "ALTER TABLE customers ADD COLUMN phone varchar(30)",
    "ALTER TABLE products ALTER COLUMN stock TYPE bigint",
    "ALTER TABLE orders ADD COLUMN weight numeric(8, 3)",
    "ALTER TABLE orders ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR'",
    "ALTER TABLE products ALTER COLUMN title TYPE varchar(160)",
    "CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    "ALTER TABLE order_items ALTER COLUMN price TYPE numeric(14, 2)",
)
_WRITES_PER_SECOND = 60


class Pgbench:
    """pgbench's own tables and its own load, in a child process."""

    def __init__(self, url: str, log: Path, rate: int = 60) -> None:
        """Nothing is started."""
        self._url = url
        self._log = log
        self._rate = rate
        self._child: subprocess.Popen[bytes] | None = None

    def create_tables(self) -> None:
        """One branch: 100,000 accounts. pgbench_history has no key and stays so."""
        subprocess.run(
            [_program("pgbench"), "-i", "-q", "-s", "1", self._url], check=True, capture_output=True
        )

    def start(self) -> None:
        """Run until stopped; -n, because pgbench would empty its history first."""
        words = ["-n", "-c", "2", "-R", str(self._rate), "-T", "86400", self._url]
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                [_program("pgbench"), *words], stdout=log, stderr=log, start_new_session=True
            )

    def stop(self) -> None:
        """End it; what was not committed is rolled back."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait(20)
        self._child = None

    def failure(self) -> str | None:
        """Its last words when it ended by itself."""
        if self._child is None or self._child.poll() is None:
            return None
        return f"pgbench ended with {self._child.returncode}: {self._log.read_text()[-400:]}"


class Shop(threading.Thread):
    """A thread that behaves like a shop; between two transactions it changes the schema when told to."""

    def __init__(self, url: str, changed: Callable[[str], None], seconds_between_changes: float) -> None:
        """Nothing is started; `changed` is called with every schema change made."""
        super().__init__(name="shop", daemon=True)
        self.transactions = 0
        self.error: Exception | None = None
        self._url = url
        self._changed = changed
        self._every = seconds_between_changes
        self._stop_asked = threading.Event()
        self._random = random.Random(7)
        self._made: set[str] = set()

    def stop(self) -> None:
        """Finish the current transaction and end."""
        self._stop_asked.set()
        self.join(20)

    def run(self) -> None:
        """The thread's body."""
        try:
            with psycopg.connect(self._url) as connection:
                self._work(connection)
        except Exception as error:  # noqa: BLE001 - reported by the demo's main thread
            self.error = error

    def _work(self, connection: psycopg.Connection) -> None:
        skus = [row[0] for row in connection.execute("SELECT sku FROM products ORDER BY sku LIMIT 500")]
        changes = list(SCHEMA_CHANGES)
        steps = (self._order, self._order, self._pay, self._reprice, self._edit, self._event, self._cancel)
        started = time.monotonic()
        next_change = started + self._every
        while not self._stop_asked.is_set():
            if changes and time.monotonic() > next_change:
                self._change_schema(connection, changes.pop(0))
                next_change += self._every
            self._random.choice(steps)(connection, skus)
            connection.commit()
            self.transactions += 1
            pause = started + self.transactions / _WRITES_PER_SECOND - time.monotonic()
            if pause > 0:
                self._stop_asked.wait(pause)

    def _change_schema(self, connection: psycopg.Connection, statement: str) -> None:
        # As a careful application would: wait for locks a little, and try again later.
        connection.execute("SET lock_timeout = '2s'")
        try:
            connection.execute(statement)
            connection.commit()
            self._made.add(statement)
            self._changed(statement)
        except psycopg.errors.LockNotAvailable:
            connection.rollback()
        connection.execute("SET lock_timeout = 0")

    def _order(self, connection: psycopg.Connection, skus: list[str]) -> None:
        pick = self._random
        row = connection.execute(
            "INSERT INTO orders (customer_id, total, note) VALUES (%s, %s, %s) RETURNING id",
            [
                pick.randint(1, 20000),
                pick.randint(100, 90000) / 100,
                "ring twice 🔔" if pick.random() < 0.2 else None,
            ],
        ).fetchone()
        assert row is not None
        lines = [
            (row[0], line, pick.choice(skus), pick.randint(1, 5), pick.randint(100, 9000) / 100)
            for line in range(1, pick.randint(2, 6))
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO order_items (order_id, line, sku, quantity, price) VALUES (%s, %s, %s, %s, %s)",
                lines,
            )
            cursor.executemany(
                "UPDATE products SET stock = stock - 1, updated_at = clock_timestamp() WHERE sku = %s",
                sorted((line[2],) for line in lines),
            )
        connection.execute(
            "INSERT INTO audit (actor, action, client) VALUES ('shop', %s, '192.168.7.1/24')",
            [f"order {row[0]}"],
        )

    def _pay(self, connection: psycopg.Connection, skus: list[str]) -> None:
        first = self._random.randint(1, 29000)
        connection.execute(
            "UPDATE orders SET status = 'paid' WHERE id BETWEEN %s AND %s", [first, first + 20]
        )

    def _reprice(self, connection: psycopg.Connection, skus: list[str]) -> None:
        # Large pictures stay: the log does not hold an unchanged value that is stored out of line.
        connection.execute(
            "UPDATE products SET weight_kg = random() * 10, price = price + 0.01 WHERE sku = %s",
            [self._random.choice(skus)],
        )

    def _edit(self, connection: psycopg.Connection, skus: list[str]) -> None:
        customer = self._random.randint(1, 20000)
        connection.execute(
            "UPDATE customers SET settings = settings || jsonb_build_object('seen', %s::int),"
            " tags = tags || 'edited'::text WHERE id = %s",
            [self.transactions, customer],
        )
        if SCHEMA_CHANGES[0] in self._made:
            connection.execute("UPDATE customers SET phone = '+49 30 1' || id WHERE id = %s", [customer])

    def _event(self, connection: psycopg.Connection, skus: list[str]) -> None:
        connection.execute(
            "INSERT INTO events (day, kind, payload) SELECT date '2026-03-01' + (random() * 99)::int, 'view',"
            " jsonb_build_object('sku', %s::text, 'ms', random()) FROM generate_series(1, 10)",
            [str(self._random.choice(skus))],
        )

    def _cancel(self, connection: psycopg.Connection, skus: list[str]) -> None:
        connection.execute("DELETE FROM orders WHERE id = %s", [self._random.randint(1, 30000)])
        connection.execute(
            "DELETE FROM events WHERE (id, day) IN (SELECT id, day FROM events ORDER BY id LIMIT 3)"
        )


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else name
