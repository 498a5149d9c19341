"""What `replicator connectors` asks for and prints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from replicator.api.errors import ConnectError
from replicator.cli.connect_client import ConnectClient
from replicator.cli.connectors_diff import shown_value
from replicator.cli.connectors_wait import failures, reason
from replicator.cli.output import say

_COLOURS = {"RUNNING": "green", "PAUSED": "yellow", "STOPPED": "yellow", "FAILED": "red"}


def summaries(client: ConnectClient) -> list[dict[str, Any]]:
    """One entry a connector, sorted by name."""
    expanded = client.get("connectors", expand="status")
    if isinstance(expanded, list):
        # Workers before 2.3 know no `expand`.
        statuses = {name: client.get("connectors", name, "status") for name in expanded}
    else:
        statuses = {name: found["status"] for name, found in expanded.items() if "status" in found}
    return [_summary(name, statuses[name]) for name in sorted(statuses)]


def _summary(name: str, status: Mapping[str, Any]) -> dict[str, Any]:
    states = [str(t["state"]) for t in status["tasks"]]
    return {
        "name": name,
        "type": status.get("type", "unknown"),
        "state": status["connector"]["state"],
        "worker_id": status["connector"].get("worker_id"),
        "tasks": {state: states.count(state) for state in sorted(set(states))},
        "failed": [{"part": part, "reason": reason(trace, 1)} for part, trace in failures(status)],
    }


def print_list(found: Sequence[Mapping[str, Any]], url: str) -> None:
    """A table."""
    if not found:
        say(f"{url} has no connectors. Create one: replicator connectors apply FILE")
        return
    width = max(len(str(s["name"])) for s in found)
    for s in found:
        click.echo(f"{s['name']:{width}}  {s['type']:7}  ", nl=False)
        click.secho(f"{s['state']:11}", fg=_COLOURS.get(s["state"], "cyan"), nl=False)
        tasks = ", ".join(f"{count} {state}" for state, count in s["tasks"].items()) or "none"
        say(f"tasks: {tasks}")
        for failed in s["failed"]:
            click.secho(f"  {failed['part']}: {failed['reason']}", fg="red")


def detail(client: ConnectClient, name: str) -> dict[str, Any]:
    """Everything a worker tells of a connector; what it does not offer is left out."""
    info = client.get("connectors", name)
    found: dict[str, Any] = {"name": name, "type": info.get("type"), "config": info["config"]}
    found["status"] = client.find("connectors", name, "status")
    for part in ("topics", "offsets"):
        try:
            found[part] = client.find("connectors", name, part)
        except ConnectError as error:
            found[part] = {"error": str(error)}
    topics = found["topics"]
    if isinstance(topics, dict) and name in topics:
        found["topics"] = topics[name].get("topics", [])
    return found


def print_detail(found: Mapping[str, Any], *, whole_traces: bool) -> None:
    """For people."""
    status = found["status"] or {"connector": {"state": "UNASSIGNED"}, "tasks": []}
    state = status["connector"]["state"]
    click.secho(f"{found['name']} ({found['type']}): {state}", fg=_COLOURS.get(state, "cyan"), bold=True)
    for task in status["tasks"]:
        click.secho(
            f"  task {task['id']}: {task['state']} on {task.get('worker_id')}", fg=_COLOURS.get(task["state"])
        )
    for part, trace in failures(status):
        text = trace.rstrip() if whole_traces else reason(trace)
        click.secho(f"  {part}: " + text.replace("\n", "\n    "), fg="red")
    if isinstance(found["topics"], list) and found["topics"]:
        say(f"  topics: {', '.join(sorted(found['topics']))}")
    say("  configuration:")
    for option, value in sorted(found["config"].items()):
        say(f"    {option}={shown_value(option, str(value))}")
    offsets = found["offsets"]
    if isinstance(offsets, dict) and offsets.get("offsets"):
        say("  offsets:")
        _print_entries(offsets["offsets"], "    ")


def print_offsets(name: str, found: Mapping[str, Any]) -> None:
    """One line a partition."""
    entries = found.get("offsets") or []
    if not entries:
        say(f"{name} has no offsets.")
    _print_entries(entries, "")


def _print_entries(entries: Sequence[Mapping[str, Any]], indent: str) -> None:
    for entry in entries:
        partition, offset = entry["partition"], entry["offset"]
        if "kafka_topic" in partition:
            place = f"{partition['kafka_topic']}-{partition['kafka_partition']}"
            say(f"{indent}{place}: {(offset or {}).get('kafka_offset')}")
        else:
            say(f"{indent}{_compact(partition)}: {_compact(offset)}")


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def validation_errors(infos: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(option, message) of every error in a ConfigInfos."""
    values = (c["value"] for c in infos.get("configs", []))
    return [(str(v["name"]), str(e)) for v in values for e in v.get("errors") or []]


def print_validation(name: str, infos: Mapping[str, Any]) -> None:
    """Errors by option."""
    errors = validation_errors(infos)
    if not errors:
        click.secho(f"{name}: valid", fg="green")
        return
    click.secho(f"{name}: {len(errors)} error{'s' if len(errors) > 1 else ''}", fg="red")
    for option, message in errors:
        say(f"  {option}: {message}")
