"""HttpTransport: requests to one of several registries over HTTP. Task thread.

The registry that answered last is asked first; one that cannot be reached or is out of order is
passed over. When none answers, the round is repeated with growing waits, then RetriableError.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import orjson

from replicator.api.errors import ConfigError
from replicator.api.option_types import Secret
from replicator.api.tls import client_context
from replicator.converters.registry.model import Answer, RegistryUnavailableError

log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_OUT_OF_ORDER: Final = frozenset((408, 429, 500, 502, 503, 504))
_HEADER: Final = "request.header."


class HttpTransport:
    """See the module."""

    def __init__(self, urls: Sequence[str], options: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self._options = options
        self._bases: list[tuple[str, httpx.BasicAuth | None]] = [_split(url) for url in urls]
        self._auth = _basic_auth(options)
        self._token = _Token(options) if options["bearer.auth.credentials.source"] else None
        timeout = httpx.Timeout(
            options["http.read.timeout.ms"] / 1000, connect=options["http.connect.timeout.ms"] / 1000
        )
        host = options["proxy.host"]
        self._client = httpx.Client(
            verify=client_context(options) if any(b.startswith("https") for b, _ in self._bases) else False,
            timeout=timeout,
            headers={"Accept": f"{CONTENT_TYPE}, application/json", "Content-Type": CONTENT_TYPE, **headers},
            proxy=f"http://{host}:{options['proxy.port']}" if host else None,
            trust_env=False,
        )

    def call(self, method: str, path: str, query: Mapping[str, str], body: Any = None) -> Answer:
        wait = self._options["retries.wait.ms"] / 1000
        longest = self._options["retries.max.wait.ms"] / 1000
        for left in range(self._options["max.retries"], -1, -1):
            try:
                return self._round(method, path, query, body)
            except RegistryUnavailableError as error:
                if left == 0:
                    raise
                log.warning("%s; %d more attempts", error, left)
            time.sleep(min(wait, longest) * random.uniform(0.5, 1.0))
            wait *= 2
        raise RegistryUnavailableError("No schema registry was asked.")

    def close(self) -> None:
        self._client.close()

    def _round(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        failures: list[str] = []
        for _ in range(len(self._bases)):
            base, own_auth = self._bases[0]
            try:
                answer = self._send(method, base + path, query, body, self._auth or own_auth)
            except httpx.HTTPError as error:
                failures.append(f"{base}: {str(error) or type(error).__name__}")
            else:
                if answer.status not in _OUT_OF_ORDER:
                    return answer
                failures.append(f"{base}: HTTP status {answer.status} {_message(answer.body)}".rstrip())
            self._bases.append(self._bases.pop(0))
        raise RegistryUnavailableError(f"No schema registry answers ({'; '.join(failures)})")

    def _send(
        self, method: str, url: str, query: Mapping[str, str], body: Any, auth: httpx.BasicAuth | None
    ) -> Answer:
        headers = self._token.headers(self._client) if self._token else {}
        response = self._client.request(
            method,
            url,
            params=query or None,
            content=orjson.dumps(body) if body is not None else None,
            headers=headers,
            auth=auth,
        )
        try:
            parsed = orjson.loads(response.content) if response.content else None
        except orjson.JSONDecodeError:
            parsed = {"message": response.text[:300]}
        return Answer(response.status_code, parsed)


class _Token:
    """The bearer token: given, or asked for with client credentials and renewed in time."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._static = str(options["bearer.auth.credentials.source"]).upper() == "STATIC_TOKEN"
        needed = (
            ("bearer.auth.token",)
            if self._static
            else ("bearer.auth.issuer.endpoint.url", "bearer.auth.client.id", "bearer.auth.client.secret")
        )
        for name in needed:
            if not options[name]:
                raise ConfigError(f'Missing required configuration "{name}" which has no default value.',
                                  option=name)  # fmt: skip
        self._value = ""
        self._until = 0.0

    def headers(self, client: httpx.Client) -> dict[str, str]:
        """The headers of a request."""
        found = {"Authorization": f"Bearer {self._current(client)}"}
        for option, header in (
            ("bearer.auth.logical.cluster", "target-sr-cluster"),
            ("bearer.auth.identity.pool.id", "Confluent-Identity-Pool-Id"),
        ):
            if self._options[option]:
                found[header] = self._options[option]
        return found

    def _current(self, client: httpx.Client) -> str:
        if self._static:
            return str(_reveal(self._options["bearer.auth.token"]))
        if time.monotonic() >= self._until:
            self._renew(client)
        return self._value

    def _renew(self, client: httpx.Client) -> None:
        form = {"grant_type": "client_credentials"}
        if self._options["bearer.auth.scope"]:
            form["scope"] = self._options["bearer.auth.scope"]
        response = client.post(
            self._options["bearer.auth.issuer.endpoint.url"],
            data=form,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            auth=(
                self._options["bearer.auth.client.id"],
                str(_reveal(self._options["bearer.auth.client.secret"])),
            ),
        )
        if response.status_code != 200:
            raise RegistryUnavailableError(
                f"The token issuer answered with HTTP status {response.status_code}: {response.text[:200]}"
            )
        token = orjson.loads(response.content)
        lasts = float(token.get("expires_in", 3600))
        buffer = float(self._options["bearer.auth.cache.expiry.buffer.seconds"])
        self._value = str(token["access_token"])
        self._until = time.monotonic() + (lasts - buffer if buffer < lasts else lasts)


def request_headers(raw: Mapping[str, Any]) -> dict[str, str]:
    """The headers that `request.header.<name>` options ask for."""
    return {name.removeprefix(_HEADER): str(v) for name, v in raw.items() if name.startswith(_HEADER)}


def _split(url: str) -> tuple[str, httpx.BasicAuth | None]:
    """A base URL without credentials, and those that were in it."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"Invalid value {url} for configuration schema.registry.url: it needs http:// or https:// and a host.",
            option="schema.registry.url",
        )
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    return base, httpx.BasicAuth(unquote(name), unquote(password)) if user else None


def _basic_auth(options: Mapping[str, Any]) -> httpx.BasicAuth | None:
    source = str(options["basic.auth.credentials.source"]).upper()
    if source == "USER_INFO":
        info = _reveal(options["basic.auth.user.info"])
        if not info:
            raise ConfigError(
                "basic.auth.user.info must be provided when basic.auth.credentials.source is set to USER_INFO",
                option="basic.auth.user.info",
            )
        name, _, password = info.partition(":")
        return httpx.BasicAuth(name, password)
    return _sasl(options) if source == "SASL_INHERIT" else None


def _sasl(options: Mapping[str, Any]) -> httpx.BasicAuth:
    name, password = options["sasl.username"], _reveal(options["sasl.password"])
    module = _reveal(options["sasl.jaas.config"]) or ""
    found = dict(re.findall(r'(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"', module))
    name, password = name or found.get("username"), password or found.get("password")
    if not name or password is None:
        raise ConfigError(
            "SASL_INHERIT needs sasl.jaas.config, or sasl.username and sasl.password.",
            option="sasl.jaas.config",
        )
    return httpx.BasicAuth(name, password)


def _reveal(value: Secret | str | None) -> str | None:
    return value.reveal() if isinstance(value, Secret) else value


def _message(body: Any) -> str:
    return str(body.get("message", "")) if isinstance(body, dict) else ""
