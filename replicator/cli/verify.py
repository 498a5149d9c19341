"""`replicator verify`: is the target equal to the source, as content?

Exit codes: 0 equal, 1 different, 2 could not tell, 3 equal but for values lost by policy.
"""

from __future__ import annotations

import functools
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from replicator.api.errors import ConnectError
from replicator.cli.database_url import DatabaseUrl
from replicator.cli.databases import source_database, target_database
from replicator.cli.output import fail, fails_with, say
from replicator.cli.pipeline import default_base, load, pipeline_name
from replicator.cli.plan import find_pairs, split_patterns
from replicator.cli.verification import Verification
from replicator.cli.verify_report import UNKNOWN, sentence

F = TypeVar("F", bound=Callable[..., Any])


def never_different(function: F) -> F:
    """Decorator: what ends the command early (Ctrl-C, a defect) must not look like a difference."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except KeyboardInterrupt:
            fail("Interrupted before the comparison was finished.", UNKNOWN)
        except Exception:  # noqa: BLE001
            traceback.print_exc()
            fail("The comparison could not be finished.", UNKNOWN)

    return run  # type: ignore[return-value]


@click.command(name="verify")
@click.argument("source_url", type=DatabaseUrl())
@click.argument("target_url", type=DatabaseUrl())
@click.option("--tables", help="Patterns schema.table; default: the pipeline's tables, or all.")
@click.option("--exclude", help="Patterns to leave out.")
@click.option("--name", help="Name of the pipeline.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), default=None, help="Folder that holds the pipelines."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option(
    "--settle", default=5.0, show_default=True, help="Seconds a row must stand still to count as different."
)
@click.option(
    "--timeout", default=120.0, show_default=True, help="Seconds to wait for the target, per table."
)
@never_different
@fails_with(UNKNOWN)
def command(
    source_url: str,
    target_url: str,
    tables: str | None,
    exclude: str | None,
    name: str | None,
    data_dir: Path | None,
    as_json: bool,
    settle: float,
    timeout: float,
) -> None:
    """Compare every row of the source with the target, also while writes go on."""
    name = pipeline_name(source_url, target_url, name)
    known = load((data_dir or default_base()) / name)
    include = split_patterns(tables) or (known.tables if known else [])
    left_out = split_patterns(exclude) + (known.exclude if known and not tables else [])
    try:
        code = _verify(
            source_url, target_url, name, known.running if known else None,
            include=include, exclude=left_out, as_json=as_json, settle=settle, timeout=timeout,
        )  # fmt: skip
    except ConnectError as error:
        if as_json:
            click.echo(json.dumps({"verdict": "unknown", "pipeline": name, "error": str(error)}, indent=2))
        raise
    sys.exit(code)


def _verify(
    source_url: str,
    target_url: str,
    name: str,
    running: Callable[[], bool] | None,
    *,
    include: list[str],
    exclude: list[str],
    as_json: bool,
    settle: float,
    timeout: float,
) -> int:
    source, target = source_database(source_url), target_database(target_url)
    verification = Verification(
        source, target, name, running=running, settle=settle, timeout=timeout, quiet=as_json
    )
    code = verification.run(find_pairs(source, target, include, exclude))
    if as_json:
        click.echo(json.dumps(verification.report(code), indent=2))
    else:
        say(sentence(code, verification.results))
    source.close()
    target.close()
    return code
