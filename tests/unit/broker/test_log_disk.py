"""The log on the disk: full, bounded, and not held by readers."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from replicator.api import DiskFullError
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage
from tests.unit.broker.reading import everything
from tests.unit.broker.test_log_file import TP


def test_a_full_disk_is_named_and_survived(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        producer = broker.producer("p")
        producer.append([NewMessage("t", None, b"before")])
        pages = broker.log.writer.execute("PRAGMA page_count").fetchone()[0]
        broker.log.writer.execute(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(DiskFullError, match=r"log\.db.*Free space"):
            producer.append([NewMessage("t", None, os.urandom(1 << 20))])
        assert [m.value for m in everything(broker)] == [b"before"]
        broker.log.writer.execute("PRAGMA max_page_count=1000000")
        producer.append([NewMessage("t", None, b"after")])
        assert [(m.offset, m.value) for m in everything(broker)] == [(0, b"before"), (1, b"after")]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "disk"
    point.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(point)], capture_output=True
        ).returncode
    ):
        pytest.skip("mounting a small disk needs root")
    yield point
    subprocess.run(["umount", "-l", str(point)], check=False)


def test_a_really_full_disk(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (1 << 20))
    with EmbeddedBroker(small_disk / "data", maintenance=False) as broker:
        producer = broker.producer("p")
        sent = 0
        with pytest.raises(DiskFullError):
            for sent in range(200):  # noqa: B007 - used after the loop
                producer.append([NewMessage("t", None, os.urandom(100_000))])
        with pytest.raises(DiskFullError):
            producer.append([NewMessage("t", None, os.urandom(100_000))])
        assert sent > 3
        assert len(everything(broker)) == sent
        ballast.unlink()
        producer.append([NewMessage("t", None, os.urandom(100_000))])
        assert len(everything(broker)) == sent + 1
    with EmbeddedBroker(small_disk / "data", maintenance=False) as broker:
        assert len(everything(broker)) == sent + 1


def test_readers_hold_nothing_while_records_are_processed(tmp_path: Path) -> None:
    """C8: otherwise the write-ahead log could never be started over."""
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        producer = broker.producer("p")
        producer.append([NewMessage("t", None, os.urandom(100)) for _ in range(50)])
        broker.log.forget_tail()
        consumer = broker.consumer("c")
        consumer.assign([TP])
        assert len(consumer.poll(10, 0)) == 10
        busy, frames, moved = broker.log.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert (busy, frames, moved) == (0, 0, 0)
        consumer.close()


def test_the_write_ahead_log_stays_bounded(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        producer = broker.producer("p")
        for _ in range(10):
            producer.append([NewMessage("t", None, os.urandom(1 << 20))])
            broker.maintenance.checkpoint()
        assert (tmp_path / "log.db-wal").stat().st_size < 4 << 20


def test_the_write_ahead_log_is_started_over_under_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from replicator.broker.embedded import maintenance

    monkeypatch.setattr(maintenance, "_LONG_WAL_PAGES", 100)
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        stop = threading.Event()

        def append() -> None:
            producer = broker.producer("p")
            while not stop.is_set():
                producer.append([NewMessage("t", None, os.urandom(20_000))])

        thread = threading.Thread(target=append)
        thread.start()
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            broker.maintenance.checkpoint()
        stop.set()
        thread.join()
        appended = broker.admin().end_offsets([TP])[TP] * 20_000
        assert (tmp_path / "log.db-wal").stat().st_size < max(4 << 20, appended // 2)


def test_memory_kept_for_tailing_readers_is_bounded() -> None:
    with EmbeddedBroker(":memory:", maintenance=False) as broker:
        producer = broker.producer("p")
        for n in range(30):
            producer.append([NewMessage("t", None, bytes([n]) * (1 << 20))])
        assert sum(g.raw for g in broker.log.tail.groups.values()) <= 20 << 20
        assert [(m.value or b"")[0] for m in everything(broker)] == list(range(30))
