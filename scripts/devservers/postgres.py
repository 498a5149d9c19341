"""Postgres from the distribution's packages, logical decoding on; runs as user postgres when we are root."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from pathlib import Path
from typing import ClassVar

from scripts.devservers import apt
from scripts.devservers.instance import Instance, ServerUnavailable, run

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = logical
max_wal_senders = 40
max_replication_slots = 40
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
logging_collector = off
"""


class Postgres(Instance):
    """A Postgres cluster of our own."""

    kind: ClassVar[str] = "postgres"
    scheme: ClassVar[str] = "postgresql"
    user: ClassVar[str] = "postgres"
    password: ClassVar[str] = "postgres"
    # "Fast": ends client sessions. The default waits for clients to leave.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    @classmethod
    def get(cls) -> None:
        if _programs() is None:
            apt.install("postgresql")
        if _programs() is None:
            raise ServerUnavailable("the package postgresql brought no server of version 13 or newer")

    @classmethod
    def version(cls) -> str:
        return re.findall(r"\d+\.\d+", run([cls._program("postgres"), "--version"]))[0]

    @classmethod
    def _program(cls, name: str) -> str:
        folder = _programs()
        if folder is None:
            raise ServerUnavailable("Postgres is not installed")
        return str(folder / name)

    def _run_as(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None

    def _initialise(self, fresh: Path) -> None:
        owner = self._run_as()
        if owner:
            shutil.chown(fresh, owner, owner)
        with tempfile.NamedTemporaryFile("w", prefix="replicator-") as secret:
            secret.write(self.password)
            secret.flush()
            if owner:
                shutil.chown(secret.name, owner)
            words = ["-A", "scram-sha-256", f"--pwfile={secret.name}", "-U", self.user, "-E", "UTF8"]
            run(
                [self._program("initdb"), "-D", str(fresh), "--locale=C.UTF-8", *words], user=owner, cwd=fresh
            )
        with (fresh / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)

    def _command(self) -> list[str]:
        return [self._program("postgres"), "-D", str(self.data), "-p", str(self.port), *self._tls_options()]

    def _tls_options(self) -> list[str]:
        if self.tls is None:
            return []
        files = {"ssl_ca_file": "ca.crt", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
        return ["-c", "ssl=on", *(w for o, f in files.items() for w in ("-c", f"{o}={self._tls_file(f)}"))]

    def _is_ready(self) -> bool:
        try:
            run([self._program("pg_isready"), "-q", "-h", self.host, "-p", str(self.port)])
        except ServerUnavailable:
            return False
        return True


def _programs() -> Path | None:
    """The folder with the newest installed server's programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    numbered = [(int(folder.parent.name), folder) for folder in found if folder.parent.name.isdigit()]
    usable = sorted(entry for entry in numbered if entry[0] >= 13)
    return usable[-1][1] if usable else None
