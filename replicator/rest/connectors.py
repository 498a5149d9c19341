"""Endpoints below /connectors. Plain functions on FastAPI's thread pool; the herder does the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Query, Response

from replicator.api.errors import BadRequestError, NotFoundError
from replicator.herder.base import ConnectorInfo, Herder
from replicator.rest.body import Body, Name, config_of, parse_object
from replicator.rest.errors import JsonResponse, RestError
from replicator.rest.secrets import Secrets

_REQUEST_FIELDS: Final = ("name", "config", "initial_state")
_STATES: Final = ("RUNNING", "PAUSED", "STOPPED")
_NO_OFFSETS: Final = "Partitions / offsets need to be provided for an alter offsets request"

Expand = Annotated[list[str] | None, Query()]


class ConnectorRoutes:
    """Handlers of connectors, tasks and topics."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder
        self._secrets = Secrets(herder)

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        one, tasks = "/connectors/{name}", "/connectors/{name}/tasks"
        app.add_api_route("/connectors", self.index, methods=["GET"])
        app.add_api_route("/connectors", self.create, methods=["POST"])
        app.add_api_route(one, self.show, methods=["GET"])
        app.add_api_route(one, self.delete, methods=["DELETE"])
        app.add_api_route(f"{one}/config", self.config, methods=["GET"])
        app.add_api_route(f"{one}/config", self.put_config, methods=["PUT"])
        app.add_api_route(f"{one}/config", self.patch_config, methods=["PATCH"])
        app.add_api_route(f"{one}/status", self.status, methods=["GET"])
        app.add_api_route(f"{one}/restart", self.restart, methods=["POST"])
        app.add_api_route(f"{one}/pause", self.pause, methods=["PUT"])
        app.add_api_route(f"{one}/resume", self.resume, methods=["PUT"])
        app.add_api_route(f"{one}/stop", self.stop, methods=["PUT"])
        app.add_api_route(f"{one}/topics", self.topics, methods=["GET"])
        app.add_api_route(f"{one}/topics/reset", self.reset_topics, methods=["PUT"])
        app.add_api_route(tasks, self.tasks, methods=["GET"])
        app.add_api_route(f"{tasks}/{{task}}/status", self.task_status, methods=["GET"])
        app.add_api_route(f"{tasks}/{{task}}/restart", self.restart_task, methods=["POST"])
        app.add_api_route(f"{one}/offsets", self.offsets, methods=["GET"])
        app.add_api_route(f"{one}/offsets", self.alter_offsets, methods=["PATCH"])
        app.add_api_route(f"{one}/offsets", self.reset_offsets, methods=["DELETE"])

    def index(self, expand: Expand = None) -> Response:
        """GET /connectors: names, or what `expand` asks for by name."""
        names = self._herder.connectors()
        wanted = {e for e in expand or () if e in ("status", "info")}
        if not wanted:
            return JsonResponse(names)
        shown = {name: self._expanded(name, wanted) for name in names}
        return JsonResponse({name: found for name, found in shown.items() if found is not None})

    def _expanded(self, name: str, wanted: set[str]) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        try:
            if "status" in wanted:
                found["status"] = self._herder.connector_status(name).to_json()
            if "info" in wanted:
                found["info"] = self._secrets.info(self._herder.connector_info(name))
        except NotFoundError:
            return None  # deleted meanwhile, or without a status yet: left out, as Connect does
        return found

    def create(self, body: Body) -> Response:
        """POST /connectors."""
        request = parse_object(body, scalars_as_text=True)
        for member in request:
            if member not in _REQUEST_FIELDS:
                raise RestError(500, f'Unrecognized field "{member}", not marked as ignorable')
        config = config_of(request.get("config") or {})
        if not config:
            raise BadRequestError("The request needs a config.")
        name = str(request.get("name") or config.get("name") or "").strip()
        state = _initial_state(request.get("initial_state"))
        _, info = self._herder.put_connector_config(
            name, self._secrets.restore(name, named(config, name)), initial_state=state, allow_replace=False
        )
        return self._created(info)

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

    def put_config(self, name: Name, body: Body) -> Response:
        """PUT /connectors/X/config: create or replace."""
        config = config_of(parse_object(body, scalars_as_text=True))
        created, info = self._herder.put_connector_config(
            name, self._secrets.restore(name, named(config, name))
        )
        return self._created(info) if created else JsonResponse(self._secrets.info(info))

    def patch_config(self, name: Name, body: Body) -> Response:
        """PATCH /connectors/X/config: null removes an option."""
        patch = config_of(parse_object(body, scalars_as_text=True))
        info = self._herder.patch_connector_config(name, self._secrets.restore(name, patch))
        return JsonResponse(self._secrets.info(info))

    def status(self, name: Name) -> Response:
        """GET /connectors/X/status."""
        return JsonResponse(self._herder.connector_status(name).to_json())

    def restart(
        self,
        name: Name,
        include_tasks: Annotated[str, Query(alias="includeTasks")] = "false",
        only_failed: Annotated[str, Query(alias="onlyFailed")] = "false",
    ) -> Response:
        """POST /connectors/X/restart: the instance only, or a plan that is shown."""
        with_tasks, failed = include_tasks.lower() == "true", only_failed.lower() == "true"
        status = self._herder.restart_connector(name, include_tasks=with_tasks, only_failed=failed)
        return JsonResponse(status.to_json(), 202) if with_tasks or failed else Response(status_code=204)

    def pause(self, name: Name) -> Response:
        """PUT /connectors/X/pause."""
        self._herder.pause_connector(name)
        return Response(status_code=202)

    def resume(self, name: Name) -> Response:
        """PUT /connectors/X/resume."""
        self._herder.resume_connector(name)
        return Response(status_code=202)

    def stop(self, name: Name) -> Response:
        """PUT /connectors/X/stop."""
        self._herder.stop_connector(name)
        return Response(status_code=204)

    def tasks(self, name: Name) -> Response:
        """GET /connectors/X/tasks."""
        owner = {"connector.class": self._herder.connector_config(name).get("connector.class", "")}
        infos = self._herder.task_infos(name)
        return JsonResponse(
            [{"id": t.id.to_json(), "config": self._hidden_task(t.config, owner)} for t in infos]
        )

    def task_status(self, name: Name, task: int) -> Response:
        """GET /connectors/X/tasks/i/status."""
        return JsonResponse(self._herder.task_status(name, task).to_json())

    def restart_task(self, name: Name, task: int) -> Response:
        """POST /connectors/X/tasks/i/restart."""
        self._herder.restart_task(name, task)
        return Response(status_code=204)

    def topics(self, name: Name) -> Response:
        """GET /connectors/X/topics."""
        return JsonResponse({name: {"topics": self._herder.active_topics(name)}})

    def reset_topics(self, name: Name) -> Response:
        """PUT /connectors/X/topics/reset."""
        self._herder.reset_active_topics(name)
        return Response(status_code=202)

    def offsets(self, name: Name) -> Response:
        """GET /connectors/X/offsets."""
        return JsonResponse({"offsets": self._herder.connector_offsets(name)})

    def alter_offsets(self, name: Name, body: Body) -> Response:
        """PATCH /connectors/X/offsets."""
        found = parse_object(body, scalars_as_text=False).get("offsets")
        if not found:
            raise BadRequestError(_NO_OFFSETS)
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise RestError(500, "Cannot deserialize value of type `java.util.ArrayList`: offsets")
        return JsonResponse({"message": self._herder.alter_offsets(name, found)})

    def reset_offsets(self, name: Name) -> Response:
        """DELETE /connectors/X/offsets."""
        return JsonResponse({"message": self._herder.reset_offsets(name)})

    def _hidden_task(self, config: Mapping[str, str], owner: dict[str, str]) -> dict[str, Any]:
        # A task's options need not repeat the class, which tells what its passwords are called.
        hidden = self._secrets.hide(owner | dict(config))
        return {name: hidden[name] for name in config}

    def _created(self, info: ConnectorInfo) -> Response:
        where = f"/connectors/{quote(info.name, safe='')}"
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


def _initial_state(text: Any) -> str | None:
    if text is None:
        return None
    state = str(text).upper()
    if state not in _STATES:
        raise RestError(
            500,
            f'Cannot construct instance of `InitialState`: "{text}" is not one of {", ".join(_STATES)}',
        )
    return state
