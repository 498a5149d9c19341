"""One server process with its data folder: the life cycle shared by Postgres, MySQL, MariaDB and Kafka."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from scripts.devservers import process
from scripts.devservers.place import remove_data


class ServerUnavailable(Exception):
    """The server cannot be had on this machine; the message says why."""


def say(text: str) -> None:
    """Tell the developer what is going on."""
    print(f"servers: {text}", flush=True)


class Instance(ABC):
    """A server with its own data folder and port. Survives its creator; `record()` tells how to find it."""

    kind: ClassVar[str]
    scheme: ClassVar[str]
    user: ClassVar[str]
    password: ClassVar[str]
    host: ClassVar[str] = "127.0.0.1"
    ready_within: ClassVar[float] = 120
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(
        self, data: Path, port: int | None = None, pid: int | None = None, ticks: int | None = None
    ) -> None:
        """Describe an instance; nothing is started and nothing is touched."""
        self.data = data
        self.port = port or process.free_port()
        self.pid = pid
        self.ticks = ticks
        self.running_version = ""
        # Folder with ca.crt, server.crt and server.key, for a server that speaks TLS with them.
        self.tls: Path | None = None
        # Called when the process changed, so that whoever must end it later knows its pid even if we die now.
        self.on_change: Callable[[Instance], None] = lambda _instance: None
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    @abstractmethod
    def get(cls) -> None:
        """Make the programs available; returns at once when they are there. Raises ServerUnavailable."""

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """The version of the programs."""

    @abstractmethod
    def _initialise(self, fresh: Path) -> None:
        """Fill the data folder `fresh`; it is renamed to its place only when complete."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The server's command line."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether the server answers clients."""

    def _run_as(self) -> str | None:
        """The user the server runs as; None for the current one."""
        return None

    def _tls_file(self, name: str) -> str:
        """A file of `tls`, copied where the server may read it and nobody else."""
        assert self.tls is not None
        copy = self.data / f"tls-{name}"
        shutil.copyfile(self.tls / name, copy)
        copy.chmod(0o600)
        if self._run_as():
            shutil.chown(copy, self._run_as())
        return str(copy)

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def url(self, database: str) -> str:
        return f"{self.scheme}://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def is_running(self) -> bool:
        return process.is_same(self.pid, self.ticks)

    def start(self) -> None:
        """Start and wait until clients are answered; a port taken meanwhile is replaced."""
        if self.is_running() and process.wait_for(self._is_ready, self.ready_within):
            return
        if not self.data.is_dir():
            self._prepare()
        self.running_version = self.version()
        for attempt in range(3):
            if attempt or not process.is_free(self.port):
                self.port = process.free_port()
            if self._launch():
                return
        raise ServerUnavailable(f"{self.kind} did not start:\n{self._last_words()}")

    def stop(self) -> None:
        """Ask the server to end cleanly, and insist after a minute."""
        if not self._end(self.stop_signal, 60):
            self._end(signal.SIGKILL, 10)

    def kill(self) -> None:
        """End the server as a power loss of the process would: kill -9."""
        self._end(signal.SIGKILL, 10)

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the server: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Stop and remove the data folder."""
        self.stop()
        remove_data(self.data)

    def record(self) -> dict[str, Any]:
        """What another process needs to use or end this instance."""
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "pid": self.pid,
            "ticks": self.ticks,
            "data": str(self.data),
            "version": self.running_version,
        }

    def _prepare(self) -> None:
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        fresh.chmod(0o700)
        self._initialise(fresh)
        fresh.rename(self.data)

    def _launch(self) -> bool:
        child = process.spawn(self._command(), self.log, self._run_as(), self.data)
        self._child, self.pid, self.ticks = child, child.pid, process.start_ticks(child.pid)
        self.on_change(self)
        process.wait_for(lambda: child.poll() is not None or self._is_ready(), self.ready_within)
        # A server of somebody else may answer on our port: only a living child of ours counts.
        if child.poll() is None and self._is_ready():
            return True
        if child.poll() is None:
            child.kill()
            child.wait()
        self._forget()
        return False

    def _end(self, how: signal.Signals, seconds: float) -> bool:
        if self.pid is None or self.ticks is None:
            return True
        gone = process.end(self.pid, self.ticks, how, seconds)
        if gone and self._child is not None:
            # Until it is reaped its port and its lock files' pid are taken: the next start would fail.
            self._child.wait(10)
        if gone:
            self._forget()
        return gone

    def _forget(self) -> None:
        self._child = self.pid = self.ticks = None
        self.on_change(self)

    def _signal(self, which: signal.Signals) -> None:
        if self.is_running() and self.pid is not None:
            os.kill(self.pid, which)

    def _last_words(self) -> str:
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def run(command: list[str], user: str | None = None, **options: Any) -> str:
    """Run a program to its end; its output is shown only when it fails."""
    done = subprocess.run(
        command,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    if done.returncode:
        raise ServerUnavailable(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
