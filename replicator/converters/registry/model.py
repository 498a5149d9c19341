"""What a registry knows about a schema, and the errors it answers with. Plain values, any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from replicator.api.errors import DataError, RetriableError

AVRO = "AVRO"
JSON = "JSON"
PROTOBUF = "PROTOBUF"


@dataclass(frozen=True, slots=True)
class Reference:
    """A schema that another one uses: `name` is how the text speaks of it."""

    name: str
    subject: str
    version: int

    def to_json(self) -> dict[str, Any]:
        """As it is sent."""
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class SchemaText:
    """A schema as text.

    Attributes:
        type: AVRO, JSON or PROTOBUF.
        text: the schema.
        references: schemas its text uses.
    """

    type: str
    text: str
    references: tuple[Reference, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is sent; Avro without references is the bare text."""
        sent: dict[str, Any] = {"schema": self.text}
        if self.type != AVRO:
            sent["schemaType"] = self.type
        if self.references:
            sent["references"] = [r.to_json() for r in self.references]
        return sent

    @staticmethod
    def of_json(node: Mapping[str, Any]) -> SchemaText:
        """As it is received."""
        return SchemaText(
            str(node.get("schemaType") or AVRO), str(node.get("schema") or ""), references_of(node)
        )


def references_of(node: Mapping[str, Any]) -> tuple[Reference, ...]:
    """The `references` of a request or answer."""
    return tuple(
        Reference(str(r["name"]), str(r["subject"]), int(r["version"])) for r in node.get("references") or ()
    )


@dataclass(frozen=True, slots=True)
class Registered:
    """A schema under its id; subject and version where the question named a subject."""

    id: int
    schema: SchemaText
    subject: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a registry answered: HTTP status and the parsed body."""

    status: int
    body: Any


class Transport(Protocol):
    """The way to a registry: HTTP, or a call within this process."""

    def call(self, method: str, path: str, query: Mapping[str, str], body: Any = None) -> Answer:
        """Ask; `path` is percent-encoded.

        Raises:
            RetriableError: no registry could be reached.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class RegistryError(DataError):
    """The registry refused.

    Attributes:
        status: HTTP status.
        code: the registry's own code, for example 40401.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{message}; error code: {code}")
        self.status = status
        self.code = code


class RegistryUnavailableError(RetriableError):
    """No registry answered; the same call may succeed later."""
