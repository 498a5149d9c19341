"""What docker-compose.yml starts, without containers: its scripts, environments, entry point and files."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.devservers.process import free_port
from scripts.service import PROGRAM
from tests.support.fix_servers import Database, KafkaServer
from tests.support.sync_process import has_table

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def until(check: Callable[[], object], seconds: float, what: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, what()
        time.sleep(0.2)


class Stack:
    """Workers and files of the compose file, with names and addresses of this test."""

    def __init__(
        self, folder: Path, kafka: KafkaServer, prefix: str, source: Database, target: Database
    ) -> None:
        self.folder = folder
        self.source, self.target = source, target
        self.role = f"r_{source.name}"
        self.ports = {"worker-1": free_port(), "worker-2": free_port()}
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self._kafka, self._prefix = kafka, prefix
        self._secrets = folder / "secrets"
        self._secrets.mkdir()
        (self._secrets / "postgres_password").write_text("s'e\"c ret$1")
        (self._secrets / "mysql_password").write_text(target.server.password)
        self.connectors = folder / "connectors"
        self.connectors.mkdir()
        for file in (ROOT / "deploy/compose/connectors").iterdir():
            (self.connectors / file.name).write_text(self._local(file.read_text()))

    def _local(self, text: str) -> str:
        """A connector's file with this test's names."""
        at, to = self.source.server, self.target.server
        for pattern, new in (
            ("/run/secrets", str(self._secrets)),
            ("(?m)^name=shop", f"name={self._prefix}shop"),
            ("topic.prefix=shop", f"topic.prefix={self._prefix}shop"),
            (r"topics.regex=shop", f"topics.regex={self._prefix}shop"),
            ("hostname=postgres", f"hostname={at.host}"),
            ("port=5432", f"port={at.port}"),
            ("user=replicator", f"user={self.role}"),
            ("dbname=shop", f"dbname={self.source.name}"),
            ("(slot|publication).name=shop", rf"\1.name={self.source.name}"),
            ("//mysql:3306/shop", f"//{to.host}:{to.port}/{self.target.name}"),
            ("username=replicator", f"username={to.user}"),
        ):
            text = re.sub(pattern, new, text)
        return text

    def prepare_source(self) -> None:
        """The script that the image of Postgres runs, word for word but for names."""
        script = (ROOT / "deploy/compose/postgres/10-shop.sh").read_text()
        for old, new in (
            ("/run/secrets", str(self._secrets)),
            ("--username postgres", f"--username {self.source.server.user}"),
            ("--dbname shop", f"--dbname {self.source.name}"),
            ("DATABASE shop", f"DATABASE {self.source.name}"),
            ("ROLE replicator", f"ROLE {self.role}"),
            ("TO replicator", f"TO {self.role}"),
        ):
            assert old in script
            script = script.replace(old, new)
        at = self.source.server
        environ = {
            "PGHOST": at.host,
            "PGPORT": str(at.port),
            "PGPASSWORD": at.password,
            "PATH": os.environ["PATH"],
        }
        subprocess.run(["sh", "-c", script], env=environ, check=True, capture_output=True)

    def start(self, name: str, **more: str) -> None:
        """A worker as its container starts it."""
        given = COMPOSE["services"][name]["environment"]
        environ = {
            variable: str(value).replace("/run/secrets", str(self._secrets))
            for variable, value in given.items()
        }
        environ |= {
            "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
            "CONNECT_BOOTSTRAP_SERVERS": self._kafka.bootstrap,
            "CONNECT_GROUP_ID": f"{self._prefix}connect",
            "CONNECT_REST_ADVERTISED_HOST_NAME": "127.0.0.1",
            "CONNECT_LISTENERS": f"http://127.0.0.1:{self.ports[name]}",
            "CONNECT_SESSION_TIMEOUT_MS": "4000",
            "CONNECT_HEARTBEAT_INTERVAL_MS": "500",
            **{
                f"CONNECT_{kind}_STORAGE_TOPIC": f"{self._prefix}{kind}"
                for kind in ("CONFIG", "OFFSET", "STATUS")
            },
            "TMPDIR": str(self.folder),
            **more,
        }
        words = [
            sys.executable,
            str(ROOT / "deploy/image/entrypoint.py"),
            *COMPOSE["services"][name]["command"],
        ]
        with (self.folder / f"{name}.log").open("ab") as out:
            self.children[name] = subprocess.Popen(words, env=environ, stdout=out, stderr=subprocess.STDOUT)

    def healthy(self, name: str) -> bool:
        """By the image's own check."""
        environ = {**os.environ, "REPLICATOR_HEALTH_URL": f"http://127.0.0.1:{self.ports[name]}/health"}
        check = [sys.executable, str(ROOT / "deploy/image/healthcheck.py")]
        return subprocess.run(check, env=environ, check=False).returncode == 0

    def apply(self) -> subprocess.CompletedProcess[str]:
        """The one-shot job."""
        words: list[str] = COMPOSE["services"]["connectors"]["command"]
        urls = ",".join(f"http://127.0.0.1:{port}" for port in self.ports.values())
        local = [
            {"/connectors": str(self.connectors)}.get(word, urls if "http" in word else word)
            for word in words
        ]
        return subprocess.run([str(PROGRAM), *local], capture_output=True, text=True, check=False)

    def rows(self, table: str) -> int:
        return (
            int(self.target.query(f"SELECT count(*) FROM {table}")[0][0])
            if has_table(self.target, table)
            else -1
        )

    def logs(self) -> str:
        return "\n".join(file.read_text()[-5000:] for file in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        for child in self.children.values():
            child.kill()
            child.wait()
        name = self.source.name
        self.source.execute(
            f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{name}' AND active",
        )
        until(lambda: not self._slot("active"), 10, lambda: "the slot stays in use")
        self.source.execute(
            f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{name}'",
            f"DROP OWNED BY {self.role}",
            f"DROP ROLE {self.role}",
        )

    def _slot(self, condition: str) -> list[tuple[Any, ...]]:
        sql = f"SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND {condition}"
        return self.source.query(sql, [self.source.name])


@pytest.fixture
def stack(
    tmp_path: Path, kafka: KafkaServer, kafka_prefix: str, pg_database: Database, mysql_database: Database
) -> Iterator[Stack]:
    made = Stack(tmp_path, kafka, kafka_prefix, pg_database, mysql_database)
    made.prepare_source()
    yield made
    made.close()


@pytest.mark.slow
def test_the_stack(stack: Stack) -> None:
    """Both workers become healthy and ready, the job brings the connectors, rows flow, also when a worker is killed."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(stack.folder / "notify"))
    manager.settimeout(40)
    stack.start("worker-1", NOTIFY_SOCKET=str(stack.folder / "notify"), WATCHDOG_USEC="4000000")
    stack.start("worker-2")
    for name in stack.ports:
        until(lambda name=name: stack.healthy(name), 40, stack.logs)  # type: ignore[misc]

    heard = manager.recv(4096).decode()
    while "READY=1" not in heard:
        assert "EXTEND_TIMEOUT_USEC=" in heard, heard
        heard = manager.recv(4096).decode()
    while manager.recv(4096) != b"WATCHDOG=1":
        pass
    manager.close()

    done = stack.apply()
    assert done.returncode == 0, done.stdout + done.stderr + stack.logs()
    until(lambda: stack.rows("customers") == 100 and stack.rows("orders") == 1000, 30, stack.logs)
    assert "unchanged" in stack.apply().stdout

    stack.children["worker-1"].send_signal(signal.SIGKILL)
    stack.source.execute("INSERT INTO customers (name) VALUES ('Ada')")
    until(lambda: stack.rows("customers") == 101, 30, stack.logs)
    stack.children["worker-2"].terminate()
    assert stack.children["worker-2"].wait(30) == 0
