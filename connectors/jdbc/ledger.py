"""The ledger in the target: how far each partition is applied, moved only with the rows (D5, INV-3).

A task claims its partitions by raising their epoch; every transaction then begins with an UPDATE
that finds the row only while the epoch is still the task's own and the offset the expected one
(C10, INV-10). A fenced writer that holds the row's lock is ended by the new owner through the
connection id it left in the ledger. Task thread only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.jdbc.dialects import Connection, Dialect
from connectors.jdbc.lanes import Lane, LaneEnd, LedgerRow, lsn_text
from connectors.jdbc.ledger_schema import LEDGER_TABLE, is_mysql, now_sql
from connectors.jdbc.takeover import end_writers, short_waits
from replicator.api import (
    DataError,
    FencedError,
    RetriableError,
    SourcePosition,
    TopicPartition,
)

_COLUMNS: Final = (
    "id, topic, partition_id, log_identity, next_offset, position_identity, position_phase, position_commit,"
    " position_ordinal, copied_through, epoch, writer"
)
_CLAIM_ATTEMPTS: Final = 5


class Ledger:
    """The ledger rows of one connector, over the task's connection."""

    def __init__(self, dialect: Dialect, connector: str) -> None:
        self._dialect = dialect
        self._connector = connector
        self._now = now_sql(dialect.kind)

    def rows(self, connection: Connection) -> list[LedgerRow]:
        """Every row of the connector."""
        found = connection.query(
            f"SELECT {_COLUMNS} FROM {LEDGER_TABLE} WHERE connector = %s ORDER BY updated_at",
            (self._connector,),
        )
        connection.commit()
        return [LedgerRow(row) for row in found]

    def claim(self, connection: Connection, lanes: Sequence[Lane]) -> None:
        """Make these lanes this task's: insert missing rows, raise epochs, name the writer.

        The lanes' `next_offset` and `position` are written as they are for rows that are new.

        Raises:
            RetriableError: another writer holds the rows and could not be ended.
        """
        for attempt in range(_CLAIM_ATTEMPTS):
            try:
                with short_waits(connection, self._dialect.kind):
                    self._claim(connection, lanes)
            except RetriableError:
                connection.rollback()
                connection.ping()
                if attempt == _CLAIM_ATTEMPTS - 1:
                    raise
                self._end_writers(connection, lanes)
            else:
                return

    def _end_writers(self, connection: Connection, lanes: Sequence[Lane]) -> None:
        wanted = {lane.id for lane in lanes}
        writers = {row.writer for row in self.rows(connection) if row.id in wanted}
        end_writers(connection, self._dialect.kind, self._connector, writers)

    def _claim(self, connection: Connection, lanes: Sequence[Lane]) -> None:
        connection.begin()
        known = self._locked_epochs(connection, lanes)
        writer = connection.connection_id()
        for lane in lanes:
            if lane.id not in known:
                self._insert(connection, lane, writer)
            lane.epoch = known.get(lane.id, 0) + 1
        ids = ",".join(f"'{lane.id}'" for lane in lanes)
        connection.execute(
            f"UPDATE {LEDGER_TABLE} SET epoch = epoch + 1, writer = {writer}, updated_at = {self._now}"
            f" WHERE id IN ({ids})"
        )
        connection.commit()

    def _locked_epochs(self, connection: Connection, lanes: Sequence[Lane]) -> dict[str, int]:
        ids = ",".join(f"'{lane.id}'" for lane in lanes)
        lock = "" if self._dialect.kind == "sqlite" else " FOR UPDATE"
        found = connection.query(f"SELECT id, epoch FROM {LEDGER_TABLE} WHERE id IN ({ids}){lock}")
        return {str(row[0]): int(row[1]) for row in found}

    def _insert(self, connection: Connection, lane: Lane, writer: int) -> None:
        position = lane.position
        values = (
            lane.id,
            self._connector,
            lane.partition.topic,
            lane.partition.partition,
            lane.log_identity,
            lane.next_offset,
            *_position_columns(position),
            lane.copied_through if lane.copied_through >= 0 else None,
            0,
            writer,
        )
        marks = ", ".join(["%s"] * len(values))
        try:
            connection.execute(
                f"INSERT INTO {LEDGER_TABLE} (id, connector, topic, partition_id, log_identity, next_offset,"
                " position_identity, position_phase, position_commit, position_ordinal, position_text, copied_through,"
                f" epoch, writer, updated_at) VALUES ({marks}, {self._now})",
                values,
            )
        except DataError as error:
            raise RetriableError("Another task is claiming the same partitions.") from error

    def begin(self, connection: Connection, ends: Sequence[LaneEnd]) -> None:
        """Begin a transaction by moving the lanes to their ends, before any rows.

        Raises:
            FencedError: another task owns a lane now, or moved it.
        """
        if ends and is_mysql(self._dialect.kind):
            # One round trip: what a small transaction costs is mostly these.
            text = f"START TRANSACTION;{self.advance_sql(ends)}"
            connection.execute_checked(text, lambda found: self._expect(ends, found))
            return
        connection.begin()
        if ends:
            self._expect(ends, connection.execute_text(self.advance_sql(ends)))

    def check(self, connection: Connection, ends: Sequence[LaneEnd]) -> None:
        """Whether the lanes are still this task's, inside an open transaction.

        Raises:
            FencedError: they are not.
        """
        where = " OR ".join(f"({_mine(end.lane)})" for end in ends)
        found = connection.query(f"SELECT count(*) FROM {LEDGER_TABLE} WHERE {where}")
        self._expect(ends, int(found[0][0]))

    @staticmethod
    def _expect(ends: Sequence[LaneEnd], found: int) -> None:
        if found != len(ends):
            lanes = ", ".join(f"{e.lane.partition.topic}-{e.lane.partition.partition}" for e in ends[:5])
            raise FencedError(
                f"The ledger no longer belongs to this task: {found} of {len(ends)} rows matched ({lanes}).",
                hint="Another task took over, or the offsets were changed; this one stops without writing.",
            )

    def advance_sql(self, ends: Sequence[LaneEnd]) -> str:
        """One UPDATE for any number of lanes."""
        if len(ends) == 1:
            end = ends[0]
            values = ", ".join(f"{column} = {text}" for column, text in _new_values(end).items())
            where = _mine(end.lane)
        else:
            values = ", ".join(_cases(ends))
            where = " OR ".join(f"({_mine(end.lane)})" for end in ends)
        return f"UPDATE {LEDGER_TABLE} SET {values}, updated_at = {self._now} WHERE {where}"

    def reset(self, connection: Connection, lane: Lane, offset: int) -> None:
        """An operator moved the group: follow, and forget the position (C11)."""
        connection.begin()
        connection.execute(
            f"UPDATE {LEDGER_TABLE} SET next_offset = %s, position_identity = NULL, position_phase = NULL,"
            f" position_commit = NULL, position_ordinal = NULL, position_text = NULL, updated_at = {self._now}"
            " WHERE id = %s AND epoch = %s",
            (offset, lane.id, lane.epoch),
        )
        connection.commit()
        lane.next_offset, lane.position, lane.checking = offset, None, False

    def resume(self, connection: Connection, lanes: Sequence[Lane]) -> None:
        """After a lost connection: learn what was committed, and name the new connection.

        Raises:
            FencedError: another task owns a lane now.
        """
        if not lanes:
            return
        rows = {row.id: row for row in self.rows(connection)}
        for lane in lanes:
            row = rows.get(lane.id)
            if row is None or row.epoch != lane.epoch:
                raise FencedError(
                    f"Another task took over {lane.partition.topic} while the connection was lost."
                )
            lane.next_offset, lane.position, lane.copied_through = (
                row.next_offset,
                row.position,
                row.copied_through,
            )
        ids = ",".join(f"'{lane.id}'" for lane in lanes)
        connection.begin()
        connection.execute(
            f"UPDATE {LEDGER_TABLE} SET writer = {connection.connection_id()}, updated_at = {self._now}"
            f" WHERE id IN ({ids})"
        )
        connection.commit()


