"""The file connectors: lines, offsets, and the text of values."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.lines import LineBuffer
from connectors.files.sink import FileStreamSinkConnector, FileStreamSinkTask
from connectors.files.source import FileStreamSourceConnector, FileStreamSourceTask
from connectors.files.text import line_of, text_of
from replicator.api import ConfigError, ConnectError, SinkRecord, Struct, TopicPartition
from replicator.api.schema import OPTIONAL_STRING, STRING, struct_schema
from replicator.broker.embedded import EmbeddedBroker
from replicator.plugins.registry import Registry
from tests.unit.runtime.service_fixture import eventually, running


class Stopped:
    """A context whose waits do not wait."""

    def __init__(self, offset: dict[str, Any] | None = None) -> None:
        self.stopping = threading.Event()
        self.stopping.set()
        self.stored = offset

    @property
    def offsets(self) -> Any:
        return self

    def offset(self, partition: dict[str, Any]) -> dict[str, Any] | None:
        self.asked = partition
        return self.stored


def task(file: Path, offset: dict[str, Any] | None = None, **options: str) -> FileStreamSourceTask:
    made = FileStreamSourceTask()
    made.initialize(Stopped(offset))  # type: ignore[arg-type]
    made.start({"file": str(file), "topic": "t", **{k.replace("_", "."): v for k, v in options.items()}})
    return made


def lines(found: Any) -> list[tuple[str, int]]:
    return [(r.value, r.source_offset["position"]) for r in found or ()]


def test_lines_have_their_end_as_offset(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_bytes("a\nbé\r\n\rc\nunfinished".encode())
    source = task(file)
    records = source.poll()
    assert lines(records) == [("a", 2), ("bé", 7), ("", 8), ("c", 10)]
    assert records is not None
    assert records[0].source_partition == {"filename": str(file)}
    assert (records[0].topic, records[0].value_schema, records[0].key) == ("t", STRING, None)
    assert source.poll() is None
    with file.open("ab") as more:
        more.write(b" now\n")
    assert lines(source.poll()) == [("unfinished now", 25)]
    source.stop()


def test_reading_goes_on_behind_the_stored_position(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_bytes(b"one\ntwo\n")
    source = task(file, {"position": 4})
    assert lines(source.poll()) == [("two", 8)]
    with pytest.raises(ConnectError, match="Offset position is the incorrect type"):
        task(file, {"position": "4"}).poll()


def test_a_missing_file_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    source = task(file)
    assert source.poll() is None
    file.write_bytes(b"here\n")
    assert lines(source.poll()) == [("here", 5)]


def test_batches_are_limited(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_bytes(b"".join(b"%d\n" % n for n in range(25)))
    source = task(file, batch_size="10")
    assert [len(source.poll() or ()) for _ in range(4)] == [10, 10, 5, 0]


@given(
    st.lists(st.text("ab\r\n", max_size=12), max_size=12).map("".join),
    st.lists(st.integers(1, 5), min_size=1, max_size=60),
)
def test_lines_do_not_depend_on_how_blocks_are_cut(text: str, sizes: list[int]) -> None:
    data = text.encode() + b"end\n"
    buffer, found, position = LineBuffer(), [], 0
    while position < len(data):
        size = sizes[position % len(sizes)]
        buffer.add(data[position : position + size])
        position += size
        while (line := buffer.take()) is not None:
            found.append(line)
    expected = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]
    assert [line for line, _ in found] == expected
    assert sum(length for _, length in found) == len(data)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", b"text"),
        (None, b"null"),
        (True, b"true"),
        (12, b"12"),
        (1.0, b"1.0"),
        (1e10, b"1.0E10"),
        (123456789.5, b"1.234567895E8"),
        (0.00012, b"1.2E-4"),
        (0.001, b"0.001"),
        (float("nan"), b"NaN"),
        (-0.0, b"-0.0"),
        (1e7, b"1.0E7"),
        (9.99e-4, b"9.99E-4"),
        (Decimal("1E+3"), b"1E+3"),
        (Decimal("0.0000001"), b"1E-7"),
        (["x", None, 2], b"[x, null, 2]"),
        (b"\x00\xff", b"\x00\xff"),
        (Decimal("1.50"), b"1.50"),
        ({"a": 1, "b": [1, "x"]}, b"{a=1, b=[1, x]}"),
        (dt.datetime(2024, 2, 29, 12, 30, 1), b"Thu Feb 29 12:30:01 UTC 2024"),
        (dt.date(1970, 1, 1), b"Thu Jan 01 00:00:00 UTC 1970"),
    ],
)
def test_text_as_java_prints_it(value: Any, expected: bytes) -> None:
    assert line_of(value) == expected


def test_structs_leave_out_what_is_null() -> None:
    schema = struct_schema([("a", STRING), ("b", OPTIONAL_STRING), ("c", STRING)])
    assert text_of(Struct(schema, {"a": "1", "b": None, "c": "2"})) == "Struct{a=1,c=2}"


def wrote(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


OFFSET_ERRORS = [
    ({"filename": "f"}, {}, "should either be null or contain the key 'position'"),
    ({"filename": "f"}, {"position": "1"}, "expected to be a Long value"),
    ({"filename": "f"}, {"position": -1}, "non-negative value"),
    (None, {"position": 1}, "Partition objects cannot be null"),
    ({"x": "f"}, {"position": 1}, "should contain the key 'filename'"),
]


@pytest.mark.parametrize(("partition", "offset", "message"), OFFSET_ERRORS)
def test_wrong_offsets_are_refused(partition: Any, offset: Any, message: str) -> None:
    with pytest.raises(ConnectError, match=message):
        FileStreamSourceConnector().alter_offsets(
            {"file": "f", "topic": "t"}, {"offsets": [(partition, offset)]}
        )


def test_offsets_of_the_standard_input_cannot_be_changed() -> None:
    with pytest.raises(ConnectError, match="stdin is used for input and offsets are not tracked"):
        FileStreamSourceConnector().alter_offsets({"topic": "t"}, {"offsets": []})
    offsets = {"offsets": [({"garbage": 1}, None), ({"filename": "f"}, {"position": 0})]}
    assert FileStreamSourceConnector().alter_offsets({"file": "f", "topic": "t"}, offsets)
    assert FileStreamSinkConnector().alter_offsets({}, {TopicPartition("t", 0): 3})


def test_a_topic_is_needed() -> None:
    with pytest.raises(ConfigError, match="topic"):
        FileStreamSourceConnector.config_def().parse({"file": "f", "topic": ""})


@pytest.mark.parametrize(
    ("prefix", "suffix"), [("", ""), ("", "Connector"), ("org.apache.kafka.connect.file.", "Connector")]
)
def test_names_users_write(prefix: str, suffix: str) -> None:
    registry = Registry()
    assert registry.connector(f"{prefix}FileStreamSource{suffix}") == ("source", FileStreamSourceConnector)
    assert registry.connector(f"{prefix}FileStreamSink{suffix}") == ("sink", FileStreamSinkConnector)


def test_from_file_to_file_over_a_restart(tmp_path: Path) -> None:
    here, there = tmp_path / "in.txt", tmp_path / "out.txt"
    here.write_text("first\nsecond\n")
    source = {"name": "src", "connector.class": "FileStreamSource", "file": str(here), "topic": "lines"}
    sink = {"name": "snk", "connector.class": "FileStreamSink", "file": str(there), "topics": "lines"}
    options = {"data.dir": str(tmp_path / "data")}
    for expected in ("first\nsecond\n", "first\nsecond\nthird\n"):
        broker = EmbeddedBroker(tmp_path / "data")
        with running(broker, **options) as service:
            service.herder.put_connector_config("src", source)
            service.herder.put_connector_config("snk", sink)
            eventually(partial(wrote, there, expected))
        broker.close()
        with here.open("a") as more:
            more.write("third\n")
    assert there.read_text() == "first\nsecond\nthird\n"


def test_lines_are_there_once_they_are_put(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    out.write_text("before\n")
    sink = FileStreamSinkTask()
    sink.start({"file": str(out)})
    sink.put([SinkRecord("t", 0, None, None, None, value, 0) for value in ("a", None, b"\xff")])
    assert out.read_bytes() == b"before\na\nnull\n\xff\n"
    sink.stop()
    with pytest.raises(ConnectError, match="Couldn't find or create file"):
        FileStreamSinkTask().start({"file": str(tmp_path / "no" / "out.txt")})
