"""Topics and partitions of a log: read when it is opened, made and deleted while it runs.

Every method may be called from any thread: changes hold `lock`; what is read without it is replaced in one step.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import orjson

from replicator.api.errors import NotFoundError
from replicator.api.record import TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.embedded.partitions import Partition, Topic
from replicator.broker.embedded.sqlite_errors import translated
from replicator.broker.embedded.storage import Storage


class Catalogue(Storage):
    """See the module.

    Attributes:
        defaults: options of topics that do not have their own.
        doomed: ids of partitions of deleted topics, whose rows the maintenance thread has yet to remove.
        topics_version: grows with every change.
        last_seq: sequence number of the newest visible row.
        topics_changed: called after every change.
    """

    def __init__(
        self, path: Path | None, *, read_only: bool = False, defaults: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(path, read_only=read_only)
        self.defaults = dict(defaults or {})
        self.topics: dict[str, Topic] = {}
        self.partitions: dict[int, Partition] = {}
        self.doomed: list[int] = []
        self.topics_version = 0
        self.last_seq = 0
        self.topics_changed: list[Callable[[], None]] = []
        with translated(path):
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
