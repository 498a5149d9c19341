"""Endpoints below /connector-plugins. Plain functions on FastAPI's thread pool."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Response

from replicator.api.errors import BadRequestError
from replicator.herder.base import Herder
from replicator.rest.body import Body, Name, config_body
from replicator.rest.errors import JsonResponse
from replicator.rest.routing import add
from replicator.rest.secrets import Secrets


class PluginRoutes:
    """Handlers of plugins and validation."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder
        self._secrets = Secrets(herder)

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        add(app, "GET", "/connector-plugins", self.index)
        add(app, "GET", "/connector-plugins/{name}/config", self.config)
        add(app, "PUT", "/connector-plugins/{name}/config/validate", self.validate)

    def index(self, connectors_only: Annotated[str, Query(alias="connectorsOnly")] = "true") -> Response:
        """GET /connector-plugins."""
        found = self._herder.plugins(connectors_only=connectors_only.lower() == "true")
        return JsonResponse([p.to_json() for p in found])

    def config(self, name: Name, version: str | None = None) -> Response:
        """GET /connector-plugins/P/config."""
        return JsonResponse(self._herder.plugin_config(name, version))

    def validate(self, name: Name, body: Body) -> Response:
        """PUT /connector-plugins/P/config/validate: 200 also when there are errors."""
        config = config_body(body)
        included = config.get("connector.class")
        if included is not None and not included.removesuffix("Connector").endswith(
            name.removesuffix("Connector")
        ):
            raise BadRequestError(f"Included connector type {included} does not match request type {name}")
        return JsonResponse(self._herder.validate(name, self._with_secrets(config)))

    def _with_secrets(self, config: dict[str, str | None]) -> dict[str, str | None]:
        """What was hidden put back, where the configuration is that of a connector we know."""
        try:
            return self._secrets.restore(str(config.get("name") or ""), config)
        except BadRequestError:
            return config
