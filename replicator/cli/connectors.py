"""`replicator connectors ...`: connectors of any Connect worker, without curl."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from replicator.api.errors import BadRequestError, ConnectError
from replicator.cli import connectors_show as show
from replicator.cli.connect_client import ConnectClient
from replicator.cli.connectors_apply import Applier
from replicator.cli.connectors_files import read_files
from replicator.cli.connectors_wait import Watcher
from replicator.cli.endpoint_options import group_options, remember, with_client
from replicator.cli.output import fails_with, say

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
_WAIT = click.option("--wait/--no-wait", default=True, help="Wait for the new state. [wait]")
_PATIENCE = click.option(
    "--wait-seconds", default=60.0, show_default=True, help="How long to wait for a state."
)


@click.group(name="connectors")
@group_options
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """List, apply and steer connectors of a Connect worker (this program's or a Java one)."""
    remember(context, given)


@command.command(name="list")
@_JSON
@fails_with(1)
@with_client
def list_(client: ConnectClient, as_json: bool) -> None:
    """Connectors with their states; exit 1 when one of them or a task has failed."""
    found = show.summaries(client)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show.print_list(found, client.url)
    sys.exit(int(any(s["failed"] for s in found)))


@command.command(name="show")
@click.argument("name")
@click.option("--trace", is_flag=True, help="Whole stack traces.")
@_JSON
@fails_with(1)
@with_client
def show_(client: ConnectClient, name: str, trace: bool, as_json: bool) -> None:
    """One connector: states, why parts failed, topics, configuration."""
    found = show.detail(client, name)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show.print_detail(found, whole_traces=trace)


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Only validate and show what would change.")
@click.option("--force", is_flag=True, help="Send configurations that are the same as far as can be seen.")
@_WAIT
@_PATIENCE
@_JSON
@fails_with(1)
@with_client
def apply(
    client: ConnectClient,
    files: Sequence[Path],
    dry_run: bool,
    force: bool,
    wait: bool,
    wait_seconds: float,
    as_json: bool,
) -> None:
    """Create or change connectors from .properties, JSON, YAML or TOML FILES (a folder means all in it).

    All files are validated by the worker before the first is sent. A connector that is as the file says
    is left alone. Ends when all run, or with the reason why one does not.
    """
    wanted = read_files(files)
    applier = Applier(client, tell=(lambda _: None) if as_json else say, dry_run=dry_run, force=force)
    results = applier.apply(wanted)
    if wait and not dry_run:
        applier.wait(results, wait_seconds)
    if as_json:
        click.echo(json.dumps([r.to_json() for r in results], indent=2))
    sys.exit(int(any(r.problem for r in results)))


@command.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@_JSON
@fails_with(1)
@with_client
def validate(client: ConnectClient, file: Path, as_json: bool) -> None:
    """Let the worker check a configuration FILE; exit 1 when it has errors."""
    wrong = False
    for connector in read_files([file]):
        infos = Applier(client, tell=say, dry_run=True).validate(connector)
        wrong = wrong or infos["error_count"] > 0
        if as_json:
            click.echo(json.dumps(infos, indent=2))
        else:
            show.print_validation(connector.name, infos)
    sys.exit(int(wrong))


def _steer(name: str, text: str, call: Callable[[ConnectClient, str], None], state: str) -> None:
    @command.command(name=name, help=text)
    @click.argument("names", nargs=-1)
    @click.option("--all", "every", is_flag=True, help="All connectors.")
    @_WAIT
    @_PATIENCE
    @fails_with(1)
    @with_client
    def run(
        client: ConnectClient, names: Sequence[str], every: bool, wait: bool, wait_seconds: float
    ) -> None:
        chosen = _chosen(client, names, every)
        for each in chosen:
            call(client, each)
        problems = Watcher(client).wait(chosen, state, wait_seconds) if wait else {}
        for each in chosen:
            say(f"{each}: {problems.get(each) or (state if wait else name + ' requested')}")
        sys.exit(int(bool(problems)))


def _chosen(client: ConnectClient, names: Sequence[str], every: bool) -> list[str]:
    if every == bool(names):
        raise BadRequestError("Name connectors, or give --all.")
    return sorted(client.get("connectors")) if every else list(names)


_steer("pause", "Pause connectors: tasks stay, but move nothing.",
       lambda client, name: client.call("PUT", "connectors", name, "pause"), "PAUSED")  # fmt: skip
_steer("resume", "Let paused or stopped connectors run.",
       lambda client, name: client.call("PUT", "connectors", name, "resume"), "RUNNING")  # fmt: skip
_steer("stop", "Stop connectors: no tasks until resumed; offsets can be changed.",
       lambda client, name: client.call("PUT", "connectors", name, "stop"), "STOPPED")  # fmt: skip


@command.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All connectors.")
@click.option("--failed", is_flag=True, help="Only the parts that failed.")
@click.option("--task", type=int, help="Only this task.")
@click.option("--without-tasks", is_flag=True, help="Only the connector instance.")
@_WAIT
@_PATIENCE
@fails_with(1)
@with_client
def restart(
    client: ConnectClient,
    names: Sequence[str],
    every: bool,
    failed: bool,
    task: int | None,
    without_tasks: bool,
    wait: bool,
    wait_seconds: float,
) -> None:
    """Restart connectors with their tasks."""
    chosen = _chosen(client, names, every)
    query = {"includeTasks": str(not without_tasks).lower(), "onlyFailed": str(failed).lower()}
    for name in chosen:
        if task is not None:
            client.call("POST", "connectors", name, "tasks", str(task), "restart")
        else:
            client.call("POST", "connectors", name, "restart", query=query)
    problems = Watcher(client, settle=2.0).wait(chosen, "RUNNING", wait_seconds) if wait else {}
    for name in chosen:
        say(f"{name}: {problems.get(name) or ('RUNNING' if wait else 'restart requested')}")
    sys.exit(int(bool(problems)))


@command.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@fails_with(1)
@with_client
def delete(client: ConnectClient, names: Sequence[str], yes: bool) -> None:
    """Delete connectors; offsets, topics and what they made in databases stay."""
    if not yes:
        click.confirm(f"Delete {', '.join(names)}?", abort=True)
    for name in names:
        client.call("DELETE", "connectors", name)
        say(f"{name}: deleted")


@command.command()
@click.argument("name")
@click.option("--reset", is_flag=True, help="Forget all offsets of a stopped connector.")
@click.option(
    "--alter",
    type=click.Path(path_type=Path, exists=True),
    help='JSON file {"offsets": [...]} to set on a stopped connector.',
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@fails_with(1)
@with_client
def offsets(
    client: ConnectClient, name: str, reset: bool, alter: Path | None, yes: bool, as_json: bool
) -> None:
    """Show, reset or alter offsets (of sources) or group positions (of sinks)."""
    if reset and alter:
        raise BadRequestError("Give either --reset or --alter.")
    if (reset or alter) and not yes:
        click.confirm(f"Change where {name} goes on reading?", abort=True)
    if reset:
        say(_message(client.call("DELETE", "connectors", name, "offsets")))
    if alter:
        say(_message(client.call("PATCH", "connectors", name, "offsets", body=_offsets_file(alter))))
    found = client.get("connectors", name, "offsets")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show.print_offsets(name, found)


def _message(answer: Any) -> str:
    return str(answer["message"]) if isinstance(answer, dict) and "message" in answer else "Done."


def _offsets_file(path: Path) -> dict[str, Any]:
    try:
        parsed = json.loads(path.read_bytes())
    except ValueError as error:
        raise ConnectError(f"{path} is not JSON: {error}") from None
    return parsed if isinstance(parsed, dict) else {"offsets": parsed}
