"""Postgres -> Kafka -> MySQL on a group of distributed workers, with servers of its own that may be stopped.

Counters and rows with keys go through one sink, rows without a key through another, with two tasks each. A trigger
in the target notes every new value of a counter: what is applied twice, or late by a worker that lost its
partitions, is seen there even when the tables end up equal.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
import pytest

from scripts.service import Outcome, run
from tests.support.fix_servers import Database, KafkaServer, Server
from tests.support.kafka_pipeline import messages
from tests.support.load import SCHEMA, assert_same
from tests.support.worker_group import Group, Worker, until

PATIENCE = 60.0
_JSON = "org.apache.kafka.connect.json.JsonConverter"
_AUDIT = (
    "CREATE TABLE counters (id INT PRIMARY KEY, n BIGINT NOT NULL)",
    "CREATE TABLE audit (seq BIGINT AUTO_INCREMENT PRIMARY KEY, id INT, n BIGINT)",
    "CREATE TRIGGER noted AFTER UPDATE ON counters FOR EACH ROW INSERT INTO audit (id, n) VALUES (NEW.id, NEW.n)",
)
_NOT_NEWER = """
SELECT id, n, earlier FROM (SELECT id, n, lag(n) OVER (PARTITION BY id ORDER BY seq) AS earlier FROM audit) a
WHERE n <= earlier
"""

_TWICE = "SELECT number FROM appended WHERE writer > 0 GROUP BY writer, number HAVING count(*) > 1"


@dataclass
class Pipeline:
    """Connectors, the group that runs them, and both databases.

    Attributes:
        times: what was done and the seconds until rows that were committed later could be read.
    """

    group: Group
    kafka: KafkaServer
    source: Database
    target: Database
    times: list[tuple[str, float]] = field(default_factory=list)
    _beat: int = 0

    @property
    def connectors(self) -> dict[str, int]:
        """Names, and how many tasks each has."""
        return {"shop": 1, "keyed": 2, "appended": 2}

    def prepare(self) -> None:
        """Tables on both sides."""
        self.source.execute(*SCHEMA, "CREATE TABLE beats (n bigint PRIMARY KEY)")
        self.target.execute(*_AUDIT)

    def create(self, worker: Worker) -> None:
        """Create the connectors; the source last, as the worker may be armed to die of it."""
        tables = "counters|items|beats"
        upserts = {"insert.mode": "upsert", "primary.key.mode": "record_key", "delete.enabled": "true"}
        worker.put_connector("keyed", self._sink(tables) | upserts)
        inserts = {"insert.mode": "insert", "primary.key.mode": "none", "delete.enabled": "false"}
        worker.put_connector("appended", self._sink("appended") | inserts)
        with suppress(OSError):
            worker.put_connector("shop", self._source())

    def _source(self) -> dict[str, Any]:
        at = self.source.server
        return {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": at.host,
            "database.port": at.port,
            "database.user": at.user,
            "database.password": at.password,
            "database.dbname": self.source.name,
            "topic.prefix": "shop",
            "plugin.name": "pgoutput",
            "slot.name": f"group_{self.source.name}",
            "publication.name": f"group_{self.source.name}",
            "exactly.once.support": "required",
            # A frozen reader is ended by its successor when its status is overdue.
            "status.update.interval.ms": "1000",
            "topic.creation.default.partitions": "2",
            "topic.creation.default.replication.factor": "1",
        }

    def _sink(self, tables: str) -> dict[str, Any]:
        at = self.target.server
        return {
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "tasks.max": "2",
            "topics.regex": rf"shop\.public\.({tables})",
            "consumer.override.metadata.max.age.ms": "2000",
            "connection.url": f"jdbc:mysql://{at.host}:{at.port}/{self.target.name}",
            "connection.username": at.user,
            "connection.password": at.password,
            "schema.evolution": "basic",
            # A server that starts on a busy machine takes longer than the five seconds that are the default.
            "flush.max.retries": "60",
            "collection.name.format": "${source.table}",
        }

    # What is seen

    def answering(self) -> Worker:
        """A worker that lives and answers."""
        return until(self._first_answering, PATIENCE, "a worker answers")

    def _first_answering(self) -> Worker | None:
        for worker in self.group.living:
            try:
                worker.request("GET", "/", timeout=2)
            except OSError:
                continue
            return worker
        return None

    def owner(self, connector: str, task: int = 0) -> Worker:
        """The worker that runs a task."""
        found = until(lambda: self.answering().owners(connector).get(task), PATIENCE, f"{connector} runs")
        return next(worker for worker in self.group.workers if worker.id == found)

    def running(self) -> bool:
        """Whether every connector and task runs, on workers that live."""
        living = {worker.id for worker in self.group.living}
        for name, tasks in self.connectors.items():
            status = self.answering().get(f"/connectors/{name}/status")
            parts = [status["connector"], *status["tasks"]]
            assert not any(part["state"] == "FAILED" for part in parts), status
            if len(parts) != tasks + 1 or any(p["state"] != "RUNNING" for p in parts):
                return False
            if not {part["worker_id"] for part in parts} <= living:
                return False
        return True

    def wait_running(self) -> None:
        """Wait until everything runs."""
        try:
            until(self.running, PATIENCE, "every connector and task runs")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.states()}") from None

    def states(self) -> str:
        """What every worker that lives says of every connector."""
        return "\n".join(
            f"{worker.id}: {json.dumps(worker.get(f'/connectors/{name}/status'))}"
            for worker in self.group.living
            for name in self.connectors
        )

    def count(self, table: str) -> int:
        """Rows of a table in the target; 0 while there is none, or no server."""
        try:
            return int(self.target.query(f"SELECT count(*) FROM {table}")[0][0])
        except (pymysql.err.ProgrammingError, pymysql.err.OperationalError):
            return 0

    def beat(self) -> None:
        """Commit a row in the source and wait until it can be read in the target."""
        self._beat += 1
        number = self._beat
        self.source.execute(f"INSERT INTO beats VALUES ({number})")
        until(lambda: self._arrived(number), PATIENCE, f"row {number} arrives", pause=0.05)

    def _arrived(self, number: int) -> bool:
        try:
            return bool(self.target.query("SELECT 1 FROM beats WHERE n = %s", [number]))
        except (pymysql.err.ProgrammingError, pymysql.err.OperationalError):
            return False

    def timed(self, what: str, disturb: Callable[[], object]) -> None:
        """Disturb, and note how long it takes from then on until rows flow."""
        disturb()
        began = time.monotonic()
        self.beat()
        self.times.append((what, time.monotonic() - began))

    def report(self) -> str:
        """The times, as a text."""
        return "\n".join(f"  {what}: rows flow after {seconds:.1f} s" for what, seconds in self.times)

    # What must hold in the end

    def verified(self) -> Outcome:
        """`replicator verify` of all tables."""
        tables = "public.counters,public.items,public.appended,public.beats"
        options = ["--tables", tables, "--settle", "1.5", "--timeout", "60"]
        outcome = run("verify", self.source.url, self.target.url, *options)
        assert outcome.code == 0, outcome.text
        return outcome

    def each_effect_once(self) -> int:
        """No counter was ever set to a value that it had, or that was older; how many updates were noted."""
        assert self.target.query(_NOT_NEWER) == []
        repeated = [number for (number,) in self.target.query(_TWICE)]
        assert repeated == [], (
            f"{repeated} were inserted more than once; in Kafka they are at {self.places(repeated)}"
        )
        return self.count("audit")

    def settled(self) -> int:
        """Everything runs, both sides are equal, each effect was once; the number of updates noted."""
        self.wait_running()
        self.beat()
        noted = self.each_effect_once()
        self.verified()
        assert_same(self.source, self.target)
        return noted

    def places(self, numbers: list[int]) -> list[tuple[int, int, int]]:
        """Number, partition and offset of appended rows in Kafka."""
        found = []
        for message in messages(self.kafka, "shop.public.appended"):
            after = json.loads(message.value or b"{}").get("payload", {}).get("after") or {}
            if after.get("number") in numbers:
                found.append((after["number"], message.partition, message.offset))
        return sorted(found)


@pytest.fixture
def make_pipeline(
    private_kafka: Callable[..., KafkaServer],
    private_postgres: Callable[[], Server],
    private_mysql: Callable[[], Server],
    tmp_path: Path,
) -> Iterator[Callable[[float], Pipeline]]:
    """Makes tables, and a group without workers whose sessions last so many seconds; no connector yet."""
    with ExitStack() as stack:

        def make(session: float) -> Pipeline:
            return stack.enter_context(
                _pipeline(private_kafka(), private_postgres(), private_mysql(), tmp_path, session)
            )

        yield make


@contextmanager
def _pipeline(
    kafka: KafkaServer, postgres: Server, mysql: Server, folder: Path, session: float
) -> Iterator[Pipeline]:
    with postgres.database() as source, mysql.database() as target:
        options = {"session_timeout_ms": str(int(session * 1000)), **worker_options()}
        group = Group(folder, kafka.bootstrap, "pipeline-", **options)
        made = Pipeline(group, kafka, source, target)
        made.prepare()
        try:
            yield made
        finally:
            print(group.dump())  # shown when the test failed
            group.close()


def worker_options() -> dict[str, str]:
    """What the workers need for this, besides the group's own."""
    return {
        "key_converter": _JSON,
        "value_converter": _JSON,
        "exactly_once_source_support": "enabled",
        "offset_flush_interval_ms": "500",
    }
