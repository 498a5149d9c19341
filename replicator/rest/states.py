"""A connector's states, tasks, topics and offsets. Plain functions on FastAPI's thread pool."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Query, Response
from pydantic import BeforeValidator

from replicator.api.errors import BadRequestError
from replicator.herder.base import Herder
from replicator.rest.binding import CONNECTOR_OFFSETS, read_body
from replicator.rest.body import Body, Name, given
from replicator.rest.errors import JsonResponse
from replicator.rest.routing import add
from replicator.rest.secrets import Secrets

_NO_OFFSETS: Final = "Partitions / offsets need to be provided for an alter offsets request"
_OFFSETS: Final = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffsets"

_DIGITS: Final = re.compile(r"[+-]?\d+")


def _number(text: Any) -> int:
    """What Java takes for an integer: nothing but digits behind a sign; 404 otherwise."""
    if not _DIGITS.fullmatch(str(text)):
        raise ValueError("not a number")
    return int(text)


TaskNumber = Annotated[int, BeforeValidator(_number), Path(ge=-(2**31), lt=2**31)]


class StateRoutes:
    """Handlers of what a connector does, and how far it is."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder
        self._secrets = Secrets(herder)

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        one, tasks = "/connectors/{name}", "/connectors/{name}/tasks"
        add(app, "GET", f"{one}/status", self.status)
        add(app, "POST", f"{one}/restart", self.restart)
        add(app, "PUT", f"{one}/pause", self.pause)
        add(app, "PUT", f"{one}/resume", self.resume)
        add(app, "PUT", f"{one}/stop", self.stop)
        add(app, "GET", f"{one}/topics", self.topics)
        add(app, "PUT", f"{one}/topics/reset", self.reset_topics)
        add(app, "GET", tasks, self.tasks)
        add(app, "GET", f"{tasks}/{{task}}/status", self.task_status)
        add(app, "POST", f"{tasks}/{{task}}/restart", self.restart_task)
        add(app, "GET", f"{one}/offsets", self.offsets)
        add(app, "PATCH", f"{one}/offsets", self.alter_offsets)
        add(app, "DELETE", f"{one}/offsets", self.reset_offsets)

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
        # A task's options need not repeat the class, which tells what its passwords are called.
        owner = self._herder.connector_config(name).get("connector.class", "")
        shown: list[dict[str, Any]] = []
        for task in self._herder.task_infos(name):
            hidden = self._secrets.hide({"connector.class": owner} | dict(task.config))
            shown.append(
                {"id": task.id.to_json(), "config": {option: hidden[option] for option in task.config}}
            )
        return JsonResponse(shown)

    def task_status(self, name: Name, task: TaskNumber) -> Response:
        """GET /connectors/X/tasks/i/status."""
        return JsonResponse(self._herder.task_status(name, task).to_json())

    def restart_task(self, name: Name, task: TaskNumber) -> Response:
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
        found = given(read_body(body, CONNECTOR_OFFSETS, _OFFSETS)).get("offsets")
        if not found:
            raise BadRequestError(_NO_OFFSETS)
        if None in found:
            raise BadRequestError("An offset must be an object with a partition and an offset.")
        return JsonResponse({"message": self._herder.alter_offsets(name, found)})

    def reset_offsets(self, name: Name) -> Response:
        """DELETE /connectors/X/offsets."""
        return JsonResponse({"message": self._herder.reset_offsets(name)})
