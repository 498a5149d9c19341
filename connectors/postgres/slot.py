"""The replication slot: what state it is in, whether it still holds our position, how it is created.

Owned by the reader thread. A slot that is missing, was recreated, was moved by a stranger, or lost log stops the
task and says what is missing; nothing is ever skipped silently (D4).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated
from connectors.postgres.position import Position
from connectors.postgres.walsender import CreatedSlot, System, WalSender, format_lsn, parse_lsn
from replicator.api import ConfigError, PositionLostError, RetriableError

log = logging.getLogger(__name__)

_BLOCKERS: Final = """
SELECT b.pid, a.usename, a.application_name, a.state, a.xact_start::text, left(a.query, 80)
  FROM unnest(pg_blocking_pids(%s)) AS b(pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid
"""
_NAME_AFTER: Final = 1.0
_AGAIN_AFTER: Final = 5.0
_NEW_COPY: Final = (
    "What changed in between cannot be read any more. Make a new copy: delete the connector's offsets and drop the "
    "slot, then start again (or set snapshot.mode=when_needed)."
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A row of pg_replication_slots."""

    name: str
    plugin: str
    database: str
    active_pid: int | None
    restart: int
    confirmed: int
    wal_status: str
    invalidation: str

    @property
    def usable(self) -> bool:
        """Whether the log it needs is still there."""
        return self.wal_status != "lost" and not self.invalidation


def read(connection: PlainConnection, name: str) -> Slot | None:
    """The slot, or None."""
    query = "SELECT to_jsonb(s) FROM pg_replication_slots s WHERE slot_name = %s"
    with translated("reading replication slots"):
        row = connection.execute(query, [name]).fetchone()
    return _slot(row[0]) if row is not None else None


def _slot(row: Mapping[str, Any]) -> Slot:
    invalidation = row.get("invalidation_reason") or ("conflicting" if row.get("conflicting") else "")
    return Slot(
        name=row["slot_name"],
        plugin=row.get("plugin") or "",
        database=row.get("database") or "",
        active_pid=row.get("active_pid"),
        restart=parse_lsn(row.get("restart_lsn") or "0/0"),
        confirmed=parse_lsn(row.get("confirmed_flush_lsn") or "0/0"),
        wal_status=row.get("wal_status") or "",
        invalidation=invalidation,
    )


def check_kind(slot: Slot, database: str) -> None:
    """Refuse a slot of another plugin or database.

    Raises:
        ConfigError: it is not ours.
    """
    if slot.plugin != "pgoutput" or slot.database != database:
        raise ConfigError(
            f'Slot "{slot.name}" belongs to plugin {slot.plugin or "none (physical)"} in database '
            f"{slot.database or 'none'}, not to pgoutput in {database}.",
            option="slot.name",
            hint="Choose another slot.name.",
        )


def check_position(
    slot: Slot | None, name: str, system: System, position: Position, strategy: str
) -> Position:
    """The position to go on from: the stored one, unless the user's strategy moves it.

    Raises:
        PositionLostError: the log after the stored position is not (surely) all there.
    """
    at = format_lsn(position.floor)
    identity = position.identity
    if identity is not None and identity.system != system.identifier:
        raise PositionLostError(
            f"The stored position {at} belongs to the server with system identifier {identity.system}, but this "
            f"server is {system.identifier}: another cluster, or one restored by initdb or dump.",
            hint=_NEW_COPY,
        )
    if slot is None:
        raise PositionLostError(
            f'Slot "{name}" does not exist, so the log after the stored position {at} is no longer available on '
            f"the server.",
            hint=_NEW_COPY,
        )
    if not slot.usable:
        reason = slot.invalidation or "max_slot_wal_keep_size was exceeded"
        raise PositionLostError(
            f'Slot "{name}" was invalidated ({reason}): the log after the stored position {at} is no longer '
            f"available on the server.",
            hint=_NEW_COPY,
        )
    return _against_confirmed(slot, position, strategy)


def _against_confirmed(slot: Slot, position: Position, strategy: str) -> Position:
    if slot.confirmed <= position.floor:
        return position
    if strategy in ("trust_slot", "trust_greater_lsn", "no_validation"):
        log.warning(
            "Slot %s is ahead of the stored position: changes between %s and %s are skipped because "
            "offset.mismatch.strategy=%s",
            slot.name, format_lsn(position.floor), format_lsn(slot.confirmed), strategy,
        )  # fmt: skip
        return position.moved(floor=slot.confirmed)
    raise PositionLostError(
        f'Slot "{slot.name}" is at {format_lsn(slot.confirmed)}, ahead of the stored position '
        f"{format_lsn(position.floor)}: it was recreated, or another reader used it. The changes between the two "
        f"are no longer available on the server.",
        hint=_NEW_COPY,
    )


def drop(connection: PlainConnection, name: str) -> None:
    """Drop the slot if it exists."""
    query = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s"
    with translated(f"dropping slot {name}"):
        connection.execute(query, [name])


class SlotMaker:
    """Creates slots; names whoever keeps the server waiting (C3)."""

    def __init__(
        self,
        watch: PlainConnection,
        options: Mapping[str, Any],
        warn: Callable[[str | None], None],
        check_stop: Callable[[], None],
    ) -> None:
        self._watch = watch
        self._timeout = options["create.slot.command.timeout"] / 1000
        self._failover: bool = options["slot.failover"]
        self._warn = warn
        self._check_stop = check_stop

    def create(self, sender: WalSender, name: str, *, temporary: bool, export: bool) -> CreatedSlot:
        """Create a slot on the sender's connection.

        Raises:
            RetriableError: transactions older than the slot did not end in time; names them.
        """
        wait = _Wait(self, sender)
        try:
            return sender.create_slot(
                name,
                temporary=temporary,
                export=export,
                failover=self._failover and not temporary,
                on_wait=wait,
            )
        finally:
            if wait.named:
                self._warn(None)

    def blockers(self, pid: int) -> str:
        """The sessions a backend waits for, in words."""
        with translated("looking for old transactions"):
            rows = self._watch.execute(_BLOCKERS, [pid]).fetchall()
        named = [
            f"pid {r[0]} (user {r[1]}, application {r[2]!r}, {r[3]}, transaction since {r[4]}, {r[5]!r})"
            if r[1] is not None
            else f"pid {r[0]} (a prepared transaction: see pg_prepared_xacts)"
            for r in rows
        ]
        return ", ".join(named)

    def give_up(self, sender: WalSender) -> None:
        """Cancel the command: closing alone would leave the half-made slot waiting on the server."""
        with translated("cancelling the slot's creation"):
            self._watch.execute("SELECT pg_cancel_backend(%s)", [sender.backend_pid])


class _Wait:
    """Called while CREATE_REPLICATION_SLOT waits."""

    def __init__(self, maker: SlotMaker, sender: WalSender) -> None:
        self._maker = maker
        self._sender = sender
        self._started = self._looked = time.monotonic()
        self.named = False

    def __call__(self) -> None:
        now = time.monotonic()
        try:
            self._maker._check_stop()
        except Exception:
            self._maker.give_up(self._sender)
            raise
        pause = _AGAIN_AFTER if self.named else _NAME_AFTER
        timed_out = now - self._started > self._maker._timeout
        if now - self._looked < pause and not timed_out:
            return
        self._looked = now
        who = self._maker.blockers(self._sender.backend_pid)
        sentence = f"The new replication slot waits for older transactions to end: {who or 'not known'}."
        if timed_out:
            self._maker.give_up(self._sender)
            raise RetriableError(sentence, hint="End them, for example with pg_terminate_backend(pid).")
        if who:
            log.warning("%s", sentence)
            self._maker._warn(sentence)
            self.named = True
