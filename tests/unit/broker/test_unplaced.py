"""Messages without a source position are flushed before a group's consumer hands them out (C9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from replicator.api.position import POSITION_HEADER
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage

PLACED = [(POSITION_HEADER, b"s:abc:1:0:1")]


@pytest.mark.parametrize("tail", [True, False])
def test_flushed_before_they_are_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tail: bool
) -> None:
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        broker.admin().create_topics([NewTopic("placed", 1), NewTopic("bare", 1)])
        flushed: list[int] = []
        flush = broker.log.sync

        def sync() -> None:
            flush()
            flushed.append(broker.log.synced)

        monkeypatch.setattr(broker.log, "sync", sync)
        producer, consumer = broker.producer("p"), broker.consumer("c", "g")
        consumer.subscribe(["placed", "bare"])

        def read(count: int) -> None:
            if not tail:
                broker.log.forget_tail()
            got = 0
            while got < count:
                got += len(consumer.poll(100, 1.0))

        producer.append([NewMessage("placed", None, b"1", 0, headers=PLACED)])
        read(1)
        assert flushed == []
        producer.append(
            [NewMessage("placed", None, b"2", 0, headers=PLACED), NewMessage("bare", None, b"1", 0)]
        )
        read(2)
        assert flushed == [broker.log.last_seq]
        # What a source's own flush point has covered needs no other.
        producer.append([NewMessage("bare", None, b"2", 0)])
        flush()
        read(1)
        assert len(flushed) == 1
        # Somebody who only looks does not wait for the disk.
        producer.append([NewMessage("bare", None, b"3", 0)])
        looking = broker.consumer("l")
        looking.assign([p for p in consumer.assignment() if p.topic == "bare"])
        assert len(looking.poll(100, 1.0)) >= 1
        assert len(flushed) == 1
        looking.close()
        consumer.close()
