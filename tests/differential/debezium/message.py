"""Records as they are in Kafka, and in the form in which they are compared.

Moments, positions and transaction numbers differ from run to run: they become the order in which they appear.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.differential.debezium.case import MARK

_MOMENTS = ("ts_ms", "ts_us", "ts_ns")
_VERSION = re.compile(r"^\d+\.\d+\.\d+")


class Message(NamedTuple):
    """One record."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def mark(self) -> str | None:
        """The content of a mark, however it is written; None for other records."""
        if self.key is None or self.value is None or MARK.encode() not in self.key:
            return None
        if not self.topic.endswith("message"):
            return None
        value = json.loads(self.value)
        return str(value.get("payload", value)["message"]["content"])

    @property
    def ends_copy(self) -> bool:
        return self.value is not None and b'"snapshot":"last"' in self.value


class Ranks:
    """Numbers for values, in the order of their size among those of a kind."""

    def __init__(self) -> None:
        self._seen: dict[str, set[int]] = {}
        self._order: dict[str, dict[int, int]] = {}

    def note(self, kind: str, value: Any) -> None:
        if value is not None:
            self._seen.setdefault(kind, set()).add(int(value))

    def of(self, kind: str, value: Any) -> Any:
        if value is None:
            return None
        if kind not in self._order:
            self._order[kind] = {number: rank for rank, number in enumerate(sorted(self._seen.get(kind, ())))}
        return f"{kind}{self._order[kind].get(int(value), '?')}"


def comparable(messages: Iterable[Message], database: str) -> dict[str, list[dict[str, Any]]]:
    """Records by topic, without what no two runs have in common: also the name of the database."""
    topics: dict[str, list[dict[str, Any]]] = {}
    marks: set[str] = set()
    for message in messages:
        mark = message.mark
        if mark is not None and mark in marks:
            continue  # Java reads the last message again after a restart
        marks.add(mark or "")
        record = {
            "key": _parsed(message.key, database),
            "value": _parsed(message.value, database),
            "headers": [
                [name, "run" if name.endswith(".runId") else _parsed(value, database)]
                for name, value in message.headers
                if not name.startswith("__replicator.")
            ],
        }
        topics.setdefault(message.topic, []).append(record)
    for topic, records in topics.items():
        if "serverName" in json.dumps(
            records[0]["key"]
        ):  # heartbeats: how many there are is a matter of time
            topics[topic] = records[:1]
        topics[topic] = _copy_in_key_order(topics[topic])
    ranks = Ranks()
    _note(topics, ranks)
    _neutral(topics, ranks)
    return topics


def _copy_in_key_order(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of each copy in the order of their keys, the markers of its ends at its ends, without positions.

    Which row a copy reads first is nobody's business.
    """
    done: list[dict[str, Any]] = []
    copied: list[dict[str, Any]] = []
    for record in [*records, {}]:
        source = _source(record)
        if source is not None and source.get("snapshot") not in (None, "false", "incremental"):
            copied.append(record)
            continue
        markers = [_source(r)["snapshot"] for r in copied]  # type: ignore[index]
        copied.sort(key=lambda r: json.dumps([r["key"], _payload(r).get("after")], sort_keys=True))
        for one, marker in zip(copied, markers, strict=True):
            _source(one).update(snapshot=marker, txId=None, lsn="copy", sequence="copy")  # type: ignore[union-attr]
            _payload(one).pop("__position", None)
        done += copied
        copied = []
        done.append(record)
    return done[:-1]


def _payload(record: dict[str, Any]) -> dict[str, Any]:
    value = record.get("value")
    if not isinstance(value, dict):
        return {}
    inner = value.get("payload", value)
    return inner if isinstance(inner, dict) else {}


def _source(record: dict[str, Any]) -> dict[str, Any] | None:
    found = _payload(record).get("source")
    return found if isinstance(found, dict) else None


def _parsed(data: bytes | None, database: str) -> Any:
    if data is None:
        return None
    try:
        return json.loads(data.replace(database.encode(), b"database"))
    except ValueError:
        return f"raw:{data!r}"


def _note(node: Any, ranks: Ranks) -> None:
    """Collect positions and transaction numbers."""
    if isinstance(node, list):
        for member in node:
            _note(member, ranks)
    elif isinstance(node, dict):
        for name, value in node.items():
            kind = _kind(name, value)
            if kind is None:
                _note(value, ranks)
            else:
                ranks.note(kind, value)


def _kind(name: str, value: Any) -> str | None:
    if isinstance(value, int) and name.endswith(("lsn", "__position")):
        return "lsn"
    if isinstance(value, int) and name.endswith("txId"):
        return "tx"
    return None


def _sequence(text: str, ranks: Ranks) -> str:
    """The event's position, and whether that of the commit before is known and not behind it.

    Whether both are the same depends on what else was logged in between.
    """
    last, lsn = json.loads(text)
    before = last if last is None else int(last) <= int(lsn)
    return f"[{before}, {ranks.of('lsn', lsn)}]"


def _neutral(node: Any, ranks: Ranks) -> None:
    """Replace moments, positions and versions wherever they are."""
    if isinstance(node, list):
        for member in node:
            _neutral(member, ranks)
    elif isinstance(node, dict):
        for name, value in node.items():
            kind = _kind(name, value)
            if kind is not None:
                node[name] = ranks.of(kind, value)
            elif name.endswith("sequence") and isinstance(value, str) and value.startswith("["):
                node[name] = _sequence(value, ranks)
            elif (
                name == "data_collection" and isinstance(value, str) and "$LogicalDecodingMessageId@" in value
            ):
                node[name] = "LOGICAL_DECODING_MESSAGE"
            elif name == "data_collections" and isinstance(value, list):
                _neutral(value, ranks)
                value.sort(key=json.dumps)
            elif name.endswith(_MOMENTS) and isinstance(value, int):
                node[name] = "moment"
            elif name.endswith("version") and isinstance(value, str) and _VERSION.match(value):
                node[name] = "version"
            elif name == "id" and isinstance(value, str) and (found := re.fullmatch(r"(\d+):(\d+)", value)):
                node[name] = f"transaction {ranks.of('tx', found[1])}"
            else:
                _neutral(value, ranks)
