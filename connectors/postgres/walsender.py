"""The replication protocol over one connection: slots, START_REPLICATION, messages, status feedback.

Owned by the reader thread. Nothing here knows what a message means. Status messages confirm only what the
caller says is durable (INV-2); they are sent also while nothing is read, because the server drops a reader
that is silent for wal_sender_timeout (C5).
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import pq, sql

from connectors.postgres.connection import PlainConnection, server_version
from connectors.postgres.errors import by_state, translated
from replicator.api import ConfigError, ConnectError, RetriableError

_FEEDBACK: Final = struct.Struct("!cQQQQB")
_POSTGRES_EPOCH_US: Final = 946_684_800_000_000
_WITH_MESSAGES: Final = 140000
_WITH_FAILOVER: Final = 170000
_WAIT_STEP: Final = 0.25

_END_OF_COPY: Final = -1


@dataclass(frozen=True, slots=True)
class System:
    """Answer of IDENTIFY_SYSTEM."""

    identifier: str
    timeline: int
    position: int


@dataclass(frozen=True, slots=True)
class CreatedSlot:
    """A new slot: everything committed before `point` is in `snapshot`, everything later in the stream."""

    name: str
    point: int
    snapshot: str | None


def parse_lsn(text: str) -> int:
    """`16/B374D848` as an integer."""
    high, low = text.split("/")
    return (int(high, 16) << 32) | int(low, 16)


def format_lsn(lsn: int) -> str:
    """An integer as `16/B374D848`."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


