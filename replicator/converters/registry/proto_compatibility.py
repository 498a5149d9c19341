"""Whether messages of one Protobuf schema can be read with another, by the rules of Confluent's registry. Pure."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2 as pb

from replicator.converters.registry.differences import Difference
from replicator.converters.registry.proto_text import ProtoFile

_FIELD: Final = pb.FieldDescriptorProto
_GROUPS: Final = (
    frozenset((
        _FIELD.TYPE_INT32,
        _FIELD.TYPE_UINT32,
        _FIELD.TYPE_INT64,
        _FIELD.TYPE_UINT64,
        _FIELD.TYPE_BOOL,
        _FIELD.TYPE_ENUM,
    )),
    frozenset((_FIELD.TYPE_SINT32, _FIELD.TYPE_SINT64)),
    frozenset((_FIELD.TYPE_STRING, _FIELD.TYPE_BYTES)),
    frozenset((_FIELD.TYPE_FIXED32, _FIELD.TYPE_SFIXED32)),
    frozenset((_FIELD.TYPE_FIXED64, _FIELD.TYPE_SFIXED64)),
)  # fmt: skip
_PACKED: Final = frozenset((_FIELD.TYPE_STRING, _FIELD.TYPE_BYTES, _FIELD.TYPE_MESSAGE))


def differences(*, reader: ProtoFile, writer: ProtoFile) -> list[Difference]:
    """Why `reader` cannot read what `writer` wrote; empty if it can."""
    return _Comparison(reader, writer).files()


class _Comparison:
    def __init__(self, reader: ProtoFile, writer: ProtoFile) -> None:
        self._reader = reader.file
        self._writer = writer.file
        self._new = _index(reader)
        self._old = _index(writer)
        self._open: set[tuple[str, str]] = set()

    def files(self) -> list[Difference]:
        found: list[Difference] = []
        ours = {m.name: m for m in self._reader.message_type}
        for old in self._writer.message_type:
            found += self._message_named(ours.get(old.name), old, "#/", self._names(old.name))
        return found

    def _names(self, name: str) -> tuple[str, str]:
        return _full(self._reader.package, name), _full(self._writer.package, name)

    def _message_named(
        self, new: pb.DescriptorProto | None, old: pb.DescriptorProto, path: str, names: tuple[str, str]
    ) -> list[Difference]:
        where = f"{path}{old.name}"
        if new is None:
            return [_difference("MESSAGE_REMOVED", where, "is missing a message", old.name)]
        return self._message(new, old, where, names)

    def _message(
        self, new: pb.DescriptorProto, old: pb.DescriptorProto, path: str, names: tuple[str, str]
    ) -> list[Difference]:
        if names in self._open:
            return []
        self._open.add(names)
        found: list[Difference] = []
        nested = {m.name: m for m in new.nested_type if not m.options.map_entry}
        for inner in old.nested_type:
            if not inner.options.map_entry:
                below = (f"{names[0]}.{inner.name}", f"{names[1]}.{inner.name}")
                found += self._message_named(nested.get(inner.name), inner, f"{path}/", below)
        ours, theirs = {f.number: f for f in new.field}, {f.number: f for f in old.field}
        for number, field in theirs.items():
            found += self._field(ours.get(number), field, f"{path}/{number}", old)
        for number, field in ours.items():
            if number not in theirs and field.label == _FIELD.LABEL_REQUIRED:
                found.append(
                    _difference(
                        "REQUIRED_FIELD_ADDED", f"{path}/{number}", "has a new required field", field.name
                    )
                )
        return found + self._oneofs(new, old, path)

    def _field(
        self,
        new: pb.FieldDescriptorProto | None,
        old: pb.FieldDescriptorProto,
        path: str,
        owner: pb.DescriptorProto,
    ) -> list[Difference]:
        if new is None:
            if old.label == _FIELD.LABEL_REQUIRED:
                return [_difference("REQUIRED_FIELD_REMOVED", path, "lacks the required field", old.name)]
            if _in_oneof(old, owner):
                return [_difference("ONEOF_FIELD_REMOVED", path, "lacks a field of a oneof", old.name)]
            return []
        found = self._types(new, old, path)
        repeated = _FIELD.LABEL_REPEATED
        if (new.label == repeated) != (old.label == repeated) and new.type not in _PACKED:
            found.append(
                _difference("FIELD_NUMERIC_LABEL_CHANGED", path, "has another label for a number", new.name)
            )
        return found

    def _types(
        self, new: pb.FieldDescriptorProto, old: pb.FieldDescriptorProto, path: str
    ) -> list[Difference]:
        message = _FIELD.TYPE_MESSAGE
        if new.type == message and old.type == message:
            return self._references(new, old, path)
        if new.type == old.type or any(new.type in g and old.type in g for g in _GROUPS):
            return []
        kind = "FIELD_KIND_CHANGED" if message in (new.type, old.type) else "FIELD_SCALAR_KIND_CHANGED"
        return [_difference(kind, path, "has another kind of field", new.name)]

    def _references(
        self, new: pb.FieldDescriptorProto, old: pb.FieldDescriptorProto, path: str
    ) -> list[Difference]:
        ours, theirs = self._new.get(new.type_name), self._old.get(old.type_name)
        if ours is None or theirs is None:
            return []
        maps = ours.options.map_entry, theirs.options.map_entry
        if maps == (True, True):
            pairs = zip(ours.field, theirs.field, strict=False)
            return [d for a, b in pairs for d in self._types(a, b, f"{path}/{a.name}")]
        if any(maps) or _local(new.type_name, self._reader) != _local(old.type_name, self._writer):
            # Another message with the same fields would do, but the registry goes by names.
            return [_difference("FIELD_NAMED_TYPE_CHANGED", path, "has another type of field", new.name)]
        return self._message(ours, theirs, path, (new.type_name, old.type_name))

    def _oneofs(self, new: pb.DescriptorProto, old: pb.DescriptorProto, path: str) -> list[Difference]:
        found: list[Difference] = []
        before = {f.number: _in_oneof(f, old) for f in old.field}
        for index, oneof in enumerate(new.oneof_decl):
            members = [f for f in new.field if _in_oneof(f, new) and f.oneof_index == index]
            moved = [f for f in members if before.get(f.number) is False]
            stayed = [f for f in members if before.get(f.number) is True]
            if len(moved) > 1:
                found.append(
                    _difference(
                        "MULTIPLE_FIELDS_MOVED_TO_ONEOF", path, "moves several fields to a oneof", oneof.name
                    )
                )
            elif moved and stayed:
                found.append(
                    _difference(
                        "FIELD_MOVED_TO_EXISTING_ONEOF",
                        path,
                        "moves a field to an existing oneof",
                        oneof.name,
                    )
                )
        return found


def _in_oneof(field: pb.FieldDescriptorProto, owner: pb.DescriptorProto) -> bool:
    return field.HasField("oneof_index") and not field.proto3_optional


def _index(made: ProtoFile) -> dict[str, pb.DescriptorProto]:
    found: dict[str, pb.DescriptorProto] = {}

    def collect(scope: str, messages: Any) -> None:
        for message in messages:
            found[f"{scope}.{message.name}"] = message
            collect(f"{scope}.{message.name}", message.nested_type)

    for one in (*made.imports.values(), made.file):
        collect(f".{one.package}" if one.package else "", one.message_type)
    return found


def _full(package: str, name: str) -> str:
    return f".{package}.{name}" if package else f".{name}"


def _local(name: str, file: pb.FileDescriptorProto) -> str:
    return name.removeprefix(f".{file.package}.") if file.package else name.lstrip(".")


def _difference(kind: str, path: str, what: str, info: str) -> Difference:
    text = f"The {{reader}} schema {what} at path '{path}' compared with the {{writer}} schema"
    return Difference(kind, path, text, info)
