"""Requests between the workers of a group: task configurations, fencing, departures. On FastAPI's thread pool.

The herder checks the signature before anything else about the request (KIP-507).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Header, Response

from replicator.herder.base import Herder, Signature
from replicator.rest.binding import TASK_CONFIGS, read_body
from replicator.rest.body import Body, Name, parse_object
from replicator.rest.errors import RestError
from replicator.rest.json_tokens import SOURCE
from replicator.rest.routing import add

Algorithm = Annotated[str | None, Header(alias="X-Connect-Request-Signature-Algorithm")]
Mac = Annotated[str | None, Header(alias="X-Connect-Authorization")]


class InternalRoutes:
    """Handlers; a herder that is alone refuses them."""

    def __init__(self, herder: Herder) -> None:
        self._herder: Any = herder

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        add(app, "POST", "/connectors/{name}/tasks", self.put_tasks)
        add(app, "PUT", "/connectors/{name}/fence", self.fence)
        add(app, "PUT", "/replicator/departures", self.depart)

    def put_tasks(self, name: Name, body: Body, algorithm: Algorithm = None, mac: Mac = None) -> Response:
        """POST /connectors/X/tasks."""
        if not body.strip():
            raise RestError(500, f"No content to map due to end-of-input\n at {SOURCE}line: 1]")
        configs = read_body(body, TASK_CONFIGS)
        self._need("put_task_configs", "externally setting task configurations.")
        self._herder.put_task_configs(name, configs or [], Signature(algorithm, mac, body))
        return Response(status_code=204)

    def fence(self, name: Name, body: Body, algorithm: Algorithm = None, mac: Mac = None) -> Response:
        """PUT /connectors/X/fence."""
        self._need("fence_zombies", "exactly-once source connectors.")
        self._herder.fence_zombies(name, Signature(algorithm, mac, body))
        return Response(status_code=204)

    def depart(self, body: Body, algorithm: Algorithm = None, mac: Mac = None) -> Response:
        """PUT /replicator/departures (own): a worker has drained and leaves on purpose."""
        self._need("worker_leaves", "workers that leave.")
        member = parse_object(body, scalars_as_text=True).get("member")
        self._herder.worker_leaves(str(member or ""), Signature(algorithm, mac, body))
        return Response(status_code=204)

    def _need(self, method: str, what: str) -> None:
        if not hasattr(self._herder, method):
            raise RestError(500, f"Kafka Connect in standalone mode does not support {what}")
