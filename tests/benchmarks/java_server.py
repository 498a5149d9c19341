"""Debezium Server: Debezium's Postgres source and its JDBC sink in one Java process, without Kafka, to be measured."""

from __future__ import annotations

import os
import subprocess
from itertools import count
from pathlib import Path

from scripts import service
from scripts.devservers import Instance, ServerUnavailable, jars
from scripts.devservers.process import free_port
from tests.benchmarks import debezium_options
from tests.benchmarks.bench import FOLDER
from tests.benchmarks.java_connect import DEBEZIUM

_numbers = count(1)
_OLDEST_JAVA = 21
_DISTRIBUTION = (f"io.debezium:debezium-server-dist:{DEBEZIUM}:tar.gz",)


def fetch() -> Path:
    """The unpacked distribution (about 800 MB), or ServerUnavailable."""
    if jars.java_version() < _OLDEST_JAVA:
        raise ServerUnavailable(f"Debezium Server {DEBEZIUM} needs Java {_OLDEST_JAVA}")
    return jars.archives("debezium-server", _DISTRIBUTION) / "debezium-server"


class DebeziumServer:
    """One process; offsets in a file, so that it goes on where it stopped."""

    def __init__(self, postgres: Instance, mysql: Instance, name: str) -> None:
        self.postgres, self.mysql = postgres, mysql
        self.name = f"bench{os.getpid()}s{next(_numbers)}{name}"
        self.folder = FOLDER / self.name
        self.log = FOLDER / f"{self.name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        """Everything it printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def start(self) -> None:
        """Write its file and start it."""
        home = fetch().resolve()
        (self.folder / "config").mkdir(parents=True, exist_ok=True)
        options = "".join(f"{name}={value}\n" for name, value in self._options().items())
        (self.folder / "config" / "application.properties").write_text(options)
        classes = ":".join(
            map(str, (home / f"debezium-server-dist-{DEBEZIUM}-runner.jar", home / "lib" / "*"))
        )
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [jars.java(), "-Xms256m", "-Xmx2g", "-cp", classes, "io.debezium.server.Main"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _options(self) -> dict[str, str]:
        """Large batches everywhere, no waiting for them: as in java_connect."""
        found = {
            **debezium_options.source(self.postgres, self.name),
            **debezium_options.JAVA_SOURCE_TUNING,
            "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            "offset.storage.file.filename": "offsets.dat",
            "offset.flush.interval.ms": "1000",
        }
        sink = debezium_options.java_sink(self.mysql)
        return {
            **{f"debezium.source.{name}": value for name, value in found.items()},
            "debezium.sink.type": "jdbc",
            **{f"debezium.sink.jdbc.{name}": value for name, value in sink.items()},
            "debezium.format.key": "connect",
            "debezium.format.value": "connect",
            "quarkus.http.port": str(free_port()),
            "quarkus.log.level": "WARN",
            "quarkus.log.console.json": "false",
        }

    def running(self) -> bool:
        """Whether the process lives; it ends by itself when its engine does."""
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """SIGTERM; insists after a while."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.terminate()
        try:
            self._child.wait(40)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(20)

    def usage(self) -> service.Usage:
        """Peak memory and processor time."""
        if self._child is None:
            raise RuntimeError("not started")
        return service.usage_of([self._child.pid])
