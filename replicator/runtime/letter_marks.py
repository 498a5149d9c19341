"""What became of dead letters: a compacted topic of marks, since a log cannot lose single messages. One thread."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Final

from replicator.broker.base import Broker, Message, NewTopic
from replicator.broker.topic_log import TopicLog

MARKS_TOPIC: Final = "__replicator_dead_letters"

Place = tuple[int, int]
"""Partition and offset in a queue."""


class LetterMarks:
    """Marks of all queues of a broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def of(self, queue: str) -> dict[Place, str]:
        """State by place of the letters of a queue that were replayed or purged."""
        found: dict[Place, str] = {}
        identity = self._identity(queue)

        def take(message: Message) -> None:
            name, log, partition, offset = json.loads(message.key or b'["","",0,0]')
            if name == queue and log == identity and message.value is not None:
                found[partition, offset] = json.loads(message.value)["state"]

        if MARKS_TOPIC in self._broker.admin().topics():
            self._opened(take, writable=False).stop()
        return found

    def set(self, queue: str, places: Sequence[Place], state: str) -> None:
        """Mark letters."""
        self._write(queue, places, json.dumps({"state": state, "at": int(time.time() * 1000)}).encode())

    def forget(self, queue: str, places: Sequence[Place]) -> None:
        """Remove marks of letters that are gone."""
        self._write(queue, places, None)

    def _identity(self, queue: str) -> str:
        """Offsets mean nothing in a queue that was deleted and made anew."""
        return self._broker.admin().log_identity(queue)

    def _write(self, queue: str, places: Sequence[Place], value: bytes | None) -> None:
        identity = self._identity(queue)
        marks = self._opened(lambda _: None, writable=True)
        try:
            marks.append([(json.dumps([queue, identity, *place]).encode(), value) for place in places])
        finally:
            marks.stop()

    def _opened(self, take: Callable[[Message], None], *, writable: bool) -> TopicLog:
        topic = NewTopic(MARKS_TOPIC, 1, -1, {"cleanup.policy": "compact"})
        opened = TopicLog(
            self._broker, topic, take, client_id="replicator-dlq-marks", follow=False, writable=writable
        )
        opened.start()
        return opened
