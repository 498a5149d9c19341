"""`replicator recopy`: copy tables anew in the running pipeline (C27).

Asks the pipeline over its REST port and then only looks: at the facts its source publishes, and at the ledger in the
target. The copy itself is the pipeline's, and goes on when this command is interrupted.
"""

from __future__ import annotations

import fnmatch
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from replicator.api.database import SourceDatabase, TargetDatabase
from replicator.api.errors import BadRequestError, ConfigError, ConnectError, IllegalStateError
from replicator.cli.databases import source_database, target_database
from replicator.cli.output import duration, fails_with, number, say
from replicator.cli.pipeline import Pipeline, default_base, load, pipeline_name
from replicator.cli.plan import split_patterns
from replicator.cli.status import overview_of

TICK: Final = 0.3
LINE_EVERY: Final = 2.0
_ON_ITS_WAY: Final = ("requested", "copying")
_SILENCE: Final = 30.0


@click.command(name="recopy")
@click.argument("source_url")
@click.argument("target_url")
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
    pipeline = _running(base, name)
    source, target = source_database(source_url), target_database(target_url)
    try:
        Recopy(pipeline, source, target).run(split_patterns(tables))
    except KeyboardInterrupt:
        say("Not waiting any longer; the pipeline finishes the copy.")
    finally:
        source.close()
        target.close()


def _running(base: Path, name: str) -> Pipeline:
    """The pipeline, which must run and have a port.

    Raises:
        IllegalStateError: it does not.
    """
    pipeline = load(base / name)
    if pipeline is None:
        raise IllegalStateError(
            f"There is no pipeline {name} in {base}.",
            hint="Start it: replicator sync SOURCE_URL TARGET_URL; see 'replicator status' for those that are there.",
        )
    if not pipeline.running():
        raise IllegalStateError(
            f"Pipeline {name} is not running.",
            hint=f"Start it, then run this again: replicator sync '{pipeline.source}' '{pipeline.target}'"
            f" --name {name} (with the passwords).",
        )
    if pipeline.port is None:
        raise IllegalStateError(
            f"Pipeline {name} runs with --port off, so it cannot be asked.",
            hint=f"Stop it (kill {pipeline.pid}) and start it without --port off, then run this again.",
        )
    return pipeline


