"""`replicator status`: every pipeline of this machine, from its folder and its REST port."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import click

from replicator.cli.output import duration, number, say, size
from replicator.cli.pipeline import Pipeline, default_base, find_all


@click.command(name="status")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), default=None, help="Folder that holds the pipelines."
)
@click.option("--name", help="Only this pipeline.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(data_dir: Path | None, name: str | None, as_json: bool) -> None:
    """Show pipelines; exit 0 when all run without a problem, 1 when one does not, 2 when there is none."""
    base = data_dir or default_base()
    found = [p for p in find_all(base) if name in (None, p.name)]
    views = [_view(p) for p in found]
    if as_json:
        click.echo(json.dumps({"data_dir": str(base), "pipelines": views}, indent=2))
    elif not views:
        called = f" called {name}" if name else ""
        say(f"No pipeline{called} in {base}. Start one: replicator sync SOURCE_URL TARGET_URL")
    else:
        for view in views:
            _show(view)
    sys.exit(2 if not views else int(any(v["state"] != "RUNNING" for v in views)))


def _view(pipeline: Pipeline) -> dict[str, Any]:
    view: dict[str, Any] = {
        "name": pipeline.name,
        "source": pipeline.source,
        "target": pipeline.target,
        "folder": pipeline.folder,
        "port": pipeline.port,
        "pid": pipeline.pid,
        "state": "STOPPED",
        "held": pipeline.held,
        "log_bytes": sum(f.stat().st_size for f in pipeline.path.glob("log.db*")),
    }
    if pipeline.running():
        view["state"] = "RUNNING"
        view |= _live(pipeline)
    return view


def _live(pipeline: Pipeline) -> dict[str, Any]:
    if pipeline.port is None:
        return {"note": "runs with --port off, so its live figures cannot be asked for"}
    overview = overview_of(pipeline.port)
    if overview is None:
        return {"state": "UNREACHABLE", "note": f"nothing answers on port {pipeline.port}"}
    states = [t["state"] for c in overview.get("connectors", []) for t in c.get("tasks", [])]
    failed = "FAILED" in states or any(c.get("state") == "FAILED" for c in overview.get("connectors", []))
    return {"overview": overview} | ({"state": "FAILED"} if failed else {})


def overview_of(port: int) -> dict[str, Any] | None:
    """`/replicator/overview` of the service on this port, or None."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/replicator/overview", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except (OSError, ValueError, urllib.error.URLError):
        return None


def _show(view: dict[str, Any]) -> None:
    colour = {"RUNNING": "green", "STOPPED": "yellow"}.get(view["state"], "red")
    click.secho(f"{view['name']}: {view['state']}", fg=colour, bold=True)
    say(f"  {view['source']} -> {view['target']}")
    where = f"port {view['port']}, pid {view['pid']}, " if view["pid"] else ""
    say(f"  {where}log {size(view['log_bytes'])} in {view['folder']}")
    if view.get("note"):
        say(f"  {view['note']}")
    for table, reason in view["held"].items():
        click.secho(f"  not replicated, or stopped: {table}: {reason}", fg="red")
    for connector in view.get("overview", {}).get("connectors", []):
        for task in connector.get("tasks", []):
            _show_task(connector["name"], task)


def _show_task(connector: str, task: dict[str, Any]) -> None:
    facts, stats = task.get("facts", {}), task.get("stats", {})
    parts = [str(facts[k]) for k in ("phase",) if facts.get(k)]
    if facts.get("lag_ms") is not None:
        parts.append(f"lag {duration(facts['lag_ms'] / 1000)}")
    if facts.get("retained_bytes") is not None:
        parts.append(f"source keeps {size(facts['retained_bytes'])} of log")
    if facts.get("complete_through"):
        parts.append(f"target complete through {facts['complete_through']}")
    for figure in ("records_out", "records_in"):
        if stats.get(figure):
            parts.append(f"{number(stats[figure])} {figure.replace('_', ' ')}")
    say(f"  {connector}: {task['state']} {', '.join(parts)}")
    for table, reason in (facts.get("stopped_tables") or {}).items():
        click.secho(f"    stopped: {table}: {reason}", fg="red")
    for warning in facts.get("warnings") or []:
        click.secho(f"    warning: {warning}", fg="yellow")
    if task.get("trace"):
        click.secho("    " + str(task["trace"]).strip().splitlines()[-1], fg="red")
