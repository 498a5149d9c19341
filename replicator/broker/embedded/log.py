"""The log itself: appends over one SQLite file, with the newest ones kept in memory.

Every method may be called from any thread: writes hold `lock`, and what readers use without it (`tail`, `last_seq`)
is replaced in one step after the commit. An append is one SQLite transaction, whatever topics it spans (C8, INV-8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from replicator.api.errors import NotFoundError
from replicator.broker.embedded.batches import pack_positions
from replicator.broker.embedded.catalogue import Catalogue
from replicator.broker.embedded.partitions import Partition, wake
from replicator.broker.embedded.storage import pages_of
from replicator.broker.embedded.tail import Placed, Tail, TailBatch


class Log(Catalogue):
    """State and storage of the embedded log. See the module.

    Attributes:
        tail: the newest appends.
        synced: rows up to this one survive power loss.
    """

    def __init__(
        self, path: Path | None, *, read_only: bool = False, defaults: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(path, read_only=read_only, defaults=defaults)
        self.tail = Tail()
        self.synced = 0

    def append(self, groups: Sequence[Sequence[Placed]], now: int) -> None:
        """Append groups of batches in one transaction and wake their readers.

        Raises:
            RetriableError, DiskFullError, BrokerError: nothing was appended.
        """
        with self.lock:
            rows: list[tuple[Any, ...]] = []
            appended: list[tuple[int, list[TailBatch], int]] = []
            ends: dict[Partition, int] = {}
            seq = self.last_seq
            for group in groups:
                last = seq + len(group)
                held: list[TailBatch] = []
                for placed in group:
                    partition, first, positions, messages, encoded = placed
                    seq += 1
                    base = ends.get(partition, partition.end)
                    ends[partition] = end = base + encoded.messages
                    packed = None if positions is None else pack_positions(positions)
                    rows.append(
                        (
                            seq, last, partition.id, base, end, encoded.messages, encoded.raw, now, first, packed,
                            encoded.blob,
                        )
                    )  # fmt: skip
                    held.append(TailBatch(partition, base, first, positions, messages))
                appended.append((last, held, sum(placed.size for placed in group)))
            if any(partition.deleted for partition in ends):
                raise NotFoundError("A topic was deleted while messages were appended to it.")
            with self.spending(pages_of(rows)) as connection:
                connection.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self.tail.publish(self.last_seq + 1, appended, now)
            self.advance(ends, seq)
        wake(ends)

    def advance(self, ends: Mapping[Partition, int], last_seq: int) -> None:
        """Make rows up to `last_seq` visible; the caller holds `lock` and has committed them."""
        for partition, end in ends.items():
            partition.end = end
        self.last_seq = last_seq

    def forget_tail(self) -> None:
        """Drop the appends kept in memory."""
        with self.lock:
            self.tail.forget()

    def sync(self) -> None:
        """Make everything appended so far survive power loss."""
        upto = self.last_seq
        self.flush()
        self.synced = max(self.synced, upto)
