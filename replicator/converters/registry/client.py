"""RegistryClient: the questions converters ask, with what was answered before kept.

Belongs to one converter (task thread). Ids and versions never change their meaning, so they are
kept for good up to the configured number; the latest version is asked for again after its time to live.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

from replicator.converters.registry.model import (
    Answer,
    Registered,
    RegistryError,
    RegistryUnavailableError,
    SchemaText,
    Transport,
)

_T = TypeVar("_T")
_RETRIABLE: Final = frozenset((408, 429, 500, 502, 503, 504))


class RegistryClient:
    """See the module."""

    def __init__(self, transport: Transport, *, cache_size: int = 1000, latest_ttl: float = -1) -> None:
        self._transport = transport
        self._size = cache_size
        self._latest_ttl = latest_ttl
        self._known: dict[Hashable, Any] = {}
        self._latest: dict[str, tuple[float, Registered]] = {}

    def register(self, subject: str, schema: SchemaText, *, normalize: bool = False) -> int:
        """The id of a schema, registered under the subject if it was not.

        Raises:
            RegistryError: invalid or incompatible schema.
        """
        key = ("register", subject, schema, normalize)
        if (found := self._known.get(key)) is None:
            body = self._ask(
                "POST", f"/subjects/{_part(subject)}/versions", _flags(normalize), schema.to_json()
            )
            found = self._keep(key, int(body["id"]))
        return cast(int, found)

    def lookup(
        self, subject: str, schema: SchemaText, *, normalize: bool = False, deleted: bool = False
    ) -> Registered:
        """The registered form of a schema under a subject.

        Raises:
            RegistryError: it is not registered there.
        """
        key = ("lookup", subject, schema, normalize, deleted)
        if (found := self._known.get(key)) is None:
            query = {"deleted": "true" if deleted else "false"} | _flags(normalize)
            body = self._ask("POST", f"/subjects/{_part(subject)}", query, schema.to_json())
            found = self._keep(key, _registered(body))
        return cast(Registered, found)

    def by_id(self, schema_id: int, subject: str | None = None) -> SchemaText:
        """The schema under an id.

        Raises:
            RegistryError: there is none.
        """
        if (found := self._known.get(schema_id)) is None:
            query = {"fetchMaxId": "false"} | ({"subject": subject} if subject else {})
            body = self._ask("GET", f"/schemas/ids/{schema_id}", query)
            found = self._keep(schema_id, SchemaText.of_json(body))
        return cast(SchemaText, found)

    def version(self, subject: str, version: int) -> Registered:
        """A version of a subject, deleted ones too."""
        key = ("version", subject, version)
        if (found := self._known.get(key)) is None:
            path = f"/subjects/{_part(subject)}/versions/{version}"
            found = self._keep(key, _registered(self._ask("GET", path, {"deleted": "true"})))
        return cast(Registered, found)

    def latest(self, subject: str) -> Registered:
        """The newest version of a subject.

        Raises:
            RegistryError: there is no such subject.
        """
        known = self._latest.get(subject)
        now = time.monotonic()
        if known is not None and (self._latest_ttl < 0 or now < known[0] + self._latest_ttl):
            return known[1]
        body = self._ask("GET", f"/subjects/{_part(subject)}/versions/latest", {})
        found = _registered(body)
        if len(self._latest) >= self._size:
            self._latest.clear()
        self._latest[subject] = (now, found)
        return found

    def references(self, schema: SchemaText) -> dict[str, SchemaText]:
        """The schemas that a schema uses, by the names it uses, those of the used ones first."""
        found: dict[str, SchemaText] = {}
        self._resolve(schema, found)
        return found

    def _resolve(self, schema: SchemaText, found: dict[str, SchemaText]) -> None:
        for reference in schema.references:
            if reference.name not in found:
                used = self.version(reference.subject, reference.version).schema
                self._resolve(used, found)
                found[reference.name] = used

    def close(self) -> None:
        """Release the connections."""
        self._transport.close()

    def _keep(self, key: Hashable, value: _T) -> _T:
        if len(self._known) >= self._size:
            self._known.clear()
        self._known[key] = value
        return value

    def _ask(self, method: str, path: str, query: dict[str, str], body: Any = None) -> Any:
        answer = self._transport.call(method, path, query, body)
        if answer.status < 300:
            return answer.body
        raise _refusal(answer)


def _refusal(answer: Answer) -> Exception:
    body = answer.body if isinstance(answer.body, dict) else {}
    code = body.get("error_code", answer.status)
    message = str(body.get("message") or f"HTTP status {answer.status}")
    if answer.status in _RETRIABLE:
        return RegistryUnavailableError(f"The schema registry cannot answer at present: {message}")
    return RegistryError(answer.status, int(code), message)


def _registered(body: dict[str, Any]) -> Registered:
    return Registered(
        int(body["id"]), SchemaText.of_json(body), str(body.get("subject")), int(body.get("version") or 0)
    )


def _flags(normalize: bool) -> dict[str, str]:
    return {"normalize": "true"} if normalize else {"normalize": "false"}


def _part(name: str) -> str:
    return quote(name, safe="")
