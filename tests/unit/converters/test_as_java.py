"""What Kafka Connect 4.1.1's JsonConverter and SimpleHeaderConverter made of the lines of data/java.tsv, and ours.

A line is converter, options, input, and what was read (schema, value) and written again, or the error. Cases that
differ on purpose are listed in docs/compatibility.md and are not in the file.
"""

from __future__ import annotations

import base64
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from replicator.api.errors import DataError
from replicator.api.java_text import text_of_float
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.header import SimpleHeaderConverter
from replicator.converters.json import JsonConverter

LINES = (Path(__file__).parent / "data" / "java.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")
CLASSES = {
    SchemaType.INT8: "Byte",
    SchemaType.INT16: "Short",
    SchemaType.INT32: "Integer",
    SchemaType.INT64: "Long",
    SchemaType.FLOAT32: "Float",
}
EPOCH = dt.datetime(1970, 1, 1)


def shown(value: Any, schema: Schema | None) -> str:
    """A value as the other side printed it."""
    if value is None:
        return "null"
    if isinstance(value, Struct) or (schema is not None and schema.type is SchemaType.STRUCT):
        inner, fields = (value.schema, value.fields) if isinstance(value, Struct) else (schema, value)
        members = (f"{f.name}={shown(fields.get(f.name), f.schema)}" for f in inner.fields)
        return f"S{{{','.join(members)}}}"
    if isinstance(value, dict):
        key, member = (schema.key_schema, schema.value_schema) if schema else (None, None)
        made = {shown(k, key): shown(v, member) for k, v in value.items()}
        return f"M{{{', '.join(f'{k}={made[k]}' for k in sorted(made))}}}"
    if isinstance(value, list):
        return f"[{','.join(shown(v, schema.value_schema if schema else None) for v in value)}]"
    return scalar(value, schema)


def scalar(value: Any, schema: Schema | None) -> str:
    if isinstance(value, bytes):
        return f"bytes:{base64.b64encode(value).decode()}"
    if isinstance(value, dt.datetime):
        return f"date:{(value - EPOCH) // dt.timedelta(milliseconds=1)}"
    if isinstance(value, dt.date):
        return f"date:{(value.toordinal() - EPOCH.toordinal()) * 86_400_000}"
    if isinstance(value, dt.time):
        seconds = (value.hour * 60 + value.minute) * 60 + value.second
        return f"date:{seconds * 1000 + value.microsecond // 1000}"
    if isinstance(value, bool):
        return f"Boolean:{str(value).lower()}"
    if isinstance(value, (int, float)):
        default = "Long" if isinstance(value, int) else "Double"
        name = CLASSES.get(schema.type, default) if schema else default
        return f"{name}:{value if isinstance(value, int) else text_of_float(value)}"
    return f"BigDecimal:{value}" if isinstance(value, Decimal) else f"String:{value}"


def described(schema: Schema | None) -> str:
    """A schema as the other side printed it."""
    if schema is None:
        return "null"
    parts = [schema.type.name, "?" if schema.optional else ""]
    parts += [
        f"/{schema.name}" if schema.name else "",
        f"@{schema.version}" if schema.version is not None else "",
    ]
    if schema.parameters:
        parts.append("{" + ", ".join(f"{k}={v}" for k, v in schema.parameters.items()) + "}")
    if schema.type in (SchemaType.ARRAY, SchemaType.MAP):
        parts.append(f"<{described(schema.value_schema)}>")
    return "".join(parts)


def outcome(kind: str, options: str, data: bytes | None) -> str:
    config = dict(pair.split("=", 1) for pair in options.split(";") if pair)
    try:
        if kind == "json":
            converter = JsonConverter()
            converter.configure(config, is_key=False)
            found = converter.to_connect_data("t", data)
            again = converter.from_connect_data("t", found.schema, found.value)
        else:
            headers = SimpleHeaderConverter()
            found = headers.to_connect_header("t", "k", data)
            again = headers.from_connect_header("t", "k", found.schema, found.value)
    except DataError as error:
        return f"ERR {error}"
    written = "<null>" if again is None else again.decode()
    return f"{described(found.schema)} | {shown(found.value, found.schema)} | {written}"


@pytest.mark.parametrize("kind", ["json", "header"])
def test_the_same_as_java(kind: str) -> None:
    wrong = []
    for line in LINES:
        own, options, data, expected = line.split("\t")
        if own != kind:
            continue
        found = outcome(own, options, None if data == "<null>" else data.encode())
        if not (found.startswith(expected) if expected.startswith("ERR ") else found == expected):
            wrong.append(f"{data}\n  Java {expected}\n  ours {found}")
    assert not wrong, "\n".join(wrong)
    assert sum(line.startswith(kind) for line in LINES) > 100
