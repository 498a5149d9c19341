"""Messages and enums of a .proto text. Pure, any thread."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2 as pb

from replicator.api.errors import SchemaError
from replicator.converters.registry.proto_options import Text, set_option
from replicator.converters.registry.proto_values import OptionTokens

SCALARS: Final[dict[str, int]] = {
    name.removeprefix("TYPE_").lower(): number
    for name, number in pb.FieldDescriptorProto.Type.items()
    if name not in ("TYPE_GROUP", "TYPE_MESSAGE", "TYPE_ENUM")
}
_LABELS: Final = {
    "optional": pb.FieldDescriptorProto.LABEL_OPTIONAL,
    "required": pb.FieldDescriptorProto.LABEL_REQUIRED,
    "repeated": pb.FieldDescriptorProto.LABEL_REPEATED,
}


class MessageParser(OptionTokens):
    """Reads what a file and a message may contain."""

    syntax = "proto2"

    def _message(self, made: pb.DescriptorProto) -> None:
        made.name = self._word()
        self._message_body(made)

    def _message_body(self, made: pb.DescriptorProto) -> None:
        self.expect("{")
        while not self.take("}"):
            word = self.peek()
            if self.take(";"):
                continue
            if word in ("message", "enum", "oneof", "extend", "option", "reserved", "extensions") and (
                self._starts_statement(word)
            ):
                self._statement(self.next(), made)
            else:
                self._field(made, None)
        _synthetic_oneofs(made)

    def _starts_statement(self, word: str) -> bool:
        """Whether the keyword is one here, and not the name of a field's type."""
        after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ""
        behind = self.tokens[self.at + 2] if self.at + 2 < len(self.tokens) else ""
        return not (behind == "=" and word not in ("option",)) or after == "("

    def _statement(self, word: str, made: pb.DescriptorProto) -> None:
        if word == "message":
            self._message(made.nested_type.add())
        elif word == "enum":
            self._enum(made.enum_type.add())
        elif word == "oneof":
            self._oneof(made)
        elif word == "extend":
            self._extend(made.extension)
        elif word == "option":
            self._option_statement(made.options, "message_meta")
        elif word == "reserved":
            self._reserved(made)
        else:
            self._extensions(made)

    def _field(self, made: pb.DescriptorProto, oneof: int | None) -> None:
        field = made.field.add()
        label = self.peek()
        if label in _LABELS and not isinstance(label, Text):
            self.next()
            field.label = _LABELS[label]
            field.proto3_optional = label == "optional" and self.syntax == "proto3"
        else:
            field.label = pb.FieldDescriptorProto.LABEL_OPTIONAL
        if self.take("map"):
            self._map(made, field)
            return
        kind = self.name()
        if kind == "group":
            raise SchemaError("Groups are not supported")
        _set_type(field, kind)
        if oneof is not None:
            field.oneof_index = oneof
        self._field_end(field)

    def _field_end(self, field: pb.FieldDescriptorProto) -> None:
        field.name = self._word()
        self.expect("=")
        field.number = self.integer()
        self._options(lambda: self._field_option(field))
        self.expect(";")

    def _field_option(self, field: pb.FieldDescriptorProto) -> None:
        names = self._option_name()
        self.expect("=")
        value = self._value()
        if names == ["default"]:
            field.default_value = str(value)
        elif names == ["json_name"]:
            field.json_name = str(value)
        else:
            set_option(field.options, names, value, "field_meta")

    def _map(self, made: pb.DescriptorProto, field: pb.FieldDescriptorProto) -> None:
        self.expect("<")
        key = self.name()
        self.expect(",")
        value = self.name()
        self.expect(">")
        self._field_end(field)
        entry = made.nested_type.add(name=map_entry_name(field.name))
        entry.options.map_entry = True
        for number, (name, kind) in enumerate((("key", key), ("value", value)), start=1):
            part = entry.field.add(name=name, number=number, label=pb.FieldDescriptorProto.LABEL_OPTIONAL)
            _set_type(part, kind)
        field.label = pb.FieldDescriptorProto.LABEL_REPEATED
        field.type = pb.FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = entry.name

    def _oneof(self, made: pb.DescriptorProto) -> None:
        index = len(made.oneof_decl)
        oneof = made.oneof_decl.add(name=self._word())
        self.expect("{")
        while not self.take("}"):
            if self.take("option"):
                self._option_statement(oneof.options, "oneof_meta")
            elif not self.take(";"):
                self._field(made, index)

    def _enum(self, made: pb.EnumDescriptorProto) -> None:
        made.name = self._word()
        self.expect("{")
        while not self.take("}"):
            if self.take(";"):
                continue
            if self.take("option"):
                self._option_statement(made.options, "enum_meta")
            elif self.take("reserved"):
                self._enum_reserved(made)
            else:
                self._enum_value(made.value.add())

    def _enum_value(self, value: pb.EnumValueDescriptorProto) -> None:
        value.name = self._word()
        self.expect("=")
        value.number = self.integer()
        self._options(lambda: self._option(value.options, "enum_value_meta"))
        self.expect(";")

    def _ranges(self, highest: int) -> list[tuple[int, int]]:
        found = []
        while True:
            start = end = self.integer()
            if self.take("to"):
                end = highest if self.take("max") else self.integer()
            found.append((start, end))
            if not self.take(","):
                return found

    def _names(self) -> list[str]:
        found = [self.text()]
        while self.take(","):
            found.append(self.text())
        return found

    def _reserved(self, made: pb.DescriptorProto) -> None:
        if isinstance(self.peek(), Text):
            made.reserved_name.extend(self._names())
        else:
            for start, end in self._ranges((1 << 29) - 1):
                made.reserved_range.add(start=start, end=end + 1)
        self.expect(";")

    def _enum_reserved(self, made: pb.EnumDescriptorProto) -> None:
        if isinstance(self.peek(), Text):
            made.reserved_name.extend(self._names())
        else:
            for start, end in self._ranges((1 << 31) - 1):
                made.reserved_range.add(start=start, end=end)
        self.expect(";")

    def _extensions(self, made: pb.DescriptorProto) -> None:
        for start, end in self._ranges((1 << 29) - 1):
            made.extension_range.add(start=start, end=end + 1)
        if self.take("["):
            while not self.take("]"):
                self.next()
        self.expect(";")

    def _extend(self, into: Any) -> None:
        extended = self.name()
        self.expect("{")
        holder = pb.DescriptorProto()
        while not self.take("}"):
            if not self.take(";"):
                self._field(holder, None)
        for field in holder.field:
            field.extendee = extended
            into.append(field)


def map_entry_name(field: str) -> str:
    """Name of the message behind a map field."""
    return "".join(part[:1].upper() + part[1:] for part in field.split("_")) + "Entry"


def _synthetic_oneofs(made: pb.DescriptorProto) -> None:
    """proto3's `optional` is a oneof of its own; they come after the real ones."""
    taken = {o.name for o in made.oneof_decl} | {f.name for f in made.field}
    for field in made.field:
        if field.proto3_optional and not field.HasField("oneof_index"):
            name = f"_{field.name}"
            while name in taken:
                name = f"X{name}"
            taken.add(name)
            field.oneof_index = len(made.oneof_decl)
            made.oneof_decl.add(name=name)


def _set_type(field: pb.FieldDescriptorProto, kind: str) -> None:
    if kind in SCALARS:
        field.type = SCALARS[kind]  # type: ignore[assignment]
    else:
        field.type_name = kind
