"""Compiles (Connect schema, Avro type) into a function that writes values in Avro's binary form.

The function appends pieces to a list. Structs become generated straight code with one look at each
field; nothing is copied and no branch of a union is searched for. Keeps INV-7: a value of another
type, or an integer that the type cannot hold, raises DataError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replicator.api.errors import DataError
from replicator.api.schema import Field, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, encoder
from replicator.converters.registry.avro_from_connect import ToAvro
from replicator.converters.registry.avro_model import MISSING, AvroField, AvroNode
from replicator.converters.registry.avro_names import (
    ANYTHING,
    AvroOptions,
    enum_name,
    is_map_entry,
    union_kind,
)
from replicator.converters.registry.avro_scalars import (
    CACHED,
    ENCODERS,
    END,
    FITS,
    PACK_DOUBLE,
    RANGES,
    SMALL,
    boolean,
    class_name,
    decimal,
    enum,
    fields_of,
    fixed,
    integer,
    marked,
    raw_bytes,
    text,
    varint,
    wrong_type,
)
from replicator.converters.registry.avro_to_connect import FromAvro, default_from_json

Append = Callable[[bytes], None]
Write = Callable[[Append, Any], None]


class WriteCompiler:
    """Compiles schemas under one set of options; keeps what it compiled."""

    def __init__(self, to_avro: ToAvro, *, ignore_default: bool = False, shared_source: bool = False) -> None:
        self.to_avro = to_avro
        self.ignore_default = ignore_default
        self.shared_source = shared_source
        self._records: dict[tuple[Schema, int], tuple[AvroNode, Write]] = {}

    def value(self, schema: Schema | None, node: AvroNode) -> Write:
        """The writer of values, null included."""
        if schema is None:
            return _Anything(node).write
        if node.type != "union":
            return self._required(schema, node)
        if union_kind(schema):
            return self._union(schema, node)
        return self._nullable(schema, node)

    def _required(self, schema: Schema, node: AvroNode) -> Write:
        write = self.present(schema, node)
        default = None if schema.default is None else schema.default

        def encode(append: Append, value: Any) -> None:
            if value is None:
                value = default
                if value is None:
                    raise DataError("Found null value for non-optional schema")
            write(append, value)

        return encode

    def _nullable(self, schema: Schema, node: AvroNode) -> Write:
        null = next((i for i, b in enumerate(node.branches) if b.type == "null"), None)
        index = self._branch(schema, node)
        mark, write = SMALL[index], self.present(schema, node.branches[index])
        null_mark = None if null is None else SMALL[null]
        default = None if self.ignore_default else schema.default

        def encode(append: Append, value: Any) -> None:
            if value is None:
                value = default
            if value is not None:
                append(mark)
                write(append, value)
            elif null_mark is not None:
                append(null_mark)
            else:
                raise DataError("Found null value for non-optional schema")

        return encode

    def _branch(self, schema: Schema, node: AvroNode) -> int:
        """The branch that takes values of a schema."""
        candidates = [i for i, b in enumerate(node.branches) if b.type in FITS[schema.type]]
        if len(candidates) > 1:
            wanted = self.to_avro.node(schema, ignore_optional=True)
            same = [i for i in candidates if node.branches[i].name == wanted.name and wanted.name]
            exact = [i for i in candidates if node.branches[i].type == wanted.type]
            candidates = same or exact or candidates
        if not candidates:
            raise DataError(f"The Avro schema has no type for a {schema.type.name}")
        return candidates[0]

    def _union(self, schema: Schema, node: AvroNode) -> Write:
        null = next((SMALL[i] for i, b in enumerate(node.branches) if b.type == "null"), None)
        members: dict[str, tuple[bytes, Write]] = {}
        for field in schema.fields:
            index = self._branch(field.schema, node)
            members[field.name] = SMALL[index], self.present(field.schema, node.branches[index])

        def encode(append: Append, value: Any) -> None:
            fields = value.fields if isinstance(value, Struct) else value
            if fields is not None:
                for name, (mark, write) in members.items():
                    one = fields.get(name)
                    if one is not None:
                        append(mark)
                        write(append, one)
                        return
            if null is None:
                raise DataError("Found null value for non-optional schema")
            append(null)

        return encode

    def present(self, schema: Schema, node: AvroNode) -> Write:
        """The writer of values that are not null."""
        if node.type not in FITS[schema.type]:
            raise DataError(f"A {schema.type.name} cannot be written as Avro {node.type}")
        if schema.name in LOGICAL_NAMES:
            return _appending(_logical(schema, node))
        if node.type == "record":
            return self._record(schema, node)
        if node.type == "array" and schema.type is SchemaType.ARRAY:
            return self._array(schema, node)
        if schema.type is SchemaType.MAP:
            return self._map(schema, node)
        if node.type == "enum":
            return _appending(enum(node))
        if node.type == "fixed":
            return _appending(fixed(node))
        if node.type in ("float", "double"):
            return _appending(ENCODERS[SchemaType.FLOAT32 if node.type == "float" else SchemaType.FLOAT64])
        return _appending(ENCODERS[schema.type])

    def plain(self, schema: Schema, node: AvroNode) -> str | None:
        """The kind of straight code that writes such values, if there is one."""
        if schema.name in LOGICAL_NAMES or node.type in ("enum", "fixed", "float", "double"):
            return None
        if schema.type in (SchemaType.INT32, SchemaType.INT64):
            return "integer"
        if schema.type is SchemaType.STRING and enum_name(schema) is None:
            return "text"
        return None

    def _array(self, schema: Schema, node: AvroNode) -> Write:
        if schema.value_schema is None:
            raise DataError("Array schema did not specify the element type")
        write = self.value(schema.value_schema, node.content())

        def encode(append: Append, value: Any) -> None:
            if not isinstance(value, (list, tuple)):
                raise wrong_type("ARRAY", value)
            if value:
                append(varint(len(value)))
                for element in value:
                    write(append, element)
            append(END)

        return encode

    def _map(self, schema: Schema, node: AvroNode) -> Write:
        if schema.key_schema is None or schema.value_schema is None:
            raise DataError("Map schema did not specify the key or value type")
        if node.type == "map":
            write_key: Write = _appending(text)
            write_value = self.value(schema.value_schema, node.content())
        else:
            entry = node.content()
            key, value = entry.field_named("key"), entry.field_named("value")
            if not is_map_entry(entry) or key is None or value is None:
                raise DataError("A map cannot be written as this Avro array")
            write_key = self.value(schema.key_schema, key.node)
            write_value = self.value(schema.value_schema, value.node)

        def encode(append: Append, value: Any) -> None:
            if not isinstance(value, dict):
                raise wrong_type("MAP", value)
            if value:
                append(varint(len(value)))
                for one_key, one in value.items():
                    write_key(append, one_key)
                    write_value(append, one)
            append(END)

        return encode

    def _record(self, schema: Schema, node: AvroNode) -> Write:
        known = self._records.get((schema, id(node)))
        if known is None:
            known = self._records[schema, id(node)] = (node, _RecordSource(self, schema, node).compile())
        return known[1]

    def field_default(self, one: AvroField, name: str) -> bytes:
        """The bytes of a field that our schema lacks.

        Raises:
            DataError: it has no default.
        """
        if one.default is MISSING:
            raise DataError(f"The Avro schema needs the field {name}, which the data have not")
        names = FromAvro(AvroOptions())
        schema = names.schema(one.node)
        if schema is None:
            raise DataError(f"The Avro schema needs the field {name}, which the data have not")
        content = one.node
        if content.type == "union" and not union_kind(schema):
            content = content.branches[0]
        value = None if one.default is None else default_from_json(schema, content, one.default, names)
        parts: list[bytes] = []
        self.value(schema, one.node)(parts.append, value)
        return b"".join(parts)


def _appending(encode: Callable[[Any], bytes]) -> Write:
    def write(append: Append, value: Any) -> None:
        append(encode(value))

    return write


def _logical(schema: Schema, node: AvroNode) -> Callable[[Any], bytes]:
    if schema.type is SchemaType.BYTES:
        return decimal(int(schema.parameters.get("scale", "0")), node.size if node.type == "fixed" else None)
    base, number = encoder(schema, numeric=False), integer(schema.type)
    return lambda value: number(base(value))


class _RecordSource:
    """Generates the source of one record's writer."""

    def __init__(self, compiler: WriteCompiler, schema: Schema, node: AvroNode) -> None:
        self.compiler = compiler
        self.schema = schema
        self.node = node
        self.bound: dict[str, Any] = {"varint": varint, "fields_of": fields_of}
        self.lines = [
            "def write(a, v):",
            "    if type(v) is not dict: v = fields_of(v)",
            "    get = v.get",
        ]

    def compile(self) -> Write:
        scrub = self.compiler.to_avro.scrub
        ours = {scrub(f.name): f for f in self.schema.fields}
        for index, field in enumerate(self.node.fields):
            own = ours.get(field.name)
            if own is None:
                self.bound[f"B{index}"] = self.compiler.field_default(field, field.name)
                self.lines.append(f"    a(B{index})")
            else:
                self._field(index, own, field.node)
        if len(self.lines) == 3:
            self.lines.append("    return")
        exec("\n".join(self.lines), self.bound)
        write: Write = self.bound["write"]
        return write

    def _field(self, index: int, field: Field, node: AvroNode) -> None:
        kind = self._straight(field, node)
        if kind is None:
            write = self.compiler.value(field.schema, node)
            shared = self.compiler.shared_source and field.name == "source"
            self.bound[f"W{index}"] = _shared(write) if shared else write
            self.lines.append(f"    W{index}(a, get({field.name!r}))")
            return
        # What is not plain goes to the general function, which also raises.
        mark = b""
        if node.type == "union":
            mark = SMALL[next(i for i, b in enumerate(node.branches) if b.type != "null")]
        table = f"Z{mark.hex()}"
        self.bound[table] = marked(mark)
        self.bound[f"W{index}"] = self.compiler.value(field.schema, node)
        self.lines.append(f"    x = get({field.name!r})")
        if kind == "text":
            self.lines.append("    if type(x) is str:")
            self.lines.append("        b = x.encode(); n = len(b)")
            self.lines.append(f"        a(({table}[n] if n < {CACHED} else {mark!r} + varint(n)) + b)")
        else:
            low, high = RANGES[field.schema.type]
            self.lines.append(f"    if type(x) is int and {low} <= x < {high}:")
            self.lines.append(f"        a({table}[x] if {-CACHED} <= x < {CACHED} else {mark!r} + varint(x))")
        self.lines.append(f"    else: W{index}(a, x)")

    def _straight(self, field: Field, node: AvroNode) -> str | None:
        if node.type == "union":
            branches = [b for b in node.branches if b.type != "null"]
            if len(branches) != 1 or union_kind(field.schema):
                return None
            node = branches[0]
        expected = {"integer": ("int", "long"), "text": ("string",)}
        kind = self.compiler.plain(field.schema, node)
        return kind if kind is not None and node.type in expected[kind] else None


