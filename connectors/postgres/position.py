"""Where the reader stands: the stored offset, what to skip after a restart, and the lazy offset of a record.

Values are immutable and cross threads freely. The map holds Debezium's keys and ours:

- `lsn_commit` is the *floor*: every transaction whose commit record (BEGIN's `final_lsn`) lies before it was
  handed out whole. It is COMMIT's `end_lsn`, a keepalive's position when idle, or a copy's consistent point,
  and it is all that is ever acknowledged (C5, INV-2).
- `replicator_commit` and `replicator_ordinal` tell how far the transaction at or after the floor was handed out.

Ordinals count what the server sends, before any filter of ours: each row message, each table of a truncate and
each logical message is one step of `STEP`; the records one message becomes are numbered within the step. So
the numbers are the same in every run over the same slot, whatever options change in between.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from replicator.api import ConnectError

STEP: Final = 4
"""Ordinals of one message: a key change becomes up to three records."""

NONE_YET: Final = -1


class SlotIdentity(NamedTuple):
    """Which log a position belongs to (D4)."""

    system: str
    timeline: int
    slot: str
    point: int

    def text(self) -> str:
        """As stored."""
        return f"{self.system}:{self.timeline}:{self.slot}:{self.point}"

    def digest(self) -> str:
        """Short name for record headers; a promotion keeps it, a recreated slot does not."""
        return hashlib.sha256(f"{self.system}:{self.slot}:{self.point}".encode()).hexdigest()[:16]


def parse_identity(text: str) -> SlotIdentity:
    """The inverse of `SlotIdentity.text`."""
    system, timeline, slot, point = text.split(":")
    return SlotIdentity(system, int(timeline), slot, int(point))


@dataclass(frozen=True, slots=True)
class TableCopy:
    """How far the copy of one table came.

    Attributes:
        point: consistent point of its first chunk: older stream events of the table are skipped.
        done: whether every row was handed out.
        after: key texts of the last row of the last finished chunk.
        rows: rows handed out in finished chunks.
        files: the files the finished chunks were read from, as text.
        bare: whether it had no replica identity: its updates since are unknown (C4).
        oid: the table's object id, or 0 when not known: another one means that it was created anew.
        member: object id of its membership in the publication, or 0: another one means that it was out of it.
    """

    point: int
    done: bool = False
    after: tuple[str, ...] | None = None
    rows: int = 0
    files: str = ""
    bare: bool = False
    oid: int = 0
    member: int = 0


@dataclass(frozen=True, slots=True)
class CopyState:
    """Progress of the copy, by table name."""

    tables: Mapping[str, TableCopy] = field(default_factory=dict)

    def with_table(self, name: str, table: TableCopy) -> CopyState:
        """This state with one table's progress replaced."""
        return CopyState({**self.tables, name: table})

    def text(self) -> str:
        """As stored: JSON, short names."""
        return json.dumps({n: _dump(t) for n, t in self.tables.items()}, separators=(",", ":"))

    def __bool__(self) -> bool:
        return bool(self.tables)


def _dump(table: TableCopy) -> dict[str, Any]:
    dumped: dict[str, Any] = {"p": table.point}
    if table.done:
        dumped["d"] = 1
    else:
        dumped |= {"r": table.rows, "f": table.files}
        if table.after is not None:
            dumped["a"] = list(table.after)
    if table.bare:
        dumped["b"] = 1
    if table.oid:
        dumped["o"] = table.oid
    if table.member:
        dumped["m"] = table.member
    return dumped


def _load_table(dumped: Mapping[str, Any]) -> TableCopy:
    after = dumped.get("a")
    return TableCopy(
        point=int(dumped["p"]),
        done=bool(dumped.get("d")),
        after=tuple(after) if after is not None else None,
        rows=int(dumped.get("r", 0)),
        files=str(dumped.get("f", "")),
        bare=bool(dumped.get("b")),
        oid=int(dumped.get("o", 0)),
        member=int(dumped.get("m", 0)),
    )


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log, and what is needed to go on from there.

    Attributes:
        floor: transactions with `final_lsn` below were handed out whole.
        commit: `final_lsn` of the transaction that was handed out in part, or of the last one.
        ordinal: last ordinal handed out of it.
        identity: the slot; None in offsets that others stored.
        copy: progress of the copy.
        copying: whether the copy is not finished.
        incremental: what is left of incremental snapshots, as stored.
    """

    floor: int
    commit: int = 0
    ordinal: int = NONE_YET
    identity: SlotIdentity | None = None
    copy: CopyState = field(default_factory=CopyState)
    copying: bool = False
    incremental: str = ""

    def delivered(self, final_lsn: int) -> int | None:
        """What of a transaction was handed out: None for all of it, else its last ordinal (-1: nothing)."""
        if final_lsn < self.floor:
            return None
        if final_lsn < self.commit:
            return None
        if final_lsn == self.commit:
            return self.ordinal
        return NONE_YET

    def moved(self, **changes: Any) -> Position:
        """A copy with some attributes replaced."""
        return replace(self, **changes)


class TransactionPart:
    """What the offsets of one transaction's records share, and the end of the transaction before, if one was seen."""

    __slots__ = ("base", "commit", "floor", "last", "ts_us", "xid")

    def __init__(
        self,
        base: Mapping[str, Any],
        floor: int,
        commit: int,
        xid: int | None,
        ts_us: int,
        last: int | None = None,
    ) -> None:
        self.base = base
        self.last = last
        self.floor = floor
        self.commit = commit
        self.xid = xid
        self.ts_us = ts_us

    def finished(self, floor: int) -> TransactionPart:
        """The same once the transaction is handed out whole."""
        return TransactionPart(self.base, floor, self.commit, self.xid, self.ts_us, self.last)


