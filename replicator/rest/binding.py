"""Request bodies as values of known shapes; what does not fit is refused in the words Connect's clients know. Pure.

Text and shape are checked together, token by token, as Connect does: whichever goes wrong first is reported.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from typing import Any, Final

from replicator.rest.errors import FILES_HINT, RestError
from replicator.rest.json_tokens import SyntaxProblem, Token, Tokens

_ENTITIES: Final = "org.apache.kafka.connect.runtime.rest.entities."
_MAP: Final = "java.util.LinkedHashMap"
_KINDS: Final = {
    "START_OBJECT": "Object",
    "START_ARRAY": "Array",
    "VALUE_STRING": "String",
    "VALUE_NUMBER_INT": "Integer",
    "VALUE_NUMBER_FLOAT": "Floating-point",
    "VALUE_TRUE": "Boolean",
    "VALUE_FALSE": "Boolean",
}
_INT: Final = 2**31

_PROPERTIES: Final = re.compile(rb"\s*([#!]|[A-Za-z][\w.\-]*\s*[=:])")
"""How `.properties` files begin, and no JSON does."""

Reader = Callable[[Tokens, Token], Any]
"""Reads a value that begins with the token."""


class Mismatch(Exception):
    """A value has another shape; `path` leads to it."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.path: list[str] = []


def text(tokens: Tokens, first: Token) -> str | None:
    """A string; numbers keep the very digits that were sent."""
    if first.kind == "VALUE_STRING":
        return tokens.text()
    if first.kind.startswith("START_"):
        raise _cannot("java.lang.String", first)
    return _scalar(first)


def text_map(tokens: Tokens, first: Token) -> dict[str, str | None] | None:
    """An object of strings."""
    found: dict[str, str | None] | None = _map(
        tokens, first, f"{_MAP}<java.lang.String,java.lang.String>", text
    )
    return found


def any_map(tokens: Tokens, first: Token) -> dict[str, Any] | None:
    """An object of anything."""
    found: dict[str, Any] | None = _map(tokens, first, f"{_MAP}<java.lang.String,java.lang.Object>", anything)
    return found


def anything(tokens: Tokens, first: Token) -> Any:
    """Any JSON value."""
    if first.kind == "START_OBJECT":
        return _entries(tokens, anything)
    if first.kind == "START_ARRAY":
        return _elements(tokens, anything)
    if first.kind == "VALUE_STRING":
        return tokens.text()
    if first.kind == "VALUE_NUMBER_INT":
        return int(str(first.value))
    return float(str(first.value)) if first.kind == "VALUE_NUMBER_FLOAT" else first.value


def list_of(element: Reader, name: str) -> Reader:
    """An array of elements; `name` is the element's Java type."""

    def read(tokens: Tokens, first: Token) -> list[Any] | None:
        if first.kind == "START_ARRAY":
            return _elements(tokens, element)
        if first.kind == "VALUE_NULL":
            return None
        raise _cannot(f"java.util.ArrayList<{name}>", first)

    return read


def bean(name: str, fields: Mapping[str, Reader]) -> Reader:
    """An object with these members only."""
    full = _ENTITIES + name

    def read(tokens: Tokens, first: Token) -> dict[str, Any] | None:
        if first.kind == "START_OBJECT":
            return _members(tokens, full, fields)
        if first.kind == "VALUE_NULL":
            return None
        raise _no_bean(tokens, full, first)

    return read


