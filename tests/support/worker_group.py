"""Distributed workers as child processes of a test, in a group and with internal topics of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from confluent_kafka import Consumer, KafkaError, TopicPartition

T = TypeVar("T")


def until(check: Callable[[], T], timeout: float, what: str, pause: float = 0.1) -> T:
    """What `check` answers once it is true; an error of it counts as not yet."""
    deadline = time.monotonic() + timeout
    last: object = None
    while True:
        try:
            last = check()
            if last:
                return last
        except (OSError, RestFailure, KeyError, IndexError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout:g} s, last: {last!r}")
        time.sleep(pause)


class RestFailure(Exception):
    """An answer of 400 or more."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Worker:
    """One worker process."""

    def __init__(self, folder: Path, number: int, options: dict[str, str]) -> None:
        self.number = number
        self.port = _free_port()
        self.id = f"127.0.0.1:{self.port}"
        self.log = folder / f"worker-{number}.log"
        self._file = folder / f"worker-{number}.properties"
        listeners = {"listeners": f"http://127.0.0.1:{self.port}"}
        text = "".join(f"{name}={value}\n" for name, value in {**options, **listeners}.items())
        self._file.write_text(text)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, env: dict[str, str] | None = None) -> None:
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "replicator", "distributed", str(self._file)]
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env)

    def wait_healthy(self, timeout: float = 30) -> None:
        until(lambda: self.get("/health")["status"] == "healthy", timeout, f"worker {self.number} is healthy")

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def terminate(self) -> None:
        """SIGTERM."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()

    def stop(self, timeout: float = 20) -> None:
        """SIGTERM and wait."""
        self.terminate()
        if self.process is not None:
            self.process.wait(timeout)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> Any:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            shown = error.read()
            try:
                message = json.loads(shown)["message"]
            except (ValueError, KeyError):
                message = shown.decode(errors="replace")
            raise RestFailure(error.code, message) from None
        return json.loads(text) if text else None

    def text(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def get(self, path: str) -> Any:
        return self.request("GET", path, timeout=10)

    def put_connector(self, name: str, config: dict[str, Any]) -> Any:
        return self.request("PUT", f"/connectors/{quote(name, safe='')}/config", config)

    def owners(self, name: str) -> dict[int, str]:
        """Worker of each running task."""
        status = self.get(f"/connectors/{name}/status")
        return {t["id"]: t["worker_id"] for t in status["tasks"] if t["state"] == "RUNNING"}

    def rounds(self) -> int:
        """How many rounds of the group this worker has completed, in all its lives."""
        return self.log.read_text().count("Joined round ")

    def state(self, name: str) -> str:
        return str(self.get(f"/connectors/{name}/status")["connector"]["state"])


class Group:
    """Workers that share a group; `options` go to all of them."""

    def __init__(self, folder: Path, bootstrap: str, prefix: str, **options: str) -> None:
        self.prefix = prefix
        self.folder = folder
        self.options = {
            "bootstrap.servers": bootstrap,
            "group.id": f"{prefix}group",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "offset.flush.interval.ms": "500",
            "session.timeout.ms": "4000",
            "heartbeat.interval.ms": "500",
            "scheduled.rebalance.max.delay.ms": "0",
            "offset.storage.partitions": "3",
            "status.storage.partitions": "2",
        }
        for kind in ("config", "offset", "status"):
            self.options[f"{kind}.storage.topic"] = f"{prefix}{kind}"
            self.options[f"{kind}.storage.replication.factor"] = "1"
        self.options |= {name.replace("_", "."): value for name, value in options.items()}
        self.workers: list[Worker] = []

    def add(self, count: int = 1, env: dict[str, str] | None = None, **options: str) -> list[Worker]:
        """Start workers and wait for them."""
        given = {**self.options, **{n.replace("_", "."): v for n, v in options.items()}}
        fresh = [Worker(self.folder, len(self.workers) + n, given) for n in range(count)]
        self.workers += fresh
        for worker in fresh:
            worker.start(env)
        for worker in fresh:
            worker.wait_healthy()
        return fresh

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()

    @property
    def living(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.alive]

    def leader(self) -> Worker:
        """The leader, by what the workers log of their last round."""
        rounds: list[tuple[int, str]] = []
        for worker in self.living:
            for line in worker.log.read_text().splitlines():
                if "Joined round " in line:
                    number = int(line.partition("Joined round ")[2].split()[0])
                    rounds.append((number, line.partition("led from http://")[2].partition("/")[0]))
        found = max(rounds)[1]
        return next(worker for worker in self.living if worker.id == found)

    def dump(self) -> str:
        """The workers' logs, for a test that failed."""
        logs = [(w, w.log.read_text()[-6000:]) for w in self.workers if w.log.exists()]
        return "\n".join(f"--- {w.number} {w.id}\n{text}" for w, text in logs)


def records(bootstrap: str, topic: str, partitions: int = 1) -> list[tuple[str, bytes | None]]:
    """Everything in a topic."""
    options = {"bootstrap.servers": bootstrap, "group.id": "none", "enable.auto.commit": False}
    consumer = Consumer({**options, "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        found = []
        waiting = set(range(partitions))
        while waiting:
            message = consumer.poll(10.0)
            assert message is not None
            if message.error() is None:
                found.append((message.key().decode(), message.value()))
            else:
                assert message.error().code() == KafkaError._PARTITION_EOF
                waiting.discard(message.partition())
        return found
    finally:
        consumer.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
