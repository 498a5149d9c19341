"""Pipelines through Kafka: a Connect cluster with a source and a sink, ours or Java's, driven by its REST interface.

The first `start` creates the connectors, so that a figure from process start on contains that; later ones find
them in Kafka. Every pipeline has topics, a group and a slot of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts import service
from scripts.devservers import Instance
from scripts.devservers.kafka import Kafka
from scripts.devservers.process import free_port
from tests.benchmarks import debezium_options
from tests.benchmarks.bench import DATABASE, FOLDER

_numbers = itertools.count(1)
_PATIENCE = 120.0
_LOOK_SECONDS = 2.0
_JSON = "org.apache.kafka.connect.json.JsonConverter"


class ConnectCluster:
    """A cluster of worker processes below one parent; subclasses say which."""

    def __init__(self, postgres: Instance, mysql: Instance, kafka: Kafka, name: str) -> None:
        self.postgres, self.mysql, self.kafka = postgres, mysql, kafka
        self.name = f"bench{os.getpid()}n{next(_numbers)}{name}"
        self.port = free_port()
        self.log = FOLDER / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._created = False
        self._next_look = 0.0

    def command(self, worker: Path) -> list[str]:
        """The command line of the parent process."""
        raise NotImplementedError

    def worker_options(self) -> dict[str, str]:
        """The worker file."""
        options = {
            "bootstrap.servers": self.kafka.bootstrap,
            "group.id": self.name,
            "listeners": f"http://127.0.0.1:{self.port}",
            "key.converter": _JSON,
            "value.converter": _JSON,
        }
        for store in ("config", "offset", "status"):
            options[f"{store}.storage.topic"] = f"{self.name}-{store}"
            options[f"{store}.storage.replication.factor"] = "1"
        return options

    def connectors(self) -> dict[str, dict[str, str]]:
        """Configurations by name: what both sides need, and the side's own options."""
        return {
            f"{self.name}-source": {
                "tasks.max": "1",
                **debezium_options.source(self.postgres, self.name),
                **self.source_options(),
            },
            f"{self.name}-sink": {
                "tasks.max": "1",
                "topics": f"{self.name}.public.bench",
                "connection.password": self.mysql.password,
                "insert.mode": "upsert",
                "delete.enabled": "true",
                "consumer.override.max.poll.records": "3000",
                **self.sink_options(),
            },
        }

    def source_options(self) -> dict[str, str]:
        """Options of the source."""
        raise NotImplementedError

    def sink_options(self) -> dict[str, str]:
        """Options of the sink, with its class."""
        raise NotImplementedError

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        raise NotImplementedError

    @property
    def output(self) -> str:
        """Everything it printed, and what its tasks say."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"{text}\n{self._states()}"

    @property
    def pid(self) -> int:
        """Process id of the parent."""
        if self._child is None:
            raise RuntimeError("not started")
        return self._child.pid

    def start(self) -> None:
        """Start the processes; create the connectors as soon as somebody answers."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        file = FOLDER / f"{self.name}.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in self.worker_options().items()))
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command(file),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not self._created:
            for name, config in self.connectors().items():
                self._put(name, config)
            self._created = True

    def _put(self, name: str, config: dict[str, str]) -> None:
        """Create a connector; a worker that still starts, or a group that still gathers, is asked again."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.request("PUT", f"/connectors/{name}/config", config)
                return
            except (OSError, ValueError) as error:
                final = isinstance(error, urllib.error.HTTPError) and error.code == 400
                if final or time.monotonic() > deadline or not self.running():
                    detail = error.read().decode() if isinstance(error, urllib.error.HTTPError) else ""
                    raise RuntimeError(f"{name}: {error} {detail}\n{self.output[-3000:]}") from error
                time.sleep(0.05)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the first worker's REST interface."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    def running(self) -> bool:
        """Whether the parent lives and no task has failed; tasks are asked for every two seconds."""
        if self._child is None or self._child.poll() is not None:
            return False
        if time.monotonic() < self._next_look or not self._created:
            return True
        self._next_look = time.monotonic() + _LOOK_SECONDS
        return '"FAILED"' not in self._states()

    def _states(self) -> str:
        text = ""
        for name in self.connectors():
            with suppress(OSError, ValueError):
                text += json.dumps(self.request("GET", f"/connectors/{name}/status")) + "\n"
        return text

    def usage(self) -> service.Usage:
        """Peak memory of the largest worker, processor time of all."""
        return service.usage_of(self.workers())

    def stop(self) -> None:
        """SIGTERM; insists after a while. The workers of a parent that was killed are ended as well."""
        if self._child is None:
            return
        alive = self._child.poll() is None
        left = self.workers() if alive else []
        if alive:
            self._child.send_signal(signal.SIGCONT)
            self._child.terminate()
        try:
            self._child.wait(40)
        except subprocess.TimeoutExpired:
            for pid in (self._child.pid, *left):
                _kill(pid)
            self._child.wait(20)


class Workers(ConnectCluster):
    """`replicator distributed --workers N`."""

    count = 2

    def command(self, worker: Path) -> list[str]:
        """See ConnectCluster."""
        return [str(service.PROGRAM), "distributed", str(worker), "--workers", str(self.count)]

    def worker_options(self) -> dict[str, str]:
        """With the shortest pause after a crash that Kafka allows by default."""
        shortest = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
        return {**super().worker_options(), **shortest, "scheduled.rebalance.max.delay.ms": "0"}

    def source_options(self) -> dict[str, str]:
        """See ConnectCluster."""
        return {
            "decimal.handling.mode": "string",
            "time.precision.mode": "isostring",
            # So that the target's columns get the types of the source.
            "datatype.propagate.source.type": ".+",
        }

    def sink_options(self) -> dict[str, str]:
        """See ConnectCluster."""
        target = self.mysql
        return {
            "connector.class": "JdbcSink",
            "connection.url": f"mysql://{target.host}:{target.port}/{DATABASE}",
            "connection.user": target.user,
            "pk.mode": "record_key",
            "auto.create": "true",
            "table.name.format": "bench",
        }

    def workers(self) -> list[int]:
        """The parent's children."""
        return children(self.pid)

    def owner(self, connector: str) -> int:
        """Process id of the worker that runs the connector's task."""
        status = self.request("GET", f"/connectors/{connector}/status")
        port = int(status["tasks"][0]["worker_id"].rpartition(":")[2])
        numbers = {_number(pid): pid for pid in self.workers()}
        return numbers[port - self.port]


def children(pid: int) -> list[int]:
    """Process ids of the children of all threads of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return sorted(found)


def _number(pid: int) -> int:
    """Which of the parent's workers this is."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return int(words[words.index(b"--number") + 1])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
