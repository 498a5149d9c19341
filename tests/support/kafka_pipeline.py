"""Postgres -> Kafka -> MySQL with `replicator standalone`: files, process, and what is in the topics."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from replicator.api.record import TopicPartition
from replicator.broker.kafka import KafkaBroker
from replicator.broker.message import Message
from scripts.devservers.process import free_port
from scripts.service import PROGRAM
from tests.support.fix_servers import Database, KafkaServer
from tests.support.sync_process import has_table


class Standalone:
    """A standalone worker on Kafka with a Debezium source and a JDBC sink."""

    def __init__(
        self, folder: Path, kafka: KafkaServer, prefix: str, source: Database, target: Database
    ) -> None:
        self.folder = folder
        self.kafka = kafka
        self.prefix = prefix
        self.source = source
        self.target = target
        self.worker: dict[str, Any] = {
            "bootstrap.servers": kafka.bootstrap,
            "offset.storage.file.filename": folder / "offsets",
            "offset.flush.interval.ms": 500,
            "listeners": f"http://127.0.0.1:{free_port()}",
        }
        slot = f"kafka_{source.name}"
        self.source_options: dict[str, Any] = {
            "name": f"{prefix}source",
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": source.server.host,
            "database.port": source.server.port,
            "database.user": source.server.user,
            "database.password": source.server.password,
            "database.dbname": source.name,
            "topic.prefix": f"{prefix}shop",
            "plugin.name": "pgoutput",
            "slot.name": slot,
            "publication.name": slot,
            "decimal.handling.mode": "string",
        }
        at = target.server
        self.sink_options: dict[str, Any] = {
            "name": f"{prefix}sink",
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "topics.regex": f"{prefix}shop\\.public\\..*",
            "connection.url": f"jdbc:mysql://{at.host}:{at.port}/{target.name}",
            "connection.username": at.user,
            "connection.password": at.password,
            "insert.mode": "upsert",
            "delete.enabled": "true",
            "primary.key.mode": "record_key",
            "schema.evolution": "basic",
            "collection.name.format": "${source.table}",
        }
        self.child: subprocess.Popen[bytes] | None = None

    def exactly_once(self) -> None:
        """Offsets in a topic, written in the transactions of their records."""
        del self.worker["offset.storage.file.filename"]
        self.worker |= {
            "exactly.once.source.support": "enabled",
            "offset.storage.topic": f"{self.prefix}offsets",
            "offset.storage.replication.factor": 1,
        }
        self.source_options["exactly.once.support"] = "required"

    @property
    def output(self) -> str:
        """What it printed and logged."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def start(self, env: dict[str, str] | None = None) -> Standalone:
        """Write the files and start."""
        files = [self._properties("worker", self.worker), self._properties("source", self.source_options)]
        sink = self.folder / "sink.json"
        config = {name: str(value) for name, value in self.sink_options.items() if name != "name"}
        sink.write_text(json.dumps({"name": self.sink_options["name"], "config": config}))
        with (self.folder / "log").open("ab") as log:
            command = [str(PROGRAM), "standalone", *files, str(sink)]
            self.child = subprocess.Popen(command, stdout=log, stderr=log, env=env)
        return self

    def _properties(self, name: str, options: dict[str, Any]) -> str:
        path = self.folder / f"{name}.properties"
        path.write_text(
            "".join(f"{key}={str(value).replace(chr(92), chr(92) * 2)}\n" for key, value in options.items())
        )
        return str(path)

    def stop(self) -> None:
        """SIGTERM; it must end by itself."""
        assert self.child is not None
        self.child.terminate()
        assert self.child.wait(30) == 0, self.output[-4000:]

    def kill(self) -> None:
        """kill -9, if it runs."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the target."""
        assert self.child is not None
        assert self.child.poll() is None, self.output[-4000:]
        return self.target.query(query)

    def has_rows(self, table: str, count: int) -> bool:
        """Whether the target's table has this many rows."""
        assert self.child is not None
        assert self.child.poll() is None, self.output[-4000:]
        found = has_table(self.target, table)
        return found and self.rows(f"SELECT count(*) FROM {table}") == [(count,)]


@pytest.fixture
def make_standalone(
    tmp_path: Path, kafka_prefix: str, pg_database: Database, mysql_database: Database
) -> Iterator[Callable[[KafkaServer], Standalone]]:
    """A factory of standalone workers on a Kafka of the test's own."""
    made: list[Standalone] = []

    def make(kafka: KafkaServer) -> Standalone:
        made.append(Standalone(tmp_path, kafka, kafka_prefix, pg_database, mysql_database))
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def standalone(
    tmp_path: Path, kafka: KafkaServer, kafka_prefix: str, pg_database: Database, mysql_database: Database
) -> Iterator[Standalone]:
    """A standalone worker that has not been started."""
    made = Standalone(tmp_path, kafka, kafka_prefix, pg_database, mysql_database)
    yield made
    made.kill()


def messages(kafka: KafkaServer, topic: str) -> list[Message]:
    """Everything that readers of committed data see in a topic."""
    with KafkaBroker({"bootstrap.servers": kafka.bootstrap}) as broker:
        count = broker.admin().topics()[topic].partitions
        partitions = [TopicPartition(topic, n) for n in range(count)]
        ends = broker.admin().end_offsets(partitions)
        consumer = broker.consumer("test")
        consumer.assign(partitions)
        found: list[Message] = []
        while any(consumer.position(tp) < ends[tp] for tp in partitions):
            found += consumer.poll(5000, 1.0)
        consumer.close()
    return found
