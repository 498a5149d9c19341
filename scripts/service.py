"""`replicator` as a child process: started, watched, stopped and killed by demo, benchmarks and tests."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("replicator")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What a process has used so far: peak resident memory and processor time."""

    peak_mb: float
    cpu_seconds: float


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything it printed."""
        return self.out + self.err


def run(*words: str, timeout: float = 120, env: dict[str, str] | None = None) -> Outcome:
    """Run one `replicator` command to its end."""
    environment = {**os.environ, **(env or {})}
    done = subprocess.run(
        [str(PROGRAM), *words], capture_output=True, text=True, timeout=timeout, env=environment, check=False
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@dataclass
class Sync:
    """One pipeline, `replicator sync SOURCE TARGET`; `start` may be called again after it ended.

    Attributes:
        port: as `--port`; None leaves the choice to the program.
    """

    source: str
    target: str
    name: str
    data_dir: Path
    port: str | None = "off"
    options: Sequence[str] = ()
    env: dict[str, str] = field(default_factory=dict)
    _child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where its output goes, over all starts."""
        return self.data_dir / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Process id of the running child."""
        if self._child is None:
            raise RuntimeError("not started")
        return self._child.pid

    @property
    def output(self) -> str:
        """Everything it printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def command(self, *more: str) -> list[str]:
        """Its command line."""
        base = [str(PROGRAM), "sync", self.source, self.target, "--name", self.name]
        port = [] if self.port is None else ["--port", self.port]
        return [*base, "--data-dir", str(self.data_dir), *port, *self.options, *more]

    def start(self, *more: str, env: dict[str, str] | None = None) -> Sync:
        """Start the process; returns at once."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C at the terminal is the demo's to handle.
            self._child = subprocess.Popen(
                self.command(*more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.env, **(env or {})},
                start_new_session=True,
            )
        return self

    def running(self) -> bool:
        """Whether the child lives."""
        return self._child is not None and self._child.poll() is None

    def wait(self, timeout: float = 60) -> int:
        """Wait for the end; the exit code."""
        if self._child is None:
            raise RuntimeError("not started")
        return self._child.wait(timeout)

    def stop(self, timeout: float = 40) -> int:
        """SIGTERM and wait; insists after `timeout`. The exit code."""
        if self._child is None:
            return 0
        if self.running():
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it as a power loss of the process would: SIGKILL."""
        if self._child is None:
            return 0
        if self.running():
            self._child.kill()
        return self._child.wait(20)

    def usage(self) -> Usage:
        """Memory and processor time of the child up to now."""
        return usage_of([self.pid])

    def pipeline(self) -> dict[str, Any]:
        """What the pipeline wrote about itself."""
        try:
            found: dict[str, Any] = json.loads((self.data_dir / self.name / "pipeline.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def get(self, path: str) -> Any:
        """GET from its REST interface, parsed."""
        address = f"http://127.0.0.1:{self.pipeline().get('port')}{path}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            return json.loads(answer.read())

    def clean(self) -> Outcome:
        """`replicator clean --all`: slot, publications, ledger and log of this pipeline."""
        return run("clean", "--all", self.source, self.target, *self._place())

    def verify(self, *options: str, timeout: float = 120) -> Outcome:
        """`replicator verify` of this pipeline."""
        return run("verify", self.source, self.target, *self._place(), *options, timeout=timeout)

    def recopy(self, tables: str) -> Outcome:
        """`replicator recopy` of some tables of this pipeline."""
        return run("recopy", self.source, self.target, "--tables", tables, *self._place())

    def _place(self) -> list[str]:
        return ["--name", self.name, "--data-dir", str(self.data_dir)]


def usage_of(pids: Sequence[int]) -> Usage:
    """Peak memory of the largest of these processes, processor time of all of them."""
    peaks, ticks = [0.0], 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        peaks.append(int(peak.group(1)) / 1024 if peak else 0.0)
        # Fields 14 and 15 of stat, counted behind the closing parenthesis of the program's name.
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return Usage(peak_mb=max(peaks), cpu_seconds=ticks / _TICKS)


def until(condition: Callable[[], Any], seconds: float, *, every: float = 0.05) -> Any:
    """Poll until the condition holds; its value.

    Raises:
        TimeoutError: it did not hold in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing within {seconds:.0f} s")
        time.sleep(every)
