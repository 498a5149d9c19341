"""REST client of the command line: any Connect endpoint, ours or a Java worker's. One thread."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx

from replicator.api.errors import BadRequestError, ConnectError, NotFoundError

DEFAULT_URL: Final = "http://127.0.0.1:8083"
_REBALANCE_WAIT: Final = 1.0
_MOMENTARY: Final = ("momentarily", "rebalance", "conflicting operation")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a worker answers, and how to prove who asks.

    Attributes:
        url: base URL; several, comma-separated, are tried in order.
        user: `name:password` for basic authentication.
        token: bearer token.
        ca: file of certificates to trust.
        cert: client certificate, `cert.pem` or `cert.pem,key.pem`.
        insecure: accept any certificate.
        timeout: seconds to wait for an answer.
    """

    url: str = DEFAULT_URL
    user: str | None = None
    token: str | None = None
    ca: str | None = None
    cert: str | None = None
    insecure: bool = False
    timeout: float = 90.0


class RefusedError(ConnectError):
    """The worker answered with an error.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class ConnectClient:
    """Calls Connect's REST API; waits out rebalances (409) for a while."""

    def __init__(
        self, endpoint: Endpoint, *, patience: float = 30.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._urls = [u.strip().rstrip("/") for u in endpoint.url.split(",") if u.strip()]
        self._endpoint = endpoint
        self._patience = patience
        self._sleep = sleep
        headers = {"Accept": "application/json"}
        if endpoint.token:
            headers["Authorization"] = f"Bearer {endpoint.token}"
        self._http = httpx.Client(
            headers=headers,
            auth=_basic(endpoint.user),
            verify=_tls(endpoint),
            timeout=httpx.Timeout(endpoint.timeout, connect=min(10.0, endpoint.timeout)),
            follow_redirects=True,
        )

    @property
    def url(self) -> str:
        """The URL that is asked first."""
        return self._urls[0]

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def get(self, *path: str, **query: str) -> Any:
        """GET; the parsed body."""
        return self.call("GET", *path, query=query)

    def find(self, *path: str, **query: str) -> Any | None:
        """GET; None when there is no such thing."""
        try:
            return self.get(*path, **query)
        except NotFoundError:
            return None

    def call(
        self, method: str, *path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> Any | None:
        """Any request; the parsed body, or None where there is none.

        Raises:
            NotFoundError: 404.
            RefusedError: another error of the worker.
            ConnectError: nobody answers, or something that is no Connect worker.
        """
        deadline = time.monotonic() + self._patience
        while True:
            answer = self._send(method, "/" + "/".join(quote(p, safe="") for p in path), body, query)
            if answer.status_code < 400:
                return self._parsed(answer)
            error = self._error(answer)
            momentary = answer.status_code == 409 and any(word in error.message for word in _MOMENTARY)
            if not momentary or time.monotonic() > deadline:
                raise error
            self._sleep(_REBALANCE_WAIT)

    def _send(self, method: str, path: str, body: Any, query: Mapping[str, str] | None) -> httpx.Response:
        problem: ConnectError | None = None
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        for url in list(self._urls):
            try:
                answer = self._http.request(
                    method, url + path, content=content, headers=headers, params=query or None
                )
            except httpx.HTTPError as error:
                problem = _unreachable(url, error, self._endpoint)
                continue
            except (httpx.InvalidURL, ValueError) as error:
                raise BadRequestError(
                    f"{url} is not a URL: {error}", hint=f"Write it like {DEFAULT_URL}."
                ) from None
            if url != self._urls[0]:
                self._urls.remove(url)
                self._urls.insert(0, url)
            return answer
        raise problem or BadRequestError("No URL was given.", hint=f"Write --url {DEFAULT_URL}.")

    def _parsed(self, answer: httpx.Response) -> Any | None:
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise ConnectError(
                f"{answer.request.url} answered with something that is not JSON.",
                hint="Is this the REST address of a Connect worker? Its GET / shows a version.",
            ) from None

    def _error(self, answer: httpx.Response) -> ConnectError:
        message = f"HTTP {answer.status_code} {answer.reason_phrase}"
        try:
            found = answer.json()
            if isinstance(found, dict) and found.get("message"):
                message = str(found["message"])
        except ValueError:
            pass
        status = answer.status_code
        if status == 404 and message.startswith("HTTP 404"):
            return NotFoundError(
                f"{answer.request.url} does not exist.",
                hint="Is this the REST address of a Connect worker, without a path? What is below /replicator only"
                " workers of this program have.",
            )
        if status == 404:
            return NotFoundError(message)
        hint = None
        if status == 401:
            hint = "Give --user NAME:PASSWORD or --token TOKEN."
        elif status == 403:
            hint = "This account may not do that, or the listener serves local names only."
        return RefusedError(status, message, hint)


def _basic(user: str | None) -> tuple[str, str] | None:
    if not user:
        return None
    name, _, password = user.partition(":")
    return name, password


def _tls(endpoint: Endpoint) -> ssl.SSLContext | bool:
    if not endpoint.url.lower().startswith("https"):
        return True
    try:
        context = ssl.create_default_context(cafile=endpoint.ca)
        if endpoint.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if endpoint.cert:
            cert, _, key = endpoint.cert.partition(",")
            context.load_cert_chain(cert, key or None)
    except (OSError, ssl.SSLError) as error:
        files = " or ".join(str(f) for f in (endpoint.ca, endpoint.cert) if f)
        raise ConnectError(f"{files} cannot be used for TLS: {error}") from None
    return context


def _unreachable(url: str, error: httpx.HTTPError, endpoint: Endpoint) -> ConnectError:
    text = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return ConnectError(
            f"{url} did not answer within {endpoint.timeout:g} s.",
            hint="Is the host right, and does a firewall let the port pass? A busy worker needs --timeout.",
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return ConnectError(
            f"The certificate of {url} is not trusted: {text}.",
            hint="Name the authority's certificate with --ca FILE.",
        )
    if isinstance(error, httpx.ConnectError) and "SSL" not in text:
        return ConnectError(
            f"Nothing answers at {url} ({text}).",
            hint="Is the worker running, and is this the address in its option listeners? Another one is given"
            " by --url or REPLICATOR_CONNECT_URL.",
        )
    return ConnectError(
        f"Talking to {url} failed: {text}.", hint="Does the listener speak the URL's scheme (http or https)?"
    )
