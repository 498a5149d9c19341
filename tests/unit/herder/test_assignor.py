"""Assignments over random joins, leaves and deletions, and the decisions that users know from Connect."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from replicator.herder.assignor import Memory, cooperative, eager
from replicator.herder.reconcile import accumulate, reconfigured, steps
from replicator.herder.work import NOTHING, Work, configured, duplicated, union, work

DELAY = 300_000


class Group:
    """Workers that follow their leader's rounds, revoke before they take over, and join again when told to."""

    def __init__(self, max_delay: int = DELAY) -> None:
        self.max_delay = max_delay
        self.memory = Memory()
        self.held: dict[str, Work] = {}
        self.counts: dict[str, int] = {}
        self.generation = 0
        self.now = 1_000_000
        self.moves = 0
        self.delay = 0
        self.departed: set[str] = set()
        self.urls: dict[str, str] = {}

    def round(self) -> Work:
        """One round; answers with what was revoked."""
        self.generation += 1
        self.memory, outcome = cooperative(
            self.memory, self.held, configured(self.counts), generation=self.generation,
            last_generation=self.generation - 1, now=self.now, max_delay=self.max_delay, departed=self.departed,
            urls={m: self.urls.get(m, m) for m in self.held},
        )  # fmt: skip
        for member, has in self.held.items():
            assert not outcome.revoked[member] - has, "only what is held can be revoked"
            assert not outcome.assigned[member] & has, "what is held is not assigned again"
        self.held = {
            m: accumulate(has, outcome.assigned[m], outcome.revoked[m], incremental=True)
            for m, has in self.held.items()
        }
        assert not duplicated(self.held.values()), "no piece of work runs twice"
        self.delay = outcome.delay
        return union(outcome.revoked.values())

    def settle(self, *, wait: bool = True) -> None:
        """Rounds until nothing is revoked any more, and with `wait` until no delay is left."""
        for _ in range(12):
            revoked = self.round()
            if revoked:
                self.moves += len(revoked)
                continue
            if not self.delay or not wait:
                return
            self.now += self.delay
        raise AssertionError("the group does not settle")

    def check(self) -> None:
        everything = configured(self.counts)
        assert union(self.held.values()) == everything, "all of it is assigned"
        for size in (lambda w: len(w.connectors), lambda w: len(w.tasks)):
            sizes = [size(has) for has in self.held.values()]
            assert not sizes or max(sizes) - min(sizes) <= 1, "balanced within one"


def group(workers: int, connectors: int = 0, tasks: int = 1, **options) -> Group:
    made = Group(**options)
    made.held = {f"w{n}": NOTHING for n in range(workers)}
    made.counts = {f"c{n}": tasks for n in range(connectors)}
    made.settle()
    made.check()
    made.moves = 0
    return made


ACTIONS = st.one_of(
    st.tuples(st.just("join"), st.integers(0, 9)),
    st.tuples(st.just("crash"), st.integers(0, 9)),
    st.tuples(st.just("leave"), st.integers(0, 9)),
    st.tuples(st.just("put"), st.integers(0, 6), st.integers(0, 7)),
    st.tuples(st.just("delete"), st.integers(0, 6)),
    st.tuples(st.just("wait"), st.integers(0, 2 * DELAY)),
    st.tuples(st.just("leader"), st.just(0)),
)


def act(made: Group, action) -> None:
    what, number, *more = action
    if what == "join":
        made.held.setdefault(f"w{number}", NOTHING)
        made.urls[f"w{number}"] = f"u{number % 4}"
    elif what in ("crash", "leave") and made.held:
        member = sorted(made.held)[number % len(made.held)]
        del made.held[member]
        if what == "leave":
            made.departed.add(member)
    elif what == "put":
        made.counts[f"c{number}"] = more[0]
    elif what == "delete":
        made.counts.pop(f"c{number}", None)
    elif what == "wait":
        made.now += number
    elif what == "leader":
        made.memory = Memory()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(ACTIONS, min_size=1, max_size=3), max_size=14), st.sampled_from([DELAY, 0, 60_000]))
def test_random_histories(history, max_delay):
    made = Group(max_delay)
    for actions in history:
        for action in actions:
            act(made, action)
        if made.held:
            made.round()
            made.departed.clear()
    made.held.setdefault("w0", NOTHING)
    made.settle()
    made.settle()
    made.check()
    before = made.moves
    made.settle()
    assert made.moves == before, "a settled group stays as it is"


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.integers(1, 8), st.integers(1, 5))
def test_a_join_moves_no_more_than_its_share(workers, connectors, tasks):
    made = group(workers, connectors, tasks)
    made.held["new"] = NOTHING
    made.settle()
    made.check()
    new = made.held["new"]
    assert made.moves == len(new), "only what the newcomer got has moved"


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 6), st.integers(1, 8), st.integers(1, 5))
def test_a_loss_moves_only_what_was_lost(workers, connectors, tasks):
    made = group(workers, connectors, tasks)
    kept = {m: has for m, has in made.held.items() if m != "w0"}
    made.held = dict(kept)
    made.settle()
    made.check()
    assert all(not kept[m] - made.held[m] for m in kept)


