"""TimescaleDb: chunks renamed, and the catalog asked only for what is not known."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.postgres import timescale
from connectors.postgres.timescale import CatalogChunks, Table, TimescaleDb
from replicator.api.option_types import Type
from replicator.api.record import SourceRecord
from replicator.api.schema import OPTIONAL_STRING, STRING, struct_schema
from replicator.api.struct import Struct

SOURCE = struct_schema([("schema", OPTIONAL_STRING), ("table", OPTIONAL_STRING)], name="Source")
ENVELOPE = struct_schema([("source", SOURCE), ("op", STRING)], name="p.s.t.Envelope")
INTERNAL = "_timescaledb_internal"


class Known:
    """Chunks of two hypertables, one of which keeps an aggregate."""

    closed = False

    def hypertable(self, chunk: Table) -> Table | None:
        return {"c1": ("public", "metrics"), "c2": (INTERNAL, "materialized_3")}.get(chunk[1])

    def aggregate(self, hypertable: Table) -> Table | None:
        return ("public", "daily") if hypertable[1] == "materialized_3" else None

    def close(self) -> None:
        self.closed = True


def change(schema: str | None, table: str | None) -> SourceRecord:
    value = Struct(ENVELOPE, {"source": {"schema": schema, "table": table}, "op": "c"})
    return SourceRecord(None, None, "server.x", None, None, None, ENVELOPE, value)


def applied(record: SourceRecord, **config: str) -> tuple[Any, ...]:
    transform = TimescaleDb(Known())
    transform.configure(config)
    made = transform.apply(record)
    assert made is not None
    source = made.value.get("source")
    headers = {h.key.removeprefix("__debezium_timescaledb_"): h.value for h in made.headers or ()}
    return made.topic, source.get("schema"), source.get("table"), headers


def test_a_chunk_goes_to_its_hypertable() -> None:
    assert applied(change(INTERNAL, "c1")) == (
        "timescaledb.public.metrics",
        "public",
        "metrics",
        {"chunk_table": "c1", "chunk_schema": INTERNAL},
    )


def test_a_chunk_of_an_aggregate_goes_to_the_aggregate() -> None:
    assert applied(change(INTERNAL, "c2"), **{"target.topic.prefix": "ts"}) == (
        "ts.public.daily",
        "public",
        "daily",
        {
            "chunk_table": "c2",
            "chunk_schema": INTERNAL,
            "hypertable_table": "materialized_3",
            "hypertable_schema": INTERNAL,
        },
    )


@pytest.mark.parametrize(
    ("schema", "table", "listed"),
    [("public", "c1", INTERNAL), (INTERNAL, "unknown", INTERNAL), (INTERNAL, None, INTERNAL), (None, None, INTERNAL),
     (INTERNAL, "c1", "other")],
)  # fmt: skip
def test_what_is_no_chunk_passes(schema: str | None, table: str | None, listed: str) -> None:
    assert applied(change(schema, table), **{"schema.list": listed}) == ("server.x", schema, table, {})


def test_options() -> None:
    keys = TimescaleDb.config_def().keys
    assert (keys["schema.list"].type, keys["schema.list"].default) == (Type.LIST, [INTERNAL])
    assert keys["target.topic.prefix"].default == "timescaledb"


class Catalog:
    """A connection that answers from a list, one answer a query."""

    def __init__(self, answers: list[list[tuple[str, ...]]]) -> None:
        self.answers, self.queries = answers, 0

    def execute(self, query: bytes) -> Catalog:
        self.queries += 1
        return self

    def fetchall(self) -> list[tuple[str, ...]]:
        return self.answers.pop(0)

    def close(self) -> None:
        pass


def test_the_catalog_is_asked_once_for_each_unknown_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    first, later = (INTERNAL, "c1", "public", "m"), (INTERNAL, "c2", "public", "m")
    catalog = Catalog([[first], [], [first, later], [("public", "m", "public", "v")]])
    monkeypatch.setattr(timescale.Connector, "plain", lambda self, purpose: catalog)
    chunks = CatalogChunks(
        {
            "database.hostname": "h",
            "database.user": "u",
            "database.password": "p",
            "database.dbname": "d",
            "x": "1",
        }
    )
    assert [chunks.hypertable((INTERNAL, "c1")) for _ in range(3)] == [("public", "m")] * 3
    assert (catalog.queries, chunks.aggregate(("public", "m"))) == (2, None)
    assert chunks.hypertable((INTERNAL, "c2")) == ("public", "m")
    assert (catalog.queries, chunks.aggregate(("public", "m"))) == (4, ("public", "v"))
