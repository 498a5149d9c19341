"""MariaDB from the distribution's packages: server programs only, no service is set up."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import ClassVar

from scripts.devservers import apt
from scripts.devservers.instance import Instance, ServerUnavailable, run
from scripts.devservers.mysql import greets

_ACCOUNT = (
    "FLUSH PRIVILEGES;\n"
    "CREATE USER '{user}'@'%' IDENTIFIED BY '{password}';\n"
    "GRANT ALL ON *.* TO '{user}'@'%' WITH GRANT OPTION;\n"
)


class MariaDb(Instance):
    """A MariaDB server of our own, with row-based binlog and LOAD DATA LOCAL on."""

    kind: ClassVar[str] = "mariadb"
    scheme: ClassVar[str] = "mariadb"
    user: ClassVar[str] = "replicator"
    password: ClassVar[str] = "replicator"

    @classmethod
    def get(cls) -> None:
        if _find("mariadbd") and _find("mariadb-install-db"):
            return
        apt.install("mariadb-server-core", "mariadb-client-core")
        if not (_find("mariadbd") and _find("mariadb-install-db")):
            raise ServerUnavailable("the package mariadb-server-core brought no mariadbd")

    @classmethod
    def version(cls) -> str:
        return re.findall(
            r"\d+\.\d+\.\d+", run([_find("mariadbd") or "mariadbd", "--no-defaults", "--version"])
        )[0]

    def _initialise(self, fresh: Path) -> None:
        install = [_find("mariadb-install-db") or "mariadb-install-db", "--no-defaults", f"--datadir={fresh}"]
        quick = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        run([*install, *quick, *_as_root()])
        account = _ACCOUNT.format(user=self.user, password=self.password)
        run([*self._base(fresh), "--bootstrap"], input=account)

    def _command(self) -> list[str]:
        return [
            *self._base(self.data),
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--socket=mariadb.sock",
            "--pid-file=mariadb.pid",
            "--server-id=2",
            "--log-bin=binlog",
            "--binlog-format=ROW",
            "--binlog-row-metadata=FULL",
            "--local-infile=1",
            "--max-connections=300",
            *self._tls_options(),
        ]

    def _tls_options(self) -> list[str]:
        files = {"ssl-ca": "ca.crt", "ssl-cert": "server.crt", "ssl-key": "server.key"}
        return [f"--{o}={self._tls_file(f)}" for o, f in files.items()] if self.tls is not None else []

    def _base(self, data: Path) -> list[str]:
        return [_find("mariadbd") or "mariadbd", "--no-defaults", f"--datadir={data}", *_as_root()]

    def _is_ready(self) -> bool:
        return greets(self.host, self.port)


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _find(program: str) -> str | None:
    """The program's path; /usr/sbin is not on every user's PATH."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
