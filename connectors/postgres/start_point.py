"""Where one session begins: the slot against the stored position, a new slot, snapshots for copies (C2, C3, D4).

Owned by the reader thread; made for one session.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final

from connectors.postgres import slot
from connectors.postgres.connection import Connector, PlainConnection
from connectors.postgres.planning import void
from connectors.postgres.position import CopyState, Position, SlotIdentity
from connectors.postgres.session_connections import Connections
from connectors.postgres.status import Status
from connectors.postgres.walsender import CreatedSlot, System, WalSender
from replicator.api import ConnectError, PositionLostError, RetriableError

log = logging.getLogger(__name__)

_DROP_ATTEMPTS: Final = 5
_DROP_WAIT: Final = 0.2
_TEMPORARY_SLOT: Final = "replicator_copy_{}"


class StartPoint:
    """Finds or makes the slot and the position that a session begins with."""

    def __init__(
        self,
        options: Mapping[str, Any],
        status: Status,
        connections: Connections,
        side: PlainConnection,
        system: System,
        check_stop: Callable[[], None],
        pause: Callable[[float], None],
    ) -> None:
        self._options = options
        self._status = status
        self._connections = connections
        self._side = side
        self._system = system
        self._check_stop = check_stop
        self._pause = pause
        self._mode: str = options["snapshot.mode"]
        self._name: str = options["slot.name"]
        self._slot: slot.Slot | None = None
        self._exported: tuple[CreatedSlot, WalSender] | None = None

    @property
    def slot_exists(self) -> bool:
        """Whether the slot was there before this session."""
        return self._slot is not None

    def checked(self, found: slot.Slot | None, stored: Position | None) -> Position | None:
        """The stored position, if the slot still has the log behind it.

        Raises:
            ConfigError: the slot is not ours.
            PositionLostError: log is missing, and the mode does not allow to copy again.
        """
        self._slot = found
        if self._slot is not None:
            slot.check_kind(self._slot, self._options["database.dbname"])
        if stored is None or self._mode == "initial_only":
            return stored
        strategy = self._options["offset.mismatch.strategy"]
        try:
            return slot.check_position(self._slot, self._name, self._system, stored, strategy)
        except PositionLostError as lost:
            if self._mode != "when_needed":
                raise
            log.warning("Copying again, because snapshot.mode is when_needed: %s", lost)
        slot.drop(self._side, self._name)
        self._slot = None
        return void(stored, stored.copy.tables).moved(floor=0, commit=0, ordinal=-1, identity=None)

    def fresh(self, copy: CopyState) -> Position:
        """The first position of a new slot (or of one that was made for us)."""
        if self._mode == "initial_only":
            return self._at(self._system.position, "", copy, copying=True)
        exported = self._mode != "no_data"
        if self._slot is not None and not exported:
            point = self._slot.confirmed
        elif self._slot is not None:
            # An older slot: rows come from a copy of now, the stream goes on from there.
            point = self._export(_temporary(), temporary=True)
        elif exported:
            point = self._export(self._name, temporary=False)
        else:
            holder = self._connections.sender("snapshot")
            point = self._create(holder, self._name, temporary=False, export=False).point
        return self._at(point, self._name, copy, copying=exported)

    def identity(self, position: Position) -> SlotIdentity:
        """For somebody else's offset: its log is this slot's from here on."""
        return self._identity(self._name, self._slot.confirmed if self._slot is not None else position.floor)

    def snapshot(self, connections: Connections) -> CreatedSlot:
        """A snapshot to copy under, while `connections` last: the new slot's, or a temporary one's."""
        if self._exported is None:
            holder = connections.sender("snapshot")
            return self._create(holder, _temporary(), temporary=True, export=True)
        (created, holder), self._exported = self._exported, None
        connections.closing(holder)
        return created

    def _at(self, point: int, name: str, copy: CopyState, *, copying: bool) -> Position:
        return Position(point, identity=self._identity(name, point), copy=copy, copying=copying)

    def _identity(self, name: str, point: int) -> SlotIdentity:
        return SlotIdentity(self._system.identifier, self._system.timeline, name, point)

    def _export(self, name: str, *, temporary: bool) -> int:
        holder = self._connections.sender("snapshot")
        created = self._create(holder, name, temporary=temporary, export=True)
        self._exported = (created, holder)
        return created.point

    def _create(self, holder: WalSender, name: str, *, temporary: bool, export: bool) -> CreatedSlot:
        maker = slot.SlotMaker(
            self._side,
            self._options,
            lambda sentence: self._status.warn("slot", [sentence] if sentence else []),
            self._check_stop,
        )
        self._status.facts(phase="creating slot", now=True)
        for attempt in range(self._options["slot.max.retries"] + 1):
            try:
                return maker.create(holder, name, temporary=temporary, export=export)
            except RetriableError as error:
                log.warning("Attempt %d to create slot %s: %s", attempt + 1, name, error)
                if attempt == self._options["slot.max.retries"]:
                    raise ConnectError(error.message, hint=error.hint) from error
            self._pause(self._options["slot.retry.delay.ms"] / 1000)
        raise AssertionError("unreachable")


def _temporary() -> str:
    return _TEMPORARY_SLOT.format(time.time_ns())


def drop_slot(connector: Connector, name: str) -> None:
    """The user wants no slot left behind; what comes after the stop is then lost."""
    for _ in range(_DROP_ATTEMPTS):
        try:
            with closing(connector.plain("drop slot")) as connection:
                slot.drop(connection, name)
            return
        except RetriableError as error:
            log.warning("Slot %s cannot be dropped yet: %s", name, error)
            time.sleep(_DROP_WAIT)
