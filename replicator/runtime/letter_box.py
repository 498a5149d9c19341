"""Dead letter queues of a broker: listing, replay and purge. One thread at a time.

A replayed record is appended to the topic it came from, to the same partition, behind everything
that is there; letters of one key keep their order. A letter whose key has newer records in that
topic is superseded: replaying it would bring an old state back, so it is left out unless asked for.
What was replayed or purged is noted in a compacted topic, since a log has no way to take out single
messages; letters at the beginning of a queue that are all done with are deleted. A queue is read
in batches, once to learn its keys and once to act, so that memory does not grow with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar

from replicator.api.errors import NotFoundError, RetriableError
from replicator.api.position import POSITION_HEADER
from replicator.api.record import TopicPartition
from replicator.broker.base import Broker
from replicator.broker.message import Message, NewMessage
from replicator.runtime.dead_letters import HEADER_PREFIX
from replicator.runtime.letter_index import Marks, NewestLetters, Place
from replicator.runtime.letter_marks import LetterMarks
from replicator.runtime.letters import PURGED, REPLAYED, Letter, LetterFilter, letter
from replicator.runtime.topic_reader import TopicReader

ORIGIN_HEADER: Final = "__replicator.replayed"
_NAMED_LIKE_A_QUEUE: Final = re.compile(
    r"(^|[._-])(dlq|dead[._-]?letters?([._-]?queue)?|deadletterqueue)([._-]|$)", re.IGNORECASE
)
_DELETE: Final = b'"op":"d"'
_BATCH: Final = 500
_MOST_PLACES: Final = 1000
_MOST_LOOKED_AT: Final = 1000
"""In a cluster with more topics, queues are known by their names only."""
_PATIENCE: Final = 60.0
T = TypeVar("T")


@dataclass(slots=True)
class Outcome:
    """What a replay did, or would do. Of the letters that are left out the first places are kept, and all counted.

    Attributes:
        replayed: letters, by the topic they went to.
        superseded: places of letters whose key has newer records.
        without_origin: places of letters that do not say where they came from.
        stand_ins: places of letters that are JSON pictures of what no converter could encode.
        left_out: number of letters, by the reason.
    """

    replayed: dict[str, int] = field(default_factory=dict)
    superseded: list[Place] = field(default_factory=list)
    without_origin: list[Place] = field(default_factory=list)
    stand_ins: list[Place] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, reason: str, place: Place) -> None:
        """Count a letter."""
        self.left_out[reason] = self.left_out.get(reason, 0) + 1
        places: list[Place] = getattr(self, reason)
        if len(places) < _MOST_PLACES:
            places.append(place)

    def to_json(self) -> dict[str, Any]:
        """All members."""
        return {
            "replayed": self.replayed,
            "superseded": [f"{p}:{o}" for p, o in self.superseded],
            "without_origin": [f"{p}:{o}" for p, o in self.without_origin],
            "stand_ins": [f"{p}:{o}" for p, o in self.stand_ins],
            "left_out": self.left_out,
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
            with self._marks.of(name) as marks:
                done = sum(marks.count(place.partition, begins[place]) for place in mine)
            found.append({"queue": name, "letters": max(0, kept - done), "handled": done})
        return found

    def letters(
        self, queue: str, chosen: LetterFilter, start: Mapping[int, int] | None = None
    ) -> Generator[Letter, None, None]:
        """Letters in order, from the offsets by partition in `start` on.

        Raises:
            NotFoundError: there is no such topic.
        """
        with self._marks.of(queue) as marks:
            yield from self._matching(queue, chosen, marks, self._reader.ends(queue), start)

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
        with self._marks.of(queue) as marks, NewestLetters() as newest:
            ends = self._reader.ends(queue)  # letters that come later are not looked at, nor replayed

            def read() -> Iterator[Letter]:
                return self._matching(queue, chosen, marks, ends)

            if not superseded and to is None:
                self._learn(read(), newest)
            wanted = self._wanted(read(), to, newest, outcome)
            if not dry_run:
                self._append(queue, wanted, to)
            else:
                for _ in wanted:
                    pass
        return outcome

    def purge(self, queue: str, chosen: LetterFilter, *, dry_run: bool = False) -> int:
        """Take letters out of sight, and delete those at the beginning that are all done with; how many."""
        count = 0
        with self._marks.of(queue) as marks:
            found = self._matching(queue, chosen, marks, self._reader.ends(queue))
            if dry_run:
                return sum(1 for _ in found)
            with self._marks.writing(queue) as writer:
                for part in _batches(found):
                    places = [letter.place for letter in part]
                    writer.set(places, PURGED)
                    marks.put(places, PURGED)
                    count += len(places)
                if count:
                    self._trim(queue, marks, writer.forget)
        return count

    def _matching(
        self, queue: str, chosen: LetterFilter, marks: Marks, ends: Mapping[TopicPartition, int],
        start: Mapping[int, int] | None = None,
    ) -> Iterator[Letter]:  # fmt: skip
        begins = self._reader.begins(queue)
        if start:
            begins = {place: max(offset, start.get(place.partition, 0)) for place, offset in begins.items()}
        for message in self._reader.read(begins, ends):
            found = letter(message, marks.get((message.partition, message.offset)))
            if chosen.matches(found):
                yield found

    # --- replay ---

    @staticmethod
    def _wanted(
        letters: Iterator[Letter], to: str | None, newest: NewestLetters, outcome: Outcome
    ) -> Iterator[Letter]:
        """The letters to append; the others are counted by the reason."""
        for found in letters:
            reason = None if to is not None else _reason_to_leave_out(found)
            if reason is None and newest.is_void(found.origin, found.message.key):
                reason = "superseded"
            if reason is not None:
                outcome.leave_out(reason, found.place)
                continue
            topic = to or found.origin or ""
            outcome.replayed[topic] = outcome.replayed.get(topic, 0) + 1
            yield found

    def _learn(self, letters: Iterator[Letter], newest: NewestLetters) -> None:
        """Find the keys of letters that have newer records in their topic, which are no letters themselves."""
        starts: dict[TopicPartition, int] = {}
        for found in letters:
            key, partition, offset = found.message.key, found.origin_partition, found.origin_offset
            if _reason_to_leave_out(found) or key is None or partition is None or offset is None:
                continue
            topic = found.origin or ""
            newest.note(topic, key, partition, offset, removal=_DELETE in (found.message.value or b""))
            place = TopicPartition(topic, partition)
            starts[place] = min(starts.get(place, 1 << 62), offset + 1)
        for message in self._newer(starts):
            newest.see(
                message.topic, message.key, message.partition, message.offset, tombstone=message.value is None
            )

    def _newer(self, starts: Mapping[TopicPartition, int]) -> Iterator[Message]:
        if not starts:
            return iter(())
        admin = self._broker.admin()
        known = admin.topics()
        there = [p for p in starts if p.topic in known and p.partition < known[p.topic].partitions]
        begins, ends = admin.begin_offsets(there), admin.end_offsets(there)
        return self._reader.read({p: max(starts[p], begins[p]) for p in there}, ends)

    def _append(self, queue: str, wanted: Iterator[Letter], to: str | None) -> None:
        """Append batch by batch; each is marked once it is in its topics: a failure repeats one at most."""
        with ExitStack() as opened:
            topics = self._broker.admin().topics()
            producer = self._broker.producer("replicator-dead-letters")
            opened.callback(producer.close)
            writer = None
            for part in _batches(wanted):
                messages = [self._again(found, to, topics) for found in part]
                errors: list[Exception] = []
                producer.append(messages, lambda e, into=errors: into.append(e) if e else None)  # type: ignore[misc]
                if not producer.sync(_PATIENCE):
                    raise RetriableError("The replayed records were not acknowledged in time.")
                if errors:
                    raise errors[0]
                writer = writer or opened.enter_context(self._marks.writing(queue))
                writer.set([found.place for found in part], REPLAYED)

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

    def _trim(self, queue: str, marks: Marks, forget: Callable[[Sequence[Place]], None]) -> None:
        """Delete the beginning of each partition that nobody needs, where the broker can."""
        delete = getattr(self._broker.admin(), "delete_records", None)
        if delete is None:
            return
        begins, ends = self._reader.begins(queue), self._reader.ends(queue)
        before = {place: marks.gap(place.partition, begins[place], end) for place, end in ends.items()}
        if before == begins:
            return
        delete(before)
        for place, end in before.items():
            for gone in _batches(marks.before(place.partition, end)):
                forget(gone)


def _reason_to_leave_out(found: Letter) -> str | None:
    """Why a letter cannot go back to where it came from."""
    if found.is_json_stand_in:
        return "stand_ins"
    return None if found.origin else "without_origin"


def _batches(items: Iterator[T]) -> Iterator[list[T]]:
    while part := list(islice(items, _BATCH)):
        yield part
