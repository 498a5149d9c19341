"""MySQL in a private root: unpacked with its libraries and started through its own dynamic linker.

Debian's stable releases carry MariaDB only, and MySQL's package excludes MariaDB's, so nothing is installed.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import ClassVar

from scripts.devservers import apt
from scripts.devservers.instance import Instance, ServerUnavailable, run, say
from scripts.devservers.place import locked, program_cache

_ACCOUNT = (
    "CREATE USER '{user}'@'%' IDENTIFIED BY '{password}';\n"
    "GRANT ALL ON *.* TO '{user}'@'%' WITH GRANT OPTION;\n"
)

# Where the package may be: Debian unstable, else the machine's own release (Ubuntu's), newest first.
_PACKAGES = (("mysql-server-core", "sid"), ("mysql-server-core-8.4", None), ("mysql-server-core-8.0", None))


def greets(host: str, port: int) -> bool:
    """Whether a MySQL or MariaDB server sends its handshake: packet number 0, protocol version 10."""
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            head = connection.recv(5, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(head) == 5 and head[3] == 0 and head[4] == 10


class MySql(Instance):
    """A MySQL server of our own, with row-based binlog, GTIDs and LOAD DATA LOCAL on."""

    kind: ClassVar[str] = "mysql"
    scheme: ClassVar[str] = "mysql"
    user: ClassVar[str] = "replicator"
    password: ClassVar[str] = "replicator"

    @classmethod
    def get(cls) -> None:
        root = _root()
        with locked("get-mysql.lock", program_cache()):
            if (root / "usr/sbin/mysqld").exists():
                return
            say("getting MySQL (about 60 MB, unpacked in a private folder)")
            reasons = []
            for package, suite in _PACKAGES:
                try:
                    apt.unpack_closure(package, suite, root)
                    return
                except (ServerUnavailable, OSError) as reason:
                    reasons.append(str(reason))
        raise ServerUnavailable("MySQL cannot be had here: " + "; ".join(reasons))

    @classmethod
    def version(cls) -> str:
        return re.findall(r"\d+\.\d+\.\d+", run([*_mysqld(), "--no-defaults", "--version"]))[0]

    def _initialise(self, fresh: Path) -> None:
        account = fresh.with_suffix(".sql")
        account.write_text(_ACCOUNT.format(user=self.user, password=self.password))
        run([*self._base(fresh), "--initialize-insecure", f"--init-file={account}"])
        account.unlink()

    def _command(self) -> list[str]:
        return [
            *self._base(self.data),
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            # Relative to the data folder: a socket's full path may be only some hundred bytes long.
            "--socket=mysql.sock",
            "--pid-file=mysql.pid",
            "--mysqlx=OFF",
            "--server-id=1",
            "--log-bin=binlog",
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--binlog-row-metadata=FULL",
            "--local-infile=1",
            "--innodb-buffer-pool-size=512M",
            "--innodb-redo-log-capacity=1G",
            "--max-connections=300",
            *self._tls_options(),
        ]

    def _tls_options(self) -> list[str]:
        files = {"ssl-ca": "ca.crt", "ssl-cert": "server.crt", "ssl-key": "server.key"}
        return [f"--{o}={self._tls_file(f)}" for o, f in files.items()] if self.tls is not None else []

    def _base(self, data: Path) -> list[str]:
        root = _root()
        options = [
            "--no-defaults",
            "--secure-file-priv=",
            f"--basedir={root}/usr",
            f"--plugin-dir={root}/usr/lib/mysql/plugin",
            f"--lc-messages-dir={root}/usr/share/mysql",
            f"--character-sets-dir={root}/usr/share/mysql/charsets",
            f"--datadir={data}",
        ]
        return [*_mysqld(), *options, *(["--user=root"] if os.geteuid() == 0 else [])]

    def _is_ready(self) -> bool:
        return greets(self.host, self.port)


def _root() -> Path:
    return program_cache() / "mysql" / "root"


def _mysqld() -> list[str]:
    """The server's command: its own dynamic linker, its own libraries, the program."""
    root = _root()
    linkers = sorted(root.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*")) or sorted(
        root.glob("lib/*-linux-gnu/ld-linux-*.so.*")
    )
    if not linkers:
        raise ServerUnavailable("MySQL has not been unpacked")
    triplet = linkers[0].parent.name
    folders = [root / "usr/lib" / triplet, root / "lib" / triplet, root / "usr/lib/mysql/private"]
    return [str(linkers[0]), "--library-path", ":".join(map(str, folders)), str(root / "usr/sbin/mysqld")]
