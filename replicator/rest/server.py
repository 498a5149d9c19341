"""RestServer: the HTTP API on a thread of its own.

The port is taken at once by `start`, so that a port in use is an error before anything runs;
the web framework is imported on the server's thread meanwhile, so that replication need not wait
for it. Requests that come earlier wait in the socket's queue.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
from typing import TYPE_CHECKING, Any

from replicator.api.errors import ConfigError, ConnectError
from replicator.herder.base import Herder

if TYPE_CHECKING:
    import uvicorn

    from replicator.rest.overview import Overview

log = logging.getLogger(__name__)

_BACKLOG = 128


class RestServer:
    """Serves a herder.

    Attributes:
        host: address listened on.
        port: port listened on; the real one once started.
    """

    def __init__(self, herder: Herder, *, host: str = "127.0.0.1", port: int = 8083, **options: Any) -> None:
        self.host = host
        self.port = port
        self._herder = herder
        self._options = options
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._overview: Overview | None = None
        self._stopping = threading.Event()
        self._failure: Exception | None = None
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        """Where it answers."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self) -> None:
        """Take the port and begin to serve.

        Raises:
            ConfigError: the port is in use or may not be taken.
        """
        bound = self._bind()
        self.port = bound.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(bound,), name="rest", daemon=True)
        self._thread.start()

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
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=10)
        if self._overview is not None:
            self._overview.stop()

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        taken = socket.socket(family, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((self.host, self.port))
            taken.listen(_BACKLOG)
        except OSError as error:
            taken.close()
            why = (
                "is in use"
                if error.errno == errno.EADDRINUSE
                else f"cannot be used: {error.strerror or error}"
            )
            raise ConfigError(
                f"Port {self.port} on {self.host or 'all addresses'} {why}.",
                option="listeners",
                hint="Choose another port, or switch the REST API off.",
            ) from error
        return taken

    def _run(self, bound: socket.socket) -> None:
        try:
            self._serve(bound)
        except Exception as error:
            self._failure = error
            log.exception("The REST API ended")
        finally:
            self._ready.set()
            bound.close()

    def _serve(self, bound: socket.socket) -> None:
        import uvicorn

        from replicator.rest.app import create_app
        from replicator.rest.overview import Overview

        self._overview = Overview(self._herder)
        self._overview.start()
        local = self.host in ("127.0.0.1", "::1", "localhost")
        app = create_app(self._herder, overview=self._overview, local_only=local, **self._options)
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        if self._stopping.is_set():
            return
        self._ready.set()
        self._server.run(sockets=[bound])
