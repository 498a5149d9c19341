"""Consumers of the embedded log: messages of all owned partitions in the order they were appended.

Which partitions are read, and from where, is decided here; reading is the `Feed`'s. Belongs to the thread that polls;
`wakeup` may come from any.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from replicator.api.errors import IllegalStateError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.base import RebalanceListener
from replicator.broker.embedded.feed import Feed
from replicator.broker.embedded.groups import Groups
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.membership import Member, Subscription
from replicator.broker.embedded.partitions import Partition
from replicator.broker.embedded.unplaced import make_durable
from replicator.broker.message import Message

_log = logging.getLogger(__name__)

_READ_ONLY_WAIT: Final = 0.5


class EmbeddedConsumer:
    """See the module."""

    def __init__(self, log: Log, groups: Groups, group: str | None, start: str) -> None:
        self._log_state = log
        self._groups = groups
        self._group = group
        self._start = start
        self._reader = log.reader()
        self._event = threading.Event()
        self._woken = False
        self._closed = False
        self._member: Member | None = None
        self._attached = False
        self._listener: RebalanceListener | None = None
        self._assigned: dict[TopicPartition, Partition | None] = {}
        self._paused: set[TopicPartition] = set()
        self._positions: dict[TopicPartition, int] = {}
        self._feed = Feed(log)
        if group is not None:
            self._feed.expect()
        self._stale = True
        self._topics_seen = -1
        self._on_topics = self._event.set
        log.topics_changed.append(self._on_topics)

    @property
    def commit_wanted(self) -> bool:
        """Whether the disk waits for what this consumer lets go."""
        return self._log_state.budget.hungry

    # -- what to read

    def subscribe(
        self, topics: Sequence[str] | re.Pattern[str], listener: RebalanceListener | None = None
    ) -> None:
        """Join the group; the share is taken on the next `poll`."""
        if self._group is None:
            raise IllegalStateError("A consumer without a group cannot subscribe.")
        self._leave()
        self._listener = listener
        self._member = self._groups.join(self._group, Subscription(topics), self._event.set)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these."""
        self._leave()
        self._settle()
        self._assigned = dict.fromkeys(partitions)
        self._positions = {tp: at for tp, at in self._positions.items() if tp in self._assigned}
        self._paused.intersection_update(self._assigned)
        if self._group is not None and not self._attached:
            self._attached = True
            self._groups.attach(self._group, 1)

    def assignment(self) -> set[TopicPartition]:
        """Partitions read at present."""
        return set(self._assigned)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue there."""
        self._check_assigned(partition)
        self._settle()
        self._positions[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        """Offset of the next message `poll` would return."""
        self._check_assigned(partition)
        if self._stale:
            self._rewind()
        state = self._assigned[partition]
        at = None if state is None else self._feed.position(state)
        return self._positions.get(partition, 0) if at is None else at

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Return nothing from these until resumed."""
        if not self._paused.issuperset(partitions):
            self._settle()
            self._paused.update(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Return messages again."""
        if not self._paused.isdisjoint(partitions):
            self._settle()
            self._paused.difference_update(partitions)

    def _check_assigned(self, partition: TopicPartition) -> None:
        if partition not in self._assigned:
            raise IllegalStateError(f"Partition {partition.topic}-{partition.partition} is not assigned.")

    # -- group

    def committed(self, partition: TopicPartition) -> OffsetAndMetadata | None:
        """The group's committed position."""
        return None if self._group is None else self._groups.committed(self._group, partition)

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit for the group."""
        if self._group is None:
            raise IllegalStateError("A consumer without a group cannot commit.")
        self._groups.commit(self._group, offsets)

    def _follow_group(self) -> None:
        member, group = self._member, self._group
        if member is None or group is None or member.owned == member.target:
            return
        gone = self._groups.to_revoke(member)
        if gone:
            self._revoke(member, group, gone)
        added = self._groups.claim(group, member)
        if added:
            self._settle()
            self._assigned.update(dict.fromkeys(added))
            if self._listener is not None:
                self._listener.assigned(added)

    def _revoke(self, member: Member, group: str, gone: Sequence[TopicPartition]) -> None:
        self._settle()
        try:
            if self._listener is not None:
                self._listener.revoked(gone)
        finally:
            self._settle()
            for tp in gone:
                del self._assigned[tp]
                self._positions.pop(tp, None)
            self._paused.difference_update(gone)
            self._groups.release(group, member, gone)

    def _leave(self) -> None:
        member, group = self._member, self._group
        if group is None:
            return
        if member is not None:
            self._member = None
            try:
                if member.owned:
                    self._revoke(member, group, sorted(member.owned))
            finally:
                self._groups.leave(group, member)
        if self._attached:
            self._attached = False
            self._groups.attach(group, -1)

    def close(self) -> None:
        """Leave the group."""
        if self._closed:
            return
        self._closed = True
        try:
            self._leave()
        finally:
            self._log_state.topics_changed.remove(self._on_topics)
            self._feed.close()
            self._watch(())
            self._reader.close()

    # -- reading

    def wakeup(self) -> None:
        """Let a waiting `poll`, or the next one, return at once. Any thread."""
        self._woken = True
        self._event.set()

    def poll(self, max_messages: int, timeout: float) -> list[Message]:
        """Next messages, in the order of their appends."""
        deadline = time.monotonic() + timeout
        while True:
            self._event.clear()
            if self._woken:
                self._woken = False
                return []
            # Topics of an append were announced before it, so after this the group's share covers all up to here.
            self._feed.limit = self._log_state.last_seq
            self._follow_group()
            messages = self._feed.take(max_messages, self._fill)
            if messages:
                if self._group is not None:
                    make_durable(self._log_state, messages, self._feed.cursor)
                return messages
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            if self._log_state.read_only:
                left = min(left, _READ_ONLY_WAIT)
            self._event.wait(left)

    def _fill(self, want: int) -> bool:
        """Have messages fetched; False when there is nothing to read."""
        log, feed = self._log_state, self._feed
        while True:
            if self._stale or self._topics_seen != log.topics_version:
                self._rewind()
            if not feed.active:
                return False
            if feed.fetch(want):
                return True
            if not self._refreshed():
                return False
            feed.limit = log.last_seq

    # -- positions

    def _settle(self) -> None:
        """Give back what was fetched but not returned, so that positions say where to read on."""
        self._positions.update(self._feed.end())
        self._stale = True

    def _rewind(self) -> None:
        """Find the place in the log from which all partitions can be read on."""
        if not self._stale:
            self._settle()
        log = self._log_state
        with log.lock:
            self._topics_seen = log.topics_version
            active: dict[Partition, int] = {}
            cursor = log.last_seq
            for tp in self._assigned:
                topic = log.topics.get(tp.topic)
                known = topic is not None and 0 <= tp.partition < len(topic.partitions)
                partition = topic.partitions[tp.partition] if topic is not None and known else None
                if partition is not None:
                    before = self._assigned[tp]
                    if before is not None and before.id != partition.id:  # deleted and made anew
                        self._positions.pop(tp, None)
                    offset = self._positions[tp] = self._checked_position(partition)
                    if tp not in self._paused:
                        active[partition] = offset
                        cursor = min(cursor, self._sequence_before(partition, offset))
                self._assigned[tp] = partition
            self._watch(active)
        self._feed.begin(active, cursor)
        self._stale = False

    def _checked_position(self, partition: Partition) -> int:
        tp = partition.tp
        at = self._positions.get(tp)
        if at is None:
            committed = self.committed(tp)
            if committed is None:
                return self._start_of(partition)
            at = committed.offset
        if partition.begin <= at <= partition.end:
            return at
        start = self._start_of(partition)
        _log.warning(
            "Position %d of %s-%d is outside the log (%d to %d); reading on at %d (%s).",
            at, tp.topic, tp.partition, partition.begin, partition.end, start, self._start,
        )  # fmt: skip
        return start

    def _start_of(self, partition: Partition) -> int:
        return partition.end if self._start == "latest" else partition.begin

    def _sequence_before(self, partition: Partition, offset: int) -> int:
        if offset >= partition.end:
            return self._log_state.last_seq
        rows = self._reader.fetch(
            "SELECT seq FROM batches WHERE partition_id = ?1 AND base >= coalesce("
            "(SELECT max(base) FROM batches WHERE partition_id = ?1 AND base <= ?2), 0) AND next > ?2"
            " ORDER BY base LIMIT 1",
            (partition.id, offset),
        )
        return int(rows[0][0]) - 1 if rows else self._log_state.last_seq

    def _watch(self, partitions: Mapping[Partition, int] | tuple[()]) -> None:
        """Be woken by these partitions only."""
        with self._log_state.lock:
            for partition in self._log_state.partitions.values():
                if partition in partitions:
                    partition.waiters |= {self._event}
                elif self._event in partition.waiters:
                    partition.waiters -= {self._event}

    def _refreshed(self) -> bool:
        """Whether another process has appended to a log that is read only here."""
        log = self._log_state
        if not log.read_only:
            return False
        before = log.last_seq
        with log.lock:
            log.load()
        return log.last_seq > before
