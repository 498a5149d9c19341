"""Compiles a schema into the function that prepares its values for orjson.

The function returns the very object it was given when nothing needs conversion, so an envelope
of plain types costs a few checks per struct and no walk over its fields. Keeps INV-7: non-finite
floats, which orjson would turn into null, are written as text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.schema import Field, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, encode_bytes
from replicator.converters.json_logical import encoder as logical_encoder

Encode = Callable[[Any], Any]

REQUIRED_NULL: Final = "Conversion error: null value for field that is required and has no default value"
STRUCTS_KEPT: Final = 1000
_FLOATS: Final = (SchemaType.FLOAT32, SchemaType.FLOAT64)


class WriteCompiler:
    """Compiles schemas under one set of options."""

    def __init__(self, *, numeric: bool, replace_null: bool) -> None:
        self.numeric = numeric
        self.replace_null = replace_null
        self._structs: dict[Schema, Encode] = {}

    def value(self, schema: Schema) -> Encode | None:
        """The conversion of non-null values, or None when they need none."""
        if schema.name in LOGICAL_NAMES:
            return logical_encoder(schema, numeric=self.numeric)
        if schema.type in _FLOATS:
            return encode_float
        if schema.type is SchemaType.BYTES:
            return encode_bytes
        if schema.type is SchemaType.STRUCT:
            return self._struct(schema)
        if schema.type is SchemaType.ARRAY:
            return self._array(schema)
        if schema.type is SchemaType.MAP:
            return self._map(schema)
        return None

    def nullable(self, schema: Schema) -> Encode:
        """The conversion of any value, null included."""
        convert = self.value(schema)
        default = self.default(schema)

        def encode(value: Any) -> Any:
            if value is None:
                if default is None and not schema.optional:
                    raise DataError(REQUIRED_NULL)
                return default
            return value if convert is None else convert(value)

        return encode

    def default(self, schema: Schema) -> Any:
        """What is written instead of null: the encoded default, or None."""
        if schema.default is None or not self.replace_null:
            return None
        return self.encoded_default(schema)

    def encoded_default(self, schema: Schema) -> Any:
        """The schema's default in its JSON form."""
        convert = self.value(schema)
        return schema.default if convert is None else convert(schema.default)

    def _array(self, schema: Schema) -> Encode:
        element = schema.value_schema
        if element is None:
            raise DataError("Array schema did not specify the element type")
        encode = self.nullable(element)
        plain = self.value(element) is None and element.optional and self.default(element) is None

        def encode_array(value: Any) -> Any:
            if not isinstance(value, (list, tuple)):
                raise DataError(f"Invalid type for array: {type(value).__name__}")
            return value if plain else [encode(v) for v in value]

        return encode_array

    def _map(self, schema: Schema) -> Encode:
        if schema.key_schema is None or schema.value_schema is None:
            raise DataError("Map schema did not specify the key or value type")
        encode_key, encode_value = self.nullable(schema.key_schema), self.nullable(schema.value_schema)
        as_object = schema.key_schema.type is SchemaType.STRING

        def encode_map(value: Any) -> Any:
            if not isinstance(value, dict):
                raise DataError(f"Invalid type for map: {type(value).__name__}")
            pairs = ((encode_key(k), encode_value(v)) for k, v in value.items())
            return dict(pairs) if as_object else [list(p) for p in pairs]

        return encode_map

    def _struct(self, schema: Schema) -> Encode:
        # Parts ask more than once, and `before` and `after` are the same schema.
        known = self._structs.get(schema)
        if known is None:
            if len(self._structs) >= STRUCTS_KEPT:
                self._structs.clear()
            known = self._structs[schema] = _StructSource(self, schema).compile()
        return known


