"""The stream over made-up messages: any cut gives every record once, ends are marked, groups stay together."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.cdc.queue import RecordQueue
from connectors.cdc.tables import Column, Table
from connectors.postgres.config import CONFIG
from connectors.postgres.encoders import Encoders
from connectors.postgres.outbox import Outbox
from connectors.postgres.position import CopyState, Position, SlotIdentity, TableCopy, load
from connectors.postgres.stream import Stream
from replicator.api import SourceRecord, decode_position

OPTIONS = {
    "topic.prefix": "srv", "database.hostname": "h", "database.user": "u", "database.dbname": "d",
    "skipped.operations": "none", "extended.headers.enabled": "false",
}  # fmt: skip
IDENTITY = SlotIdentity("1", 1, "s", 1)
CAPTURED, FILTERED = 7, 8


@dataclass
class Transaction:
    """Operations: i, u, k (key change), d, t, f (a row of a table that is not captured)."""

    commit: int
    operations: str

    def messages(self) -> Iterator[tuple[bytes, int]]:
        yield b"B" + struct.pack(">QqI", self.commit, 0, self.commit), self.commit
        for n, op in enumerate(self.operations):
            yield _row(op, self.commit * 1000 + n), self.commit
        yield b"C" + struct.pack(">BQQq", 0, self.commit, self.commit + 5, 0), self.commit


def _tuple(*values: int) -> bytes:
    texts = [str(v).encode() for v in values]
    return struct.pack(">H", len(texts)) + b"".join(b"t" + struct.pack(">I", len(t)) + t for t in texts)


def _row(op: str, n: int) -> bytes:
    oid = struct.pack(">I", CAPTURED)
    return {
        "i": b"I" + oid + b"N" + _tuple(n),
        "u": b"U" + oid + b"N" + _tuple(n),
        "k": b"U" + oid + b"K" + _tuple(n) + b"N" + _tuple(-n),
        "d": b"D" + oid + b"K" + _tuple(n),
        "t": b"T" + struct.pack(">IB", 1, 0) + oid,
        "f": b"I" + struct.pack(">I", FILTERED) + b"N" + _tuple(n),
    }[op]


def _relation(oid: int, name: str) -> bytes:
    return (
        b"R"
        + struct.pack(">I", oid)
        + b"public\0"
        + name.encode()
        + b"\0d"
        + struct.pack(">H", 1)
        + (b"\1id\0" + struct.pack(">Ii", 20, -1))
    )


def _play(
    transactions: list[Transaction], start: Position, limit: int, stop_after: int | None = None
) -> list[list[SourceRecord]]:
    """Batches of one run that is dropped after so many of them."""
    options = CONFIG.parse({**OPTIONS, "table.include.list": r"public\.t"})
    queue = RecordQueue(10**9)
    outbox = Outbox(queue, limit, lambda: None)
    table = Table("public", "t", (Column("id", 20, "int8", optional=False, key_position=1),), CAPTURED)
    stream = Stream(options, Encoders(options), lambda _message: table, start, outbox, {"server": "srv"}, [])
    sent = 0
    for body in (_relation(CAPTURED, "t"), _relation(FILTERED, "other")):
        stream.handlers[body[0]](body, 0)
    for transaction in transactions:
        if transaction.commit < start.floor:
            continue
        for body, lsn in transaction.messages():
            stream.handlers[body[0]](body, lsn)
            if len(outbox.records) >= limit:
                sent += outbox.send(keep_group=stream.holding) is not None
            if stop_after is not None and sent >= stop_after:
                return _batches(queue)
    outbox.send()
    return _batches(queue)


def _batches(queue: RecordQueue) -> list[list[SourceRecord]]:
    found = []
    while queue.records:
        found.append(queue.take(0) or [])
    return found


def _seen(batches: list[list[SourceRecord]]) -> list[tuple[str, object, object]]:
    return [
        (r.header("__replicator.position").value, r.key and r.key.fields, r.value and r.value.fields["op"])  # type: ignore[union-attr]
        for batch in batches
        for r in batch
    ]


scripts = st.lists(st.text(alphabet="iukdtf", max_size=8), min_size=1, max_size=6).map(
    lambda all_: [Transaction(100 + 10 * n, operations) for n, operations in enumerate(all_)]
)


@settings(max_examples=150, deadline=None)
@given(scripts, st.integers(1, 4), st.integers(1, 4), st.integers(1, 12))
def test_every_cut_gives_every_record_once(
    script: list[Transaction], limit: int, next_limit: int, cut: int
) -> None:
    start = Position(50, identity=IDENTITY)
    whole = _seen(_play(script, start, 1000))
    first = _play(script, start, limit, stop_after=cut)
    stored = load(first[-1][-1].source_offset.to_map()) if first else start  # type: ignore[union-attr]
    assert stored is not None
    rest = _play(script, stored, next_limit)
    assert _seen(first) + _seen(rest) == whole


@given(scripts, st.integers(1, 4))
def test_ends_are_marked_and_groups_stay_together(script: list[Transaction], limit: int) -> None:
    batches = _play(script, Position(50, identity=IDENTITY), limit)
    records = [r for batch in batches for r in batch]
    positions = [decode_position(r.header("__replicator.position").value) for r in records]  # type: ignore[union-attr]
    assert [(p.commit, p.ordinal) for p in positions] == sorted({(p.commit, p.ordinal) for p in positions})
    following = [p.commit for p in positions[1:]] + [-1]
    assert [p.end for p in positions] == [p.commit != f for p, f in zip(positions, following, strict=False)]
    for batch in batches:
        ops = [r.value.fields["op"] if r.value is not None else "tombstone" for r in batch]
        assert ops[0] != "tombstone", "a tombstone begins no batch"
        assert batch[-1].header("__debezium.newkey") is None, "a key change was cut"


def test_events_before_a_tables_copy_are_skipped() -> None:
    copy = CopyState({"public.t": TableCopy(point=110, done=True)})
    script = [Transaction(100, "iu"), Transaction(110, "d"), Transaction(120, "i")]
    batches = _play(script, Position(50, identity=IDENTITY, copy=copy), 10)
    commits = {decode_position(text).commit for text, _key, _op in _seen(batches)}
    assert commits == {110, 120}
