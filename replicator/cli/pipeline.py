"""A pipeline made by `replicator sync`: its name, its folder, and the state other commands find it by (C27).

`<base>/<name>/` holds the embedded log and `pipeline.json`. The name is a short hash of both URLs
without secrets, unless the user gave one; slot, publications, ledger and connectors carry it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from replicator.api.errors import ConfigError

DEFAULT_PORT = 8083


def default_base() -> Path:
    """Where pipelines live when `--data-dir` is not given."""
    chosen = os.environ.get("REPLICATOR_DATA_DIR")
    if chosen:
        return Path(chosen)
    if os.geteuid() == 0 and Path("/var/lib").is_dir():
        return Path("/var/lib/replicator")
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "replicator"


def without_secrets(url: str) -> str:
    """The URL's scheme, user, host, port and database; nothing that could hold a password.

    Raises:
        ConfigError: the URL cannot be read, for example because its password is not percent-encoded.
    """
    try:
        parts = urlsplit(url.removeprefix("jdbc:"))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _unreadable() from None
    # An unescaped / ? or # in the password ends the host early; the rest of it would look like a database.
    if "@" in parts.path or ("@" not in parts.netloc and "@" in parts.query + parts.fragment):
        raise _unreadable()
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


def _unreadable() -> ConfigError:
    return ConfigError(
        "A database URL cannot be read.",
        hint="Write scheme://user:password@host:port/database with one host; in user and password,"
        " percent-encode special characters (/ is %2F, @ is %40, # is %23, ? is %3F).",
    )


def pipeline_name(source_url: str, target_url: str, given: str | None) -> str:
    """The name of the pipeline between two databases.

    Raises:
        ConfigError: the given name cannot be part of a slot's name.
    """
    if given is not None:
        if not re.fullmatch(r"[a-z0-9_]{1,40}", given):
            raise ConfigError(
                f"--name '{given}' cannot be used.", option="--name", hint="Use 1 to 40 of a-z, 0-9 and _."
            )
        return given
    both = without_secrets(source_url) + "\n" + without_secrets(target_url)
    return hashlib.blake2b(both.encode(), digest_size=4).hexdigest()


@dataclass(slots=True)
class Pipeline:
    """What is known of a pipeline from its folder; no secrets are kept there (INV-9).

    Attributes:
        joined: the tables it replicates.
        held: tables that match and are not replicated, or stopped, with the reason and the remedy.
    """

    name: str
    source: str
    target: str
    tables: list[str]
    exclude: list[str]
    port: int | None = None
    pid: int | None = None
    boot_id: str = ""
    folder: str = ""
    joined: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The pipeline's folder."""
        return Path(self.folder)

    def running(self) -> bool:
        """Whether the process that runs it is alive."""
        return self.pid is not None and self.boot_id == _boot_id() and _is_replicator(self.pid)

    def save(self) -> None:
        """Write `pipeline.json` atomically."""
        self.path.mkdir(parents=True, exist_ok=True)
        temporary = self.path / "pipeline.json.new"
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n")
        temporary.replace(self.path / "pipeline.json")

    def mark_running(self, port: int | None) -> None:
        """Record this process as the one that runs the pipeline."""
        self.pid, self.port, self.boot_id = os.getpid(), port, _boot_id()
        self.save()

    def mark_stopped(self) -> None:
        """Record that nothing runs it."""
        self.pid = self.port = None
        self.save()


def load(folder: Path) -> Pipeline | None:
    """The pipeline in a folder, or None."""
    try:
        known = json.loads((folder / "pipeline.json").read_text())
        return Pipeline(**(known | {"folder": str(folder)}))
    except (OSError, ValueError, TypeError):
        return None


def find_all(base: Path) -> Iterator[Pipeline]:
    """All pipelines below a base folder."""
    if base.is_dir():
        for folder in sorted(base.iterdir()):
            found = load(folder)
            if found is not None:
                yield found


def applied_through(ledger: Sequence[Mapping[str, Any]]) -> int:
    """The furthest source position in a target's ledger; 0 when nothing is applied."""
    return max((int(row["position_commit"] or 0) for row in ledger), default=0)


def choose_port(wanted: str | None) -> int | None:
    """The REST port: the given one, or the next free one from 8083 on; None when switched off.

    Raises:
        ConfigError: the given port is not a number, or taken.
    """
    if wanted == "off":
        return None
    if wanted is not None:
        if not wanted.isdigit() or not 0 < int(wanted) < 65536:
            raise ConfigError(f"--port {wanted} is neither a port nor 'off'.", option="--port")
        if not _is_free(int(wanted)):
            raise ConfigError(
                f"Port {wanted} on 127.0.0.1 is taken.", option="--port", hint="Give another, or --port off."
            )
        return int(wanted)
    for port in range(DEFAULT_PORT, DEFAULT_PORT + 100):
        if _is_free(port):
            return port
    raise ConfigError(
        f"No free port from {DEFAULT_PORT} on.", option="--port", hint="Give one, or --port off."
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _is_replicator(pid: int) -> bool:
    """Whether that process is one of ours (a pid may have been given to another program)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    return b"replicator" in command
