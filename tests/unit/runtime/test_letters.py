"""Dead letters: which are meant, replay in order, what is superseded, purge, marks; also over REST and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from replicator.api.errors import BadRequestError, NotFoundError
from replicator.api.record import TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import Message, NewMessage
from replicator.cli.dlq import moment
from replicator.cli.main import cli
from replicator.rest.app import create_app
from replicator.runtime.letter_box import LetterBox
from replicator.runtime.letters import LetterFilter, key_matches, letter
from tests.unit.rest.fakes import FakeHerder

PREFIX = "__connect.errors."
BOX = LetterFilter()


def dead(
    key: bytes | None, value: bytes | None, offset: int | None, *, topic: str | None = "t",
    error: str = "DataException", message: str = "bad row", stage: str = "TASK_PUT", timestamp: int = 1000, **more: str,
) -> NewMessage:  # fmt: skip
    context = {
        "topic": topic,
        "partition": "0",
        "offset": None if offset is None else str(offset),
        "connector.name": "snk",
        "stage": stage,
        "exception.class.name": f"org.apache.kafka.connect.errors.{error}",
        "exception.message": message,
        **more,
    }
    headers: list[tuple[str, bytes | None]] = [("own", b"1"), ("__replicator.position", b"stream:x:1:0:1")]
    headers += [(PREFIX + n, None if v is None else v.encode()) for n, v in context.items()] if topic else []
    return NewMessage("dlq", key, value, None, timestamp, headers)


class Log:
    """A topic `t` with records, a queue `dlq` with letters."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.box = LetterBox(broker)
        broker.admin().create_topics([NewTopic("t", 1), NewTopic("dlq", 1), NewTopic("other", 1)])

    def append(self, *messages: NewMessage) -> None:
        producer = self.broker.producer("test")
        for message in messages:
            producer.append([message])
        producer.close()

    def records(self, *pairs: tuple[str, str | None]) -> None:
        self.append(*(NewMessage("t", k.encode(), None if v is None else v.encode()) for k, v in pairs))

    def read(self, topic: str, start: int = 0) -> list[Message]:
        consumer = self.broker.consumer("test")
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), start)
        found = consumer.poll(1000, 0)
        consumer.close()
        return found


@pytest.fixture
def log() -> Iterator[Log]:
    with EmbeddedBroker(":memory:", maintenance=False) as broker:
        yield Log(broker)


def offsets(box: LetterBox, chosen: LetterFilter = BOX) -> list[int]:
    return [found.message.offset for found in box.letters("dlq", chosen)]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"topic": "t"}, [0, 1, 2]),
        ({"topic": "o*"}, [3]),
        ({"error": "dataexc"}, [0, 1, 3]),
        ({"error": "TOO LONG"}, [2]),
        ({"stage": "value_converter"}, [1]),
        ({"connector": "snk"}, [0, 1, 2, 3]),
        ({"connector": "x"}, []),
        ({"key": "7"}, [0, 2]),
        ({"since": 2000}, [1, 2]),
        ({"until": 2000}, [0, 3]),
        ({"places": "0, 0:3"}, [0, 3]),
        ({"key": "7", "until": 2000}, [0]),
    ],
)
def test_filters(log: Log, chosen: dict[str, Any], expected: list[int]) -> None:
    log.append(
        dead(b'{"id":7}', b"a", 0),
        dead(b"8", b"b", 1, stage="VALUE_CONVERTER", timestamp=2000),
        dead(b"7", b"c", 2, error="ConnectException", message="value too long for column", timestamp=3000),
        dead(None, b"d", 0, topic="other"),
    )
    assert offsets(log.box, LetterFilter.of(chosen)) == expected
    assert LetterFilter.of(LetterFilter.of(chosen).to_json()) == LetterFilter.of(chosen)