def _shared(write: Write) -> Write:
    """A block that is the same object in many records is written once and kept."""
    last: Any = None
    kept: bytes | None = None

    def encode(append: Append, value: Any) -> None:
        nonlocal last, kept
        if value is None or value is not last:
            last, kept = value, None
            write(append, value)
            return
        if kept is None:
            parts: list[bytes] = []
            write(parts.append, value)
            kept = b"".join(parts)
        append(kept)

    return encode


class _Anything:
    """Writes schemaless data as the record with one field per kind."""

    def __init__(self, node: AvroNode) -> None:
        if node.name != ANYTHING:
            raise DataError("Schemaless data cannot be written with this Avro schema")
        self._positions = {f.name: i for i, f in enumerate(node.fields)}
        self._count = len(node.fields)

    def write(self, append: Append, value: Any) -> None:
        """Write one value, null included."""
        kind, content = self._content(value)
        at = self._positions[kind] if kind else self._count
        append(END * at)
        if kind:
            append(SMALL[1])
            content(append)
            append(END * (self._count - at - 1))

    def _content(self, value: Any) -> tuple[str, Callable[[Append], None]]:
        if value is None:
            return "", lambda append: None
        if isinstance(value, bool):
            return "boolean", lambda append: append(boolean(value))
        if isinstance(value, int):
            # Whole numbers without a schema are Java's long everywhere in Connect.
            return "long", lambda append: append(ENCODERS[SchemaType.INT64](value))
        if isinstance(value, float):
            return "double", lambda append: append(PACK_DOUBLE(value))
        if isinstance(value, str):
            return "string", lambda append: append(text(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return "bytes", lambda append: append(raw_bytes(value))
        if isinstance(value, (list, tuple)):
            return "array", lambda append: self._list(append, value)
        if isinstance(value, dict):
            return "map", lambda append: self._entries(append, value)
        raise DataError(f"Unknown type for schemaless data: {class_name(value)}")

    def _list(self, append: Append, value: Any) -> None:
        if value:
            append(varint(len(value)))
            for element in value:
                self.write(append, element)
        append(END)

    def _entries(self, append: Append, value: dict[Any, Any]) -> None:
        if value:
            append(varint(len(value)))
            for key, one in value.items():
                self.write(append, key)
                self.write(append, one)
        append(END)
