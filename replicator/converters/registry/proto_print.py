"""Prints file descriptors as .proto text, in the form Confluent's registry keeps. Pure, any thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.descriptor import FieldDescriptor

from replicator.converters.registry import proto_meta
from replicator.converters.registry.proto_messages import SCALARS
from replicator.converters.registry.proto_options import quoted

_TYPE_NAMES: Final = {number: name for name, number in SCALARS.items()}
_LABEL: Final = pb.FieldDescriptorProto


def print_file(file: pb.FileDescriptorProto) -> str:
    """The text of a file."""
    syntax = file.syntax or "proto2"
    lines = [f'syntax = "{syntax}";']
    if file.package:
        lines.append(f"package {file.package};")
    if file.dependency:
        lines.append("")
        public = set(file.public_dependency)
        kinds = ("public " if i in public else "" for i in range(len(file.dependency)))
        lines += [f"import {kind}{quoted(d)};" for kind, d in zip(kinds, file.dependency, strict=True)]
    options = _options(file.options, "file_meta")
    if options:
        lines += ["", *(f"option {name} = {value};" for name, value in options)]
    printer = _Printer(file)
    for message in file.message_type:
        lines += ["", *printer.message(message, f".{file.package}" if file.package else "")]
    for enum in file.enum_type:
        lines += ["", *printer.enum(enum)]
    lines += printer.extensions(file.extension, "")
    for service in file.service:
        lines += ["", *printer.service(service)]
    return "\n".join(lines) + "\n"


class _Printer:
    def __init__(self, file: pb.FileDescriptorProto) -> None:
        self._proto3 = file.syntax == "proto3"
        self._package = file.package

    def message(self, message: pb.DescriptorProto, scope: str) -> list[str]:
        full = f"{scope}.{message.name}"
        entries = {f"{full}.{n.name}": n for n in message.nested_type if n.options.map_entry}
        body = [f"option {name} = {value};" for name, value in _options(message.options, "message_meta")]
        body += _reserved(message)
        body += [f"extensions {r.start} to {_end(r.end - 1)};" for r in message.extension_range]
        oneofs: set[int] = set()
        for field in message.field:
            if not field.HasField("oneof_index") or field.proto3_optional:
                body.append(self._field(field, entries, full))
            elif field.oneof_index not in oneofs:
                oneofs.add(field.oneof_index)
                body += self._oneof(message, field.oneof_index, full)
        for nested in message.nested_type:
            if not nested.options.map_entry:
                body += ["", *self.message(nested, full)]
        for enum in message.enum_type:
            body += ["", *self.enum(enum)]
        body += self.extensions(message.extension, full)
        return _block(f"message {message.name}", body)

    def _oneof(self, message: pb.DescriptorProto, index: int, full: str) -> list[str]:
        members = [f for f in message.field if f.HasField("oneof_index") and f.oneof_index == index]
        return _block(f"oneof {message.oneof_decl[index].name}", [self._field(f, {}, full) for f in members])

    def _field(
        self, field: pb.FieldDescriptorProto, entries: dict[str, pb.DescriptorProto], scope: str
    ) -> str:
        entry = entries.get(field.type_name)
        if entry is not None:
            key, value = (self._type(f, scope) for f in entry.field)
            kind, label = f"map<{key}, {value}>", ""
        else:
            kind, label = self._type(field, scope), self._label(field)
        options = self._field_options(field)
        suffix = f" [{', '.join(options)}]" if options else ""
        return f"{label}{kind} {field.name} = {field.number}{suffix};"

    def _label(self, field: pb.FieldDescriptorProto) -> str:
        if field.label == _LABEL.LABEL_REPEATED:
            return "repeated "
        if field.label == _LABEL.LABEL_REQUIRED:
            return "required "
        in_oneof = field.HasField("oneof_index") and not field.proto3_optional
        return "optional " if field.proto3_optional or not (self._proto3 or in_oneof) else ""

    def _type(self, field: pb.FieldDescriptorProto, scope: str) -> str:
        if not field.type_name:
            return _TYPE_NAMES[field.type]
        name = field.type_name
        outer = scope
        # The shortest form that surely means this type: its name below an enclosing message or the package.
        while outer:
            if name.startswith(f"{outer}.") and "." not in name.removeprefix(f"{outer}."):
                return name.removeprefix(f"{outer}.")
            outer = outer.rpartition(".")[0]
            if outer == (f".{self._package}" if self._package else ""):
                break
        package = f".{self._package}." if self._package else "."
        inside = name.removeprefix(package) if name.startswith(package) else ""
        return inside if inside and "." not in inside else name.lstrip(".") if not inside else name

    def _field_options(self, field: pb.FieldDescriptorProto) -> list[str]:
        found = []
        if field.HasField("default_value"):
            text = field.type in (_LABEL.TYPE_STRING, _LABEL.TYPE_BYTES)
            found.append(f"default = {quoted(field.default_value) if text else field.default_value}")
        if field.json_name and field.json_name != _json_name(field.name):
            found.append(f"json_name = {quoted(field.json_name)}")
        return found + [f"{name} = {value}" for name, value in _options(field.options, "field_meta")]

    def enum(self, enum: pb.EnumDescriptorProto) -> list[str]:
        body = [f"option {name} = {value};" for name, value in _options(enum.options, "enum_meta")]
        for span in enum.reserved_range:
            body.append(f"reserved {_span(span.start, span.end)};")
        if enum.reserved_name:
            body.append(f"reserved {', '.join(quoted(n) for n in enum.reserved_name)};")
        for value in enum.value:
            options = [f"{n} = {v}" for n, v in _options(value.options, "enum_value_meta")]
            suffix = f" [{', '.join(options)}]" if options else ""
            body.append(f"{value.name} = {value.number}{suffix};")
        return _block(f"enum {enum.name}", body)

    def extensions(self, fields: Iterable[pb.FieldDescriptorProto], scope: str) -> list[str]:
        by_extended: dict[str, list[str]] = {}
        for field in fields:
            by_extended.setdefault(field.extendee, []).append(self._field(field, {}, scope))
        return [
            line
            for name, body in by_extended.items()
            for line in ("", *_block(f"extend {name.lstrip('.')}", body))
        ]

    def service(self, service: pb.ServiceDescriptorProto) -> list[str]:
        body = [f"option {name} = {value};" for name, value in _options(service.options, "service_meta")]
        for method in service.method:
            takes = f"{'stream ' if method.client_streaming else ''}{method.input_type.lstrip('.')}"
            gives = f"{'stream ' if method.server_streaming else ''}{method.output_type.lstrip('.')}"
            body.append(f"rpc {method.name} ({takes}) returns ({gives});")
        return _block(f"service {service.name}", body)


def _block(head: str, body: list[str]) -> list[str]:
    if not body:
        return [f"{head} {{}}"]
    return [f"{head} {{", *(f"  {line}" if line else "" for line in body), "}"]


def _reserved(message: pb.DescriptorProto) -> list[str]:
    found = []
    if message.reserved_range:
        spans = ", ".join(_span(r.start, r.end - 1) for r in message.reserved_range)
        found.append(f"reserved {spans};")
    if message.reserved_name:
        found.append(f"reserved {', '.join(quoted(n) for n in message.reserved_name)};")
    return found


def _span(start: int, end: int) -> str:
    return str(start) if start == end else f"{start} to {_end(end)}"


def _end(number: int) -> str:
    return "max" if number in ((1 << 29) - 1, (1 << 31) - 1) else str(number)


def _options(options: Any, meta: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for field, value in options.ListFields():
        if field.name in ("uninterpreted_option", "map_entry") or field.is_extension:
            continue
        if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE or isinstance(value, (list, tuple)):
            continue
        found.append((field.name, _known(field, value)))
    annotations = proto_meta.of(options)
    if annotations is not None:
        found.append((f"(confluent.{meta})", _annotations(annotations)))
    for option in options.uninterpreted_option:
        name = ".".join(f"({p.name_part})" if p.is_extension else p.name_part for p in option.name)
        found.append((name, _uninterpreted(option)))
    return found


def _known(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)


def _annotations(meta: Any) -> str:
    parts = []
    if meta.doc:
        parts.append(f"doc: {quoted(meta.doc)}")
    if meta.params:
        pairs = (f"{{key: {quoted(k)}, value: {quoted(meta.params[k])}}}" for k in sorted(meta.params))
        parts.append(f"params: [{', '.join(pairs)}]")
    if meta.tags:
        parts.append(f"tags: [{', '.join(quoted(t) for t in meta.tags)}]")
    return "{" + ", ".join(parts) + "}"


def _uninterpreted(option: pb.UninterpretedOption) -> str:
    if option.HasField("string_value"):
        return quoted(option.string_value.decode(errors="replace"))
    for name in ("identifier_value", "positive_int_value", "negative_int_value", "double_value"):
        if option.HasField(name):
            return str(getattr(option, name))
    return option.aggregate_value


def _json_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
