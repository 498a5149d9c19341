"""Apache Kafka in KRaft mode: one node, broker and controller in one process, from Maven Central's jars.

The first listener is PLAINTEXT on `port`. A test may add listeners and settings before the start
(`private_instance("kafka", configure)`): `add_listener("SASL_SSL", "SASL_SSL")` gives the port of another one.
"""

from __future__ import annotations

import base64
import socket
import struct
import uuid
from pathlib import Path
from typing import ClassVar

from scripts.devservers import jars, process
from scripts.devservers.instance import Instance, run

VERSION = "4.3.0"
_LOG4J = "2.25.1"
_ARTIFACTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{_LOG4J}",
    f"org.apache.logging.log4j:log4j-core:{_LOG4J}",
)
_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Groups of tests come and go: nobody wants to wait for further members, or for the default minimum of a session.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "true",
    "num.network.threads": "2",
    "num.io.threads": "4",
    # A killed node is let in again only when its former session has ended.
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "4000",
    "log.cleaner.dedupe.buffer.size": str(16 << 20),
    "log.cleaner.backoff.ms": "1000",
}
LOGGING = """<Configuration status="WARN"><Appenders><Console name="console">
<PatternLayout pattern="%d %p %m (%c)%n"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="console"/></Root></Loggers></Configuration>
"""
_HEAP = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=128m")
# A node that lives for seconds or minutes never gets back what the optimizing compiler costs, and shares the machine
# with what is tested.
_COMPILER = ("-XX:TieredStopAtLevel=1",)
_API_VERSIONS = struct.pack("!ihhih5s", 15, 18, 0, 1, 5, b"probe")


class Kafka(Instance):
    """A single Kafka node of our own. `url("")` is of no use here; clients take `bootstrap`."""

    kind: ClassVar[str] = "kafka"
    scheme: ClassVar[str] = "kafka"
    user: ClassVar[str] = ""
    password: ClassVar[str] = ""

    def __init__(
        self, data: Path, port: int | None = None, pid: int | None = None, ticks: int | None = None
    ) -> None:
        super().__init__(data, port, pid, ticks)
        self.settings: dict[str, str] = {}
        self.jvm_options: list[str] = []
        self.format_options: list[str] = []
        self._listeners: dict[str, tuple[str, int]] = {}

    @classmethod
    def get(cls) -> None:
        jars.java()
        _libraries()

    @classmethod
    def version(cls) -> str:
        return VERSION

    @property
    def bootstrap(self) -> str:
        """What clients take as `bootstrap.servers`."""
        return f"{self.host}:{self.port}"

    def add_listener(self, name: str, protocol: str) -> int:
        """A further listener, of protocol SSL, SASL_PLAINTEXT or SASL_SSL, from the next start on; its port.

        Its settings (`listener.name.<name>.ssl.keystore.location` ...) go into `settings`.
        """
        self._listeners[name] = (protocol, process.free_port())
        return self._listeners[name][1]

    def _initialise(self, fresh: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # The tool writes where log.dirs says: the folder that will be renamed, not its later place.
        settings = self._write_settings(fresh, controller=process.free_port())
        tool = [*_program(), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(settings)]
        run([*tool, *self.format_options])

    def _command(self) -> list[str]:
        logging = self.data / "log4j2.xml"
        logging.write_text(LOGGING)
        settings = self._write_settings(self.data, controller=process.free_port())
        options = [*_HEAP, *_COMPILER, f"-Dlog4j2.configurationFile={logging}", *self.jvm_options]
        return [*_program(*options), "kafka.Kafka", str(settings)]

    def _write_settings(self, data: Path, controller: int) -> Path:
        """The configuration of this start; the controller's port is nobody's business but the node's own."""
        listeners = {"PLAINTEXT": ("PLAINTEXT", self.port), **self._listeners}
        controllers = {"CONTROLLER": ("PLAINTEXT", controller)}
        settings = {
            **_SETTINGS,
            "controller.quorum.voters": f"1@{self.host}:{controller}",
            "listeners": self._addresses({**listeners, **controllers}),
            "advertised.listeners": self._addresses(listeners),
            "listener.security.protocol.map": ",".join(
                f"{name}:{protocol}" for name, (protocol, _) in {**listeners, **controllers}.items()
            ),
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(data / "logs"),
            **self.settings,
        }
        path = data / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    def _addresses(self, listeners: dict[str, tuple[str, int]]) -> str:
        return ",".join(f"{name}://{self.host}:{port}" for name, (_, port) in listeners.items())

    def _is_ready(self) -> bool:
        """Whether the broker answers; it opens its port long before, and answers once it serves."""
        try:
            with socket.create_connection((self.host, self.port), timeout=2) as connection:
                connection.sendall(_API_VERSIONS)
                return len(connection.recv(8, socket.MSG_WAITALL)) == 8
        except OSError:
            return False


def _libraries() -> Path:
    return jars.jars("kafka", _ARTIFACTS)


def _program(*options: str) -> list[str]:
    return [jars.java(), *options, "-cp", jars.classpath(_libraries())]
