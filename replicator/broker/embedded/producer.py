"""Producers of the embedded log: each append is one transaction on the caller's thread (C8, INV-10)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from replicator.api.errors import FencedError, IllegalStateError
from replicator.broker.embedded.batches import pack_positions
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.partitions import Partition, wake
from replicator.broker.embedded.placement import Placement
from replicator.broker.embedded.storage import pages_of
from replicator.broker.embedded.tail import Placed
from replicator.broker.message import NewMessage

Done = Callable[[Exception | None], None]


class EmbeddedProducer:
    """Appends messages; not transactional. Belongs to one thread."""

    atomic = True

    def __init__(self, log: Log) -> None:
        self._log = log
        self._placement = Placement(log)

    def append(self, batch: Sequence[NewMessage], on_done: Done | None = None) -> None:
        """Append all messages in one transaction; `on_done` is called before this returns."""
        if batch:
            tail = self._log.tail
            for follower in tail.followers:
                follower.wait(tail.published)
            now = int(time.time() * 1000)
            self._store(self._placement.place(batch, now), now)
        if on_done is not None:
            on_done(None)

    def _store(self, groups: list[list[Placed]], now: int) -> None:
        self._log.append(groups, now)

    def sync(self, timeout: float) -> bool:
        """Flush the log to the disk; takes as long as the disk needs."""
        self._log.sync()
        return True

    def begin_transaction(self) -> None:
        """Only transactional producers have transactions."""
        raise IllegalStateError("This producer was made without a transactional id.")

    commit_transaction = abort_transaction = begin_transaction

    def close(self) -> None:
        """Nothing to release."""


class TransactionalProducer(EmbeddedProducer):
    """Appends become visible together at `commit_transaction`; a later producer of the same id fences this one.

    Pending messages lie in their own table without offsets, so nothing is locked between calls and other
    producers are not held up.
    """

    def __init__(self, log: Log, transactional_id: str, epochs: dict[str, int]) -> None:
        super().__init__(log)
        self._id = transactional_id
        self._epochs = epochs
        self._open = False
        self._appends = 0
        with log.lock:
            self._epoch = epochs[transactional_id] = epochs.get(transactional_id, 0) + 1
            self._drop_pending()

    def begin_transaction(self) -> None:
        """Open a transaction."""
        self._check_epoch()
        if self._open:
            raise IllegalStateError(f"The transaction of {self._id} is open already.")
        self._open = True
        self._appends = 0

    def _store(self, groups: list[list[Placed]], now: int) -> None:
        with self._log.lock:
            self._check_epoch()
            if not self._open:
                raise IllegalStateError(f"There is no open transaction of {self._id}.")
            rows: list[tuple[Any, ...]] = []
            for group in groups:
                self._appends += 1
                for partition, first, positions, _, encoded in group:
                    packed = None if positions is None else pack_positions(positions)
                    rows.append(
                        (
                            self._id,
                            self._appends,
                            partition.id,
                            encoded.messages,
                            encoded.raw,
                            first,
                            packed,
                            encoded.blob,
                        )
                    )
            # Written once more when the transaction is committed.
            with self._log.spending(2 * pages_of(rows)) as connection:
                connection.executemany(
                    "INSERT INTO pending (transactional_id, append, partition_id, count, raw, first, positions, data)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    rows,
                )

    def commit_transaction(self) -> None:
        """Give the pending messages their offsets and make them visible, in one SQLite transaction."""
        with self._log.lock:
            self._check_epoch()
            if not self._open:
                raise IllegalStateError(f"There is no open transaction of {self._id}.")
            ends = self._move_pending(int(time.time() * 1000))
            self._open = False
        wake(ends)

    def _move_pending(self, now: int) -> dict[Partition, int]:
        log = self._log
        ends: dict[Partition, int] = {}
        with log.transaction() as connection:
            rows = connection.execute(
                "SELECT id, append, partition_id, count FROM pending WHERE transactional_id = ? ORDER BY id",
                (self._id,),
            ).fetchall()
            last_of = {append: log.last_seq + number for number, (_, append, _, _) in enumerate(rows, 1)}
            for seq, (id_, append, partition_id, count) in enumerate(rows, log.last_seq + 1):
                partition = log.partitions.get(partition_id)
                if partition is None:  # its topic was deleted meanwhile; the sequence number stays unused
                    continue
                base = ends.get(partition, partition.end)
                ends[partition] = base + count
                connection.execute(
                    "INSERT INTO batches SELECT ?, ?, partition_id, ?, ?, count, raw, ?, first, positions, data"
                    " FROM pending WHERE id = ?",
                    (seq, last_of[append], base, base + count, now, id_),
                )
            connection.execute("DELETE FROM pending WHERE transactional_id = ?", (self._id,))
            last_seq = log.last_seq + len(rows)
        log.advance(ends, last_seq)
        return ends

    def abort_transaction(self) -> None:
        """Drop the pending messages."""
        with self._log.lock:
            self._check_epoch()
            self._drop_pending()
            self._open = False

    def _drop_pending(self) -> None:
        with self._log.transaction() as connection:
            connection.execute("DELETE FROM pending WHERE transactional_id = ?", (self._id,))

    def _check_epoch(self) -> None:
        if self._epochs[self._id] != self._epoch:
            raise FencedError(f"Another producer with the transactional id {self._id} took over.")

    def close(self) -> None:
        """Drop an open transaction."""
        with self._log.lock:
            if self._open and self._epochs[self._id] == self._epoch:
                self._drop_pending()
            self._open = False
