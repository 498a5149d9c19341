"""Signed requests of a worker to the leader of its group. Any thread."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import orjson

from replicator.api.errors import ConnectError, RetriableError
from replicator.herder.sessions import sign
from replicator.storage.base import SessionKey

_TIMEOUT: Final = 30.0


class Peers:
    """Requests between workers (KIP-507).

    Attributes:
        tls: how to speak to workers with https addresses; None: as the system trusts.
    """

    def __init__(self, key: Callable[[], SessionKey | None], algorithm: str) -> None:
        self.tls: ssl.SSLContext | None = None
        self._key = key
        self._algorithm = algorithm

    def put_task_configs(self, leader: str, name: str, configs: list[dict[str, str]]) -> None:
        """Let the leader store task configurations."""
        self._send("POST", f"{leader.rstrip('/')}/connectors/{quote(name, safe='')}/tasks", configs)

    def fence(self, leader: str, name: str) -> None:
        """Let the leader fence the producers of a connector's former tasks."""
        self._send("PUT", f"{leader.rstrip('/')}/connectors/{quote(name, safe='')}/fence", [])

    def announce_leave(self, leader: str, member: str) -> None:
        """Tell the leader that this worker has drained and leaves."""
        self._send("PUT", f"{leader.rstrip('/')}/replicator/departures", {"member": member}, timeout=3.0)

    def _send(self, method: str, url: str, content: Any, timeout: float = _TIMEOUT) -> None:
        body = orjson.dumps(content)
        headers = {"Content-Type": "application/json"}
        key = self._key()
        if key is not None:
            headers |= sign(key, self._algorithm, body)
        request = urllib.request.Request(url, body, headers, method=method)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls)
        )
        try:
            with opener.open(request, timeout=timeout):
                return
        except urllib.error.HTTPError as error:
            raise _refused(error) from error
        except OSError as error:
            raise RetriableError(f"IO Error trying to forward REST request: {url}: {error}") from error


def _refused(error: urllib.error.HTTPError) -> ConnectError:
    try:
        message = str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError):
        message = f"HTTP {error.code}"
    cls = RetriableError if error.code in (409, 500, 503) else ConnectError
    return cls(message)
