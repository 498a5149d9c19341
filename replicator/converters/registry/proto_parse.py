"""Parses .proto text into a file descriptor. Pure, any thread.

Types of fields stay as they are written; `proto_text` finds what they mean. Options that descriptors
know are set, `confluent.*_meta` too; others are kept uninterpreted.
"""

from __future__ import annotations

import re
from typing import Any, Final

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.message import Message

from replicator.api.errors import SchemaError
from replicator.converters.registry.proto_options import Text, set_option

_TOKEN: Final = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?![A-Za-z_]))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
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


def parse_file(text: str) -> pb.FileDescriptorProto:
    """The descriptor of a file's text.

    Raises:
        SchemaError: the text is no .proto file.
    """
    return _Parser(text).file()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        for match in _TOKEN.finditer(text):
            if match["text"] is not None:
                self.tokens.append(Text(_unquoted(match["text"])))
            elif match.lastgroup is not None:
                self.tokens.append(match[0])
        self.at = 0
        self.syntax = "proto2"

    # Tokens

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        if self.at >= len(self.tokens):
            raise SchemaError("The schema ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, token: str) -> bool:
        if self.peek() == token and not isinstance(self.peek(), Text):
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        found = self.next()
        if found != token or isinstance(found, Text):
            raise SchemaError(f"Expected {token!r} but found {found!r}")

    def name(self) -> str:
        """A name, with dots."""
        made = "." if self.take(".") else ""
        made += self._word()
        while self.take("."):
            made += "." + self._word()
        return made

    def _word(self) -> str:
        found = self.next()
        if isinstance(found, Text) or not (found[:1].isalpha() or found[:1] == "_"):
            raise SchemaError(f"Expected a name but found {found!r}")
        return found

    def integer(self) -> int:
        sign = -1 if self.take("-") else 1
        found = self.next()
        try:
            base = 8 if re.fullmatch("0[0-7]+", found) else 0
            return sign * int(found, base)
        except ValueError:
            raise SchemaError(f"Expected a number but found {found!r}") from None

    def text(self) -> str:
        found = self.next()
        if not isinstance(found, Text):
            raise SchemaError(f"Expected a string but found {found!r}")
        while isinstance(self.peek(), Text):
            found = Text(found + self.next())
        return str(found)

    # Grammar

    def file(self) -> pb.FileDescriptorProto:
        made = pb.FileDescriptorProto()
        while self.peek():
            word = self.next()
            if word == ";":
                continue
            if word in ("syntax", "edition"):
                self.expect("=")
                self.syntax = self.text()
                self.expect(";")
            elif word == "package":
                made.package = self.name()
                self.expect(";")
            elif word == "import":
                self._import(made)
            elif word == "option":
                self._option_statement(made.options, "file_meta")
            elif word == "message":
                self._message(made.message_type.add())
            elif word == "enum":
                self._enum(made.enum_type.add())
            elif word == "service":
                self._service(made.service.add())
            elif word == "extend":
                self._extend(made.extension)
            else:
                raise SchemaError(f"Unexpected {word!r}")
        if self.syntax not in ("proto2", "proto3"):
            raise SchemaError(f"Unsupported syntax {self.syntax}")
        if self.syntax == "proto3":
            made.syntax = "proto3"
        return made

    def _import(self, made: pb.FileDescriptorProto) -> None:
        kind = self.next() if self.peek() in ("public", "weak") and not isinstance(self.peek(), Text) else ""
        made.dependency.append(self.text())
        if kind == "public":
            made.public_dependency.append(len(made.dependency) - 1)
        self.expect(";")

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
        if self.take("["):
            while True:
                self._field_option(field)
                if not self.take(","):
                    break
            self.expect("]")
        self.expect(";")

    def _field_option(self, field: pb.FieldDescriptorProto) -> None:
        names = self._option_name()
        self.expect("=")
        value = self._value()
        if names == ["default"]:
            field.default_value = _plain(value)
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
        if self.take("["):
            while True:
                names = self._option_name()
                self.expect("=")
                set_option(value.options, names, self._value(), "enum_value_meta")
                if not self.take(","):
                    break
            self.expect("]")
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

    def _service(self, made: pb.ServiceDescriptorProto) -> None:
        made.name = self._word()
        self.expect("{")
        while not self.take("}"):
            if self.take("option"):
                self._option_statement(made.options, "service_meta")
            elif self.take("rpc"):
                self._method(made.method.add())
            else:
                self.expect(";")

    def _method(self, made: pb.MethodDescriptorProto) -> None:
        made.name = self._word()
        made.input_type, made.client_streaming = self._message_type()
        self.expect("returns")
        made.output_type, made.server_streaming = self._message_type()
        if self.take("{"):
            while not self.take("}"):
                if self.take("option"):
                    self._option_statement(made.options, "method_meta")
                else:
                    self.expect(";")
        else:
            self.expect(";")

    def _message_type(self) -> tuple[str, bool]:
        self.expect("(")
        stream = self.take("stream")
        name = self.name()
        self.expect(")")
        return name, stream

    def _option_statement(self, options: Message, meta: str) -> None:
        names = self._option_name()
        self.expect("=")
        value = self._value()
        self.expect(";")
        set_option(options, names, value, meta)

    def _option_name(self) -> list[str]:
        names: list[str] = []
        while True:
            if self.take("("):
                names.append(f"({self.name()})")
                self.expect(")")
            else:
                names.append(self._word())
            if not self.take("."):
                return names

    def _value(self) -> Any:
        """A constant: text, number, name, or the text form of a message as lists of pairs."""
        if isinstance(self.peek(), Text):
            return Text(self.text())
        if self.take("{"):
            return self._pairs("}")
        if self.take("<"):
            return self._pairs(">")
        if self.take("["):
            found = []
            while not self.take("]"):
                found.append(self._value())
                self.take(",")
            return found
        sign = "-" if self.take("-") else ""
        self.take("+")
        token = self.next()
        if token[:1].isdigit() or token[:1] == ".":
            return _number(sign + token)
        while self.take("."):
            token += "." + self._word()
        return sign + token

    def _pairs(self, end: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self.take(end):
            name = f"[{self.name()}]" if self.take("[") else self._word()
            if name.startswith("["):
                self.expect("]")
            self.take(":")
            value = self._value()
            if name in found:
                before = found[name]
                value = [*(before if isinstance(before, list) else [before]), value]
            found[name] = value
            self.take(",") or self.take(";")
        return found


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


def _number(token: str) -> int | float:
    try:
        return int(token, 0) if not re.fullmatch("-?0[0-7]+", token) else int(token, 8)
    except ValueError:
        return float(token)


def _plain(value: Any) -> str:
    return str(value)


def _unquoted(literal: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "x":
            return chr(int(code[1:], 16))
        if code[0].isdigit():
            return chr(int(code, 8))
        if code[0] in "uU":
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, code)

    return re.sub(
        r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)",
        replace,
        literal[1:-1],
        flags=re.DOTALL,
    )
