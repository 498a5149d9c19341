"""`connectors apply`: what a file says becomes what the worker has; the difference is shown first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from replicator.api.errors import ConfigError
from replicator.cli.connect_client import ConnectClient
from replicator.cli.connectors_diff import Change, difference, shown_value
from replicator.cli.connectors_show import validation_errors
from replicator.cli.connectors_wait import Watcher
from replicator.config.files import ConnectorFile

CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"


@dataclass(slots=True)
class Result:
    """What became of one file.

    Attributes:
        name: the connector.
        action: created, changed or unchanged.
        changes: the difference.
        unknown: options the worker hides, so that they could not be compared.
        state: RUNNING when it was waited for.
        problem: why it does not run.
    """

    name: str
    action: str
    changes: list[Change] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    state: str | None = None
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All members; secrets hidden."""
        changes = [
            {
                "option": c.option,
                "before": None if c.before is None else shown_value(c.option, c.before),
                "after": None if c.after is None else shown_value(c.option, c.after),
            }
            for c in self.changes
        ]
        return {
            "name": self.name,
            "action": self.action,
            "changes": changes,
            "not_compared": self.unknown,
            "state": self.state,
            "problem": self.problem,
        }


class Applier:
    """Validates, compares and sends."""

    def __init__(
        self,
        client: ConnectClient,
        *,
        tell: Callable[[str], None],
        dry_run: bool = False,
        force: bool = False,
        watcher: Watcher | None = None,
    ) -> None:
        self._client = client
        self._tell = tell
        self._dry_run = dry_run
        self._force = force
        self._watcher = watcher or Watcher(client)

    def validate(self, connector: ConnectorFile) -> dict[str, Any]:
        """The worker's ConfigInfos.

        Raises:
            ConfigError: the file names no connector class.
        """
        cls = connector.config.get("connector.class", "").strip()
        if not cls:
            raise ConfigError(f"{connector.name} has no connector.class.", option="connector.class")
        body = connector.config
        found: dict[str, Any] = self._client.call(
            "PUT", "connector-plugins", cls, "config", "validate", body=body
        ) or {"error_count": 0, "configs": []}
        return found

    def apply(self, connectors: Sequence[ConnectorFile]) -> list[Result]:
        """Bring all connectors to what their files say.

        Raises:
            ConfigError: one is not valid; nothing was sent then.
        """
        wrong = [e for c in connectors for e in self._errors(c)]
        if wrong:
            raise ConfigError("Nothing was applied:\n  " + "\n  ".join(wrong))
        return [self._apply(c) for c in connectors]

    def wait(self, results: Sequence[Result], seconds: float) -> None:
        """Wait until they run, those that are paused or stopped on purpose excepted."""
        for result in results:
            status = self._client.find("connectors", result.name, "status")
            state = status["connector"]["state"] if status else "UNASSIGNED"
            if result.action != CREATED and state in ("PAUSED", "STOPPED"):
                result.state = state
                self._tell(f"{result.name} is {state} and stays so.")
                continue
            wanted = result.state or "RUNNING"
            result.problem = self._watcher.wait([result.name], wanted, seconds).get(result.name)
            result.state = None if result.problem else wanted
            if result.problem:
                click.secho(f"{result.name}: {result.problem}", fg="red", err=True)
            else:
                self._tell(f"{result.name} is {wanted}.")

    def _errors(self, connector: ConnectorFile) -> list[str]:
        infos = self.validate(connector)
        return [f"{connector.name}: {option}: {text}" for option, text in validation_errors(infos)]

    def _apply(self, connector: ConnectorFile) -> Result:
        current = self._client.find("connectors", connector.name, "config")
        changes, unknown = difference(current or {}, connector.config)
        if current is None:
            result = Result(connector.name, CREATED, changes)
        else:
            action = CHANGED if changes or (self._force) else UNCHANGED
            result = Result(connector.name, action, changes, unknown)
        self._show(result)
        if self._dry_run or result.action == UNCHANGED:
            return result
        if current is None:
            self._create(connector, result)
        else:
            self._client.call("PUT", "connectors", connector.name, "config", body=connector.config)
        return result

    def _create(self, connector: ConnectorFile, result: Result) -> None:
        body: dict[str, Any] = {"name": connector.name, "config": connector.config}
        if connector.initial_state:
            body["initial_state"] = connector.initial_state
            result.state = connector.initial_state
        self._client.call("POST", "connectors", body=body)

    def _show(self, result: Result) -> None:
        would = "would be " if self._dry_run and result.action != UNCHANGED else ""
        self._tell(f"{result.name}: {would}{result.action}")
        for change in result.changes:
            for line in change.lines():
                self._tell(f"  {line}")
        if result.unknown:
            names = ", ".join(result.unknown)
            note = "" if result.action == CHANGED else " Send them anyway with --force."
            self._tell(f"  The worker hides {names}: not compared.{note}")
