"""Which messages may go, and their removal in short transactions. Runs on the maintenance thread.

A partition loses only what no known group still needs: a group with a position, or a subscription that covers the
topic, keeps its messages until 24 hours after it was last active or until it is deleted (C8).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from replicator.broker.embedded.log import Log
from replicator.broker.embedded.membership import GroupSnapshot
from replicator.broker.embedded.partitions import Partition, Topic

_DEFAULTS: Final[Mapping[str, str]] = {
    "retention.ms": str(7 * 24 * 3600 * 1000),
    "retention.bytes": "-1",
    "delete.retention.ms": str(24 * 3600 * 1000),
    "delete.consumed": "true",
    "consumed.retention.ms": str(10 * 60 * 1000),
}
_GROUP_PINS_FOR: Final = 24 * 3600.0
_ROWS_AT_ONCE: Final = 64
_BYTES_AT_ONCE: Final = 4 << 20
_BREATH: Final = 0.005


def option(log: Log, topic: Topic, name: str) -> str:
    """An option of a topic: its own, the log's default, or the built-in default."""
    return topic.config.get(name) or log.defaults.get(name) or _DEFAULTS[name]


class _Floor(NamedTuple):
    """What groups still need: offsets from `offset` on; `readers` says how many groups were asked."""

    offset: int
    readers: int


class Retention:
    """Removes what may go.

    Attributes:
        hurry: whether consumed messages go at once, because there is no room left.
    """

    def __init__(self, log: Log, stopping: Callable[[], bool], *, hurry: bool = False) -> None:
        self.hurry = hurry
        self._log = log
        self._stopping = stopping
        self._reader = log.reader()

    def close(self) -> None:
        """Release the reader."""
        self._reader.close()

    def run(self, groups: list[GroupSnapshot], now: float) -> None:
        """Apply the retention of every topic, as of `now` (seconds)."""
        self._remove_deleted_topics()
        for topic in list(self._log.topics.values()):
            if "delete" in topic.config.get("cleanup.policy", "delete"):
                for partition in topic.partitions:
                    self._trim(topic, partition, _floor(partition, groups, now), int(now * 1000))

    def _trim(self, topic: Topic, partition: Partition, floor: _Floor, now: int) -> None:
        keep_ms = int(option(self._log, topic, "retention.ms"))
        old = now - keep_ms if keep_ms >= 0 else -1
        if floor.readers and option(self._log, topic, "delete.consumed") == "true":
            keep_ms = 0 if self.hurry else int(option(self._log, topic, "consumed.retention.ms"))
            old = max(old, now - keep_ms + self.hurry)
        surplus = self._surplus(topic, partition)
        while not self._stopping() and not partition.deleted:
            rows = self._reader.fetch(
                "SELECT next, added, length(data) FROM batches WHERE partition_id = ? ORDER BY base LIMIT ?",
                (partition.id, _ROWS_AT_ONCE),
            )
            cut, freed = _removable(rows, floor.offset, old, surplus)
            if cut is None:
                return
            self._cut(partition, cut)
            surplus -= freed
            time.sleep(_BREATH)  # appends that waited for the lock go first

    def _surplus(self, topic: Topic, partition: Partition) -> int:
        limit = int(option(self._log, topic, "retention.bytes"))
        if limit < 0:
            return 0
        held = self._reader.fetch(
            "SELECT coalesce(sum(length(data)), 0) FROM batches WHERE partition_id = ?", (partition.id,)
        )
        return int(held[0][0]) - limit

    def _cut(self, partition: Partition, offset: int) -> None:
        with self._log.transaction() as connection:
            connection.execute(
                "DELETE FROM batches WHERE partition_id = ? AND base < ?", (partition.id, offset)
            )
            connection.execute(
                "UPDATE partitions SET begin_offset = ?, end_offset = ? WHERE id = ?",
                (offset, partition.end, partition.id),
            )
            partition.begin = max(partition.begin, offset)

    def _remove_deleted_topics(self) -> None:
        while self._log.doomed and not self._stopping():
            partition_id = self._log.doomed[0]
            with self._log.transaction() as connection:
                removed = connection.execute(
                    "DELETE FROM batches WHERE seq IN (SELECT seq FROM batches WHERE partition_id = ? LIMIT ?)",
                    (partition_id, _ROWS_AT_ONCE),
                ).rowcount
                if not removed:
                    connection.execute("DELETE FROM pending WHERE partition_id = ?", (partition_id,))
                    connection.execute("DELETE FROM partitions WHERE id = ?", (partition_id,))
                    self._log.doomed.pop(0)
            time.sleep(_BREATH)


def _floor(partition: Partition, groups: list[GroupSnapshot], now: float) -> _Floor:
    lowest, readers = partition.end, 0
    for group in groups:
        if not group.live and now - group.active_at > _GROUP_PINS_FOR:
            continue
        needed = group.positions.get(partition.tp)
        if (
            needed is None
            and group.subscription is not None
            and group.subscription.matches(partition.tp.topic)
        ):
            needed = partition.begin  # it has yet to read its first message
        if needed is not None:
            lowest, readers = min(lowest, needed), readers + 1
    return _Floor(lowest, readers)


def _removable(rows: list[Any], floor: int, old: int, surplus: int) -> tuple[int | None, int]:
    """Offset up to which the oldest rows may go, and the bytes that frees."""
    cut, freed = None, 0
    for end, added, size in rows:
        unwanted = added < old or surplus - freed > 0
        if end > floor or not unwanted or freed > _BYTES_AT_ONCE:
            break
        cut, freed = end, freed + size
    return cut, freed
