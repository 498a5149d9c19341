"""Whether messages of one Protobuf schema can be read with another, by the rules of Confluent's registry. Pure."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

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
_TEXTS: Final = frozenset((_FIELD.TYPE_STRING, _FIELD.TYPE_BYTES))
_READER, _WRITER = "in the {reader} schema", "in the {writer} schema"
_WORDS: Final = {
    "MESSAGE_REMOVED": f"The {{reader}} schema is missing a MESSAGE type at path '{{path}}' {_WRITER}",
    "FIELD_KIND_CHANGED": f"The type of a field at path '{{path}}' {_READER} does not match the {{writer}} schema",
    "FIELD_SCALAR_KIND_CHANGED": f"The kind of a SCALAR field at path '{{path}}' {_READER} does not match its kind"
    f" {_WRITER}",
    "FIELD_NAMED_TYPE_CHANGED": f"The type of a MESSAGE field at path '{{path}}' {_READER} does not match its type"
    f" {_WRITER}",
    "FIELD_NUMERIC_LABEL_CHANGED": f"The label for a NUMERIC field at path '{{path}}' {_READER} does not match its"
    f" label {_WRITER}",
    "REQUIRED_FIELD_ADDED": f"A required field  at path '{{path}}' {_READER} is missing {_WRITER}",
    "REQUIRED_FIELD_REMOVED": f"The {{reader}} schema is missing a required field at path: '{{path}}' {_WRITER}",
    "ONEOF_FIELD_REMOVED": f"The {{reader}} schema is missing a oneof field at path '{{path}}' {_WRITER}",
    "MULTIPLE_FIELDS_MOVED_TO_ONEOF": f"Multiple fields in the oneof at path '{{path}}' {_READER} are outside a oneof"
    f" {_WRITER}",
    "FIELD_MOVED_TO_EXISTING_ONEOF": f"A field in the oneof at path '{{path}}' {_READER} is outside an existing oneof"
    f" {_WRITER}",
}
"""As the reference says it, its spaces too."""


def differences(*, reader: ProtoFile, writer: ProtoFile) -> list[Difference]:
    """Why `reader` cannot read what `writer` wrote; empty if it can."""
    return _Comparison(reader, writer).files()


class _Known(NamedTuple):
    """A message, with what its file says."""

    message: pb.DescriptorProto
    package: str
    proto3: bool


class _Comparison:
    def __init__(self, reader: ProtoFile, writer: ProtoFile) -> None:
        self._reader = reader.file
        self._writer = writer.file
        self._new = _index(reader)
        self._old = _index(writer)
        self._open: set[tuple[str, str]] = set()

    def files(self) -> list[Difference]:
        ours, theirs = _full(self._reader.package, ""), _full(self._writer.package, "")
        return self._messages(self._reader.message_type, self._writer.message_type, ours, theirs, "#")

    def _messages(self, new: Any, old: Any, new_scope: str, old_scope: str, path: str) -> list[Difference]:
        """Messages of one place, by their names."""
        present = {m.name for m in new}
        found: list[Difference] = []
        for message in old:
            where = f"{path}/{message.name}"
            if message.options.map_entry:
                continue
            if message.name not in present:
                found.append(_difference("MESSAGE_REMOVED", where))
            else:
                found += self._message(f"{new_scope}{message.name}", f"{old_scope}{message.name}", where)
        return found

    def _message(self, new_name: str, old_name: str, path: str) -> list[Difference]:
        if (new_name, old_name) in self._open:
            return []
        self._open.add((new_name, old_name))
        new, old = self._new[new_name], self._old[old_name]
        found = self._messages(
            new.message.nested_type, old.message.nested_type, f"{new_name}.", f"{old_name}.", path
        )
        ours = {f.number: f for f in new.message.field}
        theirs = {f.number: f for f in old.message.field}
        for number, field in theirs.items():
            where = f"{path}/{number}"
            if number in ours:
                found += self._field(ours[number], new, field, old, where)
            else:
                found += _removed(field, f"{path}/{_oneof_name(field, old.message)}", where)
        for number, field in ours.items():
            if number not in theirs and field.label == _FIELD.LABEL_REQUIRED:
                found.append(_difference("REQUIRED_FIELD_ADDED", f"{path}/{number}"))
        return found + _oneofs(new.message, old.message, path)

    def _field(
        self,
        new: pb.FieldDescriptorProto,
        newer: _Known,
        old: pb.FieldDescriptorProto,
        older: _Known,
        path: str,
    ) -> list[Difference]:
        found = self._types(new, old, path)
        labels = _label(new, newer), _label(old, older)
        scalar = _FIELD.TYPE_MESSAGE not in (new.type, old.type)
        if not found and scalar and None not in labels and labels[0] != labels[1] and new.type not in _TEXTS:
            found.append(_difference("FIELD_NUMERIC_LABEL_CHANGED", path))
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
        return [_difference(kind, path)]

    def _references(
        self, new: pb.FieldDescriptorProto, old: pb.FieldDescriptorProto, path: str
    ) -> list[Difference]:
        ours, theirs = self._new.get(new.type_name), self._old.get(old.type_name)
        if ours is None or theirs is None:
            return []
        maps = ours.message.options.map_entry, theirs.message.options.map_entry
        if maps == (True, True):
            pairs = zip(ours.message.field, theirs.message.field, strict=False)
            return [d for a, b in pairs for d in self._types(a, b, path)]
        if any(maps):
            return [_difference("FIELD_KIND_CHANGED", path)]
        local = _local(new.type_name, ours.package)
        if local != _local(old.type_name, theirs.package):
            # Another message with the same fields would do, but the registry goes by names; packages may change.
            return [_difference("FIELD_NAMED_TYPE_CHANGED", path)]
        found = self._message(new.type_name, old.type_name, f"#/{local.replace('.', '/')}")
        return [*found, _difference("FIELD_NAMED_TYPE_CHANGED", path)] if found else []


def _removed(field: pb.FieldDescriptorProto, oneof: str, path: str) -> list[Difference]:
    if field.label == _FIELD.LABEL_REQUIRED:
        return [_difference("REQUIRED_FIELD_REMOVED", path)]
    if _in_oneof(field):
        return [_difference("ONEOF_FIELD_REMOVED", f"{oneof}/{field.number}")]
    return []


def _oneofs(new: pb.DescriptorProto, old: pb.DescriptorProto, path: str) -> list[Difference]:
    """Fields that come to share a oneof: of several, only one value would be left."""
    found: list[Difference] = []
    before = {f.number: _in_oneof(f) for f in old.field}
    for index, oneof in enumerate(new.oneof_decl):
        members = [f for f in new.field if _in_oneof(f) and f.oneof_index == index]
        moved = [f for f in members if before.get(f.number) is False]
        stayed = [f for f in members if before.get(f.number) is True]
        if len(moved) > 1:
            found.append(_difference("MULTIPLE_FIELDS_MOVED_TO_ONEOF", f"{path}/{oneof.name}"))
        elif moved and stayed:
            found.append(_difference("FIELD_MOVED_TO_EXISTING_ONEOF", f"{path}/{oneof.name}"))
    return found


def _in_oneof(field: pb.FieldDescriptorProto) -> bool:
    return field.HasField("oneof_index") and not field.proto3_optional


def _oneof_name(field: pb.FieldDescriptorProto, owner: pb.DescriptorProto) -> str:
    return owner.oneof_decl[field.oneof_index].name if _in_oneof(field) else ""


def _label(field: pb.FieldDescriptorProto, owner: _Known) -> int | None:
    """The label that somebody wrote; None for none, which registries compare with nothing."""
    if _in_oneof(field):
        return None
    if owner.proto3 and field.label == _FIELD.LABEL_OPTIONAL and not field.proto3_optional:
        return None
    return int(field.label)


def _index(made: ProtoFile) -> dict[str, _Known]:
    found: dict[str, _Known] = {}

    def collect(scope: str, messages: Any, file: pb.FileDescriptorProto) -> None:
        for message in messages:
            found[f"{scope}{message.name}"] = _Known(message, file.package, file.syntax == "proto3")
            collect(f"{scope}{message.name}.", message.nested_type, file)

    for one in (*made.imports.values(), made.file):
        collect(_full(one.package, ""), one.message_type, one)
    return found


def _full(package: str, name: str) -> str:
    return f".{package}.{name}" if package else f".{name}"


def _local(name: str, package: str) -> str:
    return name.removeprefix(f".{package}.") if package else name.lstrip(".")


def _difference(kind: str, path: str) -> Difference:
    return Difference(kind, path, _WORDS[kind].replace("{path}", path), None)
