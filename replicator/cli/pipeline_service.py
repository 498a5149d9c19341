"""A running pipeline, asked over its REST port by commands. Called on the command's thread."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from replicator.api.errors import BadRequestError, ConnectError, IllegalStateError
from replicator.cli.pipeline import Pipeline, load
from replicator.cli.status import overview_of

_TICK: Final = 0.3
_SILENCE: Final = 30.0


def running_pipeline(base: Path, name: str) -> Pipeline:
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


class PipelineService:
    """What a pipeline tells and takes."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def overview(self) -> dict[str, Any]:
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
            time.sleep(_TICK)
        raise ConnectError(
            f"Pipeline {self._pipeline.name} does not answer on port {self._pipeline.port}, though its process"
            f" {self._pipeline.pid} runs."
        )

    def tasks(self, overview: Mapping[str, Any], role: str) -> list[dict[str, Any]]:
        """The tasks of the source or the sink."""
        name = f"{self._pipeline.name}-{role}"
        return [t for c in overview.get("connectors", []) if c["name"] == name for t in c.get("tasks", [])]

    def facts(self, overview: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Facts of the source's tables."""
        found: dict[str, dict[str, Any]] = {}
        for task in self.tasks(overview, "source"):
            found |= task.get("facts", {}).get("tables") or {}
        return found

    def signal(self, role: str, kind: str, data: Mapping[str, Any]) -> None:
        """Send a signal to the source or the sink.

        Raises:
            ConnectError: it is refused, or nobody answers.
        """
        name, port = self._pipeline.name, self._pipeline.port
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/replicator/connectors/{name}-{role}/signal",
            data=json.dumps({"type": kind, "data": data}).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except OSError as error:
            raise ConnectError(f"Pipeline {name} does not answer on port {port}: {error}") from None


def _refusal(error: urllib.error.HTTPError) -> ConnectError:
    """The service's own words."""
    try:
        message = str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError):
        message = f"The pipeline answered {error.code}."
    return {400: BadRequestError, 409: IllegalStateError}.get(error.code, ConnectError)(message)
