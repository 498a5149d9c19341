"""What became of dead letters: a compacted topic of marks, since a log cannot lose single messages. One thread."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker
from replicator.broker.message import Message
from replicator.broker.topic_log import TopicLog
from replicator.runtime.letter_index import Marks, Place

MARKS_TOPIC: Final = "__replicator_dead_letters"


class MarkWriter:
    """Writes marks of one queue."""

    def __init__(self, log: TopicLog, queue: str, identity: str) -> None:
        self._log = log
        self._of = [queue, identity]

    def set(self, places: Sequence[Place], state: str) -> None:
        """Mark letters."""
        self._write(places, json.dumps({"state": state, "at": int(time.time() * 1000)}).encode())

    def forget(self, places: Sequence[Place]) -> None:
        """Remove marks of letters that are gone."""
        self._write(places, None)

    def _write(self, places: Sequence[Place], value: bytes | None) -> None:
        self._log.append([(json.dumps([*self._of, *place]).encode(), value) for place in places])


class LetterMarks:
    """Marks of all queues of a broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @contextmanager
    def of(self, queue: str) -> Iterator[Marks]:
        """State by place of the letters of a queue that were replayed or purged."""
        identity = self._identity(queue)
        with Marks() as found:

            def take(message: Message) -> None:
                name, log, partition, offset = json.loads(message.key or b'["","",0,0]')
                if name != queue or log != identity:
                    return
                if message.value is None:
                    found.remove((partition, offset))
                else:
                    found.put([(partition, offset)], json.loads(message.value)["state"])

            if MARKS_TOPIC in self._broker.admin().topics():
                self._opened(take, writable=False).stop()
            yield found

    @contextmanager
    def writing(self, queue: str) -> Iterator[MarkWriter]:
        """For marking letters of a queue."""
        identity = self._identity(queue)
        log = self._opened(lambda _: None, writable=True)
        try:
            yield MarkWriter(log, queue, identity)
        finally:
            log.stop()

    def _identity(self, queue: str) -> str:
        """Offsets mean nothing in a queue that was deleted and made anew."""
        return self._broker.admin().log_identity(queue)

    def _opened(self, take: Callable[[Message], None], *, writable: bool) -> TopicLog:
        topic = NewTopic(MARKS_TOPIC, 1, -1, {"cleanup.policy": "compact"})
        opened = TopicLog(
            self._broker, topic, take, client_id="replicator-dlq-marks", follow=False, writable=writable
        )
        opened.start()
        return opened
