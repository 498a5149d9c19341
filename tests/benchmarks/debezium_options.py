"""Options of Debezium's Postgres source and JDBC sink for the benchmarks' table, in whatever runs them."""

from __future__ import annotations

from typing import Final

from scripts.devservers import Instance
from tests.benchmarks.bench import DATABASE

JAVA_SOURCE_TUNING: Final = {
    "snapshot.fetch.size": "10240",
    "max.batch.size": "8192",
    "max.queue.size": "32768",
    "poll.interval.ms": "5",
}
"""Large batches, no waiting for them."""

# The last one: or the sink takes a table of this name in another database for its own.
_DRIVER: Final = (
    "rewriteBatchedStatements=true&cachePrepStmts=true&useSSL=false&allowPublicKeyRetrieval=true"
    "&nullDatabaseMeansCurrent=true"
)


def source(postgres: Instance, name: str) -> dict[str, str]:
    """The source, with topics, slot and publication of that name."""
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": postgres.host,
        "database.port": str(postgres.port),
        "database.user": postgres.user,
        "database.password": postgres.password,
        "database.dbname": DATABASE,
        "topic.prefix": name,
        "plugin.name": "pgoutput",
        "slot.name": name,
        "publication.name": name,
        "publication.autocreate.mode": "filtered",
        "table.include.list": "public.bench",
        "tombstones.on.delete": "false",
        # Nobody reads them.
        "extended.headers.enabled": "false",
    }


def java_sink(mysql: Instance) -> dict[str, str]:
    """Debezium's own sink, tuned; large batches here as well."""
    return {
        "connection.url": f"jdbc:mysql://{mysql.host}:{mysql.port}/{DATABASE}?{_DRIVER}",
        "connection.username": mysql.user,
        "connection.password": mysql.password,
        "insert.mode": "upsert",
        "delete.enabled": "true",
        "primary.key.mode": "record_key",
        "schema.evolution": "basic",
        "collection.name.format": "bench",
        "batch.size": "3000",
    }
