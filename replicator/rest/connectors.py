"""GET, POST /connectors and a connector's configuration. Plain functions on FastAPI's thread pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Query, Request, Response

from replicator.api.errors import BadRequestError, NotFoundError
from replicator.herder.base import Herder
from replicator.herder.views import ConnectorInfo
from replicator.rest.binding import CREATE_REQUEST, read_body, text_map
from replicator.rest.body import Body, Name, config_body, given
from replicator.rest.errors import JsonResponse
from replicator.rest.routing import add
from replicator.rest.secrets import Secrets

_REQUEST: Final = "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest"
_UNQUOTED: Final = "!$&'()*+,;=:@"

_TRIMMED: Final = "".join(map(chr, range(0x21)))
"""What Java takes for white space around a name."""

Expand = Annotated[list[str] | None, Query()]


class ConnectorRoutes:
    """Handlers of connectors and their configurations."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder
        self._secrets = Secrets(herder)

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        one = "/connectors/{name}"
        add(app, "GET", "/connectors", self.index)
        add(app, "POST", "/connectors", self.create)
        add(app, "GET", one, self.show)
        add(app, "DELETE", one, self.delete)
        add(app, "GET", f"{one}/config", self.config)
        add(app, "PUT", f"{one}/config", self.put_config)
        add(app, "PATCH", f"{one}/config", self.patch_config)

    def index(self, expand: Expand = None) -> Response:
        """GET /connectors: names, or what `expand` asks for by name."""
        names = self._herder.connectors()
        if expand is None:
            return JsonResponse(names)
        shown = {name: self._expanded(name, expand) for name in names}
        return JsonResponse({name: found for name, found in shown.items() if found is not None})

    def _expanded(self, name: str, wanted: list[str]) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        try:
            if "status" in wanted:
                found["status"] = self._herder.connector_status(name).to_json()
            if "info" in wanted:
                found["info"] = self._secrets.info(self._herder.connector_info(name))
        except NotFoundError:
            return None  # deleted meanwhile, or without a status yet: left out, as Connect does
        return found

    def create(self, request: Request, body: Body) -> Response:
        """POST /connectors."""
        asked = given(read_body(body, CREATE_REQUEST, _REQUEST))
        config = asked.get("config")
        if config is None:
            raise BadRequestError("The request needs a config.")
        name = str(asked.get("name") or "").strip(_TRIMMED)
        _, info = self._herder.put_connector_config(
            name,
            self._secrets.restore(name, named(config, name)),
            initial_state=asked.get("initial_state"),
            allow_replace=False,
        )
        return self._created(request, info)

    def show(self, name: Name) -> Response:
        """GET /connectors/X."""
        return JsonResponse(self._secrets.info(self._herder.connector_info(name)))

    def delete(self, name: Name) -> Response:
        """DELETE /connectors/X; offsets stay."""
        self._herder.delete_connector(name)
        return Response(status_code=204)

    def config(self, name: Name) -> Response:
        """GET /connectors/X/config."""
        return JsonResponse(self._secrets.hide(self._herder.connector_config(name)))

    def put_config(self, request: Request, name: Name, body: Body) -> Response:
        """PUT /connectors/X/config: create or replace."""
        config = config_body(body)
        created, info = self._herder.put_connector_config(
            name, self._secrets.restore(name, named(config, name))
        )
        return self._created(request, info) if created else JsonResponse(self._secrets.info(info))

    def patch_config(self, name: Name, body: Body) -> Response:
        """PATCH /connectors/X/config: null removes an option."""
        patch = read_body(body, text_map)
        self._herder.connector_config(name)  # an unknown connector matters more than an empty body
        info = self._herder.patch_connector_config(name, self._secrets.restore(name, given(patch)))
        return JsonResponse(self._secrets.info(info))

    def _created(self, request: Request, info: ConnectorInfo) -> Response:
        where = f"{str(request.base_url).rstrip('/')}/connectors/{quote(info.name, safe=_UNQUOTED)}"
        return JsonResponse(self._secrets.info(info), 201, headers={"Location": where})


def named(config: Mapping[str, str | None], name: str) -> dict[str, str | None]:
    """The configuration with its name, which must not contradict the request's.

    Raises:
        BadRequestError: it does.
    """
    own = config.get("name")
    if own is None:
        return {**config, "name": name}
    if own != name:
        raise BadRequestError(
            f"Connector name configuration ({own}) doesn't match connector name in the URL ({name})"
        )
    return dict(config)
