"""Java's Kafka Connect with Debezium's Postgres source and JDBC sink, tuned for this work, as a pipeline to measure."""

from __future__ import annotations

from pathlib import Path

from scripts.devservers import jars
from scripts.devservers.kafka import LOGGING
from tests.benchmarks import debezium_options
from tests.benchmarks.bench import FOLDER
from tests.benchmarks.connect import ConnectCluster

CONNECT = "4.3.0"
DEBEZIUM = "3.6.0.Final"
_LOG4J = "2.25.1"
_RUNTIME = (
    f"org.apache.kafka:connect-runtime:{CONNECT}",
    f"org.apache.kafka:connect-json:{CONNECT}",
    f"org.apache.kafka:connect-transforms:{CONNECT}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{_LOG4J}",
    f"org.apache.logging.log4j:log4j-core:{_LOG4J}",
)
_PLUGINS = tuple(
    f"io.debezium:debezium-connector-{kind}:{DEBEZIUM}:tar.gz:plugin" for kind in ("postgres", "jdbc")
)


def fetch() -> None:
    """Get Java, Connect and the plugins, or raise ServerUnavailable."""
    jars.java()
    jars.jars("connect-bench", _RUNTIME)
    jars.archives("debezium", _PLUGINS)


class JavaConnect(ConnectCluster):
    """One distributed worker: two would have half of this machine's memory and no more cores each."""

    def command(self, worker: Path) -> list[str]:
        """See ConnectCluster."""
        logging = FOLDER / "log4j2.xml"
        logging.write_text(LOGGING)
        libraries = jars.jars("connect-bench", _RUNTIME)
        return [
            jars.java(), "-Xms256m", "-Xmx2g", f"-Dlog4j2.configurationFile={logging}",
            "-cp", jars.classpath(libraries), "org.apache.kafka.connect.cli.ConnectDistributed", str(worker),
        ]  # fmt: skip

    def worker_options(self) -> dict[str, str]:
        """See ConnectCluster."""
        return {
            **super().worker_options(),
            "plugin.path": str(jars.archives("debezium", _PLUGINS)),
            "plugin.discovery": "service_load",
            "scheduled.rebalance.max.delay.ms": "0",
            "offset.storage.partitions": "1",
            "status.storage.partitions": "1",
        }

    def source_options(self) -> dict[str, str]:
        """Large batches, no waiting for them."""
        return {
            **debezium_options.JAVA_SOURCE_TUNING,
            "producer.override.compression.type": "lz4",
            "producer.override.batch.size": "524288",
            "producer.override.linger.ms": "1",
        }

    def sink_options(self) -> dict[str, str]:
        """Large batches here as well."""
        return {
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            **debezium_options.java_sink(self.mysql),
            "consumer.override.fetch.max.bytes": str(64 << 20),
            "consumer.override.max.partition.fetch.bytes": str(16 << 20),
        }

    def workers(self) -> list[int]:
        """The one process."""
        return [self.pid]
