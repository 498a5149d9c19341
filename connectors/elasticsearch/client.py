"""Requests to the cluster, with retries and another node when one does not answer. Safe from several threads.

Plain HTTP, because the official clients refuse each other's servers: this speaks to Elasticsearch and OpenSearch alike.
"""

from __future__ import annotations

import gzip
import itertools
import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx
import orjson

from connectors.elasticsearch.options import node_url
from replicator.api import ConnectError, RetriableError
from replicator.api.tls import client_context

log = logging.getLogger(__name__)

_RETRIABLE: Final = frozenset({429, 502, 503, 504})
_LONGEST_BACKOFF: Final = 60.0
_SHOWN: Final = 500
TOO_LARGE: Final = 413


class Answer:
    """What the cluster said.

    Attributes:
        status: HTTP status.
        body: parsed JSON, or None when there was none.
    """

    __slots__ = ("body", "status", "text")

    def __init__(self, status: int, content: bytes) -> None:
        self.status = status
        self.text = content[:_SHOWN].decode(errors="replace")
        try:
            self.body: Any = orjson.loads(content) if content else None
        except orjson.JSONDecodeError:
            self.body = None

    @property
    def is_good(self) -> bool:
        """Whether the request was carried out."""
        return self.status < 300

    @property
    def error_type(self) -> str:
        """The server's name of the error, or nothing."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return str(error.get("type", "")) if isinstance(error, dict) else ""


class Client:
    """Connections to the nodes of one cluster."""

    def __init__(self, options: Mapping[str, Any], stopping: threading.Event) -> None:
        self._urls = _urls(options)
        self._turn = itertools.cycle(range(len(self._urls)))
        self._current = next(self._turn)
        self._stopping = stopping
        self._retries: int = options["max.retries"]
        self._backoff: float = options["retry.backoff.ms"] / 1000
        self._compressed: bool = options["connection.compression"]
        self._http = _http(options, self._urls)

    def request(self, method: str, path: str, body: Any = None) -> Answer:
        """One request, tried again while that may help; path segments must be quoted.

        Raises:
            ConnectError: no node answered, or the account may not do this.
        """
        content = None if body is None else orjson.dumps(body)
        return self.retrying(lambda: self.once(method, path, content), f"{method} {path}")

    def retrying(self, call: Callable[[], Answer], what: str) -> Answer:
        """Call until it does not raise RetriableError, at most `max.retries` times more."""
        attempt = 0
        while True:
            try:
                return call()
            except RetriableError as error:
                attempt += 1
                if attempt > self._retries or self._stopping.is_set():
                    raise ConnectError(f"{what} failed after {attempt} attempts: {error}") from error
                log.warning("%s failed and is tried again: %s", what, error)
                self.wait(attempt)

    def wait(self, attempt: int) -> None:
        """The pause before the attempt of that number; ends early when the task stops."""
        longest = min(self._backoff * 2 ** min(attempt - 1, 20), _LONGEST_BACKOFF)
        self._stopping.wait(random.uniform(longest / 2, longest))

    @property
    def retries(self) -> int:
        """How often to try again."""
        return self._retries

    def once(self, method: str, path: str, content: bytes | None, kind: str = "application/json") -> Answer:
        """One request, once.

        Raises:
            RetriableError: the node does not answer, or is too busy.
            ConnectError: the account is refused.
        """
        headers = {"Content-Type": kind, "Accept": "application/json"} if content is not None else {}
        if content is not None and self._compressed:
            content, headers = gzip.compress(content, 6), {**headers, "Content-Encoding": "gzip"}
        url = self._urls[self._current]
        try:
            answered = self._http.request(method, f"{url}{path}", content=content, headers=headers)
        except httpx.TransportError as error:
            self._current = next(self._turn)
            raise RetriableError(f"{url} does not answer: {type(error).__name__} {error}".rstrip()) from error
        answer = Answer(answered.status_code, answered.content)
        if answer.status in _RETRIABLE:
            self._current = next(self._turn)
            raise RetriableError(f"{url} answered {answer.status}: {answer.text}")
        if answer.status in (401, 403):
            raise ConnectError(
                f"{method} {path} was refused with {answer.status}: {answer.text}",
                hint="Check connection.username, connection.password and the account's privileges.",
            )
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def segment(name: str) -> str:
    """A name as part of a path."""
    return quote(name, safe="")


def _urls(options: Mapping[str, Any]) -> list[str]:
    urls = [node_url(url) for url in options["connection.url"]]
    if options["elastic.security.protocol"].upper() == "SSL" or any(u.startswith("https:") for u in urls):
        return [
            f"https://{url.removeprefix('http://')}" if url.startswith("http://") else url for url in urls
        ]
    return urls


def _http(options: Mapping[str, Any], urls: list[str]) -> httpx.Client:
    account, password = options["connection.username"], options["connection.password"]
    auth = (account, password.reveal() if password is not None else "") if account else None
    connections, idle = options["max.in.flight.requests"] + 1, options["max.connection.idle.time.ms"]
    return httpx.Client(
        auth=auth,
        timeout=httpx.Timeout(
            options["read.timeout.ms"] / 1000, connect=options["connection.timeout.ms"] / 1000, pool=None
        ),
        limits=httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=None if idle < 0 else idle / 1000,
        ),
        proxy=_proxy(options),
        verify=client_context(options, "elastic.https.")
        if any(url.startswith("https:") for url in urls)
        else True,
        trust_env=False,
    )


def _proxy(options: Mapping[str, Any]) -> httpx.Proxy | None:
    if not options["proxy.host"]:
        return None
    user, password = options["proxy.username"], options["proxy.password"]
    auth = (user, password.reveal() if password is not None else "") if user else None
    return httpx.Proxy(f"http://{options['proxy.host']}:{options['proxy.port']}", auth=auth)
