"""The registry's records in the compacted topic `_schemas`. Any thread; opened when first needed.

Whoever asks reads the topic to its end first, so several workers over one cluster see what the others
wrote. Should two of them give the same version or id to different schemas at the same moment, the first
record counts; the second writer sees that, puts the first one's record back where its own has the same
key, and fails so that its caller tries again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any, Final

from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker
from replicator.broker.message import Message
from replicator.broker.topic_log import TopicLog
from replicator.converters.registry.server import Registry, State
from replicator.converters.registry.server.state import RacedError

TOPIC: Final = "_schemas"


class SchemaLog:
    """See the module; implements the registry's Journal."""

    def __init__(
        self, broker: Broker, state: State, *, topic: str = TOPIC, replication_factor: int = -1
    ) -> None:
        self._state = state
        new_topic = NewTopic(topic, 1, replication_factor, {"cleanup.policy": "compact"})
        self._log = TopicLog(broker, new_topic, self._record, client_id="schema-registry", follow=False)
        self._opening = threading.Lock()
        self._open = False
        self._first: dict[bytes, bytes] = {}
        self._ids: dict[int, str] = {}

    def refresh(self) -> None:
        with self._opening:
            if not self._open:
                self._log.start()
                self._open = True
        self._log.read_to_end()

    def append(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        listed = list(records)
        self.refresh()
        self._log.append(listed)
        self._log.read_to_end()
        for key, value in listed:
            self._verify(key, value)

    def close(self) -> None:
        with self._opening:
            if self._open:
                self._log.stop()
                self._open = False

    def _record(self, message: Message) -> None:
        key, value = message.key, message.value
        if key is not None and value is None:
            self._first.pop(key, None)
        elif key is not None and value is not None and not self._counts(key, value):
            return
        self._state.apply(key, value)

    def _counts(self, key: bytes, value: bytes) -> bool:
        """Whether a record is not the second of two that exclude each other."""
        made = _identity(value)
        if made is None:
            return True
        number, schema = made
        first = self._first.get(key)
        if first is not None and _identity(first) != made:
            return False
        if self._ids.setdefault(number, schema) != schema:
            return False
        self._first[key] = value
        return True

    def _verify(self, key: bytes, value: bytes | None) -> None:
        if value is None or _identity(value) is None or self._first.get(key) == value:
            return
        first = self._first.get(key)
        # Compaction keeps the last record of a key, which must be the one that counts.
        self._log.append([(key, first)])
        raise RacedError("Another worker registered a schema at the same moment.")


def _identity(value: bytes) -> tuple[int, str] | None:
    """Id and schema of a SCHEMA record's value."""
    try:
        body: Any = json.loads(value)
    except ValueError:
        return None
    if not isinstance(body, dict) or "schema" not in body or "id" not in body:
        return None
    kind, uses = body.get("schemaType", "AVRO"), body.get("references") or []
    return int(body["id"]), json.dumps([kind, body["schema"], uses])


def open_registry(broker: Broker, *, replication_factor: int = -1) -> Registry:
    """The registry within a worker's log."""
    state = State()
    return Registry(state, SchemaLog(broker, state, replication_factor=replication_factor))
