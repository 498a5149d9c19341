"""RestServer: the HTTP API, each listener on a thread of its own.

Ports are taken at once by `start`, so that a port in use is an error before anything runs; the web framework is
imported on the server's thread when the first connection comes, which waits in the socket's queue meanwhile.
"""

from __future__ import annotations

import errno
import logging
import select
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from replicator.api.errors import ConfigError, ConnectError
from replicator.config.listeners import Listener
from replicator.herder.base import Herder
from replicator.rest.levels import LoggerLevels

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from replicator.broker.base import Broker
    from replicator.config.worker import WorkerConfig
    from replicator.rest.overview import Overview

log = logging.getLogger(__name__)

_BACKLOG = 128


class RestServer:
    """Serves a herder.

    Attributes:
        host: address of the first listener.
        port: its port; the real one once started.
        listeners: all addresses, with real ports once started.
    """

    def __init__(
        self,
        herder: Herder,
        *,
        host: str = "127.0.0.1",
        port: int = 8083,
        listeners: Sequence[Listener] | None = None,
        admin: Sequence[Listener] | None = None,
        tls: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        """Over a herder.

        Args:
            herder: owner of the connectors.
            host: address to listen on, when there is no list.
            port: port to listen on, when there is no list.
            listeners: addresses of the API.
            admin: addresses of the logging endpoints; None: the API's; empty: they are off.
            tls: for listeners of scheme https.
            options: of `create_app`.
        """
        self.listeners = list(listeners) if listeners is not None else [Listener("http", host, port)]
        self.host = self.listeners[0].host if self.listeners else ""
        self.port = self.listeners[0].port if self.listeners else 0
        self._admin = None if admin is None else list(admin)
        self._tls = tls
        self._herder = herder
        self._options = options
        self._levels = LoggerLevels()
        if hasattr(herder, "on_logger_level"):
            herder.on_logger_level = self._levels.follow
        self._threads: list[threading.Thread] = []
        self._servers: list[uvicorn.Server] = []
        self._overview: Overview | None = None
        self._stopping = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._failure: Exception | None = None
        self._ready = threading.Event()

    @classmethod
    def of_worker(
        cls,
        herder: Herder,
        config: WorkerConfig,
        broker: Broker | None = None,
        *,
        listeners: Sequence[Listener] | None = None,
    ) -> RestServer:
        """As a worker's options say; `listeners`, when given, are those of the options with ports chosen.

        Raises:
            ConfigError: an option is wrong.
        """
        from replicator.rest.setup import server_options

        options = server_options(config)
        if listeners is not None:
            options["listeners"] = listeners
        return cls(herder, broker=broker, **options)

    @property
    def admin(self) -> list[Listener]:
        """Addresses of the logging endpoints, when these are apart."""
        return list(self._admin or ())

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.listeners[0]._replace(port=self.port).url

    def start(self) -> None:
        """Take the ports and begin to serve.

        Raises:
            ConfigError: a port is in use or may not be taken.
        """
        bound = self._bind_all(self.listeners)
        admin = self._bind_all(self._admin or []) if self._admin is not None else []
        self.listeners = [one for one, _ in bound]
        self.port = self.listeners[0].port
        self._admin = [one for one, _ in admin] if self._admin is not None else None
        starter = threading.Thread(target=self._run, args=(bound, admin), name="rest", daemon=True)
        self._threads.append(starter)
        starter.start()

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Wait until requests are answered.

        Raises:
            ConnectError: the server failed, or took too long.
        """
        if not self._ready.wait(timeout) or self._failure is not None:
            raise ConnectError(f"The REST API did not start: {self._failure or 'no answer in time'}")

    def stop(self) -> None:
        """End serving; waits for requests under way."""
        self._stopping.set()
        self._wake.close()
        for server in self._servers:
            server.should_exit = True
        for thread in self._threads:
            thread.join(timeout=10)
        if self._overview is not None:
            self._overview.stop()

    def _bind_all(self, listeners: Sequence[Listener]) -> list[tuple[Listener, socket.socket]]:
        found = []
        for listener in listeners:
            taken = _bind(listener)
            found.append((listener._replace(port=taken.getsockname()[1]), taken))
        return found

    def _run(
        self, bound: list[tuple[Listener, socket.socket]], admin: list[tuple[Listener, socket.socket]]
    ) -> None:
        try:
            self._serve(bound, admin)
        except Exception as error:
            self._failure = error
            log.exception("The REST API ended")
        finally:
            self._ready.set()
            for _, taken in (*bound, *admin):
                taken.close()
            self._woken.close()

    def _serve(
        self, bound: list[tuple[Listener, socket.socket]], admin: list[tuple[Listener, socket.socket]]
    ) -> None:
        from replicator.rest.overview import Overview

        self._overview = Overview(self._herder)
        self._overview.start()
        if not self._somebody_asks([taken for _, taken in (*bound, *admin)]):
            return
        from replicator.rest.app import create_admin_app, create_app

        work: list[tuple[uvicorn.Server, socket.socket]] = []
        for listener, taken in bound:
            app = create_app(
                self._herder,
                overview=self._overview,
                local_only=listener.loopback,
                levels=self._levels if self._admin is None else None,
                **self._options,
            )
            work.append((self._server(app, listener), taken))
        for listener, taken in admin:
            app = create_admin_app(
                self._herder,
                self._levels,
                local_only=listener.loopback,
                accounts=self._options.get("accounts"),
            )
            work.append((self._server(app, listener), taken))
        self._servers = [server for server, _ in work]
        if self._stopping.is_set():
            return
        for server, taken in work[1:]:
            thread = threading.Thread(target=server.run, args=([taken],), name="rest", daemon=True)
            self._threads.append(thread)
            thread.start()
        first, taken = work[0]
        first.run(sockets=[taken])

    def _somebody_asks(self, listening: Sequence[socket.socket]) -> bool:
        """Wait for the first connection; False when the service stops before there is one.

        Connections are taken from here on: they wait in the socket's queue. The web framework takes as much memory and
        time to import as all the rest, and a pipeline starts when there is most to do.
        """
        self._ready.set()
        select.select([*listening, self._woken], [], [])
        return not self._stopping.is_set()

    def _server(self, app: FastAPI, listener: Listener) -> uvicorn.Server:
        import uvicorn

        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        config.load()
        if listener.scheme == "https":
            config.ssl = self._tls
        return uvicorn.Server(config)


def _bind(listener: Listener) -> socket.socket:
    host, port = listener.host, listener.port
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(_BACKLOG)
    except OSError as error:
        taken.close()
        in_use = error.errno == errno.EADDRINUSE
        why = "is in use" if in_use else f"cannot be used: {error.strerror or error}"
        raise ConfigError(
            f"Port {port} on {host or 'all addresses'} {why}.",
            option="listeners",
            hint="Choose another port, or switch the REST API off.",
        ) from error
    return taken
