"""AvroConverter: Avro with a schema registry, as Confluent's converter of this name. Task thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from replicator.api.config import ConfigDef, Importance
from replicator.api.converter import SchemaAndValue
from replicator.api.schema import Schema
from replicator.converters.registry import options
from replicator.converters.registry.avro_compatibility import incompatibilities
from replicator.converters.registry.avro_from_connect import ToAvro
from replicator.converters.registry.avro_model import AvroNode
from replicator.converters.registry.avro_names import AvroOptions
from replicator.converters.registry.avro_parse import parse
from replicator.converters.registry.avro_print import to_text
from replicator.converters.registry.avro_read import AvroReader
from replicator.converters.registry.avro_to_connect import FromAvro
from replicator.converters.registry.avro_write import WriteCompiler
from replicator.converters.registry.base import Decode, Encode, Prepared, RegistryConverter
from replicator.converters.registry.model import AVRO, SchemaText

_OPTIONS = options.CONVERTER.merged(
    ConfigDef(
        options.flag("enhanced.avro.schema.support", False, "Keep enums and the namespaces of union members.",
              Importance.MEDIUM),
        options.flag("scrub.invalid.names", False, "Replace characters that Avro does not allow in names.",
              Importance.MEDIUM),
        options.flag("connect.meta.data", True, "Keep what Avro cannot say in connect.* properties."),
        options.flag("discard.type.doc.default", False, "Keep documentation and defaults of fields only."),
        options.flag("allow.optional.map.keys", False, "Write maps with optional string keys as Avro maps."),
    )
)  # fmt: skip


class AvroConverter(RegistryConverter):
    """Reads and writes Avro."""

    aliases: ClassVar[tuple[str, ...]] = ("io.confluent.connect.avro.AvroConverter",)
    format_name = "Avro"
    schema_type = AVRO

    @classmethod
    def config_def(cls) -> ConfigDef:
        return _OPTIONS

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        super().configure(config, is_key=is_key)
        self._form = AvroOptions(
            enhanced=self.options["enhanced.avro.schema.support"],
            meta_data=self.options["connect.meta.data"],
            scrub=self.options["scrub.invalid.names"],
            optional_map_keys=self.options["allow.optional.map.keys"],
            discard_type_doc=self.options["discard.type.doc.default"],
            generalized=self.options["generalized.sum.type.support"],
        )

    def prepare(self, schema: Schema | None) -> Prepared:
        node = ToAvro(self._form).node(schema)
        return Prepared(SchemaText(AVRO, to_text(node)), node.name if node.type == "record" else None, node)

    def encoder(self, schema: Schema | None, prepared: Prepared, written: SchemaText) -> Encode:
        node: AvroNode = prepared.native if written == prepared.text else self._parse(written)
        compiler = WriteCompiler(
            ToAvro(self._form),
            ignore_default=self.options["ignore.default.for.nullables"],
        )
        write = compiler.value(schema, node)

        def encode(value: Any) -> bytes:
            parts: list[bytes] = []
            write(parts.append, value)
            return b"".join(parts)

        return encode

    def decoder(self, found: SchemaText, version: int | None) -> Decode:
        node = self._parse(found)
        schema = FromAvro(self._form).schema(node, version)
        read = AvroReader(node, schema).read
        return lambda data: SchemaAndValue(schema, read(data, 5))

    def incompatibilities(self, newest: SchemaText, ours: SchemaText) -> list[str]:
        return incompatibilities(reader=self._parse(newest), writer=self._parse(ours))

    def record_of(self, found: SchemaText) -> str | None:
        node = self._parse(found)
        return node.name if node.type == "record" else None

    def _parse(self, found: SchemaText) -> AvroNode:
        return parse(found.text, [used.text for used in self.client.references(found).values()])
