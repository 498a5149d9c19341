"""Source offsets: in a topic as Connect keeps them, and in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replicator.api import ConfigError, DataError, TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage
from replicator.storage import FileOffsetStore, OffsetStore, TopicOffsetStore


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(":memory:", maintenance=False) as opened:
        yield opened


@pytest.fixture(params=["topic", "file"])
def store(request: pytest.FixtureRequest, broker: EmbeddedBroker, tmp_path: Path) -> Iterator[OffsetStore]:
    opened: Any = (
        TopicOffsetStore(broker, "offsets")
        if request.param == "topic"
        else FileOffsetStore(tmp_path / "offsets")
    )
    opened.start()
    yield opened
    opened.stop()


def test_what_was_written_is_read(store: OffsetStore) -> None:
    store.write("c", [({"server": "s"}, {"lsn": 1}), ({"server": "t"}, {"lsn": 2})])
    store.write("d", [({"server": "s"}, {"lsn": 9})])
    store.write("c", [({"server": "s"}, {"lsn": 3})])
    assert store.read("c", {"server": "s"}) == {"lsn": 3}
    assert sorted(store.offsets("c"), key=str) == [
        ({"server": "s"}, {"lsn": 3}),
        ({"server": "t"}, {"lsn": 2}),
    ]
    assert store.read("c", {"server": "unknown"}) is None


def test_the_order_of_keys_means_nothing(store: OffsetStore) -> None:
    store.write("c", [({"b": 1, "a": 2}, {"x": 1})])
    store.write("c", [({"a": 2, "b": 1}, {"x": 2})])
    assert store.read("c", {"b": 1, "a": 2}) == {"x": 2}
    assert len(store.offsets("c")) == 1


def test_partitions_are_written_as_a_java_worker_looks_them_up(broker: EmbeddedBroker) -> None:
    store = TopicOffsetStore(broker, "offsets")
    [message] = store.messages("c", [({"database": "d", "server": "s"}, {"x": 1})])
    assert message.key == b'["c",{"server":"s","database":"d"}]'
    [message] = store.messages("c", [({"table": "t", "protocol": "1"}, {"x": 1})])
    assert message.key == b'["c",{"protocol":"1","table":"t"}]'


def test_none_forgets_an_offset(store: OffsetStore) -> None:
    store.write("c", [({"a": 1}, {"x": 1})])
    store.write("c", [({"a": 1}, None)])
    assert store.read("c", {"a": 1}) is None
    assert store.offsets("c") == []


def test_only_primitive_values_are_stored(store: OffsetStore) -> None:
    with pytest.raises(DataError, match="primitive"):
        store.write("c", [({"a": 1}, {"x": [1]})])


def test_the_bytes_are_connects(broker: EmbeddedBroker) -> None:
    store = TopicOffsetStore(broker, "offsets")
    store.start()
    [message] = store.messages("local-file-source", [({"filename": "/tmp/in"}, {"position": 14})])
    assert message.key == b'["local-file-source",{"filename":"/tmp/in"}]'
    assert message.value == b'{"position":14}'
    store.stop()


def test_offsets_that_rode_along_are_read(broker: EmbeddedBroker) -> None:
    store = TopicOffsetStore(broker, "offsets")
    store.start()
    offsets = [({"server": "s"}, {"lsn": 5})]
    broker.producer("p").append([NewMessage("data", None, b"x"), *store.messages("c", offsets)])
    store.observe("c", offsets)
    assert store.read("c", {"server": "s"}) == {"lsn": 5}
    store.stop()


def write_like_java(broker: EmbeddedBroker, *records: tuple[bytes, bytes | None, int]) -> TopicOffsetStore:
    broker.admin().create_topics([NewTopic("offsets", 25, config={"cleanup.policy": "compact"})])
    broker.producer("java").append([NewMessage("offsets", k, v, timestamp=t) for k, v, t in records])
    store = TopicOffsetStore(broker, "offsets")
    store.start()
    return store


def test_javas_key_is_found_and_kept(broker: EmbeddedBroker) -> None:
    key = b'["c",{"server":"s","database":"d"}]'
    store = write_like_java(broker, (key, b'{"lsn":1}', 1))
    assert store.read("c", {"database": "d", "server": "s"}) == {"lsn": 1}
    [message] = store.messages("c", [({"database": "d", "server": "s"}, {"lsn": 2})])
    assert message.key == key
    store.stop()


def test_two_spellings_of_one_partition(broker: EmbeddedBroker) -> None:
    old, new = b'["c",{"b":1,"a":1}]', b'["c",{"a":1,"b":1}]'
    store = write_like_java(broker, (new, b'{"x":2}', 20), (old, b'{"x":1}', 10))
    assert store.offsets("c") == [({"a": 1, "b": 1}, {"x": 2})]
    store.write("c", [({"a": 1, "b": 1}, None)])
    store.stop()
    again = TopicOffsetStore(broker, "offsets")
    again.start()
    assert again.offsets("c") == []
    again.stop()


@pytest.mark.parametrize("key", [b"x", b"{}", b'["c"]', b'["c",{},1]', b"[1,{}]", b'["c","p"]'])
def test_strange_keys_are_ignored(broker: EmbeddedBroker, key: bytes) -> None:
    store = write_like_java(broker, (key, b'{"x":1}', 1), (b'["c",{"a":1}]', b'{"x":1}', 1))
    assert store.offsets("c") == [({"a": 1}, {"x": 1})]
    store.stop()


def test_the_file_survives_the_process(tmp_path: Path) -> None:
    FileOffsetStore(tmp_path / "o").write("c", [({"a": 1}, {"x": "é"})])
    again = FileOffsetStore(tmp_path / "o")
    again.start()
    assert again.read("c", {"a": 1}) == {"x": "é"}
    assert [p.name for p in tmp_path.iterdir()] == ["o"]


def test_a_failed_write_keeps_the_old_offsets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileOffsetStore(tmp_path / "o")
    store.write("c", [({"a": 1}, {"x": 1})])
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(Exception, match="No space"):
        store.write("c", [({"a": 1}, {"x": 2})])
    assert store.read("c", {"a": 1}) == {"x": 1}
    again = FileOffsetStore(tmp_path / "o")
    again.start()
    assert again.read("c", {"a": 1}) == {"x": 1}


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"\xac\xed\x00\x05sr", "Java"), (b"{", "not an offset file"), (b'{"version":1}', "not an offset file")],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "o").write_bytes(data)
    with pytest.raises(ConfigError, match=says):
        FileOffsetStore(tmp_path / "o").start()


def test_a_topic_read_anew_gives_the_same(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        store = TopicOffsetStore(broker, "offsets")
        store.start()
        store.write("c", [({"a": 1}, {"x": 7})])
        store.stop()
        assert (
            sum(broker.admin().end_offsets([TopicPartition("offsets", n) for n in range(25)]).values()) == 1
        )
    with EmbeddedBroker(tmp_path) as broker:
        store = TopicOffsetStore(broker, "offsets")
        store.start()
        assert store.read("c", {"a": 1}) == {"x": 7}
        store.stop()