class WalSender:
    """One replication connection."""

    def __init__(self, connection: PlainConnection) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self.get: Callable[[int], tuple[int, memoryview]] = self._pg.get_copy_data
        self.backend_pid = connection.info.backend_pid
        self._sent_flush = 0
        self._last_feedback = 0.0

    def identify(self) -> System:
        """IDENTIFY_SYSTEM."""
        result = self._command("IDENTIFY_SYSTEM", "identifying the system")
        return System(_cell(result, 0), int(_cell(result, 1)), parse_lsn(_cell(result, 2)))

    def create_slot(
        self,
        name: str,
        *,
        temporary: bool = False,
        export: bool = True,
        failover: bool = False,
        on_wait: Callable[[], None] | None = None,
    ) -> CreatedSlot:
        """Create a logical slot; `on_wait` runs while the server waits for old transactions and may raise.

        With `export` the snapshot lives until the next command on this connection, or its end.
        """
        quoted = sql.Identifier(name).as_string(self._connection)
        kind = " TEMPORARY" if temporary else ""
        if failover and server_version(self._connection) >= _WITH_FAILOVER:
            tail = f" LOGICAL pgoutput (SNAPSHOT '{'export' if export else 'nothing'}', FAILOVER)"
        else:
            tail = f" LOGICAL pgoutput {'EXPORT' if export else 'NOEXPORT'}_SNAPSHOT"
        result = self._command(
            f"CREATE_REPLICATION_SLOT {quoted}{kind}{tail}", f"creating slot {name}", on_wait
        )
        snapshot = _cell(result, 2) if export else None
        return CreatedSlot(name, parse_lsn(_cell(result, 1)), snapshot)

    def start(self, slot: str, position: int, publications: list[str], extra: dict[str, str]) -> None:
        """START_REPLICATION from `position` (the server starts at the slot's own position if that is later)."""
        options = {"proto_version": "1", "publication_names": ",".join(_quote_name(p) for p in publications)}
        if server_version(self._connection) >= _WITH_MESSAGES:
            options["messages"] = "true"
        options.update(extra)
        text = ", ".join(f"{sql.Identifier(k).as_string()} {sql.quote(v)}" for k, v in options.items())
        quoted = sql.Identifier(slot).as_string(self._connection)
        command = f"START_REPLICATION SLOT {quoted} LOGICAL {format_lsn(position)} ({text})"
        self._command(command, f"starting replication from slot {slot}", expect=pq.ExecStatus.COPY_BOTH)
        self._pg.nonblocking = 1

    def wait(self, timeout: float) -> None:
        """Wait for input and take it in; returns after `timeout` seconds at the latest."""
        with translated("reading the log"):
            readable, _, _ = select.select([self._pg.socket], [], [], timeout)
            if readable:
                self._pg.consume_input()

    def ended(self) -> ConnectError:
        """Why the server ended the stream; call when a read gives -1."""
        with translated("reading the log"):
            result = self._pg.get_result()
        if result is not None and result.status == pq.ExecStatus.FATAL_ERROR:
            return _failure(result, "reading the log")
        return RetriableError("The server ended the replication stream.")

    def feedback(self, received: int, durable: int) -> None:
        """Tell the server what arrived and what may be discarded; never moves backwards."""
        self._sent_flush = max(self._sent_flush, durable)
        now = int(time.time() * 1_000_000) - _POSTGRES_EPOCH_US
        message = _FEEDBACK.pack(
            b"r", max(received, self._sent_flush), self._sent_flush, self._sent_flush, now, 0
        )
        with translated("sending status to the server"):
            self._pg.put_copy_data(message)
            self._flush()
        self._last_feedback = time.monotonic()

    @property
    def feedback_age(self) -> float:
        """Seconds since the last status message."""
        return time.monotonic() - self._last_feedback

    @property
    def confirmed(self) -> int:
        """The highest position told to the server as durable in this session."""
        return self._sent_flush

    def close(self) -> None:
        """End the connection; a snapshot it exported and its temporary slots go with it."""
        self._connection.close()

    def _flush(self) -> None:
        # A full socket buffer means that the server does not read: it sees our silence, and we see its end.
        deadline = time.monotonic() + 5
        while self._pg.flush() == 1 and time.monotonic() < deadline:
            select.select([self._pg.socket], [self._pg.socket], [], _WAIT_STEP)
            self._pg.consume_input()

    def _command(
        self,
        command: str,
        doing: str,
        on_wait: Callable[[], None] | None = None,
        expect: pq.ExecStatus = pq.ExecStatus.TUPLES_OK,
    ) -> pq.abc.PGresult:
        with translated(doing):
            self._pg.send_query(command.encode())
            result = self._result(on_wait)
            if result.status == pq.ExecStatus.FATAL_ERROR:
                self._drain()
                raise _failure(result, doing)
            if result.status != expect and result.status != pq.ExecStatus.COMMAND_OK:
                raise ConnectError(f"Unexpected answer {result.status} (while {doing})")
            if expect is not pq.ExecStatus.COPY_BOTH:
                self._drain()
        return result

    def _result(self, on_wait: Callable[[], None] | None) -> pq.abc.PGresult:
        while self._pg.is_busy():
            readable, _, _ = select.select([self._pg.socket], [], [], _WAIT_STEP)
            if readable:
                self._pg.consume_input()
            elif on_wait is not None:
                on_wait()
        result = self._pg.get_result()
        if result is None:
            raise psycopg.OperationalError("the server sent no answer")
        return result

    def _drain(self) -> None:
        while self._pg.get_result() is not None:
            continue


def _cell(result: pq.abc.PGresult, column: int) -> str:
    value = result.get_value(0, column)
    return value.decode() if value is not None else ""


def _failure(result: pq.abc.PGresult, doing: str) -> ConnectError:
    state = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
    message = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"unknown error"
    return by_state(state.decode(), message.decode("utf-8", "replace"), doing)


def _quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def stream_parameters(text: str | None) -> dict[str, str]:
    """The further parameters of START_REPLICATION in slot.stream.params.

    Raises:
        ConfigError: an entry has another form than name=value.
    """
    parameters = {}
    for part in (text or "").split(";"):
        if part.strip():
            name, equals, value = part.partition("=")
            if not equals:
                raise ConfigError(
                    f"Invalid entry {part!r} in slot.stream.params: expected name=value.",
                    option="slot.stream.params",
                )
            parameters[name.strip()] = value.strip()
    return parameters
