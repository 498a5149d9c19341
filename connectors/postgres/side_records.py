"""Records that are not row changes: transaction metadata, logical messages, heartbeats.

Pure builders, used by the reader thread.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.cdc import naming, schemas
from connectors.cdc.selection import Patterns
from connectors.postgres.pgoutput import LogicalMessage
from replicator.api import Schema, Struct
from replicator.api.schema import BYTES, STRING

_CONTENT: Final[dict[str, tuple[Schema, Callable[[bytes], Any]]]] = {
    "bytes": (BYTES, bytes),
    "base64": (STRING, lambda content: base64.b64encode(content).decode()),
    "base64-url-safe": (STRING, lambda content: base64.urlsafe_b64encode(content).decode()),
    "hex": (STRING, lambda content: content.hex()),
}


class Messages:
    """Events of pg_logical_emit_message."""

    def __init__(self, options: Mapping[str, Any], topic: str) -> None:
        self.topic = topic
        self._include = Patterns("message.prefix.include.list", options["message.prefix.include.list"])
        self._exclude = Patterns("message.prefix.exclude.list", options["message.prefix.exclude.list"])
        content, self._encode = _CONTENT[options["binary.handling.mode"]]
        adjust = naming.SCHEMA_ADJUSTMENTS[options["schema.name.adjustment.mode"]]
        self.value_schema = schemas.message_schema(adjust(schemas.MESSAGE_VALUE_NAME), content)

    def wanted(self, prefix: str) -> bool:
        """Whether messages with this prefix are emitted."""
        if self._include:
            return self._include.match(prefix)
        return not self._exclude.match(prefix)

    def key(self, message: LogicalMessage) -> Struct:
        """The record's key."""
        return Struct(schemas.MESSAGE_KEY, {"prefix": message.prefix})

    def value(
        self, message: LogicalMessage, source: dict[str, Any], ts_us: int, transaction: dict[str, Any] | None
    ) -> Struct:
        """The record's value."""
        return Struct(
            self.value_schema,
            {
                "op": "m",
                "ts_ms": ts_us // 1000,
                "source": source,
                "transaction": transaction,
                "message": {"prefix": message.prefix, "content": self._encode(message.content)},
            },
        )


MESSAGE_COLLECTION: Final = "LOGICAL_DECODING_MESSAGE"


class TransactionCounter:
    """Counts of one transaction for its metadata, and its BEGIN and END records' data."""

    __slots__ = ("_by_table", "_total", "_xid")

    def __init__(self, xid: int) -> None:
        self._xid = xid
        self._total = 0
        self._by_table: dict[str, int] = {}

    def block(self, table: str, lsn: int) -> dict[str, Any]:
        """Count one event; its `transaction` block."""
        self._total += 1
        order = self._by_table.get(table, 0) + 1
        self._by_table[table] = order
        return {"id": f"{self._xid}:{lsn}", "total_order": self._total, "data_collection_order": order}

    def begin(self, lsn: int, ts_us: int) -> tuple[Struct, Struct]:
        """Key and value of the BEGIN record."""
        return self._record("BEGIN", lsn, ts_us, None, None)

    def end(self, lsn: int, ts_us: int) -> tuple[Struct, Struct]:
        """Key and value of the END record."""
        tables = [{"data_collection": t, "event_count": n} for t, n in self._by_table.items()]
        return self._record("END", lsn, ts_us, self._total, tables)

    def _record(
        self, status: str, lsn: int, ts_us: int, count: int | None, tables: list[dict[str, Any]] | None
    ) -> tuple[Struct, Struct]:
        ident = f"{self._xid}:{lsn}"
        value = {
            "status": status,
            "id": ident,
            "event_count": count,
            "data_collections": tables,
            "ts_ms": ts_us // 1000,
        }
        return Struct(schemas.TRANSACTION_KEY, {"id": ident}), Struct(schemas.TRANSACTION_VALUE, value)
