"""A table with a column of each kind, its codecs and changes of it."""

from __future__ import annotations

from typing import Any

from connectors.cdc.codec import ColumnCodec
from connectors.cdc.encoder import TableEncoder
from connectors.cdc.tables import Column, Table
from replicator.api import ChangeOrigin, ChangeRecord
from replicator.api.schema import BOOLEAN, INT32, OPTIONAL_STRING, STRING

TABLE = Table(
    "public",
    "t",
    (
        Column("a", 25, "text", optional=False, key_position=2),
        Column("id", 23, "int4", optional=False, key_position=1),
        Column("note", 25, "text"),
        Column("ok", 16, "bool", optional=False),
    ),
)
CODECS = {
    "a": ColumnCodec(STRING, placeholder="?", filler=""),
    "id": ColumnCodec(INT32, int, filler=0, inline="int({0})", may_be_unchanged=False),
    "note": ColumnCodec(OPTIONAL_STRING, placeholder="?", filler=""),
    "ok": ColumnCodec(BOOLEAN, lambda t: {"t": True, "f": False}[t], filler=False, may_be_unchanged=False),
}


class FixedOrigin(ChangeOrigin):
    """An origin whose source block is given."""

    __slots__ = ("block",)

    def source(self, detail: Any) -> dict[str, Any]:
        block: dict[str, Any] = self.block
        return block


def change_of(
    made: TableEncoder, op: str, before: Any, after: Any, source: dict[str, Any], ts_us: int
) -> ChangeRecord:
    origin = FixedOrigin(made.topic, made.key_schema, made.value_schema, {}, ("s", "log", 1), ts_us, [])
    origin.block = source
    return ChangeRecord(origin, op, before, after, None, 0, 0)
