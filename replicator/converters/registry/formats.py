"""The formats a registry knows: parsing, comparing and printing of Avro, JSON Schema and Protobuf texts.

Pure functions, any thread; the modules of a format are imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from replicator.api.errors import SchemaError
from replicator.converters.registry.differences import Difference
from replicator.converters.registry.model import AVRO, JSON, PROTOBUF, SchemaText

Used = Mapping[str, SchemaText]
"""The texts that a schema refers to, by the names it uses, those of the used ones first."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A schema that was understood.

    Attributes:
        canonical: the text that registries keep and compare.
        normalised: the text compared when asked to normalise.
        native: the format's own form.
    """

    canonical: str
    normalised: str
    native: Any


def parse(schema: SchemaText, used: Used) -> Parsed:
    """Understand a schema.

    Raises:
        SchemaError: it is not valid, or its type is unknown.
    """
    try:
        reader = _PARSERS[schema.type]
    except KeyError:
        raise SchemaError(f"Invalid schema type {schema.type}") from None
    try:
        return reader(schema, used)
    except RecursionError as error:
        raise SchemaError("The schema is nested too deeply") from error


def differences(kind: str, *, reader: Parsed, writer: Parsed) -> list[Difference]:
    """Why data of `writer` cannot be read with `reader`."""
    if kind == AVRO:
        from replicator.converters.registry import avro_compatibility

        return avro_compatibility.differences(reader=reader.native, writer=writer.native)
    if kind == JSON:
        from replicator.converters.registry import json_compatibility

        return json_compatibility.differences(reader=reader.native, writer=writer.native)
    from replicator.converters.registry import proto_compatibility

    return proto_compatibility.differences(reader=reader.native, writer=writer.native)


def serialized(schema: SchemaText, used: Used) -> str:
    """A Protobuf schema as the base64 of its descriptor, for clients that ask for `format=serialized`."""
    from replicator.converters.registry import proto_text

    return proto_text.serialized(schema.text, used)


def _avro(schema: SchemaText, used: Used) -> Parsed:
    from replicator.converters.registry import avro_defaults, avro_parse, avro_print

    node, known = avro_parse.parse_with_names(schema.text, [u.text for u in used.values()])
    avro_defaults.check_defaults(node)
    return Parsed(avro_print.to_text(node, known), avro_print.normalised(node, known), node)


def _json(schema: SchemaText, used: Used) -> Parsed:
    from replicator.converters.registry import json_model

    tree = json_model.parse(schema.text, {name: u.text for name, u in used.items()})
    return Parsed(json_model.canonical(schema.text), json_model.normalised(schema.text), tree)


def _protobuf(schema: SchemaText, used: Used) -> Parsed:
    from replicator.converters.registry import proto_text

    file = proto_text.parse(schema.text, {name: u.text for name, u in used.items()})
    return Parsed(proto_text.canonical(file), proto_text.normalised(file), file)


_PARSERS: Final[dict[str, Callable[[SchemaText, Used], Parsed]]] = {
    AVRO: _avro,
    JSON: _json,
    PROTOBUF: _protobuf,
}
