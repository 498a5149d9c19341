"""Consumers of the embedded log: messages of all owned partitions in the order they were appended.

Membership and waiting are here; which partitions are read, and from where, is the `Share`'s, reading is the `Feed`'s.
Belongs to the thread that polls; `wakeup` may come from any.
"""

from __future__ import annotations

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
from replicator.broker.embedded.share import Share
from replicator.broker.embedded.unplaced import make_durable
from replicator.broker.message import Message

_READ_ONLY_WAIT: Final = 0.5


class EmbeddedConsumer:
    """See the module."""

    def __init__(self, log: Log, groups: Groups, group: str | None, start: str) -> None:
        self._log_state = log
        self._groups = groups
        self._group = group
        self._event = threading.Event()
        self._woken = False
        self._closed = False
        self._member: Member | None = None
        self._attached = False
        self._listener: RebalanceListener | None = None
        self._feed = Feed(log)
        if group is not None:
            self._feed.expect()
        self._share = Share(log, self._feed, start, self.committed, self._event)
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
        self._share.replace(partitions)
        if self._group is not None and not self._attached:
            self._attached = True
            self._groups.attach(self._group, 1)

    def assignment(self) -> set[TopicPartition]:
        """Partitions read at present."""
        return set(self._share)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue there."""
        self._share.seek(partition, offset)

    def position(self, partition: TopicPartition) -> int:
        """Offset of the next message `poll` would return."""
        return self._share.position(partition)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Return nothing from these until resumed."""
        self._share.pause(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Return messages again."""
        self._share.resume(partitions)

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
            self._share.add(added)
            if self._listener is not None:
                self._listener.assigned(added)

    def _revoke(self, member: Member, group: str, gone: Sequence[TopicPartition]) -> None:
        self._share.settle()
        try:
            if self._listener is not None:
                self._listener.revoked(gone)
        finally:
            self._share.drop(gone)
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
            self._share.close()

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
            self._share.follow_topics()
            if not feed.active:
                return False
            if feed.fetch(want):
                return True
            if not self._refreshed():
                return False
            feed.limit = log.last_seq

    def _refreshed(self) -> bool:
        """Whether another process has appended to a log that is read only here."""
        log = self._log_state
        if not log.read_only:
            return False
        before = log.last_seq
        with log.lock:
            log.load()
        return log.last_seq > before
