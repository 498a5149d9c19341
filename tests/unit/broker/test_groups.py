"""Sharing partitions: complete, disjoint, level, and moving little."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from replicator.api import TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.embedded.membership import balance

ALL = [TopicPartition("t", n) for n in range(12)]
share = st.sets(st.sampled_from(ALL))


@given(st.lists(st.tuples(share, share), min_size=1, max_size=5))
def test_everything_wanted_has_exactly_one_owner(
    members: list[tuple[set[TopicPartition], set[TopicPartition]]],
) -> None:
    wanted = [w for _, w in members]
    shares = balance([c for c, _ in members], wanted)
    assert sum(map(len, shares)) == len(set().union(*shares))
    assert set().union(*shares) == set().union(*wanted)
    assert all(got <= may for got, may in zip(shares, wanted, strict=True))


@given(st.lists(share, min_size=1, max_size=5), share)
def test_equal_members_get_equal_shares(
    current: list[set[TopicPartition]], wanted: set[TopicPartition]
) -> None:
    shares = balance(current, [wanted] * len(current))
    sizes = [len(s) for s in shares]
    assert max(sizes) - min(sizes) <= 1


def test_a_newcomer_takes_only_its_part() -> None:
    old = [set(ALL[:6]), set(ALL[6:])]
    shares = balance([*old, set()], [set(ALL)] * 3)
    assert [len(s) for s in shares] == [4, 4, 4]
    assert shares[0] < old[0]
    assert shares[1] < old[1]


def test_a_partition_waits_for_its_old_owner() -> None:
    with EmbeddedBroker(":memory:", maintenance=False) as broker:
        broker.admin().create_topics([NewTopic("t", 2)])
        first, second = broker.consumer("1", "g"), broker.consumer("2", "g")
        first.subscribe(["t"])
        first.poll(1, 0)
        assert len(first.assignment()) == 2
        second.subscribe(["t"])
        second.poll(1, 0)
        assert second.assignment() == set()  # the first has not polled since
        first.poll(1, 0)
        second.poll(1, 0)
        assert len(first.assignment()) == len(second.assignment()) == 1
        assert first.assignment().isdisjoint(second.assignment())
        first.close()
        second.close()
