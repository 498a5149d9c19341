"""Plays `calls.txt` against a worker's REST API and writes one JSON line per call.

    python -m tests.differential.rest.play http://127.0.0.1:8083 > tests/golden/rest/distributed.jsonl

Used to record a Java worker's answers; the tests play the same calls against ours.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.differential.rest import golden

CALLS = Path(__file__).parent / "calls.txt"
_KEPT = ("location", "content-type", "allow")
_JSON = {"Content-Type": "application/json"}


@dataclass
class Call:
    """One request, or a wait for a status when `wait` is set."""

    section: str
    method: str
    path: str
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    wait: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        shown = "".join(f"[{n}: {v}] " for n, v in self.headers.items())
        return f"{shown}{self.method} {self.path} {self.body or ''}".strip()


@dataclass
class Answer:
    """Status, the headers that matter, and the body: parsed where it is JSON."""

    status: int
    headers: dict[str, str]
    body: Any


def read_calls(path: Path = CALLS) -> Iterator[Call]:
    """The calls of the file, in order."""
    section, headers = "", {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if line.startswith("# section"):
            section = rest.removeprefix("section ")
        elif word == "H":
            name, _, value = rest.partition(":")
            headers[name] = value.strip()
        elif word == "W":
            yield Call(section, "W", rest, wait=rest.split())
        elif word == "V":
            plugin = json.loads(rest)["connector.class"]
            yield Call(section, "PUT", f"/connector-plugins/{plugin}/config/validate", rest)
        elif word and not line.startswith("#"):
            target, _, body = rest.partition(" ")
            yield Call(section, word, target, body or None, headers)
            headers = {}


def request(url: str, call: Call) -> Answer:
    """Make the call."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=95)
    headers = {
        **(_JSON if call.body is not None or call.method in ("POST", "PUT", "PATCH") else {}),
        **call.headers,
    }
    if headers.get("Content-Type") == "":
        del headers["Content-Type"]
    data = None if call.body is None else call.body.encode()
    connection.request(call.method, quote(call.path, safe="/?&=%$,-_.:"), data, headers)
    response = connection.getresponse()
    raw = response.read()
    connection.close()
    kept = {n: v for n in _KEPT if (v := response.getheader(n)) is not None}
    return Answer(response.status, kept, parsed(raw, kept.get("content-type", "")))


def parsed(raw: bytes, kind: str) -> Any:
    """JSON where it is JSON, else text."""
    text = raw.decode(errors="replace")
    if kind.startswith("application/json"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def await_status(url: str, wanted: list[str], timeout: float = 60.0) -> None:
    """Wait until `name STATE tasks [TASK_STATE]` holds."""
    name, state, count, *task_state = wanted
    task = task_state[0] if task_state else state
    deadline = time.monotonic() + timeout
    answer = None
    while time.monotonic() < deadline:
        answer = request(url, Call("", "GET", f"/connectors/{name}/status"))
        if answer.status == 200:
            tasks = [t["state"] for t in answer.body["tasks"]]
            if answer.body["connector"]["state"] == state and tasks == [task] * int(count):
                return
        time.sleep(0.1)
    raise TimeoutError(f"{' '.join(wanted)}: {answer}")


def await_health(url: str, timeout: float = 60.0) -> None:
    """Wait until the worker says that it is healthy."""
    deadline = time.monotonic() + timeout
    while request(url, Call("", "GET", "/health")).status != 200:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} is not healthy")
        time.sleep(0.2)


def play(url: str, settle: float = 0.0) -> Iterator[tuple[Call, Answer]]:
    """Make every call; `settle` is a pause after each change, for workers that change by and by."""
    for call in read_calls():
        if call.wait:
            await_status(url, call.wait)
            continue
        answer = request(url, call)
        yield call, answer
        if answer.status < 300 and _settles(call):
            time.sleep(settle)


def _settles(call: Call) -> bool:
    """Whether a change is told of before it is everywhere."""
    return call.method in ("PUT", "PATCH") and call.path.endswith(("/config", "/offsets", "scope=cluster"))


def main() -> None:
    """Play all, print the answers."""
    golden.write(sys.stdout, play(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))


if __name__ == "__main__":
    main()
