"""`replicator sync`: two connectors, one process, no files to write.

Checks both sides and prints every problem with its remedy at once; then runs source and sink
connector over the embedded log in this process until it is told to stop. The same command resumes.
The main thread waits and reports; connectors run on their own threads.
"""

from __future__ import annotations

import glob
import logging
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from replicator.api.errors import IllegalStateError
from replicator.cli.database_url import DatabaseUrl
from replicator.cli.databases import source_database, target_database
from replicator.cli.newcomers import Newcomers
from replicator.cli.notify_loop import Heartbeat
from replicator.cli.output import fail, fails_with, leave_out_traces, number, say, show_problems, size
from replicator.cli.pipeline import Pipeline, choose_port, default_base, load, pipeline_name, without_secrets
from replicator.cli.plan import Plan, make_plan, split_patterns
from replicator.cli.watch import Watch, put_source

if TYPE_CHECKING:
    from replicator.api.database import SourceDatabase, TargetDatabase
    from replicator.service import Service

JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter"


@click.command(name="sync")
@click.argument("source_url", type=DatabaseUrl())
@click.argument("target_url", type=DatabaseUrl())
@click.option(
    "--tables", help="Patterns schema.table, comma-separated: 'public.*,shop.orders'. Default: all tables."
)
@click.option("--exclude", help="Patterns to leave out.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), default=None, help="Folder that holds the pipelines."
)
@click.option("--name", help="Name of the pipeline; default: a short hash of both URLs.")
@click.option(
    "--port", help="REST and page on 127.0.0.1:PORT; 'off' for none. Default: 8083 or the next free one."
)
@click.option("--until-caught-up", is_flag=True, help="Stop when the target has everything written so far.")
@click.option("--dry-run", is_flag=True, help="Check and show the plan; change nothing.")
@click.option("--skip-unsupported", is_flag=True, help="Leave out tables the target cannot hold.")
@click.option("--verbose", is_flag=True, help="Log what the connectors do.")
@fails_with(1)
def command(
    source_url: str,
    target_url: str,
    tables: str | None,
    exclude: str | None,
    data_dir: Path | None,
    name: str | None,
    port: str | None,
    until_caught_up: bool,
    dry_run: bool,
    skip_unsupported: bool,
    verbose: bool,
) -> None:
    r"""Replicate SOURCE_URL into TARGET_URL: copy every table, then follow every change.

    \b
    replicator sync postgresql://user:pw@host:5432/shop mysql://user:pw@host:3306/shop
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    if not verbose:
        leave_out_traces()
    name = pipeline_name(source_url, target_url, name)
    folder = (data_dir or default_base()) / name
    known = load(folder)
    if known is not None and known.running() and not dry_run:
        raise IllegalStateError(
            f"Pipeline {name} is running already (pid {known.pid}, port {known.port}).",
            hint=f"See 'replicator status', or stop it: kill {known.pid}",
        )
    source, target = source_database(source_url), target_database(target_url)
    include, left_out = split_patterns(tables), split_patterns(exclude)
    say(f"Pipeline {name}: {source.describe()} -> {target.describe()}")
    joined = known.joined if known is not None and target.ledger(name) else []
    plan = make_plan(
        source, target, name, include, left_out, skip_unsupported=skip_unsupported, joined=joined
    )
    show_problems(plan.problems, notes=dry_run)
    _say_skipped(plan)
    if plan.refused():
        fail("Nothing was changed. Remedy the problems above and run the same command again.")
    if dry_run:
        _show_plan(plan)
        return
    # What was left out is not the pipeline's: verify must not miss it.
    left_out = [*left_out, *map(glob.escape, plan.skipped)]
    pipeline = Pipeline(
        name, without_secrets(source_url), without_secrets(target_url), include, left_out, folder=str(folder)
    )
    pipeline.joined, pipeline.held = [t.full_name for t in plan.tables], plan.held
    newcomers = Newcomers(
        source_database(source_url), target_database(target_url), name, (include, left_out), plan
    )
    _run(pipeline, source, target, plan, newcomers, choose_port(port), until_caught_up=until_caught_up)


def _say_skipped(plan: Plan) -> None:
    for reason in plan.skipped.values():
        say(f"Left out: {reason}")


def _show_plan(plan: Plan) -> None:
    for pair in plan.pairs:
        rows = "unknown number of" if pair.source.rows < 0 else f"about {number(pair.source.rows)}"
        key = ", ".join(pair.source.key) or "no key"
        say(
            f"  {pair.source.full_name} -> {pair.target_name}: {rows} rows, {size(pair.source.size_bytes)}, key ({key})"
        )
    total = sum(pair.source.size_bytes for pair in plan.pairs)
    # Neither server tells how much disk it has left.
    say(
        f"The target needs about {size(total)} of disk, and as much again for this service's log while it copies."
    )
    say(f"{len(plan.pairs)} tables would be replicated. Nothing was changed (--dry-run).")


def _run(
    pipeline: Pipeline,
    source: SourceDatabase,
    target: TargetDatabase,
    plan: Plan,
    newcomers: Newcomers,
    port: int | None,
    *,
    until_caught_up: bool,
) -> None:
    stop = threading.Event()
    for number_ in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number_, lambda *_: stop.set())
    heartbeat = Heartbeat()
    service = _service(pipeline, port)
    pipeline.mark_running(port)
    try:
        service.start()
        _put_connectors(service, pipeline, source, target, plan)
        where = f", http://127.0.0.1:{port}" if port else ""
        say(f"Running with {len(plan.pairs)} tables{where}. Ctrl-C stops; the same command resumes.")
        watch = Watch(service.herder, pipeline, source, target, plan.pairs, newcomers)
        newcomers.start(watch.streaming)
        failure = watch.run(
            stop, until_caught_up=until_caught_up, turn=lambda: heartbeat.turn(service.herder)
        )
        if failure is None and not until_caught_up:
            say("Stopping: finishing what is on its way ...")
    finally:
        began = time.monotonic()
        heartbeat.stopping()
        newcomers.stop()
        service.stop()
        pipeline.mark_stopped()
        source.close()
        target.close()
    if failure is not None:
        fail(failure)
    say(f"Stopped in {time.monotonic() - began:.1f}s. Run the same command to go on.")


def _service(pipeline: Pipeline, port: int | None) -> Service:
    from replicator.service import Service

    pipeline.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Service(
        {
            "key.converter": JSON_CONVERTER,
            "value.converter": JSON_CONVERTER,
            "key.converter.replace.null.with.default": "false",
            "value.converter.replace.null.with.default": "false",
            "data.dir": str(pipeline.path),
            "offset.flush.interval.ms": "5000",
            "durability.interval.ms": "5000",
            "listeners": f"http://127.0.0.1:{port}" if port else "off",
        }
    )


def _put_connectors(
    service: Service, pipeline: Pipeline, source: SourceDatabase, target: TargetDatabase, plan: Plan
) -> None:
    name = pipeline.name
    sink = target.connector_config(plan.pairs, name, name)
    service.herder.put_connector_config(f"{name}-sink", {"name": f"{name}-sink"} | sink)
    put_source(service.herder, source, plan.pairs, name)
