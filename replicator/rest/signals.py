"""POST /replicator/connectors/X/signal: requests to running tasks, in the form of Debezium's signals (own).

Plain function on FastAPI's thread pool; the herder passes the request on.
"""

from __future__ import annotations

from fastapi import FastAPI, Response

from replicator.api.errors import BadRequestError
from replicator.herder.base import Herder
from replicator.rest.body import Body, Name, parse_object


class SignalRoutes:
    """Handler of signals."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder

    def install(self, app: FastAPI) -> None:
        """Register the endpoint."""
        app.add_api_route("/replicator/connectors/{name}/signal", self.signal, methods=["POST"])

    def signal(self, name: Name, body: Body) -> Response:
        """`{"type": "execute-snapshot", "data": {...}}`; 202: the tasks have taken the request."""
        request = parse_object(body, scalars_as_text=False)
        kind, data = request.get("type"), request.get("data", {})
        if not isinstance(kind, str) or not kind or not isinstance(data, dict):
            raise BadRequestError('A signal is {"type": text, "data": {...}}.')
        self._herder.signal(name, kind, data)
        return Response(status_code=202)
