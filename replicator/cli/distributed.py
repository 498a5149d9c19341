"""`replicator distributed worker.properties [--workers N]`, exactly like connect-distributed.

The main thread waits for SIGTERM or SIGINT, then drains. With `--workers N` it is the parent of N worker processes:
it passes signals on and starts a worker anew that ended by itself.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import click

from replicator.api.errors import ConfigError
from replicator.cli.notify_children import GroupHeartbeat
from replicator.cli.notify_loop import Heartbeat
from replicator.cli.output import fails_with, say

_WATCH_SECONDS: Final = 0.5
_LAST_BACKOFF: Final = 30.0
_STEADY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 90.0
_ABORT_SECONDS: Final = 5.0


@click.command(name="distributed")
@click.argument("worker", type=click.Path(path_type=Path))
@click.option(
    "--workers", type=click.IntRange(1), default=1, help="Worker processes; each takes the next port."
)
@click.option("--number", type=click.IntRange(0), default=0, hidden=True)
@click.option("--verbose", is_flag=True, help="Log at level DEBUG.")
@fails_with(1)
def command(worker: Path, workers: int, number: int, verbose: bool) -> None:
    """Run a worker of a group that shares connectors and tasks through Kafka."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    if not worker.is_file():
        raise ConfigError(f"There is no file {worker}.")
    stop = threading.Event()
    for received in (signal.SIGTERM, signal.SIGINT):
        signal.signal(received, lambda *_: stop.set())
    if workers > 1:
        _Parent(worker, workers, verbose=verbose).run(stop)
    else:
        _run(worker, number, stop)


def _run(worker: Path, number: int, stop: threading.Event) -> None:
    """One worker in this process."""
    from replicator.config.files import read_options
    from replicator.distributed_service import DistributedService

    options = dict(read_options(worker))
    if number:
        options = _numbered(options, number)
    heartbeat = Heartbeat()
    service = DistributedService(options)
    service.start()
    herder, loop = service.herder, service.herder.loop
    try:
        say(f"Worker {service.url} is running. Ctrl-C stops it.")
        while not stop.wait(_WATCH_SECONDS):
            if loop.failure is not None:
                raise loop.failure
            heartbeat.turn(
                herder, loop, ready=loop.joined is not None and herder.health().status == "healthy"
            )
        say("Stopping ...")
    finally:
        heartbeat.stopping()
        service.stop()


def _numbered(options: dict[str, str], number: int) -> dict[str, str]:
    """Options of a further worker: the ports that follow those of the first."""
    found = dict(options)
    listeners = str(options.get("listeners") or "http://:8083").split(",")
    found["listeners"] = ",".join(_next_port(listener.strip(), number) for listener in listeners)
    port = options.get("rest.advertised.port")
    if port:
        found["rest.advertised.port"] = str(int(port) + number)
    return found


def _next_port(listener: str, number: int) -> str:
    address, _, port = listener.rpartition(":")
    return f"{address}:{int(port) + number if int(port) else 0}"


class _Parent:
    """Starts workers, restarts those that end, stops all."""

    def __init__(self, worker: Path, workers: int, *, verbose: bool) -> None:
        self._command = [sys.executable, "-m", "replicator", "distributed", str(worker)]
        if verbose:
            self._command.append("--verbose")
        self._children: list[subprocess.Popen[bytes] | None] = [None] * workers
        self._began = [0.0] * workers
        self._due = [0.0] * workers
        self._failures = [0] * workers
        self._heartbeat = GroupHeartbeat(workers)

    def run(self, stop: threading.Event) -> None:
        """Watch until told to stop."""
        try:
            while not stop.is_set():
                for number in range(len(self._children)):
                    self._watch(number)
                self._heartbeat.turn([child is not None for child in self._children])
                stop.wait(_WATCH_SECONDS)
            say("Stopping ...")
        finally:
            self._heartbeat.stopping()
            self._stop()

    def _watch(self, number: int) -> None:
        child, now = self._children[number], time.monotonic()
        if child is not None and child.poll() is None:
            if self._heartbeat.hangs(number):
                say(f"Worker {number} gives no sign of life and is ended.")
                _abort(child)
            return
        if child is not None:
            steady = now - self._began[number] > _STEADY_SECONDS
            self._failures[number] = 0 if steady else self._failures[number] + 1
            wait = min(_LAST_BACKOFF, 2.0 ** self._failures[number] / 2)
            say(f"Worker {number} ended with status {child.returncode}; it starts again in {wait:g} s.")
            self._children[number], self._due[number] = None, now + wait
        elif now >= self._due[number]:
            self._began[number] = now
            self._children[number] = subprocess.Popen(
                [*self._command, "--number", str(number)],
                env={**os.environ, **self._heartbeat.environment(number)},
                start_new_session=True,
            )

    def _stop(self) -> None:
        """All at once: each drains and hands over to nobody but a restarted group."""
        running = [child for child in self._children if child is not None and child.poll() is None]
        for child in running:
            child.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in running:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _abort(child: subprocess.Popen[bytes]) -> None:
    """End a process that hangs; with PYTHONFAULTHANDLER=1 it tells where."""
    child.send_signal(signal.SIGABRT)
    try:
        child.wait(_ABORT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
