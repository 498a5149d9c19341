"""Resolves the type names of a parsed Protobuf file, as protoc does: from the inner scope outwards. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf import descriptor_pb2 as pb

from replicator.api.errors import SchemaError

_FIELD: Final = pb.FieldDescriptorProto


class Resolver:
    """Replaces the types of fields by their full names, by Protobuf's rules of scope."""

    def __init__(self, file: pb.FileDescriptorProto, imports: Iterable[pb.FileDescriptorProto]) -> None:
        self._file = file
        self._kinds: dict[str, int] = {}
        for one in (*imports, file):
            root = f".{one.package}" if one.package else ""
            self._collect(root, one.message_type, one.enum_type)

    def _collect(self, scope: str, messages: Any, enums: Any) -> None:
        for enum in enums:
            self._kinds[f"{scope}.{enum.name}"] = _FIELD.TYPE_ENUM
        for message in messages:
            name = f"{scope}.{message.name}"
            self._kinds[name] = _FIELD.TYPE_MESSAGE
            self._collect(name, message.nested_type, message.enum_type)

    def run(self) -> None:
        """Resolve the file in place.

        Raises:
            SchemaError: a name is not defined.
        """
        root = f".{self._file.package}" if self._file.package else ""
        for message in self._file.message_type:
            self._message(message, root)
        for extension in self._file.extension:
            self._field(extension, root)
        for service in self._file.service:
            for method in service.method:
                method.input_type = self._find(method.input_type, root)
                method.output_type = self._find(method.output_type, root)

    def _message(self, message: pb.DescriptorProto, scope: str) -> None:
        inner = f"{scope}.{message.name}"
        for one in message.field:
            self._field(one, inner)
        for one in message.extension:
            self._field(one, inner)
        for nested in message.nested_type:
            self._message(nested, inner)

    def _field(self, one: pb.FieldDescriptorProto, scope: str) -> None:
        if one.extendee:
            one.extendee = self._find(one.extendee, scope)
        if one.type_name:
            one.type_name = self._find(one.type_name, scope)
            one.type = self._kinds[one.type_name]  # type: ignore[assignment]

    def _find(self, name: str, scope: str) -> str:
        if name.startswith("."):
            if name in self._kinds:
                return name
            raise SchemaError(f'"{name.lstrip(".")}" is not defined')
        first, _, _ = name.partition(".")
        while True:
            if f"{scope}.{name}" in self._kinds:
                return f"{scope}.{name}"
            if not scope:
                raise SchemaError(f'"{name}" is not defined')
            # A scope that has the first part of the name hides outer ones, unless it is a package.
            if f"{scope}.{first}" in self._kinds and first != name:
                raise SchemaError(f'"{name}" is not defined in {scope.lstrip(".")}.{first}')
            scope = scope.rpartition(".")[0]
