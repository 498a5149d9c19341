"""Debezium on Java's Kafka Connect: one standalone worker with a Kafka node, many connectors.

`REPLICATOR_TEST_JAVA=1` tests and `record` start it; its jars come from Maven Central.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from scripts.devservers import Kafka, jars, private_instance
from scripts.devservers.kafka import LOGGING
from scripts.devservers.process import free_port
from tests.benchmarks.java_connect import _PLUGINS, _RUNTIME
from tests.differential.debezium.case import PREFIX
from tests.differential.debezium.message import Message
from tests.support.worker_group import RestFailure, Worker, until


class JavaConnect(Worker):
    """The worker process; connectors come by its REST interface."""

    def __init__(self, folder: Path, bootstrap: str) -> None:
        self.port = free_port()
        self.number = 0
        self.log = folder / "java.log"
        self._folder = folder
        self._file = folder / "java.properties"
        self.process = None
        settings = {
            "bootstrap.servers": bootstrap,
            "listeners": f"http://127.0.0.1:{self.port}",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "offset.storage.file.filename": str(folder / "offsets"),
            "offset.flush.interval.ms": "1000",
            "plugin.path": str(jars.archives("debezium", _PLUGINS)),
            "plugin.discovery": "service_load",
            "topic.creation.enable": "false",
        }
        self._file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def start(self, env: dict[str, str] | None = None) -> None:
        logging = self._folder / "log4j2.xml"
        logging.write_text(LOGGING)
        command = [
            jars.java(), "-Xms256m", "-Xmx1500m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={logging}", "-cp", jars.classpath(jars.jars("connect-bench", _RUNTIME)),
            "org.apache.kafka.connect.cli.ConnectStandalone", str(self._file),
        ]  # fmt: skip
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        until(lambda: self.get("/")["version"], 120, "Java's Connect answers")


class Topics:
    """Reads every topic of the connectors from its beginning, on a thread of its own."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "differential",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
            }
        )
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._next: dict[str, int] = {}
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def of(self, prefix: str) -> list[Message]:
        """Messages in topics that a connector of this topic prefix writes."""
        with self._lock:
            return [m for m in self._messages if _owner(m, prefix)]

    def drained(self) -> bool:
        """Whether everything that is in Kafka now has been read."""
        names = [name for name in self._admin.list_topics(timeout=10).topics if PREFIX in name]
        wanted = {TopicPartition(name, 0): OffsetSpec.latest() for name in names}
        if not wanted:
            return True
        ends = self._admin.list_offsets(wanted)
        return all(self._next.get(p.topic, 0) >= end.result(10).offset for p, end in ends.items())

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        assigned: set[str] = set()
        look = 0.0
        while not self._ends.is_set():
            if time.monotonic() > look:
                look = time.monotonic() + 0.5
                names = set(self._consumer.list_topics(timeout=10).topics)
                fresh = {name for name in names - assigned if PREFIX in name}
                if fresh:
                    self._consumer.incremental_assign([TopicPartition(name, 0, 0) for name in fresh])
                    assigned |= fresh
            for message in self._consumer.consume(1000, 0.1):
                if message.error():
                    continue
                headers = tuple((name, value) for name, value in message.headers() or ())
                with self._lock:
                    self._messages.append(Message(message.topic(), message.key(), message.value(), headers))
                    self._next[message.topic()] = message.offset() + 1


def _owner(message: Message, prefix: str) -> bool:
    return prefix in message.topic.replace("_u005f", "_")


class Java:
    """One connector over its lives; see `Ours`."""

    def __init__(self, worker: JavaConnect, topics: Topics, config: Mapping[str, str]) -> None:
        self.config = dict(config)
        self.name = config["topic.prefix"]
        self._worker = worker
        self._topics = topics
        self._refused: str | None = None

    def start(self) -> None:
        try:
            self._worker.put_connector(self.name, {**self.config, "name": self.name})
        except RestFailure as failure:
            self._refused = str(failure)

    def stop(self) -> None:
        with suppress(RestFailure):
            self._worker.request("DELETE", f"/connectors/{self.name}")

    def snapshot(self) -> list[Message]:
        return self._topics.of(self.name)

    def problem(self) -> str | None:
        if self._refused is not None:
            return self._refused
        try:
            tasks = self._worker.get(f"/connectors/{self.name}/status")["tasks"]
        except (RestFailure, OSError):
            return None
        return next((task["trace"] for task in tasks if task["state"] == "FAILED"), None)


@contextmanager
def java_connect(folder: Path) -> Iterator[tuple[JavaConnect, Topics]]:
    """A Kafka node and a worker, both ended at the end."""
    with private_instance("kafka") as kafka:
        assert isinstance(kafka, Kafka)
        worker = JavaConnect(folder, kafka.bootstrap)
        worker.start()
        topics = Topics(kafka.bootstrap)
        try:
            yield worker, topics
        finally:
            topics.close()
            worker.kill()
