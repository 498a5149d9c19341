"""The log itself: topics, partitions and appends over one SQLite file, with the newest appends kept in memory.

Every method may be called from any thread: writes hold `lock`, and what readers use without it (`tail`, `last_seq`)
is replaced in one step after the commit. An append is one SQLite transaction, whatever topics it spans (C8, INV-8).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from replicator.api.errors import BrokerError, DiskFullError, NotFoundError
from replicator.api.record import TopicPartition
from replicator.broker.base import NewMessage, NewTopic
from replicator.broker.embedded import schema
from replicator.broker.embedded.batches import EncodedBatch, pack_positions
from replicator.broker.embedded.budget import Budget
from replicator.broker.embedded.following import Follower
from replicator.broker.embedded.sqlite_errors import translated

_TAIL_BYTES: Final = 12 << 20


class Partition:
    """A partition as the running process knows it; `waiters` are set when it gets messages."""

    __slots__ = ("begin", "deleted", "end", "id", "topic", "tp", "waiters")

    def __init__(self, id_: int, topic: Topic, number: int, begin: int, end: int) -> None:
        self.id = id_
        self.topic = topic
        self.tp = TopicPartition(topic.name, number)
        self.begin = begin
        self.end = end
        self.deleted = False
        self.waiters: frozenset[threading.Event] = frozenset()


class Topic:
    """A topic as the running process knows it. `incarnation` counts deleted topics of the same name."""

    __slots__ = ("config", "id", "incarnation", "name", "partitions")

    def __init__(self, id_: int, name: str, config: Mapping[str, str], incarnation: int) -> None:
        self.id = id_
        self.name = name
        self.config = dict(config)
        self.incarnation = incarnation
        self.partitions: list[Partition] = []

    @property
    def compacted(self) -> bool:
        """Whether the newest message of each key is kept for ever."""
        return "compact" in self.config.get("cleanup.policy", "delete")


class Placed(NamedTuple):
    """Messages of one append that go to one partition.

    Attributes:
        first: index of the first message within the append.
        positions: indices of all of them, or None when they follow each other.
    """

    partition: Partition
    first: int
    positions: Sequence[int] | None
    messages: list[NewMessage]
    encoded: EncodedBatch


# What a message takes in memory beside its bytes, without and with the data it was made from (measured).
_MESSAGE_BYTES: Final = 200
_OBJECT_BYTES: Final = 3000


_SUMS_KEPT: Final = 4096


class TailBatch(NamedTuple):
    """A batch of a recent append, as appended."""

    partition: Partition
    base: int
    first: int
    positions: Sequence[int] | None
    messages: list[NewMessage]

    def settle(self, now: int) -> None:
        """Tell the messages their places: from now on they are what consumers read."""
        number = self.partition.tp.partition
        for offset, message in enumerate(self.messages, self.base):
            message.offset = offset
            message.partition = number
            if message.timestamp is None:
                message.timestamp = now


class TailGroup(NamedTuple):
    """A recent append: the rows up to `last_seq`; `upto` sums `raw` over all appends so far."""

    last_seq: int
    batches: list[TailBatch]
    raw: int
    upto: int


class Log:
    """State and storage of the embedded log. See the module."""

    def __init__(
        self, path: Path | None, *, read_only: bool = False, defaults: Mapping[str, str] | None = None
    ) -> None:
        self.path = path
        self.read_only = read_only
        self.defaults = dict(defaults or {})
        self.lock = threading.RLock()
        self.topics: dict[str, Topic] = {}
        self.partitions: dict[int, Partition] = {}
        self.doomed: list[int] = []
        self.topics_version = 0
        self.last_seq = 0
        self.budget = Budget(path)
        self.synced = 0  # rows up to this one survive power loss
        self.tail: dict[int, TailGroup] = {}
        self.topics_changed: list[Callable[[], None]] = []
        self._tail_order: deque[int] = deque()
        self._tail_raw = 0
        self.published = 0
        self.sums: dict[int, int] = {}
        self.followers: frozenset[Follower] = frozenset()
        self._folder_flushed = False
        with translated(path):
            self.writer = schema.connect(path, read_only=True) if read_only else schema.open_writer(path)
            if read_only:
                self.identity, self.epoch = schema.read_identity(self.writer)
            else:
                self.identity, self.epoch = schema.identity_and_epoch(self.writer)
            self.load()

    def load(self) -> None:
        """Read topics and ends from the file."""
        rows = self.writer.execute("SELECT id, name, config, deleted FROM topics ORDER BY id").fetchall()
        gone: dict[str, int] = {}
        topics: dict[int, Topic] = {}
        for id_, name, config, deleted in rows:
            if deleted:
                gone[name] = gone.get(name, 0) + 1
            else:
                topics[id_] = Topic(id_, name, orjson.loads(config), gone.get(name, 0))
        self._gone = gone
        partitions: dict[int, Partition] = {}
        doomed = []
        for id_, topic_id, number, begin, end in self.writer.execute(
            "SELECT id, topic_id, number, begin_offset, end_offset FROM partitions ORDER BY topic_id, number"
        ):
            if topic_id not in topics:
                doomed.append(id_)
                continue
            partition = partitions[id_] = Partition(id_, topics[topic_id], number, begin, end)
            topics[topic_id].partitions.append(partition)
        for partition in partitions.values():
            last = self.writer.execute(
                "SELECT next FROM batches WHERE partition_id = ? ORDER BY base DESC LIMIT 1",
                (partition.id,),
            ).fetchone()
            if last is not None:
                partition.end = max(partition.end, last[0])
        self.topics = {t.name: t for t in topics.values()}
        self.partitions = partitions
        self.doomed = doomed
        self.topics_version += 1
        newest = self.writer.execute("SELECT last_seq FROM batches ORDER BY seq DESC LIMIT 1").fetchone()
        self.last_seq = newest[0] if newest is not None else 0

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all or nothing, also when the process is killed."""
        with self.lock, translated(self.path):
            if self.read_only:
                raise BrokerError("This topic log was opened for reading only.")
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                yield self.writer
                self.writer.execute("COMMIT")
            except BaseException:
                if self.writer.in_transaction:
                    self.writer.execute("ROLLBACK")
                raise

    @contextmanager
    def spending(self, size: int) -> Iterator[None]:
        """A block that writes about this much; the caller holds `lock`.

        Raises:
            DiskFullError: there is no room for it, or the disk turned out to be full.
        """
        self.budget.check(size)
        try:
            yield
        except DiskFullError as error:
            raise self.budget.refusal(size) from error
        self.budget.written += size

    def space(self) -> tuple[int, int]:
        """Bytes that the file has yet to grow by when the write-ahead log is moved, and unused ones within it."""
        assert self.path is not None
        with self.lock, translated(self.path):
            page, pages, unused = (
                self.writer.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_size", "page_count", "freelist_count")
            )
            return max(0, pages * page - self.path.stat().st_size), unused * page

    def reader(self) -> Reader:
        """A reader for one thread."""
        return Reader(self)

    # -- topics

    def partition(self, tp: TopicPartition) -> Partition:
        """The partition's state.

        Raises:
            NotFoundError: there is no such topic or partition.
        """
        topic = self.topics.get(tp.topic)
        if topic is None or not 0 <= tp.partition < len(topic.partitions):
            raise NotFoundError(f"There is no partition {tp.topic}-{tp.partition}.")
        return topic.partitions[tp.partition]

    def topic(self, name: str) -> Topic:
        """The topic, created with the defaults when it does not exist."""
        found = self.topics.get(name)
        if found is None:
            partitions = int(self.defaults.get("num.partitions", "1"))
            self.create_topics([NewTopic(name, partitions)])
            found = self.topics[name]
        return found

    def create_topics(self, topics: Sequence[NewTopic]) -> None:
        """Create those that do not exist yet."""
        with self.lock:
            fresh = {t.name: t for t in topics if t.name not in self.topics}
            if not fresh:
                return
            created: list[Topic] = []
            with self.transaction() as connection:
                for new in fresh.values():
                    created.append(self._insert_topic(connection, new))
            for topic in created:
                self.partitions.update((p.id, p) for p in topic.partitions)
            self.topics = {**self.topics, **{t.name: t for t in created}}
            self.topics_version += 1
        self._announce()

    def _insert_topic(self, connection: sqlite3.Connection, new: NewTopic) -> Topic:
        count = new.partitions if new.partitions > 0 else int(self.defaults.get("num.partitions", "1"))
        cursor = connection.execute(
            "INSERT INTO topics (name, partitions, config, created) VALUES (?, ?, ?, ?)",
            (new.name, count, orjson.dumps(dict(new.config)).decode(), int(time.time() * 1000)),
        )
        topic = Topic(int(cursor.lastrowid or 0), new.name, new.config, self._gone.get(new.name, 0))
        for number in range(count):
            inserted = connection.execute(
                "INSERT INTO partitions (topic_id, number) VALUES (?, ?)", (topic.id, number)
            )
            topic.partitions.append(Partition(int(inserted.lastrowid or 0), topic, number, 0, 0))
        return topic

    def delete_topic(self, name: str) -> None:
        """Forget a topic; its batches are removed by the maintenance thread."""
        with self.lock:
            topic = self.topics.get(name)
            if topic is None:
                return
            with self.transaction() as connection:
                connection.execute("UPDATE topics SET deleted = 1 WHERE id = ?", (topic.id,))
                connection.execute("DELETE FROM group_offsets WHERE topic = ?", (name,))
            self._gone[name] = self._gone.get(name, 0) + 1
            self.topics = {n: t for n, t in self.topics.items() if n != name}
            for partition in topic.partitions:
                partition.deleted = True
                self.partitions.pop(partition.id, None)
                self.doomed.append(partition.id)
            self.topics_version += 1
        self._announce()

    def incarnation(self, name: str) -> int:
        """How many topics of this name were deleted before."""
        return self._gone.get(name, 0)

    def _announce(self) -> None:
        for callback in list(self.topics_changed):
            callback()

    # -- appends

    def append(self, groups: Sequence[Sequence[Placed]], now: int) -> None:
        """Append groups of batches in one transaction and wake their readers.

        Raises:
            RetriableError, DiskFullError, BrokerError: nothing was appended.
        """
        with self.lock:
            rows: list[tuple[Any, ...]] = []
            tails: list[TailGroup] = []
            ends: dict[Partition, int] = {}
            seq = self.last_seq
            for group in groups:
                last = seq + len(group)
                held: list[TailBatch] = []
                raw = 0
                for partition, first, positions, messages, encoded in group:
                    seq += 1
                    base = ends.get(partition, partition.end)
                    ends[partition] = end = base + encoded.messages
                    packed = None if positions is None else pack_positions(positions)
                    rows.append(
                        (
                            seq,
                            last,
                            partition.id,
                            base,
                            end,
                            encoded.messages,
                            encoded.raw,
                            now,
                            first,
                            packed,
                            encoded.blob,
                        )
                    )
                    held.append(TailBatch(partition, base, first, positions, messages))
                    objects = _OBJECT_BYTES if messages[0].data is not None else _MESSAGE_BYTES
                    raw += encoded.raw + objects * encoded.messages
                self.published += raw
                tails.append(TailGroup(last, held, raw, self.published))
            if any(partition.deleted for partition in ends):
                raise NotFoundError("A topic was deleted while messages were appended to it.")
            with self.spending(pages_of(rows)), self.transaction() as connection:
                connection.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            for tail in tails:
                for batch in tail.batches:
                    batch.settle(now)
            self._publish(ends, tails, seq)
        wake(ends)

    def _publish(self, ends: Mapping[Partition, int], tails: Sequence[TailGroup], last_seq: int) -> None:
        first = self.last_seq + 1
        for group in tails:
            self.tail[first] = group
            self.sums[group.last_seq] = group.upto
            self._tail_order.append(first)
            self._tail_raw += group.raw
            first = group.last_seq + 1
        while len(self.sums) > _SUMS_KEPT:
            del self.sums[next(iter(self.sums))]
        # What every consumer near the end has read is better freed while it is still in the processor's cache.
        read = min((f.seen for f in self.followers if f.keeps_up), default=0)
        while self._tail_order and (
            self._tail_raw > _TAIL_BYTES or self.tail[self._tail_order[0]].upto <= read
        ):
            self._tail_raw -= self.tail.pop(self._tail_order.popleft()).raw
        self.advance(ends, last_seq)

    def advance(self, ends: Mapping[Partition, int], last_seq: int) -> None:
        """Make rows up to `last_seq` visible; the caller holds `lock` and has committed them."""
        for partition, end in ends.items():
            partition.end = end
        self.last_seq = last_seq

    def forget_tail(self) -> None:
        """Drop the appends kept in memory."""
        with self.lock:
            self.tail.clear()
            self._tail_order.clear()
            self._tail_raw = 0

    def sync(self) -> None:
        """Make everything appended so far survive power loss.

        Flushes the write-ahead log itself: that needs no SQLite lock, so appends go on meanwhile. What a checkpoint
        has moved out of it was flushed by the checkpoint.
        """
        if self.path is None:
            return
        upto = self.last_seq
        with translated(self.path):
            _flush(Path(f"{self.path}-wal"))
            if not self._folder_flushed:  # the names of new files must survive, too
                _flush(self.path.parent)
                self._folder_flushed = True
        self.synced = max(self.synced, upto)

    def close(self) -> None:
        """Flush and close the writing connection."""
        with self.lock:
            self.writer.close()


class Reader:
    """Runs queries for one thread; holds no read transaction between calls (C8)."""

    def __init__(self, log: Log) -> None:
        self._log = log
        # An in-memory database lives in its only connection, so its readers take turns with the writer.
        self._own = None if log.path is None else schema.connect(log.path, read_only=True)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        with translated(self._log.path):
            if self._own is not None:
                return self._own.execute(sql, parameters).fetchall()
            with self._log.lock:
                return self._log.writer.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Release the connection."""
        if self._own is not None:
            self._own.close()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def pages_of(rows: Sequence[tuple[Any, ...]]) -> int:
    """About what rows that end with a blob add to the write-ahead log: whole pages of table and index."""
    return 8192 + sum(8192 + len(row[-1]) for row in rows)


def wake(partitions: Mapping[Partition, int]) -> None:
    """Wake everyone who waits for one of the partitions."""
    for partition in partitions:
        for waiter in partition.waiters:
            if not waiter.is_set():
                waiter.set()
