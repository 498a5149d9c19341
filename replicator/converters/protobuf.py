"""ProtobufConverter: Protobuf with a schema registry, as Confluent's converter of this name. Task thread.

After the schema's id a message says which message of the file it is: a count and the positions, one
zero byte for the first message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from replicator.api.config import ConfigDef, Importance
from replicator.api.converter import SchemaAndValue
from replicator.api.errors import DataError
from replicator.api.schema import Schema
from replicator.api.struct import Struct
from replicator.converters.registry import options
from replicator.converters.registry.avro_scalars import varint
from replicator.converters.registry.base import Decode, Encode, Prepared, RegistryConverter
from replicator.converters.registry.model import PROTOBUF, SchemaText
from replicator.converters.registry.proto_compatibility import differences
from replicator.converters.registry.proto_from_connect import ToProto
from replicator.converters.registry.proto_names import ProtoOptions
from replicator.converters.registry.proto_print import print_file
from replicator.converters.registry.proto_read import ReadCompiler
from replicator.converters.registry.proto_text import ProtoFile, messages, parse
from replicator.converters.registry.proto_to_connect import FromProto
from replicator.converters.registry.proto_write import WriteCompiler

_OPTIONS = options.CONVERTER.merged(
    ConfigDef(
        options.flag("enhanced.protobuf.schema.support", False, "Keep package names.", Importance.MEDIUM),
        options.flag("scrub.invalid.names", False, "Replace characters that Protobuf does not allow in names.",
              Importance.MEDIUM),
        options.flag("int.for.enums", False, "Read enums as numbers."),
        options.flag("optional.for.nullables", False, "Write optional fields with proto3's `optional`.",
              Importance.MEDIUM),
        options.flag("wrapper.for.nullables", False, "Write optional fields in Google's wrapper messages.",
              Importance.MEDIUM),
        options.flag("wrapper.for.raw.primitives", True, "Read Google's wrapper messages as plain values."),
        options.flag("generate.index.for.unions", True, "Name fields of oneofs with their index."),
    )
)  # fmt: skip


class ProtobufConverter(RegistryConverter):
    """Reads and writes Protobuf."""

    aliases: ClassVar[tuple[str, ...]] = ("io.confluent.connect.protobuf.ProtobufConverter",)
    format_name = "Protobuf"
    schema_type = PROTOBUF

    @classmethod
    def config_def(cls) -> ConfigDef:
        return _OPTIONS

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        super().configure(config, is_key=is_key)
        self._form = ProtoOptions(
            enhanced=self.options["enhanced.protobuf.schema.support"],
            scrub=self.options["scrub.invalid.names"],
            int_for_enums=self.options["int.for.enums"],
            optional_for_nullables=self.options["optional.for.nullables"],
            index_for_unions=self.options["generate.index.for.unions"],
            wrapper_for_nullables=self.options["wrapper.for.nullables"],
            wrapper_for_raw=self.options["wrapper.for.raw.primitives"],
            generalized=self.options["generalized.sum.type.support"],
        )

    def prepare(self, schema: Schema | None) -> Prepared:
        if schema is None:
            raise DataError("Protobuf needs a schema, and the value has none")
        made = ToProto(self._form)
        text = print_file(made.build(schema))
        return Prepared(SchemaText(PROTOBUF, text), made.root, made)

    def encoder(self, schema: Schema | None, prepared: Prepared, written: SchemaText) -> Encode:
        if schema is None:
            raise DataError("Protobuf needs a schema, and the value has none")
        made: ToProto = prepared.native
        file = self._parse(written)
        indexes, descriptor = _message_named(file, made.root)
        ignore = bool(self.options["ignore.default.for.nullables"])
        write = WriteCompiler(made, ignore_default=ignore).message(schema, descriptor)
        head = b"\x00" if indexes == [0] else b"".join(varint(n) for n in (len(indexes), *indexes))

        def encode(value: Any) -> bytes:
            if value is None:
                raise DataError("Found null value for non-optional schema")
            try:
                payload: bytes = write(value).SerializeToString()
                return head + payload
            except (TypeError, ValueError) as error:
                raise DataError(
                    f"The value does not fit the message {descriptor.full_name}: {error}"
                ) from error

        return encode

    def decoder(self, found: SchemaText, version: int | None) -> Decode:
        file = self._parse(found)
        pool_file = file.descriptor()
        listed = {tuple(i): d for i, d in messages(pool_file.message_types_by_name.values())}
        readers: dict[tuple[int, ...], tuple[Schema, Any, Any]] = {}

        def reader(indexes: tuple[int, ...]) -> tuple[Schema, Any, Any]:
            descriptor = listed.get(indexes)
            if descriptor is None:
                raise DataError(f"The schema has no message at {list(indexes)}")
            names = FromProto(self._form)
            schema = names.schema(descriptor, version)
            return (
                schema,
                message_factory.GetMessageClass(descriptor),
                ReadCompiler(names).message(schema, descriptor),
            )

        def decode(data: bytes) -> SchemaAndValue:
            indexes, start = read_indexes(data, 5)
            known = readers.get(indexes)
            if known is None:
                known = readers[indexes] = reader(indexes)
            schema, made_class, read = known
            try:
                message = made_class.FromString(data[start:])
            except DecodeError as error:
                raise DataError(f"Error deserializing Protobuf message: {error}") from error
            return SchemaAndValue(schema, Struct(schema, read(message)))

        return decode

    def incompatibilities(self, newest: SchemaText, ours: SchemaText) -> list[str]:
        return [str(d) for d in differences(reader=self._parse(newest), writer=self._parse(ours))]

    def record_of(self, found: SchemaText) -> str | None:
        file = self._parse(found).file
        if not file.message_type:
            return None
        name = file.message_type[0].name
        return f"{file.package}.{name}" if file.package else name

    def _parse(self, found: SchemaText) -> ProtoFile:
        used = self.client.references(found)
        return parse(found.text, {name: schema.text for name, schema in used.items()})


def _message_named(file: ProtoFile, name: str) -> tuple[list[int], Descriptor]:
    """A message and its position; if the file has none of the name, its first one."""
    listed = list(messages(file.descriptor().message_types_by_name.values()))
    for indexes, descriptor in listed:
        if descriptor.full_name == name:
            return indexes, descriptor
    if not listed:
        raise DataError("The Protobuf schema has no message")
    return listed[0]


def read_indexes(data: bytes, start: int) -> tuple[tuple[int, ...], int]:
    """The position of the message in its file, and where the payload begins.

    Raises:
        DataError: there is none.
    """
    if data[start : start + 1] == b"\x00":
        return (0,), start + 1
    count, start = _number(data, start)
    if not 0 < count <= 100:
        raise DataError("The message has no valid position in its file")
    found: list[int] = []
    for _ in range(count):
        number, start = _number(data, start)
        found.append(number)
    return tuple(found), start


def _number(data: bytes, start: int) -> tuple[int, int]:
    made = shift = 0
    for at in range(start, min(len(data), start + 10)):
        made |= (data[at] & 127) << shift
        if data[at] < 128:
            return (made >> 1) ^ -(made & 1), at + 1
        shift += 7
    raise DataError("The message ends within its position")
