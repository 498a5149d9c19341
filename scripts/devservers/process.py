"""Processes and ports: start one that outlives us, recognise it later, end it; find a free port."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# Below Linux's ephemeral range, so that no passing outgoing connection can hold the port of a stopped server.
_LOWEST_PORT, _HIGHEST_PORT = 20000, 32000


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def is_same(pid: int | None, ticks: int | None) -> bool:
    """Whether `pid` is still the recorded process; a pid alone may have been given to another one."""
    return pid is not None and ticks is not None and start_ticks(pid) == ticks


def spawn(command: Sequence[str], log: Path, user: str | None, cwd: Path) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own: Ctrl-C in our terminal must not reach it."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )


def end(pid: int, ticks: int, how: signal.Signals, seconds: float) -> bool:
    """Send a signal and wait until the process is gone; False when it is still there after `seconds`."""
    if not is_same(pid, ticks):
        return True
    os.kill(pid, how)
    return wait_for(lambda: _gone(pid, ticks), seconds)


def _gone(pid: int, ticks: int) -> bool:
    # A child of ours stays a zombie until it is reaped; someone else's child is reaped by its parent.
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return not is_same(pid, ticks)


def wait_for(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port, at random so that several checkouts do not race for the same one."""
    for _ in range(1000):
        port = random.randint(_LOWEST_PORT, _HIGHEST_PORT)
        if is_free(port):
            return port
    raise OSError("no free port")
