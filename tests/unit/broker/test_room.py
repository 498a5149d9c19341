"""Appends end before the disk is full, and what was consumed makes room for more."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from replicator.api.errors import DiskFullError
from replicator.broker.admin import NewTopic
from replicator.broker.base import OffsetAndMetadata, TopicPartition
from replicator.broker.embedded import EmbeddedBroker, maintenance, room
from replicator.broker.message import NewMessage

TP = TopicPartition("t", 0)


class Disk:
    """A disk of some size that holds the log's folder and other things."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size, self.others = folder, size, 0

    def statvfs(self, _: object) -> Any:
        used = sum(f.stat().st_size for f in self.folder.iterdir()) + self.others
        free = max(self.size - used, 0)
        return os.statvfs_result((1, 1, self.size, free, free, 0, 0, 0, 0, 255))


def test_room_is_made_when_something_was_consumed_not_when_it_is_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_TICK", 3600.0)
    disk = Disk(tmp_path, 16 << 20)
    monkeypatch.setattr(room.os, "statvfs", disk.statvfs)
    with EmbeddedBroker(tmp_path) as broker:
        broker.admin().create_topics([NewTopic("t", 1)])
        producer, consumer = broker.producer("p"), broker.consumer("c", "g")
        consumer.assign([TP])
        payload = os.urandom(100_000)
        written = 0

        def refused() -> DiskFullError | None:
            nonlocal written
            try:
                producer.append([NewMessage("t", None, payload, 0)])
            except DiskFullError as error:
                return error
            written += 1
            return None

        deadline = time.monotonic() + 60
        while (error := refused()) is None or not broker.log.budget.short:
            assert time.monotonic() < deadline
        assert written > 20
        room_again = error.room
        assert not room_again.is_set()
        assert consumer.commit_wanted
        read = 0
        while read < written:
            read += len(consumer.poll(1000, 10))
        consumer.commit({TP: OffsetAndMetadata(read)})
        assert room_again.wait(60)
        assert refused() is None
        assert not consumer.commit_wanted
        consumer.close()


def test_more_than_there_will_ever_be_room_for_is_refused_and_less_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.os, "statvfs", Disk(tmp_path, 16 << 20).statvfs)
    with EmbeddedBroker(tmp_path) as broker:
        broker.admin().create_topics([NewTopic("t", 1)])
        producer = broker.producer("p")
        for _ in range(2):
            with pytest.raises(DiskFullError) as refused:
                producer.append([NewMessage("t", None, os.urandom(12 << 20), 0)])
            assert refused.value.room is not None
            assert refused.value.room.wait(60)
        producer.append([NewMessage("t", None, os.urandom(1 << 20), 0)])


def test_a_full_disk_empties_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(tmp_path, 64 << 20)
    monkeypatch.setattr(room.os, "statvfs", disk.statvfs)
    broker = EmbeddedBroker(tmp_path, maintenance=False)
    upkeep = broker.maintenance
    broker.admin().create_topics([NewTopic("t", 1)])
    producer, consumer = broker.producer("p"), broker.consumer("c", "g")
    consumer.subscribe(["t"])

    def fill() -> int:
        count = 0
        with pytest.raises(DiskFullError):
            while True:
                producer.append([NewMessage("t", None, os.urandom(200_000), 0)])
                count += 1
                if count % 10 == 0:
                    upkeep.watch_room()
        while not broker.log.budget.short:
            upkeep.watch_room()
            with suppress(DiskFullError):
                producer.append([NewMessage("t", None, os.urandom(200_000), 0)])
                count += 1
        return count

    upkeep.watch_room()
    reserve = tmp_path / "log.reserve"
    assert reserve.stat().st_size == 2 << 20
    written = fill()
    assert written > 100
    assert not reserve.exists()
    assert disk.statvfs(0).f_bavail > 1 << 20
    # Nothing was consumed: nothing goes.
    upkeep.watch_room()
    with pytest.raises(DiskFullError):
        producer.append([NewMessage("t", None, b"x", 0)])
    read = 0
    while read < written:
        read += len(consumer.poll(1000, 1.0))
    consumer.commit({TP: OffsetAndMetadata(read)})
    upkeep.watch_room()
    assert reserve.exists()
    assert disk.statvfs(0).f_bavail > 40 << 20
    assert fill() > 100
    # Others fill it: the reserve is given up, and taken again when they are gone.
    disk.others = 64 << 20
    upkeep.watch_room()
    assert not reserve.exists()
    disk.others = 0
    consumer.commit({TP: OffsetAndMetadata(broker.log.partition(TP).end)})
    upkeep.watch_room()
    assert reserve.exists()
    producer.append([NewMessage("t", None, b"x", 0)])
    consumer.close()
    broker.close()
