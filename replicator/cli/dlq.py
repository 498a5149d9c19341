"""`replicator dlq ...`: look at dead letters, replay them in order, or take them out of sight."""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from replicator.api.errors import BadRequestError
from replicator.cli.dlq_access import Queues, opened
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
    if _print_each(letters, _print_line) == limit:
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
    _print_each(letters, functools.partial(_print_whole, trace=trace))


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
        _print_outcome(planned, "would be replayed")
        if not planned["replayed"]:
            return
        click.confirm("Replay them?", abort=True)
    outcome = queues.replay(queue, chosen, to=to, superseded=superseded, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(outcome, indent=2))
    else:
        _print_outcome(outcome, "would be replayed" if dry_run else "replayed")


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


def _print_each(letters: Iterable[Mapping[str, Any]], show: Callable[[Mapping[str, Any]], None]) -> int:
    count = 0
    for letter in letters:
        show(letter)
        count += 1
    if not count:
        say("No letters.")
    return count


def _print_line(letter: Mapping[str, Any]) -> None:
    errors = letter["errors"]
    what = str(errors.get("exception.class.name") or "").rpartition(".")[2]
    message = str(errors.get("exception.message") or "").partition("\n")[0]
    state = f" [{letter['state']}]" if letter["state"] else ""
    place = f"{letter['partition']}:{letter['offset']}"
    say(
        f"{place}{state} {_when(letter)} {_origin(errors)} key={_text(letter['key'])} {what}: {message}"[:300]
    )


def _print_whole(letter: Mapping[str, Any], *, trace: bool) -> None:
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


def _print_outcome(outcome: Mapping[str, Any], did: str) -> None:
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
