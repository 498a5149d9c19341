"""Plays a workload to connectors and waits for them at the end of every step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from tests.differential.debezium.case import MARK, RESTART, Case, Workload
from tests.differential.debezium.message import Message
from tests.support.running_servers import Database

_PATIENCE = 90.0


class Reader(Protocol):
    """A connector, ours or Java's."""

    config: dict[str, str]

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def snapshot(self) -> list[Message]: ...

    def problem(self) -> str | None: ...


class Playing:
    """One performance."""

    def __init__(
        self, database: Database, workload: Workload, readers: Sequence[tuple[Case, Reader]]
    ) -> None:
        self._database = database
        self._workload = workload
        self._readers = list(readers)
        self._marks = 0
        self._seen: dict[int, int] = {id(reader): 0 for _, reader in self._readers}

    def run(self) -> dict[int, str | None]:
        """What became of each reader, by its number: None, or why it failed."""
        self._database.execute(*self._workload.setup)
        try:
            self._start()
            for step in self._workload.steps:
                if step == (RESTART,):
                    for _, reader in self._readers:
                        reader.stop()
                    self._start()
                else:
                    self._database.execute(*step)
                    self._mark()
            return {number: reader.problem() for number, (_, reader) in enumerate(self._readers)}
        finally:
            for _, reader in self._readers:
                reader.stop()

    def _start(self) -> None:
        for _, reader in self._readers:
            reader.start()
        for case, reader in self._readers:
            if case.ends_with_copy:
                self._wait(reader, lambda r: any(m.ends_copy for m in r.snapshot()), "the end of the copy")
            else:
                self._wait(reader, self._has_slot, "a slot")
        self._mark()

    def _has_slot(self, reader: Reader) -> bool:
        query = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND confirmed_flush_lsn IS NOT NULL"
        return bool(self._database.query(query, [reader.config["slot.name"]]))

    def _mark(self) -> None:
        self._marks += 1
        self._database.execute(f"SELECT pg_logical_emit_message(true, '{MARK}', '{self._marks}')")
        for case, reader in self._readers:
            if not case.ends_with_copy:
                self._wait(reader, self._is_marked, f"mark {self._marks}")

    def _is_marked(self, reader: Reader) -> bool:
        return len({m.mark for m in reader.snapshot()} - {None}) >= self._marks

    def _wait(self, reader: Reader, check, what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        pause, asked = 0.01, time.monotonic() + 1
        while not check(reader):
            if time.monotonic() > asked:
                asked = time.monotonic() + 1
                if reader.problem() is not None:
                    return
            if time.monotonic() > deadline:
                name = f"{type(reader).__name__} {reader.config['topic.prefix']}"
                raise AssertionError(f"{name}: no {what} within {_PATIENCE:g} s; {reader.problem()}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)