class _StructSource:
    """Generates the source of one struct's function: straight code, constants bound by name."""

    def __init__(self, compiler: WriteCompiler, schema: Schema) -> None:
        self.compiler = compiler
        self.schema = schema
        self.names = tuple(f.name for f in schema.fields)
        self.bound: dict[str, Any] = {
            "Struct": Struct,
            "DataError": DataError,
            "NAMES": self.names,
            "unwrap": unwrap,
            "complete": self._completer(),
            "null": _fail_on_null,
            "encode_float": encode_float,
        }
        self.lines: list[str] = []

    def compile(self) -> Encode:
        required = self._required()
        conversions = self._conversions()
        self.lines = [
            "def encode(v):",
            "    if type(v) is not dict: v = unwrap(v)",
            "    if tuple(v) != NAMES: v = complete(v)",
            *take_out(self.names, {f.index for f in required} | {f.index for f, _ in conversions}),
        ]
        if required:
            self.lines.append(f"    if {' or '.join(f'x{f.index} is None' for f in required)}: null()")
        always = [(f, c) for f, c in conversions if self._always_changes(f.schema)]
        rarely = [(f, c) for f, c in conversions if not self._always_changes(f.schema)]
        if always:
            self.lines.append("    v = v.copy()")
        for field, convert in always:
            self._convert_always(field, convert)
        for field, convert in rarely:
            self._convert_rarely(field, convert, owned=bool(always))
        self.lines.append("    return v")
        exec("\n".join(self.lines), self.bound)
        encode: Encode = self.bound["encode"]
        return encode

    def _required(self) -> list[Field]:
        return [
            f for f in self.schema.fields if not f.schema.optional and self.compiler.default(f.schema) is None
        ]

    def _conversions(self) -> list[tuple[Field, Encode | None]]:
        found = [(f, self.compiler.value(f.schema)) for f in self.schema.fields]
        return [(f, c) for f, c in found if c is not None or self.compiler.default(f.schema) is not None]

    def _always_changes(self, schema: Schema) -> bool:
        return schema.type is SchemaType.BYTES or schema.name in LOGICAL_NAMES

    def _bind(self, field: Field, convert: Encode | None) -> tuple[str, str]:
        index = field.index
        self.bound[f"C{index}"] = convert
        self.bound[f"D{index}"] = self.compiler.default(field.schema)
        return f"C{index}", f"D{index}"

    def _convert_always(self, field: Field, convert: Encode | None) -> None:
        code, default = self._bind(field, convert)
        value = f"x{field.index}"
        self.lines.append(f"    v[{field.name!r}] = {default} if {value} is None else {code}({value})")

    def _convert_rarely(self, field: Field, convert: Encode | None, *, owned: bool) -> None:
        code, default = self._bind(field, convert)
        name, x = repr(field.name), f"x{field.index}"
        store = f"v[{name}] = " if owned else f"v = v.copy(); v[{name}] = "
        if self.bound[default] is not None:
            self.lines.append(f"    if {x} is None: {store}{default}")
        if convert is None:
            return
        if convert is encode_float:
            # A number minus itself is 0 unless it is infinite or no number.
            self.lines.append(f"    if {x} is not None and {x} - {x} != 0: {store}encode_float({x})")
            return
        self.lines.append(f"    if {x} is not None:")
        self.lines.append(f"        y = {code}({x})")
        self.lines.append(f"        if y is not {x}: {store}y")

    def _completer(self) -> Callable[[dict[str, Any]], dict[str, Any]]:
        names = self.names
        known = set(names)

        def complete(fields: dict[str, Any]) -> dict[str, Any]:
            unknown = [name for name in fields if name not in known]
            if unknown:
                raise DataError(f"{unknown[0]} is not a valid field name")
            return {name: fields.get(name) for name in names}

        return complete


def take_out(names: Sequence[str], needed: Collection[int]) -> list[str]:
    """Lines that put the needed values of the dict `v`, whose names are known, into x0, x1 ...

    Taking all values at once is faster than looking up many of them, slower than a few.
    """
    if not needed:
        return []
    if len(needed) * 3 > len(names):
        return [f"    ({''.join(f'x{i}, ' for i in range(len(names)))}) = v.values()"]
    return [f"    x{i} = v[{names[i]!r}]" for i in sorted(needed)]


def _fail_on_null() -> None:
    raise DataError(REQUIRED_NULL)


def unwrap(value: Any) -> dict[str, Any]:
    """The dict of a Struct."""
    if isinstance(value, Struct):
        return value.fields
    raise DataError(f"Invalid type for struct: {type(value).__name__}")


def encode_float(value: Any) -> Any:
    """A float as JSON can hold it: non-finite ones by name, as Jackson writes them."""
    if math.isfinite(value):
        return value
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def encode_schemaless(value: Any) -> Any:
    """Prepare a value that has no schema.

    Raises:
        DataError: the value has no Connect type.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return encode_float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return encode_bytes(value)
    if isinstance(value, (list, tuple)):
        return [encode_schemaless(v) for v in value]
    if isinstance(value, dict):
        if all(isinstance(k, str) for k in value):
            return {k: encode_schemaless(v) for k, v in value.items()}
        return [[encode_schemaless(k), encode_schemaless(v)] for k, v in value.items()]
    raise DataError(f"{type(value).__name__} does not have corresponding schema type.")
