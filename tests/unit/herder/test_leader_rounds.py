"""The leader's part of a round: up to which offset it assigns, and what it remembers of the members."""

from __future__ import annotations

from collections.abc import Callable

from replicator.api.errors import RetriableError
from replicator.herder.group_protocol import CONFIG_MISMATCH, NO_ERROR, WorkerState
from replicator.herder.leader_rounds import LeaderRounds
from replicator.herder.work import NOTHING, union, work
from replicator.storage.base import ConfigState

PROTOCOL = "sessioned"
MEMBERS = {"m-1": WorkerState("http://one/", 5), "m-2": WorkerState("http://two/", 7)}
ALL = work(["a"], [("a", 0), ("a", 1)])


class Configs:
    """What the leader has read, and what it finds when it reads on."""

    def __init__(self, offset: int, then: int | None = None) -> None:
        self.offset = offset
        self.then = then

    def state(self) -> ConfigState:
        return ConfigState(offset=self.offset, connectors={"a": {}}, tasks={"a": [{}, {}]})

    def refresh(self) -> None:
        if self.then is None:
            raise RetriableError("not in time")
        self.offset = self.then


def rounds(configs: Configs, refresh: Callable[[], None] | None = None) -> LeaderRounds:
    return LeaderRounds(configs.state, refresh or configs.refresh, 0)


def test_work_is_shared_and_known() -> None:
    given, leadership = rounds(Configs(9)).assign("m-1", PROTOCOL, MEMBERS, 1)
    assert {a.error for a in given.values()} == {NO_ERROR}
    assert {a.offset for a in given.values()} == {7}
    assert {(a.leader, a.leader_url) for a in given.values()} == {("m-1", "http://one/")}
    assert union(a.assigned for a in given.values()) == ALL
    assert leadership is not None
    assert leadership.work == {member: a.assigned for member, a in given.items()}
    owner = next(m for m, a in given.items() if ("a", 1) in a.assigned.tasks)
    assert leadership.owner("a", 1) == MEMBERS[owner].url
    assert leadership.owner("b") is None


def test_a_leader_that_is_behind_reads_on() -> None:
    """What it finds then is what the others must have read before they start it."""
    given, _ = rounds(Configs(6, then=8)).assign("m-1", PROTOCOL, MEMBERS, 1)
    assert {(a.error, a.offset) for a in given.values()} == {(NO_ERROR, 8)}


def test_a_leader_that_stays_behind_assigns_nothing() -> None:
    for configs in (Configs(6), Configs(5, then=6)):
        given, leadership = rounds(configs).assign("m-1", PROTOCOL, MEMBERS, 1)
        assert {(a.error, a.offset, a.assigned) for a in given.values()} == {(CONFIG_MISMATCH, 7, NOTHING)}
        assert leadership is None
