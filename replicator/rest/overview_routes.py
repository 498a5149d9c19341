"""GET /replicator/overview and /replicator/session (our own additions). Plain functions on the thread pool."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request, Response

from replicator.herder.base import Herder
from replicator.rest.auth import ROLE
from replicator.rest.errors import JsonResponse
from replicator.rest.overview import KEPT_POINTS, Overview
from replicator.rest.overview_peers import Peers

_FRESH = {"Cache-Control": "no-store"}


class OverviewRoutes:
    """Handlers over the sampler; `herder` tells whether there are other workers."""

    def __init__(self, overview: Overview, herder: Herder) -> None:
        self._overview = overview
        self._herder = herder
        self._peers: Peers | None = None

    def install(self, app: FastAPI) -> None:
        """Register the endpoints."""
        app.add_api_route("/replicator/overview", self.show, methods=["GET"])
        app.add_api_route("/replicator/session", self.session, methods=["GET"])

    def show(
        self,
        request: Request,
        workers: Literal["this", "all"] = "this",
        points: Annotated[int, Query(ge=0)] = KEPT_POINTS,
        whole: str | None = None,
    ) -> Response:
        """GET /replicator/overview.

        With `workers=all` other workers of the group add what they know. `points` shortens histories, but that of the
        connector `whole`.
        """
        document = self._overview.document(points, whole)
        peers = self._group() if workers == "all" else None
        if peers is not None:
            authorization = request.headers.get("authorization", "")
            query = {"points": str(points)} | ({} if whole is None else {"whole": whole})
            document = peers.complete(document, request.url.scheme, authorization, query)
        return JsonResponse(document, headers=_FRESH)

    def _group(self) -> Peers | None:
        """The other workers, for distributed workers."""
        facts = getattr(self._herder, "worker_facts", None)
        if self._peers is None and facts is not None:
            self._peers = Peers(facts()["worker_id"], getattr(self._herder, "peer_tls", None))
        return self._peers

    def session(self, request: Request) -> Response:
        """GET /replicator/session: whether accounts are asked for, and the caller's role."""
        role = request.scope.get(ROLE)
        return JsonResponse({"authentication": role is not None, "role": role or "admin"}, headers=_FRESH)
