"""JSON Schemas as parsed JSON, with references found. Pure functions, any thread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from jsonschema.exceptions import SchemaError as InvalidSchema
from jsonschema.validators import Draft7Validator, validator_for

from replicator.api.errors import SchemaError

MISSING: Final = object()


@dataclass(eq=False, slots=True)
class JsonDocument:
    """A schema with the documents it may refer to, by the names it uses."""

    root: Any
    used: dict[str, Any] = field(default_factory=dict)

    def resolve(self, node: Any, base: Any) -> tuple[Any, Any]:
        """A node and its document, after following `$ref`.

        Raises:
            SchemaError: the reference leads nowhere.
        """
        for _ in range(100):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                return node, base
            node, base = self._follow(node["$ref"], base)
        raise SchemaError("References lead in a circle")

    def _follow(self, reference: str, base: Any) -> tuple[Any, Any]:
        place, _, pointer = reference.partition("#")
        if place:
            base = self._document(place)
        node = base
        for part in pointer.strip("/").split("/") if pointer.strip("/") else ():
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isdigit() and int(name) < len(node):
                node = node[int(name)]
            else:
                raise SchemaError(f"The reference {reference} leads nowhere")
        return node, base

    def _document(self, place: str) -> Any:
        for name, document in self.used.items():
            if place == name or (isinstance(document, dict) and document.get("$id") == place):
                return document
        if isinstance(self.root, dict) and self.root.get("$id") == place:
            return self.root
        raise SchemaError(f"No schema is registered as reference {place}")


def parse(text: str, used: Mapping[str, str]) -> JsonDocument:
    """A schema's document.

    Raises:
        SchemaError: the text is no JSON Schema.
    """
    root = _loads(text)
    if not isinstance(root, (dict, bool)):
        raise SchemaError("A JSON Schema is an object, true or false")
    document = JsonDocument(root, {name: _loads(other) for name, other in used.items()})
    try:
        # Registries take a schema that names no draft for one of draft 7.
        validator_for(root, default=Draft7Validator).check_schema(root)
    except InvalidSchema as error:
        raise SchemaError(f"{error.message} at {error.json_path}") from error
    _check_references(document, root)
    return document


def _check_references(document: JsonDocument, node: Any) -> None:
    if isinstance(node, dict):
        document.resolve(node, document.root)
        for value in node.values():
            _check_references(document, value)
    elif isinstance(node, list):
        for value in node:
            _check_references(document, value)


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SchemaError(f"Not JSON: {error}") from error


def canonical(text: str) -> str:
    """The text without spaces, members in their order."""
    return json.dumps(_loads(text), separators=(",", ":"), ensure_ascii=False)


def normalised(text: str) -> str:
    """The text without spaces, members sorted."""
    return json.dumps(_loads(text), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
