"""Dead letter queues of a broker: listing, replay and purge. One thread at a time.

What was replayed or purged is noted in a compacted topic, since a log has no way to take out single messages; letters
at the beginning of a queue that are all done with are deleted. Queues are read in batches, so that memory does not
grow with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Final

from replicator.api.record import TopicPartition
from replicator.broker.base import Broker
from replicator.runtime.letter_index import Marks, Place
from replicator.runtime.letter_marks import LetterMarks
from replicator.runtime.letter_replay import Outcome, Plan, Replay
from replicator.runtime.letters import PURGED, Letter, LetterFilter, in_batches, letter
from replicator.runtime.topic_reader import TopicReader

_NAMED_LIKE_A_QUEUE: Final = re.compile(
    r"(^|[._-])(dlq|dead[._-]?letters?([._-]?queue)?|deadletterqueue)([._-]|$)", re.IGNORECASE
)
_MOST_LOOKED_AT: Final = 1000
"""In a cluster with more topics, queues are known by their names only."""


class LetterBox:
    """The queues of one broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._reader = TopicReader(broker)
        self._marks = LetterMarks(broker)
        self._replay = Replay(broker, self._reader, self._marks)

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
        plan = Plan(to=to, superseded=superseded, dry_run=dry_run)
        with self._marks.of(queue) as marks:
            ends = self._reader.ends(queue)  # letters that come later are not looked at, nor replayed
            return self._replay.run(queue, lambda: self._matching(queue, chosen, marks, ends), plan)

    def purge(self, queue: str, chosen: LetterFilter, *, dry_run: bool = False) -> int:
        """Take letters out of sight, and delete those at the beginning that are all done with; how many."""
        count = 0
        with self._marks.of(queue) as marks:
            found = self._matching(queue, chosen, marks, self._reader.ends(queue))
            if dry_run:
                return sum(1 for _ in found)
            with self._marks.writing(queue) as writer:
                for part in in_batches(found):
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
            for gone in in_batches(marks.before(place.partition, end)):
                forget(gone)
