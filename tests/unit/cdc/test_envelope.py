"""Schemas around rows, and reading envelopes."""

from __future__ import annotations

from connectors.cdc import envelope, schemas
from connectors.cdc.encoder import EncodingOptions, TableEncoder
from connectors.cdc.tables import Table
from connectors.postgres.types import TypeOptions, table_codecs
from replicator.api import Struct
from replicator.api.schema import STRING
from tests.unit.cdc.sample_table import CODECS, TABLE, change_of


def test_reading_an_envelope() -> None:
    made = TableEncoder(TABLE, CODECS, EncodingOptions("srv", "app"), "srv.public.t")
    row = made.row(["x", "7", None, "t"])
    source = made.source("false", 0, 1, 2, None)
    created = change_of(made, "c", None, row, source, 0).value
    deleted = change_of(made, "d", row, None, source, 0).value
    truncated = change_of(made, "t", None, None, source, 0).value
    assert [envelope.operation(e) for e in (created, deleted, truncated, None)] == ["c", "d", "t", None]
    assert envelope.operation(Struct(made.after_schema, row)) is None
    for event in (created, deleted):
        found = envelope.row(event)
        assert found is not None
        assert found.get("id") == 7
    assert envelope.row(truncated) is None


def test_message_envelopes() -> None:
    schema = schemas.message_schema(schemas.MESSAGE_VALUE_NAME, STRING)
    fields = {"op": "m", "source": _source(), "message": {"prefix": "p", "content": "c"}}
    event = Struct(schema, fields)
    event.validate()
    assert envelope.operation(event) == "m"
    assert envelope.row(event) is None


def test_source_block_defaults_to_no_snapshot() -> None:
    assert Struct(schemas.POSTGRES_SOURCE, _source() | {"snapshot": None}).get("snapshot") == "false"
    assert schemas.SNAPSHOT.parameters["allowed"].startswith("true,first,first_in_data_collection")


def test_side_records_validate() -> None:
    Struct(schemas.HEARTBEAT_KEY, {"serverName": "srv"}).validate()
    Struct(schemas.HEARTBEAT_VALUE, {"ts_ms": 1}).validate()
    Struct(schemas.TRANSACTION_KEY, {"id": "1:2"}).validate()
    Struct(
        schemas.TRANSACTION_VALUE,
        {
            "status": "END",
            "id": "1:2",
            "event_count": 1,
            "data_collections": [{"data_collection": "public.t", "event_count": 1}],
            "ts_ms": 1,
        },
    ).validate()


def test_a_table_of_nothing_can_still_name_a_source() -> None:
    empty = Table("", "", ())
    made = TableEncoder(
        empty, table_codecs(empty, TypeOptions()), EncodingOptions("srv", "app"), "srv.message"
    )
    assert made.source("false", 0, None, 1, None)["schema"] == ""


def _source() -> dict[str, object]:
    made = TableEncoder(TABLE, CODECS, EncodingOptions("srv", "app"), "srv.public.t")
    return made.source("false", 0, 1, 2, None)
