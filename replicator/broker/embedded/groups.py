"""Consumer groups of one process: committed positions, and partitions shared among the members.

Sharing is cooperative: only partitions that move are revoked, and a partition is given to its new owner when the old
one has let it go on its own polling thread. Committed positions and subscriptions are stored; members are not.
Methods may be called from any thread; `lock` is never held while the log's lock is taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.membership import Group, GroupSnapshot, Member, Subscription, balance


class Groups:
    """All groups of a log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.lock = threading.Lock()
        self._groups: dict[str, Group] = {}
        self.load()
        log.topics_changed.append(self._topics_changed)

    def load(self) -> None:
        """Read what is stored; while nobody had the log open, no group's time ran."""
        now = time.time()
        reader = self._log.reader()
        seen = reader.fetch("SELECT value FROM meta WHERE name = 'seen_at'")
        closed_for = max(0.0, now - int(seen[0][0]) / 1000) if seen else 0.0
        groups: dict[str, Group] = {}
        for name, subscription, active_at in reader.fetch(
            "SELECT name, subscription, active_at FROM consumer_groups"
        ):
            group = groups[name] = Group(active_at=active_at / 1000 + closed_for)
            group.subscription = Subscription.decode(subscription)
        for name, topic, number, offset, metadata in reader.fetch(
            "SELECT group_name, topic, partition, next_offset, metadata FROM group_offsets"
        ):
            group = groups.setdefault(name, Group(active_at=now))
            group.offsets[TopicPartition(topic, number)] = OffsetAndMetadata(offset, metadata)
        reader.close()
        with self.lock:
            self._groups = groups

    # -- positions

    def offsets(self, name: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """Committed positions."""
        with self.lock:
            group = self._groups.get(name)
            return dict(group.offsets) if group is not None else {}

    def committed(self, name: str, tp: TopicPartition) -> OffsetAndMetadata | None:
        """The committed position of one partition."""
        group = self._groups.get(name)
        return group.offsets.get(tp) if group is not None else None

    def commit(self, name: str, offsets: Mapping[TopicPartition, OffsetAndMetadata | None]) -> None:
        """Store positions, or with None remove them."""
        if not offsets:
            return
        kept = [
            (name, tp.topic, tp.partition, o.offset, o.metadata) for tp, o in offsets.items() if o is not None
        ]
        removed = [(name, tp.topic, tp.partition) for tp, o in offsets.items() if o is None]
        with self._log.transaction() as connection:
            if kept:
                connection.executemany("INSERT OR REPLACE INTO group_offsets VALUES (?, ?, ?, ?, ?)", kept)
            if removed:
                connection.executemany(
                    "DELETE FROM group_offsets WHERE group_name = ? AND topic = ? AND partition = ?", removed
                )
        with self.lock:
            group = self._groups.setdefault(name, Group())
            group.active_at = time.time()
            for tp, held in offsets.items():
                if held is None:
                    group.offsets.pop(tp, None)
                else:
                    group.offsets[tp] = held
        self._log.budget.committed()

    def delete(self, name: str) -> None:
        """Forget a group's positions and subscription; members that still live start anew."""
        with self._log.transaction() as connection:
            connection.execute("DELETE FROM group_offsets WHERE group_name = ?", (name,))
            connection.execute("DELETE FROM consumer_groups WHERE name = ?", (name,))
        with self.lock:
            group = self._groups.get(name)
            if group is None:
                return
            group.offsets = {}
            group.subscription = None
            if not group.live:
                del self._groups[name]

    def members(self, name: str) -> int:
        """Number of live members."""
        group = self._groups.get(name)
        return len(group.members) + group.readers if group is not None else 0

    def snapshot(self) -> list[GroupSnapshot]:
        """Every group, for retention."""
        with self.lock:
            return [
                GroupSnapshot(
                    name, g.live, g.active_at, g.subscription, {tp: o.offset for tp, o in g.offsets.items()}
                )
                for name, g in self._groups.items()
            ]

    def note_activity(self, now: float) -> None:
        """Store when each group was last active; live ones are active now."""
        with self.lock:
            for group in self._groups.values():
                if group.live:
                    group.active_at = now
            rows: list[tuple[Any, ...]] = [
                (name, (g.subscription or Subscription(())).encode(), int(g.active_at * 1000))
                for name, g in self._groups.items()
                if g.live or g.offsets
            ]
        with self._log.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO consumer_groups VALUES (?, ?, ?)", rows)
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('seen_at', ?)", (str(int(now * 1000)),))

    # -- members

    def join(self, name: str, subscription: Subscription, wake: Callable[[], None]) -> Member:
        """Add a member; its share arrives through `rebalance`."""
        with self._log.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO consumer_groups VALUES (?, ?, ?)",
                (name, subscription.encode(), int(time.time() * 1000)),
            )
        member = Member(subscription, wake)
        with self.lock:
            group = self._groups.setdefault(name, Group())
            group.members.append(member)
            group.subscription = subscription
            self._share(group)
        return member

    def leave(self, name: str, member: Member) -> None:
        """Remove a member and give its partitions to the others."""
        with self.lock:
            group = self._groups[name]
            if member in group.members:
                group.members.remove(member)
                member.owned.clear()
                group.active_at = time.time()
                self._share(group)

    def attach(self, name: str, count: int) -> None:
        """Count readers that use the group's positions without sharing partitions (`assign`)."""
        with self.lock:
            group = self._groups.setdefault(name, Group())
            group.readers += count
            group.active_at = time.time()

    def to_revoke(self, member: Member) -> list[TopicPartition]:
        """Partitions the member must let go."""
        with self.lock:
            return sorted(member.owned - member.target)

    def release(self, name: str, member: Member, partitions: Iterable[TopicPartition]) -> None:
        """The member has let partitions go; whoever waits for them is woken."""
        with self.lock:
            member.owned.difference_update(partitions)
            for other in self._groups[name].members:
                if other is not member:
                    other.wake()

    def claim(self, name: str, member: Member) -> list[TopicPartition]:
        """Partitions the member may have now, and owns from here on."""
        with self.lock:
            held = {tp for other in self._groups[name].members if other is not member for tp in other.owned}
            added = sorted(member.target - member.owned - held)
            member.owned.update(added)
            return added

    def _topics_changed(self) -> None:
        with self.lock:
            for group in self._groups.values():
                if group.members:
                    self._share(group)
                for tp in [tp for tp in group.offsets if tp.topic not in self._log.topics]:
                    del group.offsets[tp]

    def _share(self, group: Group) -> None:
        """Compute every member's target: balanced, and moving as little as possible."""
        topics = self._log.topics
        wanted = {
            member: {
                p.tp
                for name, topic in topics.items()
                if member.subscription.matches(name)
                for p in topic.partitions
            }
            for member in group.members
        }
        targets = balance([m.target for m in group.members], [wanted[m] for m in group.members])
        for member, target in zip(group.members, targets, strict=True):
            member.target = target
            member.wake()
