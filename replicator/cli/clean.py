"""`replicator clean`: take back what a pipeline made on the source, and on request its log and ledger."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from replicator.api.errors import ConfigError, IllegalStateError
from replicator.cli.database_url import DatabaseUrl
from replicator.cli.databases import source_database, target_database
from replicator.cli.output import fails_with, say
from replicator.cli.pipeline import default_base, find_all, load, pipeline_name, without_secrets


@click.command(name="clean")
@click.argument("source_url", type=DatabaseUrl())
@click.argument("target_url", type=DatabaseUrl(), required=False)
@click.option("--name", help="Name of the pipeline; needed when it cannot be found from the URLs.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), default=None, help="Folder that holds the pipelines."
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Also remove the pipeline's log and, with TARGET_URL, its ledger.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@fails_with(1)
def command(
    source_url: str,
    target_url: str | None,
    name: str | None,
    data_dir: Path | None,
    everything: bool,
    dry_run: bool,
) -> None:
    """Remove a pipeline's replication slot and publications from the source."""
    base = data_dir or default_base()
    name = _name(base, source_url, target_url, name)
    known = load(base / name)
    if known is not None and known.running():
        raise IllegalStateError(
            f"Pipeline {name} is running (pid {known.pid}).", hint=f"Stop it: kill {known.pid}"
        )
    removed = _clean_source(source_url, name, dry_run=dry_run)
    if everything and target_url:
        target = target_database(target_url)
        removed += target.clean(name, dry_run=dry_run)
        target.close()
    # A name that was mistyped must not cost somebody's folder.
    ours = any((base / name / file).exists() for file in ("pipeline.json", "log.db"))
    if everything and ours:
        if not dry_run:
            shutil.rmtree(base / name)
        removed.append(f"log folder {base / name}")
    verb = "Would remove" if dry_run else "Removed"
    for item in removed:
        say(f"{verb} {item}.")
    if not removed:
        say(f"Nothing to remove: no slot or publication of pipeline {name} on the source.")
    elif not everything and ours:
        say(
            f"Kept log {base / name} and the target's tables; 'clean --all SOURCE TARGET' removes log and ledger."
        )


def _clean_source(source_url: str, name: str, *, dry_run: bool) -> list[str]:
    source = source_database(source_url)
    try:
        return source.clean(name, dry_run=dry_run)
    finally:
        source.close()


def _name(base: Path, source_url: str, target_url: str | None, name: str | None) -> str:
    if name is not None or target_url is not None:
        return pipeline_name(source_url, target_url or "", name)
    mine = [p for p in find_all(base) if p.source == without_secrets(source_url)]
    if len(mine) == 1:
        return mine[0].name
    listed = ", ".join(p.name for p in mine) or "none"
    raise ConfigError(
        f"Which pipeline? {len(mine)} in {base} read from this source ({listed}).",
        option="--name",
        hint="Give --name, or the target's URL too.",
    )
