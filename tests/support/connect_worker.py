"""Our programs `connect-standalone` and `connect-distributed`, run with configurations as people have them."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from scripts.devservers.process import free_port
from scripts.service import PROGRAM

CONFIGS = Path(__file__).parents[1] / "e2e" / "configs"


def text_of(name: str, **changes: str) -> str:
    """A configuration with what may be changed of it."""
    text = (CONFIGS / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    return text


DISTRIBUTED = """group.id=connect-cluster
bootstrap.servers={bootstrap}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
offset.flush.interval.ms=500
listeners=http://127.0.0.1:{port}
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
config.providers.file.param.allowed.paths={folder}
config.providers.file.param.ttl.ms=200
"""


class Worker:
    """`connect-standalone` with connector files, or `connect-distributed`, on a Kafka node of its own."""

    def __init__(self, folder: Path, bootstrap: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = {**os.environ, **(environment or {})}
        self.bootstrap = bootstrap
        self.port = free_port()
        self.log = folder / "log"
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, *files: Path) -> None:
        worker = self.folder / "connect-standalone.properties"
        text = text_of("connect-standalone.properties", **{"localhost:9092": self.bootstrap,
                       "/tmp/connect.offsets": str(self.folder / "offsets")})  # fmt: skip
        worker.write_text(f"{text}listeners=http://127.0.0.1:{self.port}\noffset.flush.interval.ms=500\n")
        self._run("connect-standalone", worker, *files)

    def start_distributed(self) -> None:
        worker = self.folder / "connect-distributed.properties"
        worker.write_text(DISTRIBUTED.format(bootstrap=self.bootstrap, port=self.port, folder=self.folder))
        self._run("connect-distributed", worker)

    def _run(self, program: str, *files: Path) -> None:
        command = [str(PROGRAM.with_name(program)), *map(str, files)]
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)

    def stop(self) -> None:
        if self.child is not None:
            self.child.terminate()
            assert self.child.wait(30) == 0, self.output

    @property
    def output(self) -> str:
        return self.log.read_text()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and answer of a request; a body of bytes is sent as it is."""
        assert self.child is not None
        assert self.child.poll() is None, self.output[-4000:]
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **{n.replace("_", "-"): v for n, v in headers.items()}}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=data, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, found = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, found = error.code, error.read()
        except OSError:
            return 0, None
        return status, json.loads(found) if found else None

    def state(self, name: str) -> tuple[str, ...]:
        """States of the tasks."""
        status, found = self.call("GET", f"/connectors/{name}/status")
        return tuple(task["state"] for task in found["tasks"]) if status == 200 else ()

    def trace(self, name: str) -> str:
        return str(self.call("GET", f"/connectors/{name}/status")[1]["tasks"][0].get("trace"))

    def produce(self, topic: str, *records: tuple[bytes | None, bytes]) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for key, value in records:
            producer.produce(topic, value, key)
        producer.flush(20)

    def messages(self, topic: str) -> list[tuple[Any, Any]]:
        """Keys and values of a topic, as parsed JSON."""
        consumer = Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": "look", "auto.offset.reset": "earliest",
             "enable.auto.commit": False, "enable.partition.eof": True}
        )  # fmt: skip
        found, ends = [], 0
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        while ends < len(partitions):
            message = consumer.poll(10)
            assert message is not None
            if message.error():
                ends += 1
                continue
            found.append((_parsed(message.key()), _parsed(message.value())))
        consumer.close()
        return found


def _parsed(data: bytes | None) -> Any:
    return None if data is None else json.loads(data)
