"""A Java Kafka Connect worker as a child process, in the group of our own workers."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scripts.devservers import jars
from tests.support.worker_group import Worker

VERSION = "4.1.1"
_ARTIFACTS = (
    f"org.apache.kafka:connect-runtime:{VERSION}",
    f"org.apache.kafka:connect-file:{VERSION}",
    f"org.apache.kafka:connect-json:{VERSION}",
    f"org.apache.kafka:connect-transforms:{VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.1",
    "org.apache.logging.log4j:log4j-core:2.25.1",
)
_LOGGING = """<Configuration status="WARN"><Appenders><Console name="console">
<PatternLayout pattern="%d %p %m (%c)%n"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="console"/></Root>
<Logger name="org.apache.kafka.connect.runtime.distributed" level="INFO"/></Loggers></Configuration>
"""


class JavaWorker(Worker):
    """Takes the same options as ours."""

    def __init__(self, folder: Path, number: int, options: dict[str, str]) -> None:
        super().__init__(folder, number, options)
        self._folder = folder

    def start(self) -> None:
        libraries = jars.jars("connect", _ARTIFACTS)
        logging = self._folder / "log4j2.xml"
        logging.write_text(_LOGGING)
        command = [
            jars.java(), "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={logging}", "-cp", jars.classpath(libraries),
            "org.apache.kafka.connect.cli.ConnectDistributed", str(self._file),
        ]  # fmt: skip
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
