"""Exact source positions: where in the source's log a record stands.

A position travels with its record as the header `__replicator.position`, is stored in the
target's ledger in the same transaction as the rows, and is compared only within the same identity
and phase. Order is (commit, ordinal): commit is the LSN in BEGIN's `final_lsn` for Postgres; the
ordinal counts the records of that transaction from 0. For the copy phase `commit` is the
snapshot's consistent point and the ordinal counts rows of the chunk.
"""

from __future__ import annotations

from typing import Final, NamedTuple

POSITION_HEADER: Final = "__replicator.position"
INTERNAL_HEADER_PREFIX: Final = "__replicator."
WHOLE_TOPIC_HEADER: Final = "__replicator.whole-topic"
"""On a record that concerns all keys of its topic, a truncate: other partitions would not wait for it (C13)."""

STREAM: Final = "s"
COPY: Final = "c"


class SourcePosition(NamedTuple):
    """Position of one record.

    Attributes:
        identity: short text naming the log (system identifier, slot and its creation point, hashed).
        phase: `STREAM` or `COPY`.
        commit: commit position as an integer (an LSN).
        ordinal: number of the record within its transaction (stream) or copy (copy).
        end: True on the last record of a source transaction.
    """

    identity: str
    phase: str
    commit: int
    ordinal: int
    end: bool

    def encode(self) -> str:
        """The header's text, `phase:identity:commit:ordinal:end`."""
        return f"{self.phase}:{self.identity}:{self.commit}:{self.ordinal}:{1 if self.end else 0}"

    def same_log(self, other: SourcePosition) -> bool:
        """Whether the two positions may be compared at all."""
        return self.identity == other.identity and self.phase == other.phase

    def is_after(self, other: SourcePosition) -> bool:
        """Whether this record comes later; only meaningful when `same_log`."""
        return (self.commit, self.ordinal) > (other.commit, other.ordinal)


def decode_position(text: str) -> SourcePosition:
    """Parse `SourcePosition.encode`'s form.

    Raises:
        ValueError: the text has another form.
    """
    phase, identity, commit, ordinal, end = text.split(":")
    return SourcePosition(identity, phase, int(commit), int(ordinal), end == "1")
