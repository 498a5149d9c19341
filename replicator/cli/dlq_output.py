"""How `replicator dlq` shows letters and what became of them. Main thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from replicator.cli.output import number, say


def print_each(letters: Iterable[Mapping[str, Any]], show: Callable[[Mapping[str, Any]], None]) -> int:
    count = 0
    for letter in letters:
        show(letter)
        count += 1
    if not count:
        say("No letters.")
    return count


def print_line(letter: Mapping[str, Any]) -> None:
    errors = letter["errors"]
    what = str(errors.get("exception.class.name") or "").rpartition(".")[2]
    message = str(errors.get("exception.message") or "").partition("\n")[0]
    state = f" [{letter['state']}]" if letter["state"] else ""
    place = f"{letter['partition']}:{letter['offset']}"
    say(
        f"{place}{state} {_when(letter)} {_origin(errors)} key={_text(letter['key'])} {what}: {message}"[:300]
    )


def print_whole(letter: Mapping[str, Any], *, trace: bool) -> None:
    errors = letter["errors"]
    state = f" ({letter['state']})" if letter["state"] else ""
    click.secho(f"{letter['queue']} {letter['partition']}:{letter['offset']}{state}", bold=True)
    say(f"  record of {_when(letter)} from {_origin(errors)}")
    for name, value in errors.items():
        if name not in ("topic", "partition", "offset", "exception.stacktrace"):
            say(f"  {name}: {value}")
    if trace and errors.get("exception.stacktrace"):
        say("  " + str(errors["exception.stacktrace"]).rstrip().replace("\n", "\n  "))
    for header in letter["headers"]:
        say(f"  header {header['key']}: {_text(header)}")
    say(f"  key: {_text(letter['key'])}")
    say(f"  value: {_text(letter['value'])}")


def print_outcome(outcome: Mapping[str, Any], did: str) -> None:
    if not outcome["replayed"]:
        say(f"No letters {did}.")
    for topic, count in outcome["replayed"].items():
        say(f"{topic}: {number(count)} letters {did}")
    notes = (
        (
            "superseded",
            "have newer records of their key in the topic; --superseded replays them all the same",
        ),
        ("without_origin", "do not say where they came from (no context headers); give --to TOPIC"),
        ("stand_ins", "are JSON pictures of records that no converter could encode; --to TOPIC copies them"),
    )
    for name, text in notes:
        if count := outcome["left_out"].get(name):
            shown = ", ".join(outcome[name][:5]) + (" ..." if count > 5 else "")
            click.secho(f"left out: {number(count)} letters ({shown}) {text}", fg="yellow")


def _when(letter: Mapping[str, Any]) -> str:
    stamp = letter["timestamp"]
    return datetime.fromtimestamp(stamp / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if stamp >= 0 else "-"


def _origin(errors: Mapping[str, Any]) -> str:
    place = [str(errors[n]) for n in ("topic", "partition", "offset") if errors.get(n) is not None]
    return "/".join(place) or "unknown"


def _text(shown: Mapping[str, Any]) -> str:
    return (
        "null" if shown.get("text", "") is None else str(shown.get("text") or f"base64 {shown.get('base64')}")
    )
