"""The queue between a log reader and poll."""

from __future__ import annotations

import threading
import time

import pytest

from connectors.cdc.queue import RecordQueue
from replicator.api import SourceRecord


def records(count: int) -> list[SourceRecord]:
    return [SourceRecord(None, None, "t", None, None, n, None, None) for n in range(count)]


def test_batches_come_whole_and_in_order() -> None:
    queue = RecordQueue(10)
    first, second = records(3), records(2)
    assert queue.put(first, 1)
    assert queue.put(second, 1)
    assert queue.take(0) is first
    assert queue.take(0) is second
    assert queue.take(0) is None


@pytest.mark.parametrize(("limits", "size"), [((4, 0), 1), ((100, 10), 8)])
def test_a_full_queue_holds_the_reader_back_and_keeps_calling(limits: tuple[int, int], size: int) -> None:
    queue = RecordQueue(*limits)
    called = threading.Event()
    queue.put(records(3), size)
    reader = threading.Thread(target=queue.put, args=(records(3), size, called.set))
    reader.start()
    assert called.wait(2)
    assert queue.records == 3
    queue.take(0)
    reader.join(2)
    assert queue.records == 3


def test_a_batch_larger_than_the_queue_passes_alone() -> None:
    queue = RecordQueue(2, 5)
    assert queue.put(records(9), 99)
    assert len(queue.take(0) or []) == 9


def test_an_error_comes_after_the_batches_before_it() -> None:
    queue = RecordQueue(10)
    queue.put(records(1), 1)
    queue.fail(RuntimeError("boom"))
    assert len(queue.take(0) or []) == 1
    for _ in range(2):
        with pytest.raises(RuntimeError, match="boom"):
            queue.take(0)


def test_closing_frees_both_sides() -> None:
    queue = RecordQueue(1)
    queue.put(records(1), 1)
    outcome: list[bool] = []
    reader = threading.Thread(target=lambda: outcome.append(queue.put(records(1), 1)))
    reader.start()
    time.sleep(0.05)
    queue.close()
    reader.join(2)
    assert outcome == [False]
