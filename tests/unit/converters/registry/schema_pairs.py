"""What keeps the second of two schemas from reading data of the first, by kind of difference."""

import json

from replicator.converters.registry import formats
from replicator.converters.registry.model import PROTOBUF, SchemaText


def kinds(kind, old, new):
    as_text = (lambda v: v) if kind == PROTOBUF else json.dumps
    writer, reader = (formats.parse(SchemaText(kind, as_text(v)), {}) for v in (old, new))
    return sorted({d.kind for d in formats.differences(kind, reader=reader, writer=writer)})


def record(*fields, name="R", **more):
    return {
        "type": "record",
        "name": name,
        "fields": [dict(zip(("name", "type", "default"), f, strict=False)) for f in fields],
        **more,
    }


def closed(**properties):
    return {"type": "object", "properties": properties, "additionalProperties": False}


def open_(**properties):
    return {"type": "object", "properties": properties}


INT = {"type": "integer"}
TEXT = {"type": "string"}