def test_lost_work_waits_and_returns_to_the_worker_that_comes_back():
    made = group(3, connectors=3, tasks=3)
    lost = made.held.pop("w1")
    made.round()
    assert made.delay == DELAY
    assert union(made.held.values()) == configured(made.counts) - lost
    made.now += 60_000
    made.held["back"] = NOTHING
    made.round()
    assert made.delay == DELAY - 60_000
    assert made.held["back"] == NOTHING
    made.now += made.delay
    made.round()
    assert made.held["back"] == lost
    assert made.moves == 0


def test_a_worker_that_keeps_its_work_over_a_short_absence_goes_on():
    made = group(2, connectors=2, tasks=2)
    away = made.held.pop("w1")
    made.round()
    made.held["w1"] = away
    made.round()
    assert made.delay == 0
    assert made.held["w1"] == away


def test_a_worker_that_comes_back_under_its_address_gets_its_work_back_at_once():
    made = group(3, connectors=3, tasks=3)
    lost = made.held.pop("w1")
    made.round()
    assert made.delay == DELAY
    made.held["w1-anew"], made.urls["w1-anew"] = NOTHING, "w1"
    made.round()
    assert made.held["w1-anew"] == lost
    assert made.delay == 0
    made.check()
    assert made.moves == 0


def test_a_worker_that_restarts_between_two_rounds_gets_its_work_back():
    made = group(2, connectors=2, tasks=2)
    lost = made.held.pop("w1")
    made.held["w1-anew"], made.urls["w1-anew"] = NOTHING, "w1"
    made.round()
    assert made.held["w1-anew"] == lost
    assert made.delay == 0


def test_without_delay_lost_work_moves_at_once():
    made = group(2, connectors=2, tasks=3, max_delay=0)
    made.held.pop("w1")
    made.round()
    made.check()


def test_an_announced_leave_moves_work_at_once():
    made = group(3, connectors=3, tasks=4)
    made.departed = {"w2"}
    made.held.pop("w2")
    made.round()
    assert made.delay == 0
    made.check()


def test_an_announced_leave_does_not_end_the_wait_for_another_worker():
    made = group(3, connectors=3, tasks=4)
    vanished = made.held.pop("w1")
    made.round()
    made.departed = {"w2"}
    left = made.held.pop("w2")
    made.round()
    assert made.delay == DELAY
    assert not left - made.held["w0"]
    assert not vanished & made.held["w0"]


def test_new_connectors_start_while_work_is_lost():
    made = group(2, connectors=2, tasks=1)
    made.held.pop("w1")
    made.round()
    made.counts["fresh"] = 1
    made.round()
    assert work(["fresh"], [("fresh", 0)]) & made.held["w0"] == work(["fresh"], [("fresh", 0)])


def test_a_deleted_connector_is_revoked():
    made = group(2, connectors=2, tasks=2)
    del made.counts["c0"]
    made.round()
    assert not any("c0" in has.connectors for has in made.held.values())


def test_work_that_runs_twice_is_revoked_everywhere():
    made = group(2, connectors=1, tasks=2)
    twice = work([], [("c0", 0)])
    made.held = {m: has | twice for m, has in made.held.items()}
    outcome = made.round()
    assert outcome & twice == twice
    made.settle()
    made.check()


def test_a_round_that_did_not_reach_the_members_is_forgotten():
    made = group(2, connectors=2, tasks=2)
    made.held.pop("w1")
    made.generation += 3  # rounds of which this leader saw nothing
    made.round()
    made.check()
    assert made.delay == 0


def test_successive_evening_out_is_held_back():
    made = group(1, connectors=0)
    made.counts = {"c": 8}
    made.settle()
    made.held["w1"] = NOTHING
    assert made.round()
    made.held["w2"] = NOTHING
    made.round()
    assert made.delay == 40
    made.settle()
    made.check()


def test_only_what_is_held_is_revoked():
    """Found by the random histories: lost work handed to a newcomer must not be revoked from it in the same round."""
    made = group(1)
    for actions in [[("put", 1, 0)], [("join", 1), ("crash", 0)], [("join", 0), ("put", 0, 0)]]:
        for action in actions:
            act(made, action)
        made.round()
    made.settle()
    made.check()


def test_eager_goes_around_the_ring():
    outcome = eager(["b", "a"], configured({"x": 2, "y": 1}))
    assert outcome.assigned == {
        "a": work(["x"], [("x", 0), ("y", 0)]),
        "b": work(["y"], [("x", 1)]),
    }


def test_steps():
    running = work(["a", "gone"], [("a", 0), ("gone", 0)])
    assigned = work(["a", "b", "gone"], [("a", 0), ("a", 1), ("b", 0), ("b", 5)])
    found = steps(running, assigned, {"a": 2, "b": 1})
    assert found.stop == work(["gone"], [("gone", 0)])
    assert found.start == work(["b"], [("a", 1), ("b", 0)])
    assert steps(running, NOTHING, {}).stop == running
    assert reconfigured(running, {"a"}) == work([], [("a", 0)]).tasks


def test_accumulate():
    held, fresh, gone = work(["a"]), work(["b"]), work(["a"])
    assert accumulate(held, fresh, gone, incremental=True) == fresh
    assert accumulate(held, fresh, NOTHING, incremental=True) == work(["a", "b"])
    assert accumulate(held, fresh, NOTHING, incremental=False) == fresh