def _members(tokens: Tokens, full: str, fields: Mapping[str, Reader]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    unknown: str | None = None
    while (token := tokens.next()).kind != "END_OBJECT":
        member = str(token.value)
        value = tokens.next()
        if member not in fields:
            unknown = unknown or member
            if len(found) == len(fields):
                break  # as the reference: once it has all it knows, it does not read on
            anything(tokens, value)
            continue
        try:
            found[member] = fields[member](tokens, value)
        except SyntaxProblem as problem:
            wrapped = Mismatch(problem.message, problem.place)
            wrapped.path.insert(0, f'{full}["{member}"]')
            raise wrapped from None
        except Mismatch as mismatch:
            mismatch.path.insert(0, f'{full}["{member}"]')
            raise
    if unknown is not None:
        known = ", ".join(f'"{f}"' for f in fields)
        count = "one known property" if len(fields) == 1 else f"{len(fields)} known properties"
        refused = Mismatch(
            f'Unrecognized field "{unknown}" (class {full}), not marked as ignorable ({count}: {known}])',
            tokens.place(),
        )
        refused.path.append(f'{full}["{unknown}"]')
        raise refused
    return found


def initial_state(tokens: Tokens, first: Token) -> str | None:
    """The state a connector is created in."""
    full = f"{_ENTITIES}CreateConnectorRequest$InitialState"
    if first.kind == "START_OBJECT":
        raise _cannot(full, first)
    if first.kind == "START_ARRAY":
        raise Mismatch(
            f"Input mismatch reading Enum `{full}`: properties-based `@JsonCreator` ([method"
            f" {full}#forValue(java.lang.String)]) expects String Value, got Array value (`JsonToken.START_ARRAY`)",
            first.place,
        )
    given = text(tokens, first)
    if given is None:
        return None
    state = given.upper()
    if state not in ("RUNNING", "PAUSED", "STOPPED"):
        raise Mismatch(
            f"Cannot construct instance of `{full}`, problem: No enum constant {full.replace('$', '.')}.{state}",
            first.place,
        )
    return state


def read_body(data: bytes, reader: Reader, bound: str = "java.util.Map") -> Any:
    """The body's value; None for an empty body or null.

    Raises:
        RestError: it is no JSON, or has another shape (500, as Connect answers).
    """
    _check_text(data)
    tokens = Tokens(data.removeprefix(BOM_UTF8))
    try:
        first = tokens.next()
        if first.kind == "END":
            return None
        found = reader(tokens, first)
        trailing = tokens.next()
        if trailing.kind != "END":
            raise Mismatch(
                f"Trailing token (of type {trailing.kind}) found after value (bound as `{bound}`): not allowed as per"
                " `DeserializationFeature.FAIL_ON_TRAILING_TOKENS`", trailing.place)  # fmt: skip
    except SyntaxProblem as problem:
        hint = f" {FILES_HINT}" if _PROPERTIES.match(data) else ""
        raise RestError(500, f"{problem.message}\n at {problem.place}{hint}") from None
    except RecursionError:
        raise RestError(500, "Document nesting depth exceeds the maximum allowed") from None
    except Mismatch as mismatch:
        chain = f" (through reference chain: {'->'.join(mismatch.path)})" if mismatch.path else ""
        raise RestError(500, f"{mismatch.message}\n at {mismatch.place}{chain}") from None
    return found


def _map(tokens: Tokens, first: Token, full: str, value: Reader) -> dict[str, Any] | None:
    if first.kind == "START_OBJECT":
        return _entries(tokens, value)
    if first.kind == "VALUE_NULL":
        return None
    if first.kind != "VALUE_STRING":
        raise _cannot(full, first)
    given = tokens.text()
    if not given:
        raise Mismatch(
            f'Cannot coerce empty String ("") to element of `{_MAP}` (but could if coercion was enabled using'
            " `CoercionConfig`)", first.place)  # fmt: skip
    raise _no_creator(_MAP, "String-argument", f"String value ('{given}')", first)


def _entries(tokens: Tokens, value: Reader) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while (token := tokens.next()).kind != "END_OBJECT":
        name = str(token.value)
        try:
            found[name] = value(tokens, tokens.next())
        except Mismatch as mismatch:
            mismatch.path.insert(0, f'{_MAP}["{name}"]')
            raise
    return found


def _elements(tokens: Tokens, element: Reader) -> list[Any]:
    found: list[Any] = []
    while (token := tokens.next()).kind != "END_ARRAY":
        try:
            found.append(element(tokens, token))
        except Mismatch as mismatch:
            mismatch.path.insert(0, f"java.util.ArrayList[{len(found)}]")
            raise
    return found


def _check_text(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        # A client that writes Latin-1 must not find its letters replaced.
        start = error.reason == "invalid start byte"
        byte = data[error.start if start else min(error.end, len(data) - 1)]
        raise RestError(500, f"Invalid UTF-8 {'start' if start else 'middle'} byte 0x{byte:x}") from None


def _scalar(token: Token) -> str | None:
    if isinstance(token.value, bool):
        return "true" if token.value else "false"
    return token.value


def _cannot(full: str, token: Token) -> Mismatch:
    return Mismatch(
        f"Cannot deserialize value of type `{full}` from {_KINDS[token.kind]} value (token `JsonToken.{token.kind}`)",
        token.place,
    )


def _no_bean(tokens: Tokens, full: str, token: Token) -> Mismatch:
    if token.kind == "START_ARRAY":
        return _cannot(full, token)
    if token.kind == "VALUE_STRING":
        given = tokens.text()
        if not given:
            return Mismatch(
                f'Cannot coerce empty String ("") to `{full}` value (but could if coercion was enabled using'
                " `CoercionConfig`)", token.place)  # fmt: skip
        return _no_creator(full, "String-argument", f"String value ('{given}')", token)
    if isinstance(token.value, bool):
        return _no_creator(full, "boolean/Boolean-argument", f"boolean value ({_scalar(token)})", token)
    kind = "double/Double"
    if token.kind == "VALUE_NUMBER_INT":
        kind = "int/Int" if -_INT <= int(str(token.value)) < _INT else "long/Long"
    return _no_creator(full, f"{kind}-argument", f"Number value ({token.value})", token)


def _no_creator(full: str, argument: str, given: str, token: Token) -> Mismatch:
    return Mismatch(
        f"Cannot construct instance of `{full}` (although at least one Creator exists): no {argument}"
        f" constructor/factory method to deserialize from {given}",
        token.place,
    )


CREATE_REQUEST: Final = bean(
    "CreateConnectorRequest", {"config": text_map, "name": text, "initial_state": initial_state}
)
CONNECTOR_OFFSETS: Final = bean(
    "ConnectorOffsets",
    {
        "offsets": list_of(
            bean("ConnectorOffset", {"partition": any_map, "offset": any_map}), f"{_ENTITIES}ConnectorOffset"
        )
    },
)
TASK_CONFIGS: Final = list_of(text_map, "java.util.Map<java.lang.String,java.lang.String>")
