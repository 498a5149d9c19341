"""TableEncoder: row texts of one table version to Connect data, by generated code.

For each table version a small module is written and compiled: a function that decodes a row, one
that takes the key out of it, one that fills in the source block. It has no loop and no lookup, so a
row costs little more than its dict. The source text is kept in `code` for inspection; names and
literals enter it only through `repr`, and everything else through the namespace.

Used by the thread that reads the log, and by those that copy; nothing is shared but immutables.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.cdc import naming, schemas
from connectors.cdc.codec import ColumnCodec
from connectors.cdc.tables import UNCHANGED, Column, Table, Text
from replicator.api import Connector, DataError, Schema, SchemaError
from replicator.api.schema import STRING

Row = dict[str, Any]

log = logging.getLogger(__name__)

FAILURES: Final = (ValueError, TypeError, AttributeError, ArithmeticError, LookupError, DataError)
"""What a decoder may raise for text it cannot take."""


@dataclass(frozen=True, slots=True)
class EncodingOptions:
    """What is common to all tables of a source.

    Attributes:
        name: `topic.prefix`.
        db: name of the database.
        connector: connector name in the source block.
        version: connector version in the source block.
        adjust_schema: what schema names become.
        adjust_field: what field names become.
        failures: what becomes of a value that its schema cannot hold: `fail`, or null with a warning (`warn`) or
            without (`skip`).
    """

    name: str
    db: str
    connector: str = "postgresql"
    version: str = Connector.version()
    adjust_schema: naming.Adjust = naming.SCHEMA_ADJUSTMENTS["none"]
    adjust_field: naming.Adjust = naming.FIELD_ADJUSTMENTS["none"]
    failures: str = "fail"


class TableEncoder:
    """Encodes the rows of one table version.

    Attributes:
        table: the table.
        topic: its topic.
        columns: the captured columns, in row order (those of the key that are left out of the row too).
        hides: whether rows hold columns that are there for the key alone, see `visible`.
        key_schema: schema of keys, or None.
        after_schema: schema of rows.
        value_schema: schema of envelopes.
        row: decodes a row of texts (one per column of the table) to field name -> value; None stays None,
            unchanged values become placeholders. Raises DataError naming the column.
        key: the key's fields of a decoded row, or None for a table without key.
        source: the source block: (snapshot marker, ts_us, txid, lsn, sequence text, xmin, origin,
            origin_lsn), the last three optional.
        source_json: the same as JSON, cut at the two places of the LSN: (snapshot marker, ts_us, txid, position of
            the last commit, origin, origin_lsn), the last two optional.
        code: the generated source text.
    """

    __slots__ = (
        "_codecs",
        "_failures",
        "_fields",
        "_hidden",
        "_key_places",
        "after_schema",
        "code",
        "columns",
        "hides",
        "key",
        "key_schema",
        "row",
        "source",
        "source_json",
        "table",
        "topic",
        "value_schema",
    )

    row: Callable[[Sequence[Text]], Row]
    key: Callable[[Row], Row | None]
    source: Callable[..., Row]
    source_json: Callable[..., tuple[bytes, bytes, bytes]]

    def __init__(
        self,
        table: Table,
        codecs: Mapping[str, ColumnCodec],
        options: EncodingOptions,
        topic: str,
        *,
        key_columns: Sequence[str] | None = None,
        excluded: frozenset[str] = frozenset(),
        identifier: tuple[str, str] | None = None,
    ) -> None:
        """Compile an encoder.

        Args:
            table: the table.
            codecs: codec per column name; a column without one is not captured.
            options: what all tables share.
            topic: topic of the table.
            key_columns: names of the key's columns instead of the table's own.
            excluded: columns left out of the row; as part of the key they stay in the key.
            identifier: name and value of a further field of keys.

        Raises:
            SchemaError: two columns have the same field name, or a key column does not exist.
        """
        keys = (
            [c.name for c in table.key_columns if c.name in codecs]
            if key_columns is None
            else list(key_columns)
        )
        for name in keys:
            if name not in codecs:
                raise SchemaError(f"Key column {name} of {table.full_name} does not exist or is not captured")
        self.table = table
        self.topic = topic
        self._failures = options.failures
        self.columns: tuple[Column, ...] = tuple(
            c for c in table.columns if c.name in codecs and (c.name not in excluded or c.name in keys)
        )
        self._codecs = {c.name: codecs[c.name] for c in self.columns}
        self._fields = _field_names(table, self.columns, options)
        self._hidden = tuple(self._fields[c.name] for c in self.columns if c.name in excluded)
        self.hides = bool(self._hidden)
        self._key_places = [(i, c.name) for i, c in enumerate(table.columns) if c.name in keys]
        adjust = options.adjust_schema
        further = [(identifier[0], STRING)] if identifier is not None and keys else []
        self.key_schema = schemas.key_schema(
            adjust(f"{topic}.Key"), [*((self._fields[n], codecs[n].schema) for n in keys), *further]
        )
        visible = [c.name for c in self.columns if c.name not in excluded]
        self.after_schema: Schema = schemas.row_schema(
            adjust(f"{topic}.Value"), [(self._fields[n], codecs[n].schema) for n in visible]
        )
        self.value_schema: Schema = schemas.envelope_schema(adjust(f"{topic}.Envelope"), self.after_schema)
        self._compile([self._fields[n] for n in keys], options, identifier)

    def old_row(self, texts: Sequence[Text]) -> Row:
        """Decode a partial old row (only the identity's columns are real): fillers for required columns.

        Raises:
            DataError: a text cannot be decoded, or the old row lacks a part of the key.
        """
        for i, name in self._key_places:
            if texts[i] is None:
                raise DataError(
                    f"The old row of {self.table.full_name} lacks {name}, which is part of the key",
                    hint="Its replica identity must cover the key: set REPLICA IDENTITY FULL.",
                )
        row = self.row(texts)
        for column in self.columns:
            if not column.optional and row[self._fields[column.name]] is None:
                row[self._fields[column.name]] = self._codecs[column.name].filler
        return row

    def visible(self, row: Row) -> Row:
        """The row without the columns that are there for the key alone."""
        return {k: v for k, v in row.items() if k not in self._hidden}

    def _compile(
        self, key_fields: list[str], options: EncodingOptions, identifier: tuple[str, str] | None
    ) -> None:
        namespace: dict[str, Any] = {
            "UNCHANGED": UNCHANGED,
            "FAILURES": FAILURES,
            "careful": self._careful,
            "json": _json,
        }
        self.code = "\n".join(
            (
                self._row_code(namespace),
                _key_code(key_fields, identifier),
                self._source_code(options),
                self._source_json_code(options),
            )
        )
        # The text is made here from repr'd names only; see the module's docstring.
        exec(compile(self.code, f"<encoder of {self.table.full_name}>", "exec"), namespace)
        self.row = namespace["row"]
        self.key = namespace["key"]
        self.source = namespace["source"]
        self.source_json = namespace["source_json"]

    def _row_code(self, namespace: dict[str, Any]) -> str:
        variables, items, unchanged = [], [], []
        for i, column in enumerate(self.table.columns):
            codec = self._codecs.get(column.name)
            variables.append(f"c{i}" if codec is not None else "_")
            if codec is None:
                continue
            if codec.may_be_unchanged:
                unchanged.append(f"c{i} is UNCHANGED")
            items.append(f"            {self._fields[column.name]!r}: {_expression(codec, i, namespace)},")
        lines = ["def row(texts):", "    try:"]
        if variables:
            lines.append(f"        [{', '.join(variables)}] = texts")
        if unchanged:
            lines += [f"        if {' or '.join(unchanged)}:", "            return careful(texts)"]
        lines += ["        return {", *items, "        }"]
        lines += ["    except FAILURES:", "        return careful(texts)"]
        return "\n".join(lines)

    def _careful(self, texts: Sequence[Text]) -> Row:
        """The same as `row`, column by column: fills in placeholders, and names the column of an error."""
        if len(texts) != len(self.table.columns):
            raise DataError(
                f"A row of {self.table.full_name} has {len(texts)} values, not {len(self.table.columns)}"
            )
        row: Row = {}
        for column, text in zip(self.table.columns, texts, strict=True):
            codec = self._codecs.get(column.name)
            if codec is not None:
                row[self._fields[column.name]] = self._value(column, codec, text)
        return row

    def _value(self, column: Column, codec: ColumnCodec, text: Text) -> Any:
        if text is None:
            return codec.null
        if not isinstance(text, str):
            return codec.placeholder
        try:
            return codec.value(text)
        except FAILURES as error:
            hint = error.hint if isinstance(error, DataError) else None
            said = error.message if isinstance(error, DataError) else str(error)
            where = f"Column {column.name} of {self.table.full_name} ({column.type_name})"
            if self._failures == "fail":
                raise DataError(f"{where}: {said}", hint=hint) from error
            if self._failures == "warn":
                log.warning("%s: %s; its value is left out", where, said)
            return None if column.optional else codec.filler

    def _source_code(self, options: EncodingOptions) -> str:
        fixed = {k: repr(v) for k, v in (("version", options.version), ("connector", options.connector))}
        return f"""
def source(snapshot, ts_us, txid, lsn, sequence, xmin=None, origin=None, origin_lsn=None):
    return {{
        "version": {fixed["version"]},
        "connector": {fixed["connector"]},
        "name": {options.name!r},
        "ts_ms": ts_us // 1000,
        "snapshot": snapshot,
        "db": {options.db!r},
        "sequence": sequence,
        "ts_us": ts_us,
        "ts_ns": ts_us * 1000,
        "schema": {self.table.schema!r},
        "table": {self.table.name!r},
        "txId": txid,
        "lsn": lsn,
        "xmin": xmin,
        "origin": origin,
        "origin_lsn": origin_lsn,
    }}
"""

    def _source_json_code(self, options: EncodingOptions) -> str:
        """The members stand in the order of `_source_code`."""
        names = {"version": options.version, "connector": options.connector, "name": options.name}
        start = "{" + "".join(f'"{name}":{_json(value)},' for name, value in names.items()) + '"ts_ms":'
        db = f',"db":{_json(options.db)},"sequence":"['
        table = f',"schema":{_json(self.table.schema)},"table":{_json(self.table.name)},"txId":'
        # The sequence is JSON within a JSON text.
        quote = '\\"'
        return f"""
def source_json(snapshot, ts_us, txid, last, origin=None, origin_lsn=None):
    head = {start!r} + str(ts_us // 1000) + ',"snapshot":"' + snapshot + '"' + {db!r}
    head += 'null' if last is None else {quote!r} + str(last) + {quote!r}
    head += {"," + quote!r}
    middle = {quote + ']","ts_us":'!r} + str(ts_us) + ',"ts_ns":' + str(ts_us * 1000) + {table!r}
    middle += 'null' if txid is None else str(txid)
    middle += ',"lsn":'
    tail = ',"xmin":null,"origin":null,"origin_lsn":null}}'
    if origin is not None:
        tail = ',"xmin":null,"origin":' + json(origin) + ',"origin_lsn":' + json(origin_lsn) + '}}'
    return head.encode(), middle.encode(), tail.encode()
"""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _field_names(table: Table, columns: Sequence[Column], options: EncodingOptions) -> dict[str, str]:
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for column in columns:
        field = options.adjust_field(column.name)
        if field in owners:
            raise SchemaError(
                f"Columns {owners[field]} and {column.name} of {table.full_name} are both called {field}"
            )
        owners[field] = column.name
        names[column.name] = field
    return names


def _expression(codec: ColumnCodec, i: int, namespace: dict[str, Any]) -> str:
    """The value of variable `c<i>`; a decoder that is called is put into the namespace."""
    if codec.decode is None:
        return f"c{i}" if codec.null is None else f"{codec.null!r} if c{i} is None else c{i}"
    name = f"decode{i}"
    namespace[name] = codec.decode
    value = f"{name}(c{i})" if codec.inline is None else codec.inline.format(f"c{i}", name)
    return f"{codec.null!r} if c{i} is None else {value}"


def _key_code(fields: list[str], identifier: tuple[str, str] | None) -> str:
    if not fields:
        return "def key(row):\n    return None\n"
    items = ", ".join(f"{f!r}: row[{f!r}]" for f in fields)
    if identifier is not None:
        items += f", {identifier[0]!r}: {identifier[1]!r}"
    return f"def key(row):\n    return {{{items}}}\n"


def merge_unchanged(new: Sequence[Text], old: Sequence[Text]) -> list[Text]:
    """The new row with unchanged values taken from the old one (REPLICA IDENTITY FULL)."""
    return [o if n is UNCHANGED else n for n, o in zip(new, old, strict=True)]


def sequence_text(last_commit_lsn: int | None, lsn: int | None) -> str:
    """The source block's `sequence`: JSON text of the last commit's position and this event's."""
    last = "null" if last_commit_lsn is None else f'"{last_commit_lsn}"'
    this = "null" if lsn is None else f'"{lsn}"'
    return f"[{last},{this}]"
