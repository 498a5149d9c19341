"""GET /replicator/overview and /replicator/session (our own additions). Plain functions on the thread pool."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from replicator.rest.auth import ROLE
from replicator.rest.errors import JsonResponse
from replicator.rest.overview import Overview

_FRESH = {"Cache-Control": "no-store"}


class OverviewRoutes:
    """Handlers over the sampler."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        app.add_api_route("/replicator/overview", self.show, methods=["GET"])
        app.add_api_route("/replicator/session", self.session, methods=["GET"])

    def show(self) -> Response:
        """GET /replicator/overview."""
        return JsonResponse(self._overview.document(), headers=_FRESH)

    def session(self, request: Request) -> Response:
        """GET /replicator/session: whether accounts are asked for, and the caller's role."""
        role = request.scope.get(ROLE)
        return JsonResponse({"authentication": role is not None, "role": role or "admin"}, headers=_FRESH)
