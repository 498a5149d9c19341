"""`replicator dlq ...`: look at dead letters, replay them in order, or take them out of sight."""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from replicator.api.errors import BadRequestError
from replicator.cli.dlq_access import Queues, opened
from replicator.cli.dlq_output import print_each, print_line, print_outcome, print_whole
from replicator.cli.endpoint_options import endpoint, group_options, remember
from replicator.cli.output import fails_with, number, say
from replicator.runtime.letters import LetterFilter

F = TypeVar("F", bound=Callable[..., Any])
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
_WHERE = ("worker", "data_dir", "name")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.group(name="dlq")
@group_options
@click.option(
    "--worker", type=click.Path(path_type=Path, exists=True), help="File of a worker: its Kafka or data.dir."
)
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Folder of an embedded log, or of pipelines."
)
@click.option("--name", help="Name of a pipeline.")
@fails_with(2)
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Dead letter queues: of a running worker (--url), of Kafka (--worker), or of an embedded log."""
    if any(given[key] for key in _WHERE):
        if context.get_parameter_source("url") is ParameterSource.COMMANDLINE:
            raise BadRequestError("Give --url or one of --worker, --data-dir and --name, not both.")
        given["url"] = None
    remember(context, given)


def _with_queues(*, writing: bool) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        @click.pass_context
        @functools.wraps(function)
        def run(context: click.Context, /, **options: Any) -> Any:
            given = dict(context.obj or {})
            where = {key: given.pop(key, None) for key in _WHERE}
            context.obj = given
            address = endpoint(context, {}) if "url" in given else None
            with opened(address, **where, writing=writing) as queues:
                return function(queues, **options)

        return run  # type: ignore[return-value]

    return decorate


def _filters(function: F) -> F:
    """Decorator: the filter options, passed on as `chosen`."""

    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        picked = {name: options.pop(name) for name in _FILTER_NAMES}
        for name in ("since", "until"):
            picked[name] = None if picked[name] is None else moment(picked[name])
        return function(*arguments, chosen=LetterFilter(**picked), **options)

    decorated: Any = run
    for option in reversed(_FILTERS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


_FILTERS = (
    click.option("--topic", help="Only records that came from this topic (* and ? allowed)."),
    click.option("--error", help="Only where the exception's class or message contains this."),
    click.option("--stage", help="Only of this stage, such as VALUE_CONVERTER or TASK_PUT."),
    click.option("--connector", help="Only of this connector."),
    click.option(
        "--key", help="Only with this key: its text, JSON, or the only value in it; 0x.. for bytes."
    ),
    click.option("--since", help="Not older: 2026-05-01T10:00:00Z, or 30m, 2h, 7d ago."),
    click.option("--until", help="Older than this."),
    click.option("--offset", "places", help="Only these letters: 17,18 or partition:offset."),
    click.option("--handled", is_flag=True, help="Also letters replayed or purged before."),
)
_FILTER_NAMES = ("topic", "error", "stage", "connector", "key", "since", "until", "places", "handled")


@command.command(name="list")
@click.argument("queue", required=False)
@click.option("--limit", default=50, show_default=True, help="Number of letters.")
@_JSON
@_filters
@fails_with(1)
@_with_queues(writing=False)
def list_(queues: Queues, queue: str | None, limit: int, as_json: bool, chosen: LetterFilter) -> None:
    """All queues, or the letters of one: one line each."""
    if queue is None:
        found = queues.queues()
        if as_json:
            click.echo(json.dumps(found, indent=2))
        elif not found:
            say("There are no dead letter queues.")
        for each in () if as_json else found:
            handled = f", {number(each['handled'])} handled" if each["handled"] else ""
            say(f"{each['queue']}: {number(each['letters'])} letters{handled}")
        return
    letters = queues.letters(queue, chosen, limit)
    if as_json:
        click.echo(json.dumps(list(letters), indent=2))
        return
    if print_each(letters, print_line) == limit:
        say(f"Only the first {limit} are shown (--limit).")


@command.command()
@click.argument("queue")
@click.option("--limit", default=1, show_default=True, help="Number of letters.")
@click.option("--trace", is_flag=True, help="With stack traces.")
@_JSON
@_filters
@fails_with(1)
@_with_queues(writing=False)
def show(queues: Queues, queue: str, limit: int, trace: bool, as_json: bool, chosen: LetterFilter) -> None:
    """Letters in full: why they failed, key, value and headers."""
    letters = queues.letters(queue, chosen, limit)
    if as_json:
        click.echo(json.dumps(list(letters), indent=2))
        return
    print_each(letters, functools.partial(print_whole, trace=trace))


@command.command()
@click.argument("queue")
@click.option("--to", help="Append to this topic instead of the one each record came from.")
@click.option(
    "--superseded", is_flag=True, help="Also letters whose key has newer records: brings old states back."
)
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@_filters
@fails_with(1)
@_with_queues(writing=True)
def replay(
    queues: Queues,
    queue: str,
    to: str | None,
    superseded: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    chosen: LetterFilter,
) -> None:
    """Append letters to the topics they came from, oldest first, so that each key keeps its order."""
    if not dry_run and not yes:
        planned = queues.replay(queue, chosen, to=to, superseded=superseded, dry_run=True)
        print_outcome(planned, "would be replayed")
        if not planned["replayed"]:
            return
        click.confirm("Replay them?", abort=True)
    outcome = queues.replay(queue, chosen, to=to, superseded=superseded, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(outcome, indent=2))
    else:
        print_outcome(outcome, "would be replayed" if dry_run else "replayed")


@command.command()
@click.argument("queue")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_filters
@fails_with(1)
@_with_queues(writing=True)
def purge(queues: Queues, queue: str, dry_run: bool, yes: bool, chosen: LetterFilter) -> None:
    """Take letters out of sight; those at the beginning of the queue are deleted."""
    if not dry_run and not yes:
        count = queues.purge(queue, chosen, dry_run=True)
        if not count:
            say("No letters.")
            return
        click.confirm(f"Purge {number(count)} letters of {queue}?", abort=True)
    count = queues.purge(queue, chosen, dry_run=dry_run)
    say(f"{number(count)} letters {'would be ' if dry_run else ''}purged")


def moment(text: str, now: float | None = None) -> int:
    """A point in time in milliseconds: ISO 8601, or an age such as `2h`.

    Raises:
        BadRequestError: it is neither.
    """
    age = re.fullmatch(r"(\d+)([smhd])", text.strip())
    if age is not None:
        present = time.time() if now is None else now
        return int((present - int(age[1]) * _UNITS[age[2]]) * 1000)
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise BadRequestError(
            f"'{text}' is no point in time.", hint="Write 2026-05-01T10:00:00Z, or an age: 30m, 2h, 7d."
        ) from None
    return int((found if found.tzinfo else found.astimezone()).timestamp() * 1000)
