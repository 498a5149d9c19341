"""TimescaleDb: changes of chunks go to the topic of their hypertable, or of the aggregate it keeps. Task thread.

Which chunk belongs where is asked of the database, by a connection of the transform's own, whenever a chunk comes up
that is not known yet. Options of the connection are those of the connector, `database.*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol

from connectors.cdc.smt_options import option
from connectors.cdc.unwrap import is_envelope
from connectors.postgres.config import CONFIG
from connectors.postgres.connection import Connector, PlainConnection
from connectors.postgres.errors import translated
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.option_types import Type
from replicator.api.record import ConnectRecord, Header
from replicator.api.schema import STRING
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_PREFIX: Final = "__debezium_timescaledb_"
_SCHEMAS: Final = "_timescaledb_internal"
_CHUNKS: Final = """
SELECT c.schema_name, c.table_name, h.schema_name, h.table_name
  FROM _timescaledb_catalog.chunk c JOIN _timescaledb_catalog.hypertable h ON c.hypertable_id = h.id
"""
_AGGREGATES: Final = """
SELECT h.schema_name, h.table_name, a.user_view_schema, a.user_view_name
  FROM _timescaledb_catalog.continuous_agg a JOIN _timescaledb_catalog.hypertable h ON a.mat_hypertable_id = h.id
"""

Table = tuple[str, str]
"""Schema and name."""


class Chunks(Protocol):
    """What is known of chunks."""

    def hypertable(self, chunk: Table) -> Table | None: ...

    def aggregate(self, hypertable: Table) -> Table | None: ...

    def close(self) -> None: ...


class CatalogChunks:
    """From the database's catalog."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        names = {name for name in CONFIG.keys if name.startswith("database.")}
        given = {name: value for name, value in config.items() if name in names}
        self._connector = Connector(CONFIG.parse({"topic.prefix": "timescaledb", **given}))
        self._connection: PlainConnection | None = None
        self._hypertables: dict[Table, Table] = {}
        self._aggregates: dict[Table, Table] = {}

    def hypertable(self, chunk: Table) -> Table | None:
        """The hypertable of a chunk; asks anew for one that is not known.

        Raises:
            ConnectError: the database cannot be asked; retriable when it may answer later.
        """
        if chunk not in self._hypertables:
            self._load()
        return self._hypertables.get(chunk)

    def aggregate(self, hypertable: Table) -> Table | None:
        """The aggregate whose rows a hypertable keeps."""
        return self._aggregates.get(hypertable)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _load(self) -> None:
        try:
            if self._connection is None:
                self._connection = self._connector.plain("timescaledb")
            with translated("reading TimescaleDB's catalog"):
                self._hypertables = self._pairs(self._connection, _CHUNKS)
                self._aggregates = self._pairs(self._connection, _AGGREGATES)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _pairs(connection: PlainConnection, query: str) -> dict[Table, Table]:
        rows = connection.execute(query.encode()).fetchall()
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}


class TimescaleDb(Transformation):
    """Renames chunks in topic and source block, and says in headers what they were; other records pass."""

    aliases: ClassVar[tuple[str, ...]] = (
        "io.debezium.connector.postgresql.transforms.timescaledb.TimescaleDb",
    )

    def __init__(self, chunks: Chunks | None = None) -> None:
        self._chunks = chunks

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            option(
                "schema.list",
                Type.LIST,
                [_SCHEMAS],
                "The list of TimescaleDB data schemas",
                "Schemas that hold chunks.",
                importance=Importance.HIGH,
                width=Width.MEDIUM,
            ),
            option(
                "target.topic.prefix",
                Type.STRING,
                "timescaledb",
                "The prefix of TimescaleDB topic names",
                "Begins the topic that chunks go to; schema and table follow.",
                importance=Importance.MEDIUM,
                width=Width.MEDIUM,
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._schemas = frozenset(options["schema.list"] or (_SCHEMAS,))
        self._prefix = options["target.topic.prefix"]
        if self._chunks is None:
            self._chunks = CatalogChunks(config)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        source = record.value.get("source") if is_envelope(record) else None
        if not isinstance(source, Struct) or source.fields.get("schema") not in self._schemas:
            return record
        name = source.fields.get("table")
        if self._chunks is None or name is None:
            return record
        chunk: Table = (str(source.fields["schema"]), str(name))
        hypertable = self._chunks.hypertable(chunk)
        if hypertable is None:
            return record
        aggregate = self._chunks.aggregate(hypertable)
        schema, table = aggregate or hypertable
        renamed = {**source.fields, "schema": schema, "table": table}
        headers = [*(record.headers or ()), *_headers("chunk", chunk)]
        if aggregate is not None:
            headers += _headers("hypertable", hypertable)
        value = Struct(record.value.schema, {**record.value.fields, "source": renamed})
        return record.evolve(topic=f"{self._prefix}.{schema}.{table}", value=value, headers=headers)

    def close(self) -> None:
        if self._chunks is not None:
            self._chunks.close()


def _headers(what: str, table: Table) -> list[Header]:
    return [
        Header(f"{_PREFIX}{what}_table", STRING, table[1]),
        Header(f"{_PREFIX}{what}_schema", STRING, table[0]),
    ]
