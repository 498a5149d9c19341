"""Records that a topic of several partitions cannot carry in order (C13)."""

from __future__ import annotations

import pytest

from replicator.api.errors import ConnectError
from replicator.api.logical import NEW_KEY_HEADER, OLD_KEY_HEADER
from replicator.api.position import WHOLE_TOPIC_HEADER
from replicator.broker.message import MessageHeaders, NewMessage
from replicator.broker.partitioner import partition_for_key
from replicator.runtime.crossings import check_crossings

COUNT = 4
OLD = b"old"
SAME = next(
    b"k%d" % n for n in range(99) if partition_for_key(b"k%d" % n, COUNT) == partition_for_key(OLD, COUNT)
)
OTHER = next(
    b"k%d" % n for n in range(99) if partition_for_key(b"k%d" % n, COUNT) != partition_for_key(OLD, COUNT)
)


def message(key: bytes | None, name: str = "h", partition: int | None = None) -> NewMessage:
    headers: MessageHeaders = [("__replicator.position", b"p"), (name, b"x")]
    return NewMessage("t", key, b"v", partition, None, headers)


def moved(to: bytes) -> list[NewMessage]:
    return [message(OLD, NEW_KEY_HEADER), message(OLD), message(to, OLD_KEY_HEADER)]


def test_one_partition_carries_everything() -> None:
    check_crossings([message(None, WHOLE_TOPIC_HEADER), *moved(OTHER)], lambda _: 1)


def test_a_truncate_needs_one_partition() -> None:
    with pytest.raises(
        ConnectError, match=r"4 partitions: a truncate .*topic\.creation\.default\.partitions=1"
    ):
        check_crossings([message(None, WHOLE_TOPIC_HEADER)], lambda _: COUNT)


def test_a_key_may_change_within_its_partition() -> None:
    check_crossings(moved(SAME), lambda _: COUNT)
    with pytest.raises(ConnectError, match="key changes"):
        check_crossings(moved(OTHER), lambda _: COUNT)


def test_partitions_chosen_by_the_task_count() -> None:
    check_crossings([message(OLD, NEW_KEY_HEADER, 2), message(OTHER, OLD_KEY_HEADER, 2)], lambda _: COUNT)
