"""TableEncoder: rows, keys and envelopes of one table version."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.cdc import naming
from connectors.cdc.codec import ColumnCodec
from connectors.cdc.encoder import EncodingOptions, TableEncoder, merge_unchanged, sequence_text
from connectors.cdc.tables import UNCHANGED, Column, Table
from replicator.api import DataError, SchemaError, Struct
from tests.unit.cdc.sample_table import CODECS, TABLE, change_of

OPTIONS = EncodingOptions("srv", "app", version="9.9")


def encoder(table: Table = TABLE, codecs: dict[str, ColumnCodec] = CODECS, **changes: Any) -> TableEncoder:
    return TableEncoder(table, codecs, changes.pop("options", OPTIONS), "srv.public.t", **changes)


def test_schemas_have_the_names_and_orders_of_the_convention() -> None:
    made = encoder()
    assert made.key_schema is not None
    assert (made.key_schema.name, [f.name for f in made.key_schema.fields]) == (
        "srv.public.t.Key",
        ["id", "a"],
    )
    assert not made.key_schema.optional
    assert (made.after_schema.name, made.after_schema.optional) == ("srv.public.t.Value", True)
    assert [f.name for f in made.after_schema.fields] == ["a", "id", "note", "ok"]
    envelope = made.value_schema
    assert (envelope.name, envelope.version) == ("srv.public.t.Envelope", 2)
    assert [f.name for f in envelope.fields] == [
        "before", "after", "source", "transaction", "op", "ts_ms", "ts_us", "ts_ns"
    ]  # fmt: skip
    assert [f.name for f in envelope.fields if not f.schema.optional] == ["source", "op"]


def test_a_row_its_key_and_its_envelope_validate() -> None:
    made = encoder()
    row = made.row(["x", "7", None, "t"])
    assert row == {"a": "x", "id": 7, "note": None, "ok": True}
    key = made.key(row)
    assert key is not None
    assert made.key_schema is not None
    Struct(made.key_schema, key).validate()
    assert list(key.items()) == [("id", 7), ("a", "x")]
    source = made.source("false", 1_500_000_000_123_456, 5, 6, sequence_text(4, 6))
    envelope = change_of(made, "c", None, row, source, 1_600_000_000_123_456).value
    envelope.validate()
    assert envelope.plain()["ts_ns"] == 1_600_000_000_123_456_000
    assert list(envelope.fields) == [f.name for f in envelope.schema.fields]
    source_schema = made.value_schema.field("source")
    assert source_schema is not None
    assert list(source) == [f.name for f in source_schema.schema.fields]
    assert {
        k: source[k] for k in ("version", "connector", "name", "db", "schema", "table", "sequence", "ts_ms")
    } == {
        "version": "9.9",
        "connector": "postgresql",
        "name": "srv",
        "db": "app",
        "schema": "public",
        "table": "t",
        "sequence": '["4","6"]',
        "ts_ms": 1_500_000_000_123,
    }


def test_unchanged_values_become_placeholders() -> None:
    assert encoder().row([UNCHANGED, "1", UNCHANGED, "f"]) == {"a": "?", "id": 1, "note": "?", "ok": False}
    assert merge_unchanged(["1", UNCHANGED, None], ["0", "old", "x"]) == ["1", "old", None]


def test_an_undecodable_value_names_its_column() -> None:
    with pytest.raises(DataError, match=r"Column id of public\.t \(int4\)"):
        encoder().row(["x", "seven", None, "t"])
    with pytest.raises(DataError, match=r"Column ok of public\.t"):
        encoder().row(["x", "7", None, "maybe"])
    with pytest.raises(DataError, match="3 values, not 4"):
        encoder().row(["x", "7", None])


def test_a_partial_old_row_has_fillers_for_required_columns() -> None:
    assert encoder().old_row(["x", "7", None, None]) == {"a": "x", "id": 7, "note": None, "ok": False}


def test_an_old_row_without_the_key_is_refused() -> None:
    """A key made of fillers would delete another row."""
    with pytest.raises(DataError, match="lacks ok, which is part of the key"):
        encoder(key_columns=["ok"]).old_row(["x", "7", None, None])
    with pytest.raises(DataError, match="lacks id"):
        encoder().old_row(["x", None, None, "t"])


def test_a_table_without_a_key() -> None:
    made = encoder(Table("public", "t", (Column("id", 23, "int4", optional=False),)))
    assert made.key_schema is None
    assert made.key(made.row(["1"])) is None


def test_a_chosen_key() -> None:
    made = encoder(key_columns=["note", "id"])
    key = made.key(made.row(["x", "7", "n", "t"]))
    assert key is not None
    assert list(key.items()) == [("note", "n"), ("id", 7)]
    with pytest.raises(SchemaError, match="nothing"):
        encoder(key_columns=["nothing"])


def test_excluded_columns_stay_in_the_key_only() -> None:
    made = encoder(excluded=frozenset({"id", "note"}))
    assert [f.name for f in made.after_schema.fields] == ["a", "ok"]
    assert [c.name for c in made.columns] == ["a", "id", "ok"]
    row = made.row(["x", "7", None, "t"])
    key = made.key(row)
    assert key is not None
    assert key == {"id": 7, "a": "x"}
    assert made.hides
    assert made.visible(row) == {"a": "x", "ok": True}


def test_columns_without_codec_are_skipped() -> None:
    codecs = {n: c for n, c in CODECS.items() if n != "note"}
    assert encoder(codecs=codecs).row(["x", "7", "ignored", "t"]) == {"a": "x", "id": 7, "ok": True}


def test_names_are_data_never_code() -> None:
    evil = "a'\"]}\\\n{0}): import os #"
    table = Table(evil, evil, (Column(evil, 25, "text", optional=False, key_position=1),))
    made = TableEncoder(table, {evil: CODECS["a"]}, EncodingOptions(evil, evil), evil)
    row = made.row(["v"])
    assert row == {evil: "v"}
    key = made.key(row)
    assert key is not None
    assert key == {evil: "v"}
    source = made.source("true", 0, 0, 0, sequence_text(None, 0))
    assert source["table"] == evil
    assert b"0".join(made.source_json("true", 0, 0, None)) == orjson.dumps(source)


@pytest.mark.parametrize("last", [None, 17])
@pytest.mark.parametrize("xid", [None, 5])
@pytest.mark.parametrize("replicated", [(), ('a "node"\u2028', 9)])
def test_the_source_block_as_json(
    last: int | None, xid: int | None, replicated: tuple[str, int] | tuple[()]
) -> None:
    made = encoder()
    parts = made.source_json("first", 1_500_000_000_123_456, xid, last, *replicated)
    source = made.source("first", 1_500_000_000_123_456, xid, 23, sequence_text(last, 23), None, *replicated)
    assert b"23".join(parts) == orjson.dumps(source)


def test_adjusted_names() -> None:
    table = Table("public", "t", (Column("a-b", 25, "text"),))
    options = EncodingOptions(
        "srv",
        "app",
        adjust_schema=naming.SCHEMA_ADJUSTMENTS["avro"],
        adjust_field=naming.FIELD_ADJUSTMENTS["avro"],
    )
    made = TableEncoder(table, {"a-b": CODECS["note"]}, options, "my-srv.public.t")
    assert made.row(["1"]) == {"a_b": "1"}
    assert made.value_schema.name == "my_srv.public.t.Envelope"
    twice = Table("public", "t", (Column("a-b", 25, "text"), Column("a_b", 25, "text")))
    with pytest.raises(SchemaError, match="both called a_b"):
        TableEncoder(twice, {"a-b": CODECS["note"], "a_b": CODECS["note"]}, options, "t")


def test_columns_that_differ_in_case_are_different() -> None:
    table = Table("public", "t", (Column("id", 25, "text"), Column("ID", 25, "text")))
    made = TableEncoder(table, {"id": CODECS["note"], "ID": CODECS["note"]}, OPTIONS, "t")
    assert made.row(["1", "2"]) == {"id": "1", "ID": "2"}


def test_an_empty_table_has_rows() -> None:
    made = TableEncoder(Table("public", "t", ()), {}, OPTIONS, "t")
    assert made.row([]) == {}
    assert made.source("false", 0, None, 1, None)["table"] == "t"


def test_many_columns() -> None:
    columns = tuple(Column(f"c{i}", 25, "text") for i in range(1600))
    made = TableEncoder(
        Table("public", "t", columns), {c.name: CODECS["note"] for c in columns}, OPTIONS, "t"
    )
    assert made.row([str(i) for i in range(1600)])["c1599"] == "1599"


def test_sequence() -> None:
    assert sequence_text(None, 5) == '[null,"5"]'
