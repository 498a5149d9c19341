"""Dead letter queues of a broker: listing, replay and purge. One thread at a time.

A replayed record is appended to the topic it came from, to the same partition, behind everything
that is there; letters of one key keep their order. A letter whose key has newer records in that
topic is superseded: replaying it would bring an old state back, so it is left out unless asked for.
What was replayed or purged is noted in a compacted topic, since a log has no way to take out single
messages; letters at the beginning of a queue that are all done with are deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from replicator.api.errors import NotFoundError, RetriableError
from replicator.api.position import POSITION_HEADER
from replicator.api.record import TopicPartition
from replicator.broker.base import Broker, Message, NewMessage
from replicator.runtime.dead_letters import HEADER_PREFIX
from replicator.runtime.letter_marks import LetterMarks, Place
from replicator.runtime.letters import PURGED, REPLAYED, Letter, LetterFilter, letter
from replicator.runtime.topic_reader import TopicReader

ORIGIN_HEADER: Final = "__replicator.replayed"
_NAMED_LIKE_A_QUEUE: Final = re.compile(
    r"(^|[._-])(dlq|dead[._-]?letters?([._-]?queue)?|deadletterqueue)([._-]|$)", re.IGNORECASE
)
_DELETE: Final = b'"op":"d"'
_BATCH: Final = 500
_MOST_LOOKED_AT: Final = 1000
"""In a cluster with more topics, queues are known by their names only."""
_PATIENCE: Final = 60.0


@dataclass(slots=True)
class Outcome:
    """What a replay did, or would do.

    Attributes:
        replayed: letters, by the topic they went to.
        superseded: places of letters whose key has newer records.
        without_origin: places of letters that do not say where they came from.
        stand_ins: places of letters that are JSON pictures of what no converter could encode.
    """

    replayed: dict[str, int] = field(default_factory=dict)
    superseded: list[Place] = field(default_factory=list)
    without_origin: list[Place] = field(default_factory=list)
    stand_ins: list[Place] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """All members."""
        return {
            "replayed": self.replayed,
            "superseded": [f"{p}:{o}" for p, o in self.superseded],
            "without_origin": [f"{p}:{o}" for p, o in self.without_origin],
            "stand_ins": [f"{p}:{o}" for p, o in self.stand_ins],
        }


class LetterBox:
    """The queues of one broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._reader = TopicReader(broker)
        self._marks = LetterMarks(broker)

    def queues(self) -> list[dict[str, Any]]:
        """Topics that are dead letter queues, by name or by the headers of their newest message."""
        admin = self._broker.admin()
        topics = {name: t.partitions for name, t in admin.topics().items() if not name.startswith("__")}
        named = {name for name in topics if _NAMED_LIKE_A_QUEUE.search(name)}
        looked_at = topics if len(topics) <= _MOST_LOOKED_AT else named
        places = [TopicPartition(name, n) for name in looked_at for n in range(topics[name])]
        begins, ends = admin.begin_offsets(places), admin.end_offsets(places)
        last = {place: ends[place] - 1 for place in places if ends[place] > begins[place]}
        newest = self._reader.read({p: o for p, o in last.items() if p.topic not in named}, ends)
        queues = named | {message.topic for message in newest if letter(message).context}
        found: list[dict[str, Any]] = []
        for name in sorted(queues):
            mine = [place for place in places if place.topic == name]
            kept = sum(ends[place] - begins[place] for place in mine)
            marks = self._marks.of(name)
            done = sum(1 for (n, o) in marks if o >= begins.get(TopicPartition(name, n), 0))
            found.append({"queue": name, "letters": max(0, kept - done), "handled": done})
        return found

    def letters(self, queue: str, chosen: LetterFilter) -> Iterator[Letter]:
        """Letters in order.

        Raises:
            NotFoundError: there is no such topic.
        """
        marks = self._marks.of(queue)
        for message in self._reader.read(self._reader.begins(queue), self._reader.ends(queue)):
            found = letter(message, marks.get((message.partition, message.offset)))
            if chosen.matches(found):
                yield found

    def replay(
        self, queue: str, chosen: LetterFilter, *, to: str | None = None, superseded: bool = False,
        dry_run: bool = False,
    ) -> Outcome:  # fmt: skip
        """Append letters to the topics they came from, or to another one.

        Args:
            queue: the queue.
            chosen: which letters.
            to: topic to append to instead of the origin's.
            superseded: also letters whose key has newer records.
            dry_run: only say what would happen.

        Raises:
            NotFoundError: the queue or a topic of origin does not exist.
        """
        outcome = Outcome()
        wanted = [found for found in self.letters(queue, chosen) if self._replayable(found, to, outcome)]
        if not superseded and to is None:
            wanted = self._without_superseded(wanted, outcome)
        for found in wanted:
            topic = to or found.origin or ""
            outcome.replayed[topic] = outcome.replayed.get(topic, 0) + 1
        if not dry_run and wanted:
            self._append(queue, wanted, to)
        return outcome

    def purge(self, queue: str, chosen: LetterFilter, *, dry_run: bool = False) -> int:
        """Take letters out of sight, and delete those at the beginning that are all done with; how many."""
        wanted = list(self.letters(queue, chosen))
        if wanted and not dry_run:
            self._marks.set(queue, [found.place for found in wanted], PURGED)
            self._trim(queue)
        return len(wanted)

    # --- replay ---

    @staticmethod
    def _replayable(found: Letter, to: str | None, outcome: Outcome) -> bool:
        if found.is_json_stand_in and to is None:
            outcome.stand_ins.append(found.place)
            return False
        if not found.origin and to is None:
            outcome.without_origin.append(found.place)
            return False
        return True

    def _without_superseded(self, wanted: Sequence[Letter], outcome: Outcome) -> list[Letter]:
        """Leave out letters behind which their topic has newer records of the key that are no letters themselves."""
        placed = [
            found
            for found in wanted
            if found.message.key is not None
            and found.origin_partition is not None
            and found.origin_offset is not None
        ]
        last: dict[tuple[str | None, bytes | None], int] = {}
        deletes: set[tuple[str | None, int | None, int | None]] = set()
        starts: dict[TopicPartition, int] = {}
        for found in placed:
            offset = found.origin_offset or 0
            key = found.origin, found.message.key
            last[key] = max(last.get(key, -1), offset)
            place = TopicPartition(found.origin or "", found.origin_partition or 0)
            starts[place] = min(starts.get(place, 1 << 62), offset + 1)
            if _DELETE in (found.message.value or b""):
                deletes.add((found.origin, found.origin_partition, offset))
        void: set[tuple[str | None, bytes | None]] = set()
        for message in self._newer(starts):
            if message.value is None and (message.topic, message.partition, message.offset - 1) in deletes:
                continue  # the tombstone that follows a delete says nothing new
            if message.offset > last.get((message.topic, message.key), 1 << 62):
                void.add((message.topic, message.key))
        kept = []
        for found in wanted:
            if (found.origin, found.message.key) in void:
                outcome.superseded.append(found.place)
            else:
                kept.append(found)
        return kept

    def _newer(self, starts: Mapping[TopicPartition, int]) -> Iterator[Message]:
        if not starts:
            return iter(())
        admin = self._broker.admin()
        known = admin.topics()
        there = [p for p in starts if p.topic in known and p.partition < known[p.topic].partitions]
        begins, ends = admin.begin_offsets(there), admin.end_offsets(there)
        return self._reader.read({p: max(starts[p], begins[p]) for p in there}, ends)

    def _append(self, queue: str, wanted: Sequence[Letter], to: str | None) -> None:
        topics = self._broker.admin().topics()
        producer = self._broker.producer("replicator-dead-letters")
        try:
            for start in range(0, len(wanted), _BATCH):
                part = wanted[start : start + _BATCH]
                messages = [self._again(found, to, topics) for found in part]
                errors: list[Exception] = []
                producer.append(messages, lambda e, into=errors: into.append(e) if e else None)  # type: ignore[misc]
                if not producer.sync(_PATIENCE):
                    raise RetriableError("The replayed records were not acknowledged in time.")
                if errors:
                    raise errors[0]
                self._marks.set(queue, [found.place for found in part], REPLAYED)
        finally:
            producer.close()

    @staticmethod
    def _again(found: Letter, to: str | None, topics: Mapping[str, Any]) -> NewMessage:
        message, topic = found.message, to or found.origin or ""
        if topic not in topics:
            raise NotFoundError(
                f"Topic {topic}, where the letter {message.partition}:{message.offset} came from, does not exist."
            )
        headers = [
            (name, value)
            for name, value in message.headers or ()
            # The position belongs to the place in the source's log that the record had, not to its new one.
            if not name.startswith(HEADER_PREFIX) and name not in (POSITION_HEADER, ORIGIN_HEADER)
        ]
        place = f"{message.topic}:{message.partition}:{message.offset}"
        headers.append((ORIGIN_HEADER, place.encode()))
        partition = found.origin_partition if to is None else None
        if partition is not None and partition >= topics[topic].partitions:
            partition = None
        return NewMessage(topic, message.key, message.value, partition, None, headers)

    # --- the end of letters ---

    def _trim(self, queue: str) -> None:
        """Delete the beginning of each partition that nobody needs, where the broker can."""
        delete = getattr(self._broker.admin(), "delete_records", None)
        if delete is None:
            return
        marks, ends = self._marks.of(queue), self._reader.ends(queue)
        before = self._reader.begins(queue)
        gone: list[Place] = []
        for place, end in ends.items():
            while before[place] < end and (place.partition, before[place]) in marks:
                gone.append((place.partition, before[place]))
                before[place] += 1
        if gone:
            delete(before)
            self._marks.forget(queue, gone)