@pytest.mark.parametrize(
    ("wanted", "key", "expected"),
    [
        ("a", b"a", True),
        ("null", None, True),
        ("a", None, False),
        ("7", b'{"schema":{"type":"struct"},"payload":{"id":7}}', True),
        ("7", b'{"schema":null,"payload":7}', True),
        ("7", b'{"id":7,"x":1}', False),
        ('{"x":1,"id":7}', b'{"id":7,"x":1}', True),
        ("seven", b'{"id":"seven"}', True),
        ("0xff00", b"\xff\x00", True),
        ("7", b"\xff", False),
    ],
)
def test_keys(wanted: str, key: bytes | None, expected: bool) -> None:
    assert key_matches(wanted, key) is expected


def test_unknown_filters_are_refused() -> None:
    with pytest.raises(BadRequestError, match="Unknown filter colour"):
        LetterFilter.of({"colour": "red"})
    with pytest.raises(BadRequestError, match="milliseconds"):
        LetterFilter.of({"since": "yesterday"})


def test_replay_keeps_order_and_is_done_once(log: Log) -> None:
    log.records(("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"))
    log.append(dead(b"a", b"1", 0), dead(b"b", b"1", 1), dead(b"a", b"2", 2))
    planned = log.box.replay("dlq", BOX, dry_run=True)
    assert planned.replayed == {"t": 3}
    assert len(log.read("t")) == 4
    assert log.box.replay("dlq", BOX).replayed == {"t": 3}
    again = log.read("t", 4)
    assert [(m.key, m.value) for m in again] == [(b"a", b"1"), (b"b", b"1"), (b"a", b"2")]
    assert again[0].headers == [("own", b"1"), ("__replicator.replayed", b"dlq:0:0")]
    assert log.box.replay("dlq", BOX).replayed == {}
    assert offsets(log.box) == []
    assert [x.state for x in log.box.letters("dlq", LetterFilter(handled=True))] == ["replayed"] * 3


def letters_of(pairs: Sequence[tuple[str, int, str | None]]) -> list[NewMessage]:
    return [dead(k.encode(), None if v is None else v.encode(), o) for k, o, v in pairs]


@pytest.mark.parametrize(
    ("records", "letters", "superseded"),
    [
        ([("a", "bad"), ("a", "good")], [("a", 0, "bad")], [0]),
        ([("a", "bad"), ("b", "good")], [("a", 0, "bad")], []),
        ([("a", "bad"), ("a", "bad")], [("a", 0, "bad"), ("a", 1, "bad")], []),
        ([("a", "bad"), ("a", "bad"), ("a", "good")], [("a", 0, "bad"), ("a", 1, "bad")], [0, 1]),
        ([("a", '{"op":"d"}'), ("a", None)], [("a", 0, '{"op":"d"}')], []),
        ([("a", '{"op":"d"}'), ("a", None), ("a", "new")], [("a", 0, '{"op":"d"}')], [0]),
        ([("a", "flat"), ("a", None)], [("a", 0, "flat")], [0]),
    ],
)
def test_superseded(
    log: Log, records: list[Any], letters: list[tuple[str, int, str | None]], superseded: list[int]
) -> None:
    log.records(*records)
    log.append(*letters_of(letters))
    outcome = log.box.replay("dlq", BOX)
    assert [offset for _, offset in outcome.superseded] == superseded
    assert sum(outcome.replayed.values()) == len(letters) - len(superseded)
    forced = log.box.replay("dlq", BOX, superseded=True)
    assert sum(forced.replayed.values()) == len(superseded)


def test_what_cannot_be_replayed(log: Log) -> None:
    log.append(dead(b"a", b"1", 0, topic=None), dead(b"a", b"{}", None, **{"source.encoding": "json"}))
    outcome = log.box.replay("dlq", BOX)
    assert (outcome.without_origin, outcome.stand_ins, outcome.replayed) == ([(0, 0)], [(0, 1)], {})
    assert log.box.replay("dlq", BOX, to="other").replayed == {"other": 2}
    log.append(dead(b"a", b"1", 0, topic="gone"))
    with pytest.raises(NotFoundError, match="Topic gone"):
        log.box.replay("dlq", BOX)