def alter(
    connection: Connection, kind: str, connector: str, offsets: Mapping[TopicPartition, int | None]
) -> None:
    """Change the ledger as an operator changes the group's offsets; None forgets the partition."""
    connection.begin()
    for partition, offset in offsets.items():
        where = "WHERE connector = %s AND topic = %s AND partition_id = %s"
        key = (connector, partition.topic, partition.partition)
        if offset is None:
            connection.execute(f"DELETE FROM {LEDGER_TABLE} {where}", key)
        else:
            connection.execute(
                f"UPDATE {LEDGER_TABLE} SET next_offset = %s, position_identity = NULL, position_phase = NULL,"
                f" position_commit = NULL, position_ordinal = NULL, position_text = NULL, epoch = epoch + 1,"
                f" updated_at = {now_sql(kind)} {where}",
                (offset, *key),
            )
    connection.commit()


def _mine(lane: Lane) -> str:
    return f"id = '{lane.id}' AND epoch = {lane.epoch} AND next_offset = {lane.next_offset}"


def _position_columns(position: SourcePosition | None) -> tuple[Any, ...]:
    if position is None:
        return (None, None, None, None, None)
    return (position.identity, position.phase, position.commit, position.ordinal, lsn_text(position.commit))


def _new_values(end: LaneEnd) -> dict[str, str]:
    """Assignments of one lane as SQL text; the offset stands first and is always changed."""
    values = {"next_offset": str(end.next_offset)}
    position = end.position
    if position is not end.lane.position and position is not None:
        values["position_identity"] = _text(position.identity)
        values["position_phase"] = _text(position.phase)
        values["position_commit"] = str(position.commit)
        values["position_ordinal"] = str(position.ordinal)
        values["position_text"] = _text(lsn_text(position.commit))
    if end.copied_through != end.lane.copied_through:
        values["copied_through"] = str(end.copied_through)
    return values


def _cases(ends: Sequence[LaneEnd]) -> list[str]:
    per_column: dict[str, list[str]] = {}
    for end in ends:
        for column, text in _new_values(end).items():
            per_column.setdefault(column, []).append(f"WHEN '{end.lane.id}' THEN {text}")
    return [f"{column} = CASE id {' '.join(whens)} ELSE {column} END" for column, whens in per_column.items()]


def _text(value: str) -> str:
    """A literal; positions' identities come from topics, so anything unusual is refused."""
    if not all(c.isalnum() or c in "-_.:/ " for c in value):
        raise DataError(f"{value!r} cannot be the identity of a source's log")
    return f"'{value}'"
