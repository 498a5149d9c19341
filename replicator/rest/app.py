"""Builds the application: Connect's endpoints, our own below /replicator, metrics and the page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from replicator import __version__
from replicator.broker.base import Broker
from replicator.herder.base import Herder
from replicator.rest import errors, forwarding
from replicator.rest.accounts import AccountSource
from replicator.rest.admin import AdminRoutes
from replicator.rest.auth import Authentication
from replicator.rest.browse import TopicRoutes
from replicator.rest.connectors import ConnectorRoutes
from replicator.rest.guard import Guard
from replicator.rest.headers import HeaderRule, ResponseHeaders
from replicator.rest.internal import InternalRoutes
from replicator.rest.letters import LetterRoutes
from replicator.rest.levels import LoggerLevels
from replicator.rest.loggers import LoggerRoutes
from replicator.rest.overview import Overview
from replicator.rest.overview_routes import OverviewRoutes
from replicator.rest.page import Page
from replicator.rest.plugins import PluginRoutes
from replicator.rest.routing import Methods, Paths
from replicator.rest.schemas import SchemaRoutes
from replicator.rest.signals import SignalRoutes
from replicator.rest.states import StateRoutes


def create_app(
    herder: Herder,
    *,
    overview: Overview | None = None,
    broker: Broker | None = None,
    allow_origin: str = "",
    allow_methods: str = "",
    local_only: bool = False,
    levels: LoggerLevels | None = None,
    accounts: AccountSource | None = None,
    public: Collection[str] = (),
    private_topics: Collection[str] = (),
    registry: Mapping[str, Any] | None = None,
    headers: Sequence[HeaderRule] = (),
) -> FastAPI:
    """The application over a herder.

    Args:
        herder: owner of the connectors.
        broker: where topics live; without it nothing about topics is served.
        overview: collector of the overview; one that does not sample by itself when not given.
        allow_origin: origins for CORS, comma-separated; empty: none.
        allow_methods: methods for CORS; empty: GET, POST and HEAD.
        local_only: refuse host names other than local ones (for loopback listeners).
        levels: of the logging endpoints; None: they are not here, but on listeners of their own.
        accounts: who may do what; None: everybody everything.
        public: paths that may be read without an account.
        private_topics: topics whose records are not shown: they hold secrets.
        registry: how converters reach the schema registry, for records that are shown; None: the worker's own.
        headers: further headers of every answer.
    """
    app = FastAPI(title="Replicator", version=__version__, redirect_slashes=False)
    errors.install(app)
    forwarding.install(app, herder)
    app.state.doing = getattr(herder, "doing", None)
    AdminRoutes(herder).install(app)
    if levels is not None:
        LoggerRoutes(herder, levels).install(app)
    ConnectorRoutes(herder).install(app)
    StateRoutes(herder).install(app)
    InternalRoutes(herder).install(app)
    PluginRoutes(herder).install(app)
    SignalRoutes(herder).install(app)
    SchemaRoutes().install(app)
    OverviewRoutes(overview or Overview(herder), herder).install(app)
    if broker is not None:
        LetterRoutes(broker, private_topics).install(app)
        TopicRoutes(broker, private_topics, registry or {}).install(app)
    origins = [o.strip() for o in allow_origin.split(",") if o.strip()]
    _protect(app, origins, local_only=local_only, accounts=accounts, public=public, page=True)
    if origins:
        methods = [m.strip() for m in allow_methods.split(",") if m.strip()]
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=methods or ["GET", "POST", "HEAD"],
            allow_headers=["Authorization", "Content-Type"],
        )
    if headers:
        app.add_middleware(ResponseHeaders, rules=list(headers))
    return app


def create_admin_app(
    herder: Herder,
    levels: LoggerLevels,
    *,
    local_only: bool = False,
    accounts: AccountSource | None = None,
) -> FastAPI:
    """The logging endpoints alone, for `admin.listeners`."""
    app = FastAPI(title="Replicator", version=__version__, redirect_slashes=False, openapi_url=None)
    errors.install(app)
    LoggerRoutes(herder, levels).install(app)
    _protect(app, (), local_only=local_only, accounts=accounts, public=())
    return app


def _protect(
    app: FastAPI,
    origins: Collection[str],
    *,
    local_only: bool,
    accounts: AccountSource | None,
    public: Collection[str],
    page: bool = False,
) -> None:
    """Innermost first: roles are judged by paths as routes see them."""
    app.add_middleware(Methods, routes=app.routes)
    if accounts is not None:
        app.add_middleware(Authentication, accounts=accounts, public=public)
    if page:
        app.add_middleware(Page)
    app.add_middleware(Paths)
    app.add_middleware(Guard, origins=origins, local_only=local_only)