class Recopy:
    """One request, followed to its end."""

    def __init__(self, pipeline: Pipeline, source: SourceDatabase, target: TargetDatabase) -> None:
        self._pipeline = pipeline
        self._source = source
        self._target = target
        self._connector = f"{pipeline.name}-source"
        self._said = 0.0
        self._asked = 0.0
        self._paused_said = False

    def run(self, patterns: Sequence[str]) -> None:
        """Ask, then show progress until the target has the new copy and everything written before its end.

        Raises:
            ConnectError: it cannot be done, or the pipeline ended.
        """
        began = time.monotonic()
        names = self._choose(patterns)
        targets = self._target_names(names)
        since = self._source.position()
        self._ask(names)
        say(f"Copying {', '.join(names)} anew.")
        while not self._copied(names, since, targets):
            time.sleep(TICK)
        goal = self._source.checkpoint(self._pipeline.name)
        while self._applied() < goal:
            self._check(self._overview(), targets)
            self._say("Copied; the target is applying it.")
            time.sleep(TICK)
        self._check(self._overview(), targets)
        say(
            f"Done after {duration(time.monotonic() - began)}: the target has the new copy of {', '.join(names)}."
        )

    # --- before ---

    def _choose(self, patterns: Sequence[str]) -> list[str]:
        known = sorted(self._facts(self._overview()))
        if not known:
            raise IllegalStateError(
                f"Pipeline {self._pipeline.name} is still starting.", hint="Run this again in a moment."
            )
        chosen: set[str] = set()
        for pattern in patterns:
            found = [name for name in known if fnmatch.fnmatchcase(name, pattern)]
            if not found:
                raise ConfigError(
                    f"Table {pattern} is not in pipeline {self._pipeline.name}.",
                    option="--tables",
                    hint=f"Its tables are: {', '.join(known)}.",
                )
            chosen.update(found)
        if not chosen:
            raise ConfigError(
                "No table is named.", option="--tables", hint="For example 'customers,shop.orders'."
            )
        return sorted(chosen)

    def _target_names(self, names: Sequence[str]) -> dict[str, str]:
        """Source tables by the name of their target table."""
        found = self._source.tables(names, [])
        return {self._target.target_name(table): table.full_name for table in found}

    # --- the request ---

    def _ask(self, names: Sequence[str]) -> None:
        self._asked = time.monotonic()
        data = {"type": "blocking", "data-collections": [re.escape(name) for name in names]}
        body = json.dumps({"type": "execute-snapshot", "data": data}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._pipeline.port}/replicator/connectors/{self._connector}/signal",
            data=body,
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except OSError as error:
            raise ConnectError(
                f"Pipeline {self._pipeline.name} does not answer on port {self._pipeline.port}: {error}"
            ) from None

    def _copied(self, names: Sequence[str], since: int, targets: Mapping[str, str]) -> bool:
        """Whether each table's rows are of a copy that began after the request."""
        overview = self._overview()
        self._check(overview, targets)
        facts = self._facts(overview)
        waiting = [n for n in names if not _is_copied(facts.get(n, {}), since)]
        lost = [n for n in waiting if facts.get(n, {}).get("state") not in _ON_ITS_WAY]
        if lost and facts and time.monotonic() - self._asked > LINE_EVERY:
            # The source's task was started again before it had stored the request.
            try:
                self._ask(lost)
            except IllegalStateError as error:
                self._say(str(error))
        if waiting:
            self._say("; ".join(_progress(n, facts.get(n, {})) for n in waiting[:5]))
        return not waiting

    def _applied(self) -> int:
        rows = self._target.ledger(self._pipeline.name)
        return max((int(row["position_commit"] or 0) for row in rows), default=0)

    # --- what the pipeline says ---

    def _overview(self) -> dict[str, Any]:
        """What the service tells of itself.

        Raises:
            ConnectError: the pipeline ended, or is silent for long.
        """
        deadline = time.monotonic() + _SILENCE
        while time.monotonic() < deadline:
            found = overview_of(self._pipeline.port or 0)
            if found is not None:
                return found
            if not self._pipeline.running():
                raise ConnectError(
                    f"Pipeline {self._pipeline.name} ended.",
                    hint="Start it again with the same 'replicator sync': it goes on with the copy where it stopped.",
                )
            time.sleep(TICK)
        raise ConnectError(
            f"Pipeline {self._pipeline.name} does not answer on port {self._pipeline.port}, though its process"
            f" {self._pipeline.pid} runs."
        )

    def _tasks(self, overview: Mapping[str, Any], role: str) -> list[dict[str, Any]]:
        name = f"{self._pipeline.name}-{role}"
        return [t for c in overview.get("connectors", []) if c["name"] == name for t in c.get("tasks", [])]

    def _facts(self, overview: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Facts of the source's tables."""
        found: dict[str, dict[str, Any]] = {}
        for task in self._tasks(overview, "source"):
            found |= task.get("facts", {}).get("tables") or {}
        return found

    def _check(self, overview: Mapping[str, Any], targets: Mapping[str, str]) -> None:
        """Fail when the pipeline failed, or stopped one of the tables."""
        for role in ("source", "sink"):
            for task in self._tasks(overview, role):
                if task["state"] == "FAILED":
                    last = str(task.get("trace") or "").strip().splitlines()[-1:] or [
                        "no reason was recorded"
                    ]
                    raise ConnectError(f"The {role} failed: {last[0]}")
                if task["state"] == "PAUSED" and not self._paused_said:
                    self._paused_said = True
                    say(f"The {role} is paused: nothing happens before it is resumed.")
                for table, reason in (task.get("facts", {}).get("stopped_tables") or {}).items():
                    if table.rpartition(".")[2] in targets:
                        raise ConnectError(
                            f"Table {table} is stopped in the target: {reason}",
                            hint="Remedy that first; the new copy follows behind what could not be applied.",
                        )

    def _say(self, text: str) -> None:
        now = time.monotonic()
        if now - self._said >= LINE_EVERY:
            self._said = now
            say(text)


def _is_copied(facts: Mapping[str, Any], since: int) -> bool:
    return facts.get("state") == "copied" and int(facts.get("as_of") or 0) > since


def _progress(name: str, facts: Mapping[str, Any]) -> str:
    if facts.get("state") != "copying":
        return f"{name}: waiting for the end of a transaction"
    done, total = int(facts.get("rows_done") or 0), int(facts.get("rows_total") or 0)
    share = f"{min(100, 100 * done // total)}%, " if total > 0 else ""
    return f"{name}: {share}{number(done)} of about {number(max(total, done))} rows"


def _refusal(error: urllib.error.HTTPError) -> ConnectError:
    """The service's own words."""
    try:
        message = str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError):
        message = f"The pipeline answered {error.code}."
    return {400: BadRequestError, 409: IllegalStateError}.get(error.code, ConnectError)(message)