def test_purge_deletes_the_beginning_and_hides_the_rest(log: Log) -> None:
    log.append(*letters_of([("a", 0, "1"), ("b", 1, "2"), ("c", 2, "3"), ("b", 3, "4")]))
    assert log.box.purge("dlq", LetterFilter(key="b"), dry_run=True) == 2
    assert log.box.purge("dlq", LetterFilter(key="b")) == 2
    assert offsets(log.box) == [0, 2]
    assert log.box.purge("dlq", LetterFilter(key="a")) == 1
    assert log.broker.admin().begin_offsets([TopicPartition("dlq", 0)]) == {TopicPartition("dlq", 0): 2}
    assert offsets(log.box) == [2]
    assert log.box.queues() == [{"queue": "dlq", "letters": 1, "handled": 1}]


def test_a_queue_made_anew_has_no_old_marks(log: Log) -> None:
    log.append(dead(b"a", b"1", None))
    log.box.replay("dlq", BOX)
    log.broker.admin().delete_topic("dlq")
    log.broker.admin().create_topics([NewTopic("dlq", 1)])
    log.append(dead(b"a", b"1", None))
    assert offsets(log.box) == [0]


def test_the_last_of_headers_with_one_name_counts() -> None:
    message = Message("dlq", 0, 0, 0, None, None, [(PREFIX + "topic", b"old"), (PREFIX + "topic", b"new")])
    assert letter(message).origin == "new"


def test_queues_are_found_by_name_or_headers(log: Log) -> None:
    log.broker.admin().create_topics([NewTopic("shop.DLQ"), NewTopic("errors-of-x")])
    message = dead(b"a", b"1", 0)
    message.topic = "errors-of-x"
    log.append(message)
    assert [q["queue"] for q in log.box.queues()] == ["dlq", "errors-of-x", "shop.DLQ"]


def test_rest(log: Log) -> None:
    client = TestClient(create_app(FakeHerder(), broker=log.broker))  # type: ignore[arg-type]
    log.append(dead(b"a", b"\xff", 0), dead(b"b", b"2", 1))
    assert client.get("/replicator/dlq").json()[0] == {"queue": "dlq", "letters": 2, "handled": 0}
    found = client.get("/replicator/dlq/dlq", params={"key": "a"}).json()
    assert [f["value"] for f in found] == [{"base64": "/w=="}]
    assert found[0]["errors"]["topic"] == "t"
    body = {"filter": {"key": "b"}, "dry_run": True}
    assert client.post("/replicator/dlq/dlq/replay", json=body).json()["replayed"] == {"t": 1}
    assert client.post("/replicator/dlq/dlq/purge", json={"filter": {"key": "b"}}).json() == {"purged": 1}
    assert client.get("/replicator/dlq/nope").status_code == 404
    assert client.get("/replicator/dlq/dlq?colour=red").status_code == 400
    assert client.post("/replicator/dlq/dlq/replay", json={"x": 1}).status_code == 400


def test_commands_on_a_folder(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, maintenance=False) as broker:
        log = Log(broker)
        log.records(("a", "1"), ("b", "1"))
        log.append(dead(b"a", b"1", 0), dead(b"b", b"1", 1, message="duplicate"))

    def run(*arguments: str, confirm: str | None = None) -> str:
        found = CliRunner().invoke(cli, ["dlq", "--data-dir", str(tmp_path), *arguments], input=confirm)
        assert found.exit_code == 0, found.output
        return found.output

    assert run("list") == "dlq: 2 letters\n"
    assert "0:1 1970-01-01T00:00:01Z t/0/1 key=b DataException: duplicate" in run("list", "dlq")
    shown = run("show", "dlq", "--key", "b")
    assert "exception.message: duplicate" in shown
    assert "header own: 1" in shown
    assert json.loads(run("list", "dlq", "--json", "--error", "dupl"))[0]["offset"] == 1
    assert "t: 1 letters would be replayed" in run("replay", "dlq", "--key", "a", "--dry-run")
    assert "t: 1 letters replayed" in run("replay", "dlq", "--key", "a", confirm="y\n")
    assert run("list") == "dlq: 1 letters, 1 handled\n"
    assert "1 letters purged" in run("purge", "dlq", "--yes")
    assert run("list", "dlq") == "No letters.\n"


