"""How far the target is behind, seen from outside: a row updated in the source, looked for in the target."""

from __future__ import annotations

import threading
import time

import psycopg
import pymysql

from scripts.devservers import Instance

_EVERY = 0.1


class Pulse(threading.Thread):
    """Beats ten times a second and notes when each beat shows up."""

    def __init__(self, source: str, target: Instance, database: str) -> None:
        """Nothing is started."""
        super().__init__(name="pulse", daemon=True)
        self.lag_ms: float | None = None
        self.error: Exception | None = None
        self._source = source
        self._target = target
        self._database = database
        self._stop_asked = threading.Event()
        self._sent: dict[int, float] = {}
        self._beat = 0

    def stop(self) -> None:
        """End the thread."""
        self._stop_asked.set()
        self.join(10)

    def run(self) -> None:
        """The thread's body."""
        try:
            with psycopg.connect(self._source, autocommit=True) as source, self.reader() as target:
                self._work(source, target)
        except Exception as error:  # noqa: BLE001 - reported by the demo's main thread
            self.error = error

    def reader(self) -> pymysql.connections.Connection:
        """A new connection to the target."""
        server = self._target
        account = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
        return pymysql.connect(database=self._database, autocommit=True, charset="utf8mb4", **account)  # type: ignore[arg-type]

    def seen(self, target: pymysql.connections.Connection) -> int:
        """The newest beat in the target; -1 before the table is there."""
        no_such_table = 1146
        try:
            with target.cursor() as cursor:
                cursor.execute("SELECT beat FROM pulse WHERE id = 1")
                row = cursor.fetchone()
        except pymysql.err.ProgrammingError as error:
            if error.args[0] != no_such_table:
                raise
            return -1
        return int(row[0]) if row else -1

    def last_beat_arrives(self, seconds: float) -> bool:
        """After the load ended: send one more beat and wait for it."""
        with psycopg.connect(self._source, autocommit=True) as source, self.reader() as target:
            self._send(source)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if self.seen(target) == self._beat:
                    return True
                time.sleep(0.05)
        return False

    def _work(self, source: psycopg.Connection, target: pymysql.connections.Connection) -> None:
        while not self._stop_asked.is_set():
            self._send(source)
            following = time.monotonic() + _EVERY
            while time.monotonic() < following:
                self._look(target)
                time.sleep(0.003)

    def _send(self, source: psycopg.Connection) -> None:
        self._beat += 1
        source.execute("UPDATE pulse SET beat = %s WHERE id = 1", [self._beat])
        self._sent[self._beat] = time.monotonic()

    def _look(self, target: pymysql.connections.Connection) -> None:
        seen = self.seen(target)
        if seen in self._sent:
            self.lag_ms = (time.monotonic() - self._sent[seen]) * 1000
            self._sent = {beat: at for beat, at in self._sent.items() if beat > seen}
        elif self._sent and seen < min(self._sent):
            waiting = (time.monotonic() - min(self._sent.values())) * 1000
            self.lag_ms = max(self.lag_ms or 0.0, waiting)