class StreamOffset:
    """Offset of a streamed record; becomes a map only when it is stored."""

    __slots__ = ("kind", "lsn", "ordinal", "part")

    def __init__(self, part: TransactionPart, ordinal: int, lsn: int, kind: str) -> None:
        self.part = part
        self.ordinal = ordinal
        self.lsn = lsn
        self.kind = kind

    def to_map(self) -> dict[str, Any]:
        """The offset as stored.

        Debezium goes on behind the record at `lsn`, and takes all records there for handed out, unless the type is
        BEGIN or COMMIT. Rows of a COPY share one place: in the middle of a transaction some may be left.
        """
        part = self.part
        stored: dict[str, Any] = {
            "transaction_id": None,
            "lsn": self.lsn,
            "lsn_proc": self.lsn,
            "lsn_commit": part.floor,
            "messageType": self.kind if part.floor > part.commit else "BEGIN",
            "ts_usec": part.ts_us,
            "replicator_commit": part.commit,
            "replicator_ordinal": self.ordinal,
        }
        if part.xid is not None:
            stored["txId"] = part.xid
        stored.update(part.base)
        return stored


INCREMENTAL: Final = "replicator_incremental"
"""Key of the progress of incremental snapshots."""


def base_of(identity: SlotIdentity, copy: CopyState, incremental: str = "") -> dict[str, Any]:
    """The part of a stored offset that many records share."""
    base: dict[str, Any] = {"replicator_slot": identity.text()}
    if incremental:
        base[INCREMENTAL] = incremental
    if copy:
        base["replicator_copy"] = copy.text()
    return base


class CopyOffset:
    """Offset of a copied record: one for all records of a chunk but its last."""

    __slots__ = ("_map", "last", "position", "ts_us")

    def __init__(self, position: Position, ts_us: int, *, last: bool = False) -> None:
        self.position = position
        self.ts_us = ts_us
        self.last = last
        self._map: dict[str, Any] | None = None

    def to_map(self) -> dict[str, Any]:
        """The offset as stored; built once."""
        if self._map is None:
            p = self.position
            self._map = {
                "snapshot": "INITIAL",
                "snapshot_completed": not p.copying,
                "last_snapshot_record": self.last,
                "lsn": p.floor,
                "lsn_proc": p.floor,
                "lsn_commit": p.floor,
                "ts_usec": self.ts_us,
                "replicator_commit": p.commit,
                "replicator_ordinal": p.ordinal,
            }
            if p.identity is not None:
                self._map |= base_of(p.identity, p.copy, p.incremental)
        return dict(self._map)


def load(stored: Mapping[str, Any]) -> Position | None:
    """The position in a stored offset, ours or Debezium's; None when it tells of an unfinished Debezium copy.

    Raises:
        ConnectError: the map holds no position.
    """
    ours = "replicator_slot" in stored
    copying = stored.get("snapshot") not in (None, False, "false") and not _true(
        stored.get("snapshot_completed")
    )
    if copying and not ours:
        return None
    floor = stored.get("lsn_commit", stored.get("lsn_proc", stored.get("lsn")))
    if floor is None:
        raise ConnectError(
            f"The stored offset has no position: {dict(stored)!r}.",
            hint="Delete the connector's offsets to make a new copy.",
        )
    text = stored.get("replicator_copy")
    return Position(
        floor=int(floor),
        commit=int(stored.get("replicator_commit", 0)),
        ordinal=int(stored.get("replicator_ordinal", NONE_YET)),
        identity=parse_identity(stored["replicator_slot"]) if ours else None,
        copy=CopyState({n: _load_table(t) for n, t in json.loads(text).items()}) if text else CopyState(),
        copying=copying,
        incremental=str(stored.get(INCREMENTAL, "")),
    )


def durable_floor(stored: Mapping[str, Any]) -> int:
    """What may be acknowledged once this offset is durable; 0 when it says nothing."""
    floor = stored.get("lsn_commit", stored.get("lsn_proc"))
    return int(floor) if floor is not None else 0


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
