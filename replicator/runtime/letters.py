"""Dead letters as people and commands see them, and which of them are meant. Pure; any thread."""

from __future__ import annotations

import base64
import fnmatch
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Final, TypeVar

from replicator.api.errors import BadRequestError
from replicator.broker.message import Message
from replicator.runtime.dead_letters import HEADER_PREFIX, SOURCE_ENCODING

REPLAYED: Final = "replayed"
PURGED: Final = "purged"
_LONGEST_TEXT: Final = 100_000
_BATCH: Final = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of a dead letter queue.

    Attributes:
        message: as it lies in the queue.
        context: the newest `__connect.errors.*` headers, by name without the prefix.
        state: replayed, purged, or None.
    """

    message: Message
    context: Mapping[str, str | None]
    state: str | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Partition and offset in the queue."""
        return self.message.partition, self.message.offset

    @property
    def origin(self) -> str | None:
        """Topic the record came from (sinks) or was meant for (sources)."""
        return self.context.get("topic")

    @property
    def origin_partition(self) -> int | None:
        """Partition there."""
        return _number(self.context.get("partition"))

    @property
    def origin_offset(self) -> int | None:
        """Offset there; None for letters of sources."""
        return _number(self.context.get("offset"))

    @property
    def is_json_stand_in(self) -> bool:
        """Whether the record is only a JSON picture of what the converters could not encode."""
        return self.context.get(SOURCE_ENCODING.removeprefix(HEADER_PREFIX)) == "json"

    def to_json(self) -> dict[str, Any]:
        """All that can be shown."""
        message = self.message
        headers = [
            {"key": name, **_shown(value)}
            for name, value in message.headers or ()
            if not name.startswith(HEADER_PREFIX)
        ]
        return {
            "queue": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "timestamp": message.timestamp,
            "state": self.state,
            "key": _shown(message.key),
            "value": _shown(message.value),
            "headers": headers,
            "errors": dict(self.context),
        }


def letter(message: Message, state: str | None = None) -> Letter:
    """The letter in a message; of headers with one name the last counts, as queues may be chained."""
    context = {
        name.removeprefix(HEADER_PREFIX): None if value is None else value.decode("utf-8", "replace")
        for name, value in message.headers or ()
        if name.startswith(HEADER_PREFIX)
    }
    return Letter(message, context, state)


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters are meant; what is None does not matter.

    Attributes:
        topic: topic of origin, `*` and `?` allowed.
        error: part of the exception's class or message, in any case.
        stage: stage that failed.
        connector: connector that failed.
        key: the key: its text, its JSON, or the only value in it; `0x..` for bytes.
        since: not older, in milliseconds since the epoch.
        until: older, likewise.
        places: `partition:offset` of letters, comma-separated.
        handled: also those replayed or purged already.
    """

    topic: str | None = None
    error: str | None = None
    stage: str | None = None
    connector: str | None = None
    key: str | None = None
    since: int | None = None
    until: int | None = None
    places: str | None = None
    handled: bool = False

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> LetterFilter:
        """From a JSON object.

        Raises:
            BadRequestError: a member is not known or of another type.
        """
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(found) - known):
            raise BadRequestError(
                f"Unknown filter {', '.join(unknown)}; known are {', '.join(sorted(known))}."
            )
        values = dict(found)
        try:
            for name in ("since", "until"):
                if values.get(name) is not None:
                    values[name] = int(values[name])
        except (TypeError, ValueError):
            raise BadRequestError("since and until are milliseconds since the epoch.") from None
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """What is set."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in chosen.items() if value not in (None, False)}

    def matches(self, found: Letter) -> bool:
        """Whether the letter is meant."""
        context, message = found.context, found.message
        if found.state is not None and not self.handled:
            return False
        if self.topic is not None and not fnmatch.fnmatchcase(found.origin or "", self.topic):
            return False
        if self.stage is not None and (context.get("stage") or "").lower() != self.stage.lower():
            return False
        if self.connector is not None and context.get("connector.name") != self.connector:
            return False
        if self.since is not None and message.timestamp < self.since:
            return False
        if self.until is not None and message.timestamp >= self.until:
            return False
        if self.places is not None and f"{message.partition}:{message.offset}" not in _places(self.places):
            return False
        return self._error_matches(context) and (self.key is None or key_matches(self.key, message.key))

    def _error_matches(self, context: Mapping[str, str | None]) -> bool:
        if self.error is None:
            return True
        wanted = self.error.lower()
        return any(
            wanted in (context.get(f"exception.{part}") or "").lower() for part in ("class.name", "message")
        )


def key_matches(wanted: str, key: bytes | None) -> bool:
    """Whether a key is the one that somebody means by a text."""
    if key is None:
        return wanted == "null"
    if wanted.startswith("0x"):
        return key.hex() == wanted[2:].lower()
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return False
    if text == wanted:
        return True
    found = _json(text)
    if isinstance(found, dict) and set(found) == {"schema", "payload"}:
        found = found["payload"]
    if isinstance(found, dict) and len(found) == 1 and not wanted.startswith("{"):
        found = next(iter(found.values()))
    return found is not None and (found == _json(wanted) or str(found) == wanted)


def _places(text: str) -> set[str]:
    return {part if ":" in part else f"0:{part}" for part in (p.strip() for p in text.split(",")) if part}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _shown(data: bytes | None) -> dict[str, Any]:
    """Text where it is text, else base64."""
    if data is None:
        return {"text": None}
    size = {"bytes": len(data)} if len(data) > _LONGEST_TEXT else {}
    data = data[:_LONGEST_TEXT]
    try:
        return {"text": data.decode(), **size}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode(), **size}


def in_batches(items: Iterator[T]) -> Iterator[list[T]]:
    """The items by 500: what is written together while a queue is read."""
    while part := list(islice(items, _BATCH)):
        yield part
