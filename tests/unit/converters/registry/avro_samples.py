"""An AvroConverter with options, and schemas in both directions."""

import json

from replicator.api import schema as s
from replicator.converters.avro import AvroConverter
from replicator.converters.registry.avro_from_connect import ToAvro
from replicator.converters.registry.avro_names import AvroOptions
from replicator.converters.registry.avro_parse import parse
from replicator.converters.registry.avro_print import to_text
from replicator.converters.registry.avro_to_connect import FromAvro


def converter(scope, *, is_key=False, **options):
    made = AvroConverter()
    made.configure({"schema.registry.url": scope, **options}, is_key=is_key)
    return made


def text(schema, **options):
    return to_text(ToAvro(AvroOptions(**options)).node(schema))


def schema_of(avro, version=None, **options):
    return FromAvro(AvroOptions(**options)).schema(parse(json.dumps(avro)), version)


R1 = s.struct_schema([("a", s.INT32)], name="R")
R2 = s.struct_schema([("a", s.INT32), ("b", s.STRING)], name="R")
R3 = s.struct_schema([("a", s.INT32), ("b", s.OPTIONAL_STRING)], name="R")
