"""When the former reader of a slot is ended."""

from __future__ import annotations

from typing import Any

from connectors.postgres.silent_reader import SilentReader
from connectors.postgres.slot import Slot

SLOT = Slot("s", "pgoutput", "d", 7, 0, 0, "reserved", "")
FREE = Slot("s", "pgoutput", "d", None, 0, 0, "reserved", "")


class Server:
    """Answers with the last status of the slot's reader; None: it is not one of ours."""

    def __init__(self) -> None:
        self.status: tuple[str | None] | None = ("10:00",)
        self.ended: list[int] = []
        self.now = 100.0
        self.reader = SilentReader(
            {"status.update.interval.ms": 10_000}, "replicator reader", lambda: self.now
        )

    def execute(self, sql: str, parameters: list[Any]) -> Server:
        if "pg_terminate_backend" in sql:
            self.ended += parameters
        else:
            assert parameters == [7, "replicator reader"]
        return self

    def fetchone(self) -> tuple[str | None] | None:
        return self.status

    def look(self, after: float, slot: Slot | None = SLOT) -> bool:
        self.now += after
        connection: Any = self
        return self.reader.end(connection, slot)


def test_a_reader_without_a_new_status_is_ended() -> None:
    server = Server()
    assert [server.look(after) for after in (0, 6, 6)] == [False, False, False]
    assert server.look(1)
    assert server.ended == [7]
    assert not server.look(1)  # the next one has its own time


def test_a_reader_that_tells_its_status_is_left_alone() -> None:
    server = Server()
    for minute in range(20):
        server.status = (f"10:{minute:02}",)
        assert not server.look(10)
    assert server.ended == []


def test_readers_of_others_are_left_alone() -> None:
    server = Server()
    server.status = None
    assert not any(server.look(20) for _ in range(5))
    assert server.ended == []


def test_a_free_slot_starts_the_time_anew() -> None:
    server = Server()
    server.look(0)
    assert not server.look(20, FREE)
    assert not server.look(20)
    assert not server.look(5)
    assert server.look(20)
