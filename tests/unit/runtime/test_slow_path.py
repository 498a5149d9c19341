"""What happens to a record that fails: each step is done once, attempts are counted as if there were no fast path."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from replicator.api.converter import Converter, SchemaAndValue
from replicator.api.errors import DataError, RetriableError
from replicator.api.record import ConnectRecord
from replicator.api.transform import Transformation
from replicator.broker.message import Message
from replicator.converters.header import SimpleHeaderConverter
from replicator.converters.text import StringConverter
from replicator.runtime.chain import Chain
from replicator.runtime.sink_records import RecordReader
from replicator.runtime.source_records import RecordWriter
from replicator.runtime.tolerance import ErrorHandler, ErrorPolicy, Failure, Stage
from replicator.testing.clock import ManualClock
from replicator.testing.fakes import record


class Collector:
    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def report(self, failure: Failure) -> None:
        self.failures.append(failure)


class Append(Transformation):
    """Changes the record in place, as careless transforms do."""

    def __init__(self, text: str) -> None:
        self.text = text

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        record.value = f"{record.value}{self.text}"
        return record


class Fails(Transformation):
    """Fails with an error, so many times for each record."""

    def __init__(self, error: Exception, times: int = 1000) -> None:
        self.error = error
        self.times = times
        self.calls = 0

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if not str(record.value).startswith("bad"):
            return record
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return record


class FailsOnce(StringConverter):
    """Its second call fails."""

    aliases: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def _check(self, value: Any) -> None:
        self.calls += 1
        if str(value).startswith("bad") and self.calls == 2:
            raise RetriableError("not now")

    def from_connect_data(self, topic: str, schema: Any, value: Any) -> bytes | None:
        self._check(value)
        return super().from_connect_data(topic, schema, value)

    def from_connect_parts(self, topic: str, schema: Any, value: Any) -> tuple[bytes, bytes | None]:
        return b"", self.from_connect_data(topic, schema, value)

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        self._check((data or b"").decode())
        return super().to_connect_data(topic, data)


def handler(timeout: int = 0) -> tuple[ErrorHandler, ManualClock, Collector]:
    clock, collector = ManualClock(), Collector()
    policy = ErrorPolicy(timeout, 60000, True)
    return ErrorHandler(policy, [collector], clock, threading.Event()), clock, collector


def chain(*steps: Transformation) -> Chain:
    return Chain([(step, None, False) for step in steps])


def written(made: Chain, errors: ErrorHandler, value: Converter | None = None) -> list[bytes | None]:
    writer = RecordWriter(
        made, StringConverter(), value or StringConverter(), SimpleHeaderConverter(), errors
    )
    return [m.value for m in writer.convert([record("good", 1), record("bad", 2), record("fine", 3)])]


def read(made: Chain, errors: ErrorHandler, value: Converter | None = None) -> list[Any]:
    reader = RecordReader(
        made, StringConverter(), value or StringConverter(), SimpleHeaderConverter(), errors
    )
    messages = [Message("t", 0, n, 5, b"k", v, None) for n, v in enumerate((b"good", b"bad", b"fine"))]
    return [r.value for r in reader.convert(messages)]


def texts(found: list[Any]) -> list[str]:
    return [v.decode() if isinstance(v, bytes) else v for v in found]


BOTH = pytest.mark.parametrize("side", [written, read])


@BOTH
def test_steps_before_the_one_that_failed_are_not_done_again(side: Any) -> None:
    errors, clock, collector = handler(1000)
    found = side(chain(Append("1"), Fails(RetriableError("x"), times=2), Append("2")), errors)
    assert texts(found) == ["good12", "bad12", "fine12"]
    assert [round(w * 1000) for w in clock.waits] == [300, 600]
    assert (errors.counts.failures, errors.counts.retries, errors.counts.errors) == (2, 2, 0)
    assert collector.failures == []


@BOTH
def test_attempts_follow_connects_formula(side: Any) -> None:
    errors, clock, collector = handler(6000)
    failing = Fails(RetriableError("x"))
    assert texts(side(chain(failing), errors)) == ["good", "fine"]
    assert [round(w * 1000) for w in clock.waits] == [300, 600, 1200, 2400, 1500]
    assert failing.calls == collector.failures[0].attempts == 6


@BOTH
def test_a_step_that_refuses_is_called_once(side: Any) -> None:
    errors, _, collector = handler(6000)
    failing = Fails(DataError("bad"))
    assert texts(side(chain(Append("!"), failing), errors)) == ["good!", "fine!"]
    assert failing.calls == 1
    assert [(f.stage, f.executing, f.attempts) for f in collector.failures] == [
        (Stage.TRANSFORMATION, Fails, 1)
    ]


@BOTH
def test_a_converter_that_failed_does_not_repeat_the_chain(side: Any) -> None:
    errors, _, collector = handler(6000)
    assert texts(side(chain(Append("!")), errors, FailsOnce())) == ["good!", "bad!", "fine!"]
    assert collector.failures == []


def test_nothing_to_convert() -> None:
    errors, _, _ = handler()
    made = RecordWriter(chain(), StringConverter(), StringConverter(), SimpleHeaderConverter(), errors)
    assert made.convert([]) == []
