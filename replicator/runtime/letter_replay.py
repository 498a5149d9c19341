"""Replay of dead letters: which go back, and how they are appended to the topics they came from. One thread at a time.

A replayed record is appended to the topic it came from, to the same partition, behind everything that is there;
letters of one key keep their order (INV-4). A letter whose key has newer records in that topic is superseded:
replaying it would bring an old state back, so it is left out unless asked for. A queue is read in batches, once to
learn its keys and once to act, so that memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from replicator.api.errors import NotFoundError, RetriableError
from replicator.api.position import POSITION_HEADER
from replicator.api.record import TopicPartition
from replicator.broker.base import Broker
from replicator.broker.message import Message, NewMessage
from replicator.runtime.dead_letters import HEADER_PREFIX
from replicator.runtime.letter_index import NewestLetters, Place
from replicator.runtime.letter_marks import LetterMarks
from replicator.runtime.letters import REPLAYED, Letter, in_batches
from replicator.runtime.topic_reader import TopicReader

ORIGIN_HEADER: Final = "__replicator.replayed"
_DELETE: Final = b'"op":"d"'
_MOST_PLACES: Final = 1000
_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How letters are replayed.

    Attributes:
        to: topic to append to instead of the origin's.
        superseded: also letters whose key has newer records.
        dry_run: only say what would happen.
    """

    to: str | None = None
    superseded: bool = False
    dry_run: bool = False


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


class Replay:
    """Appends letters of one broker's queues again."""

    def __init__(self, broker: Broker, reader: TopicReader, marks: LetterMarks) -> None:
        self._broker = broker
        self._reader = reader
        self._marks = marks

    def run(self, queue: str, read: Callable[[], Iterator[Letter]], plan: Plan) -> Outcome:
        """Append the letters that `read` gives: it is called twice when superseded ones are to be found.

        Raises:
            NotFoundError: a topic of origin does not exist.
            RetriableError: the records were not acknowledged in time.
        """
        outcome = Outcome()
        with NewestLetters() as newest:
            if not plan.superseded and plan.to is None:
                self._learn(read(), newest)
            wanted = self._wanted(read(), plan.to, newest, outcome)
            if not plan.dry_run:
                self._append(queue, wanted, plan.to)
            else:
                for _ in wanted:
                    pass
        return outcome

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
            for part in in_batches(wanted):
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


def _reason_to_leave_out(found: Letter) -> str | None:
    """Why a letter cannot go back to where it came from."""
    if found.is_json_stand_in:
        return "stand_ins"
    return None if found.origin else "without_origin"
