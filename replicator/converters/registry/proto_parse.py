"""Parses .proto text into a file descriptor. Pure, any thread.

Types of fields stay as they are written; `proto_text` finds what they mean. Options that descriptors
know are set, `confluent.*_meta` too; others are kept uninterpreted.
"""

from __future__ import annotations

from google.protobuf import descriptor_pb2 as pb

from replicator.api.errors import SchemaError
from replicator.converters.registry.proto_messages import MessageParser
from replicator.converters.registry.proto_options import Text


def parse_file(text: str) -> pb.FileDescriptorProto:
    """The descriptor of a file's text.

    Raises:
        SchemaError: the text is no .proto file.
    """
    return _FileParser(text).file()


class _FileParser(MessageParser):
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
