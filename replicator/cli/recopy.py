"""`replicator recopy`: copy tables anew in the running pipeline (C27).

Asks the pipeline over its REST port and then only looks: at the facts its source publishes, and at the ledger in the
target. The copy itself is the pipeline's, and goes on when this command is interrupted.
"""

from __future__ import annotations

from pathlib import Path

import click

from replicator.cli.database_url import DatabaseUrl
from replicator.cli.databases import source_database, target_database
from replicator.cli.output import fails_with, say
from replicator.cli.pipeline import default_base, pipeline_name
from replicator.cli.pipeline_service import running_pipeline
from replicator.cli.plan import split_patterns
from replicator.cli.recopy_follow import Recopy


@click.command(name="recopy")
@click.argument("source_url", type=DatabaseUrl())
@click.argument("target_url", type=DatabaseUrl())
@click.option(
    "--tables", required=True, help="Tables of the pipeline, comma-separated: 'customers,shop.orders'."
)
@click.option("--name", help="Name of the pipeline; default: a short hash of both URLs.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), default=None, help="Folder that holds the pipelines."
)
@fails_with(1)
def command(source_url: str, target_url: str, tables: str, name: str | None, data_dir: Path | None) -> None:
    """Empty tables in the target and copy them again, while the pipeline runs and the source is written to."""
    base = data_dir or default_base()
    name = pipeline_name(source_url, target_url, name)
    pipeline = running_pipeline(base, name)
    source, target = source_database(source_url), target_database(target_url)
    try:
        Recopy(pipeline, source, target).run(split_patterns(tables))
    except KeyboardInterrupt:
        say("Not waiting any longer; the pipeline finishes the copy.")
    finally:
        source.close()
        target.close()