def test_where_is_said_once(tmp_path: Path) -> None:
    both = CliRunner().invoke(
        cli, ["dlq", "--url", "http://127.0.0.1:9", "--data-dir", str(tmp_path), "list"]
    )
    assert (both.exit_code, "not both" in both.output) == (2, True)
    env = {"REPLICATOR_CONNECT_URL": "http://127.0.0.1:9"}
    found = CliRunner().invoke(cli, ["dlq", "--data-dir", str(tmp_path), "list"], env=env)
    assert "There is no pipeline" in found.output


def test_commands_without_a_log(tmp_path: Path) -> None:
    found = CliRunner().invoke(cli, ["dlq", "--data-dir", str(tmp_path), "list"])
    assert found.exit_code == 1
    assert "Give --data-dir, --worker FILE or --url." in found.output


def test_moments() -> None:
    assert moment("2h", now=10_000) == 2_800_000
    assert moment("1970-01-01T00:00:02Z") == 2000
    with pytest.raises(BadRequestError, match="no point in time"):
        moment("soon")


def test_pages_of_letters(log: Log) -> None:
    log.broker.admin().create_topics([NewTopic("wide-dlq", 2)])
    log.append(*(NewMessage("wide-dlq", b"k", b"%d" % n, n % 3 % 2) for n in range(12)))
    client = TestClient(create_app(FakeHerder(), broker=log.broker))  # type: ignore[arg-type]
    behind: dict[int, int] = {}
    seen: list[int] = []
    for size in (5, 5, 2):
        start = ",".join(f"{p}:{o}" for p, o in behind.items())
        found = client.get("/replicator/dlq/wide-dlq", params={"limit": 5, "start": start}).json()
        assert len(found) == size
        seen += [int(f["value"]["text"]) for f in found]
        behind |= {f["partition"]: f["offset"] + 1 for f in found}
    assert seen == list(range(12))
    assert client.get("/replicator/dlq/wide-dlq?start=7").status_code == 400


def test_many_letters_in_batches(log: Log) -> None:
    """More than one batch: order of keys, marks and superseded ones are as with a few."""
    log.records(*((f"k{n % 7}", str(n)) for n in range(1300)))
    log.append(*(dead(b"k%d" % (n % 7), b"%d" % n, n) for n in range(1200)))
    planned = log.box.replay("dlq", BOX, dry_run=True)
    assert (planned.replayed, planned.left_out) == ({}, {"superseded": 1200})
    assert (len(planned.superseded), planned.superseded[0]) == (1000, (0, 0))
    outcome = log.box.replay(
        "dlq", LetterFilter(places=",".join(map(str, range(0, 1200, 2)))), superseded=True
    )
    assert outcome.replayed == {"t": 600}
    consumer = log.broker.consumer("test")
    consumer.assign([TopicPartition("t", 0)])
    consumer.seek(TopicPartition("t", 0), 1300)
    again: list[bytes | None] = []
    while found := consumer.poll(1000, 0):
        again += [m.value for m in found]
    consumer.close()
    assert again == [b"%d" % n for n in range(0, 1200, 2)]
    assert log.box.queues()[0] == {"queue": "dlq", "letters": 600, "handled": 600}
    assert log.box.purge("dlq", BOX) == 600
    assert log.box.queues()[0] == {"queue": "dlq", "letters": 0, "handled": 0}
    assert log.broker.admin().begin_offsets([TopicPartition("dlq", 0)]) == {TopicPartition("dlq", 0): 1200}
