"""Partitions of a sink that nobody reads."""

from __future__ import annotations

from replicator.api.record import TopicPartition
from replicator.broker.admin import TopicDescription
from replicator.herder.sink_groups import SinkGroups

A0, A1, B0 = TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)


class Admin:
    def __init__(self, read):
        self.read = read
        self.released = []

    def topics(self):
        return {"a": TopicDescription("a", 2, {}), "b": TopicDescription("b", 1, {})}

    def assigned_partitions(self, group):
        assert group == "connect-out"
        return self.read

    def release_static_members(self, group, members):
        self.released.append((group, list(members)))


def groups(admin: Admin, **config: str) -> SinkGroups:
    return SinkGroups(lambda: admin, lambda: {"out": config}, dict)


def test_a_partition_that_stays_unread_makes_the_group_share_anew():
    admin = Admin({A0})
    watched = groups(admin, topics="a")
    watched.look()
    assert admin.released == []
    watched.look()
    assert admin.released == [("connect-out", ["out-0"])]
    watched.look()
    assert len(admin.released) == 1, "the group gets time to do it"


def test_groups_that_read_everything_or_rebalance_are_left_alone():
    for read in ({A0, A1}, None):
        admin = Admin(read)
        watched = groups(admin, topics="a")
        watched.look()
        watched.look()
        assert admin.released == []


def test_what_is_unread_for_a_moment_is_no_matter():
    admin = Admin({A0})
    watched = groups(admin, topics="a")
    watched.look()
    admin.read = {A1}
    watched.look()
    assert admin.released == []


def test_patterns():
    admin = Admin({A0, A1})
    watched = groups(admin, **{"topics.regex": "[ab]"})
    watched.look()
    watched.look()
    assert admin.released
    admin.read = {A0, A1, B0}
    admin.released.clear()
    watched.look()
    watched.look()
    assert admin.released == []
