"""What a worker's options mean for its REST API: addresses, TLS, accounts, headers. Read once, before anything runs."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from typing import Any, Final

from replicator.api.config import split_prefix
from replicator.api.errors import ConfigError
from replicator.config.listeners import Listener, parse_listeners
from replicator.config.tls import client_context, https_options, server_context
from replicator.config.worker import WorkerConfig
from replicator.rest.accounts import AccountSource
from replicator.rest.headers import parse_headers

log = logging.getLogger(__name__)

_PUBLIC: Final = "rest.auth.public.paths"


def server_options(config: WorkerConfig, port: int | None = None) -> dict[str, Any]:
    """Arguments of `RestServer` for a worker; `port` replaces the first listener's.

    Raises:
        ConfigError: an option is wrong.
    """
    listeners = parse_listeners(config["listeners"] or ())
    if not listeners:
        raise ConfigError("There is no listener.", option="listeners")
    if port is not None:
        listeners[0] = listeners[0]._replace(port=port)
    admin = _admin(config, listeners)
    every = [*listeners, *(admin or ())]
    accounts = AccountSource.of_worker(config.raw)
    if accounts is None:
        _warn(every)
    return {
        "listeners": listeners,
        "admin": admin,
        "tls": _tls(config, every),
        "allow_origin": config["access.control.allow.origin"],
        "allow_methods": config["access.control.allow.methods"],
        "headers": parse_headers(config["response.http.headers.config"] or ""),
        "accounts": accounts,
        "public": _public(config),
        "registry": _registry(config),
        # Passwords of connectors and the group's session key are in there.
        "private_topics": [config["config.storage.topic"]],
    }


def peer_context(config: WorkerConfig) -> ssl.SSLContext | None:
    """How a worker speaks to others with https addresses; None: as the system trusts.

    Raises:
        ConfigError: an option is wrong.
    """
    options = https_options(config.raw)
    return client_context(options) if options else None


def _admin(config: WorkerConfig, listeners: Sequence[Listener]) -> list[Listener] | None:
    given = config["admin.listeners"]
    if given is None:
        return None
    own = parse_listeners(given, "admin.listeners")
    # The same addresses mean the same server; port 0 is another one each time.
    same = own and all(listener in listeners and listener.port for listener in own)
    return None if same else own


def _tls(config: WorkerConfig, listeners: Sequence[Listener]) -> ssl.SSLContext | None:
    if not any(listener.scheme == "https" for listener in listeners):
        return None
    return server_context(https_options(config.raw))


def _public(config: WorkerConfig) -> list[str]:
    given = config[_PUBLIC]
    if given is None:
        # Probes need no account; Java's extension asks one of them, too.
        return [] if config["rest.extension.classes"] else ["/health"]
    return [path.strip().rstrip("/") or "/" for path in given if path.strip()]


def _registry(config: WorkerConfig) -> dict[str, Any]:
    """Options of the worker's own converter, when it uses a schema registry."""
    given = split_prefix(config.raw, "value.converter.")
    return dict(given) if "schema.registry.url" in given else {}


def _warn(listeners: Sequence[Listener]) -> None:
    open_to = sorted({listener.url for listener in listeners if not listener.loopback})
    if open_to:
        log.warning(
            "The REST API listens on %s, for everybody who reaches this machine, and asks for no password:"
            " set rest.auth.* or listen on 127.0.0.1.",
            ", ".join(open_to),
        )
