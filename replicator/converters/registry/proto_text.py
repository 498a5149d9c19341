"""Protobuf schemas: text or base64 of a descriptor, with imports found and types resolved. Pure, any thread.

The files that Confluent's registry knows without being told are known here too.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from google.protobuf import (
    any_pb2,
    api_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    wrappers_pb2,
)
from google.protobuf import descriptor_pb2 as pb
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from replicator.api.errors import SchemaError
from replicator.converters.registry.model import SchemaText
from replicator.converters.registry.proto_parse import parse_file
from replicator.converters.registry.proto_print import print_file
from replicator.converters.registry.proto_resolve import Resolver

MAIN: Final = "default.proto"
_FIELD: Final = pb.FieldDescriptorProto
_MODULES: Final = (
    descriptor_pb2,
    any_pb2,
    source_context_pb2,
    type_pb2,
    api_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
_META: Final = "".join(
    f"extend google.protobuf.{kind}Options {{ Meta {name}_meta = 1088; }}\n"
    for kind, name in (
        ("File", "file"),
        ("Message", "message"),
        ("Field", "field"),
        ("Enum", "enum"),
        ("EnumValue", "enum_value"),
    )
)
_KNOWN_TEXTS: Final = {
    "confluent/meta.proto": 'syntax = "proto3"; package confluent; import "google/protobuf/descriptor.proto";'
    "message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }" + _META,
    "confluent/type/decimal.proto": 'syntax = "proto3"; package confluent.type;'
    "message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }",
    "confluent/types/decimal.proto": 'syntax = "proto3"; import public "confluent/type/decimal.proto";',
    "google/type/date.proto": 'syntax = "proto3"; package google.type;'
    "message Date { int32 year = 1; int32 month = 2; int32 day = 3; }",
    "google/type/timeofday.proto": 'syntax = "proto3"; package google.type;'
    "message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }",
}


@dataclass(eq=False, slots=True)
class ProtoFile:
    """A schema and the files it imports, directly or not, those of the imported ones first."""

    file: pb.FileDescriptorProto
    imports: dict[str, pb.FileDescriptorProto] = field(default_factory=dict)

    def pool(self) -> DescriptorPool:
        """A pool with the file and all its imports.

        Raises:
            SchemaError: they do not fit together.
        """
        pool = DescriptorPool()
        try:
            for one in (*self.imports.values(), self.file):
                clean = pb.FileDescriptorProto()
                clean.CopyFrom(one)
                _drop_uninterpreted(clean)
                pool.Add(clean)
            pool.FindFileByName(self.file.name)
        except (TypeError, KeyError, ValueError) as error:
            raise SchemaError(f"The Protobuf schema is not valid: {error}") from error
        return pool

    def descriptor(self) -> FileDescriptor:
        """The file, usable for messages."""
        return self.pool().FindFileByName(self.file.name)


@cache
def known_files() -> dict[str, pb.FileDescriptorProto]:
    """Files that need no registration, by the name they are imported under."""
    found: dict[str, pb.FileDescriptorProto] = {}
    for module in _MODULES:
        made = pb.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(made)
        found[made.name] = made
    for name, text in _KNOWN_TEXTS.items():
        made = parse_file(text)
        made.name = name
        imports = {d: found[d] for d in made.dependency}
        Resolver(made, imports.values()).run()
        found[name] = made
    return found


def parse(text: str, used: Mapping[str, str]) -> ProtoFile:
    """A schema's file.

    Raises:
        SchemaError: the text is no schema, or an import is missing.
    """
    return _parse(text, used, MAIN)


def _parse(text: str, used: Mapping[str, str], name: str) -> ProtoFile:
    file = _read(text)
    file.name = name
    made = ProtoFile(file)
    for dependency in file.dependency:
        _import(dependency, used, made.imports, (name,))
    Resolver(made.file, made.imports.values()).run()
    made.pool()
    return made


def _import(
    name: str, used: Mapping[str, str], into: dict[str, pb.FileDescriptorProto], above: tuple[str, ...]
) -> None:
    if name in into:
        return
    if name in above:
        raise SchemaError(f"The import {name} imports itself")
    known = known_files().get(name)
    if known is not None:
        for dependency in known.dependency:
            _import(dependency, used, into, (*above, name))
        into[name] = known
        return
    if name not in used:
        raise SchemaError(f"No schema is registered as reference {name}")
    file = _read(used[name])
    file.name = name
    for dependency in file.dependency:
        _import(dependency, used, into, (*above, name))
    Resolver(file, into.values()).run()
    into[name] = file


def _read(text: str) -> pb.FileDescriptorProto:
    """The descriptor of .proto text, or of its base64 form."""
    compact = text.strip()
    if compact and not any(c in compact for c in ' ;{"'):
        try:
            made = pb.FileDescriptorProto.FromString(base64.b64decode(compact, validate=True))
        except (binascii.Error, ValueError, DecodeError):
            raise SchemaError(f"Neither a .proto file nor the base64 of a descriptor: {text[:100]}") from None
        made.ClearField("source_code_info")
        return made
    return parse_file(text)


def canonical(file: ProtoFile) -> str:
    """The text that the registry keeps."""
    return print_file(file.file)


def normalised(file: ProtoFile) -> str:
    """The text compared when asked to normalise: fields by number, imports by name."""
    made = pb.FileDescriptorProto()
    made.CopyFrom(file.file)
    if not made.public_dependency:
        made.dependency.sort()
    for message in made.message_type:
        _sort_fields(message)
    return print_file(made)


def _sort_fields(message: pb.DescriptorProto) -> None:
    ordered = sorted(message.field, key=lambda f: f.number)
    copies = []
    for one in ordered:
        copy = _FIELD()
        copy.CopyFrom(one)
        copies.append(copy)
    message.ClearField("field")
    message.field.extend(copies)
    for nested in message.nested_type:
        _sort_fields(nested)


def serialized(text: str, used: Mapping[str, SchemaText]) -> str:
    """The base64 form of a schema's descriptor."""
    file = parse(text, {name: other.text for name, other in used.items()}).file
    return base64.b64encode(file.SerializeToString()).decode()


def messages(descriptors: Any) -> Iterator[tuple[list[int], Descriptor]]:
    """All messages of a file with their indexes, outer ones first."""
    for index, one in enumerate(descriptors):
        yield [index], one
        for inner, nested in messages(one.nested_types):
            yield [index, *inner], nested


def _drop_uninterpreted(message: Any) -> None:
    """Remove options that only their authors' programs understand; they mean nothing for the wire."""
    for known, value in message.ListFields():
        if known.name == "uninterpreted_option":
            message.ClearField(known.name)
        elif known.message_type is not None and not known.is_extension:
            for one in value if isinstance(value, (list,)) or hasattr(value, "add") else [value]:
                _drop_uninterpreted(one)
