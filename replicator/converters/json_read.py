"""Compiles a schema into the function that turns parsed JSON into Connect values.

Parsed dicts are kept as they are: a struct costs one comparison of its names and a null check;
only fields whose JSON form differs from the value (bytes, logical types, floats) are touched.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.schema import Field, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, decode_bytes, decoder, node_type
from replicator.converters.json_write import STRUCTS_KEPT, take_out

Decode = Callable[[Any], Any]

_FLOATS: Final = (SchemaType.FLOAT32, SchemaType.FLOAT64)
_NON_FINITE: Final = frozenset(("NaN", "Infinity", "-Infinity"))
_NATIVE: Final[dict[SchemaType, type]] = {
    SchemaType.INT8: int,
    SchemaType.INT16: int,
    SchemaType.INT32: int,
    SchemaType.INT64: int,
    SchemaType.BOOLEAN: bool,
    SchemaType.STRING: str,
}
"""Types whose values are what the parser makes of them."""
_TYPES_KEPT: Final = 1000


class ReadCompiler:
    """Compiles schemas under one set of options."""

    def __init__(self, *, replace_null: bool) -> None:
        self.replace_null = replace_null
        self._structs: dict[Schema, Decode] = {}

    def value(self, schema: Schema) -> Decode | None:
        """The conversion of non-null values, or None when they need none; structs come as dicts."""
        if schema.name in LOGICAL_NAMES:
            return decoder(schema)
        if schema.type in _FLOATS:
            return decode_float
        if schema.type is SchemaType.BYTES:
            return decode_bytes
        if schema.type is SchemaType.STRUCT:
            return self.struct(schema)
        if schema.type is SchemaType.ARRAY:
            return self._array(schema)
        if schema.type is SchemaType.MAP:
            return self._map(schema)
        return None

    def nullable(self, schema: Schema) -> Decode:
        """The conversion of any value, null included; structs come as Struct."""
        convert = self.value(schema) or native(schema)
        default = self.default(schema)
        wrap = schema.type is SchemaType.STRUCT

        def decode(value: Any) -> Any:
            if value is None:
                if default is None and not schema.optional:
                    raise null_error(schema)
                return default
            if convert is not None:
                value = convert(value)
            return Struct(schema, value) if wrap else value

        return decode

    def default(self, schema: Schema) -> Any:
        """What a null is read as."""
        return schema.default if self.replace_null else None

    def struct(self, schema: Schema) -> Decode:
        """The conversion of a struct's JSON to its fields."""
        known = self._structs.get(schema)
        if known is None:
            if len(self._structs) >= STRUCTS_KEPT:
                self._structs.clear()
            known = self._structs[schema] = _StructSource(self, schema).compile()
        return known

    def _array(self, schema: Schema) -> Decode:
        if schema.value_schema is None:
            raise DataError("Array schema did not specify the element type")
        element = schema.value_schema
        decode = self.nullable(element)
        plain = self.value(element) is None and element.optional and self.default(element) is None
        fitting = {_NATIVE.get(element.type), type(None)}

        def decode_array(value: Any) -> Any:
            if type(value) is not list:
                raise DataError(f"Invalid type for array: {node_type(value)}")
            return value if plain and fitting.issuperset(map(type, value)) else [decode(v) for v in value]

        return decode_array

    def _map(self, schema: Schema) -> Decode:
        if schema.key_schema is None or schema.value_schema is None:
            raise DataError("Map schema did not specify the key or value type")
        decode_key, decode_value = self.nullable(schema.key_schema), self.nullable(schema.value_schema)

        def decode_object(value: Any) -> Any:
            if type(value) is not dict:
                raise DataError(
                    f"Maps with string fields should be encoded as JSON objects, but found {node_type(value)}"
                )
            return {k: decode_value(v) for k, v in value.items()}

        def decode_pairs(value: Any) -> Any:
            if type(value) is not list:
                raise DataError(
                    "Maps with non-string fields should be encoded as JSON array of tuples, but found "
                    f"{node_type(value)}"
                )
            return dict(_pair(entry, decode_key, decode_value) for entry in value)

        return decode_object if schema.key_schema.type is SchemaType.STRING else decode_pairs


def _pair(entry: Any, decode_key: Decode, decode_value: Decode) -> tuple[Any, Any]:
    if type(entry) is not list:
        raise DataError(f"Found invalid map entry instead of array tuple: {node_type(entry)}")
    if len(entry) != 2:
        raise DataError(f"Found invalid map entry, expected length 2 but found :{len(entry)}")
    return decode_key(entry[0]), decode_value(entry[1])


class _StructSource:
    """Generates the source of one struct's function; it may change the parsed dict in place."""

    def __init__(self, compiler: ReadCompiler, schema: Schema) -> None:
        self.compiler = compiler
        self.schema = schema
        self.names = tuple(f.name for f in schema.fields)
        self.bound: dict[str, Any] = {
            "NAMES": self.names,
            "complete": self._complete,
            "decode_float": decode_float,
            "known": set(),
            "check": self._check,
        }
        self.native = {
            f.name: _NATIVE[f.schema.type]
            for f in schema.fields
            if f.schema.type in _NATIVE and compiler.value(f.schema) is None
        }

    def compile(self) -> Decode:
        converted = [f for f in self.schema.fields if self.compiler.value(f.schema) is not None]
        lines = [
            "def decode(v):",
            "    if type(v) is not dict or tuple(v) != NAMES: v = complete(v)",
            # Records of a table repeat a few patterns of types and nulls: those seen before need no look.
            *(["    if (*map(type, v.values()),) not in known: check(v)"] if self.names else []),
            *take_out(self.names, {f.index for f in converted}),
        ]
        for field in converted:
            lines += self._convert(field)
        lines.append("    return v")
        exec("\n".join(lines), self.bound)
        decode: Decode = self.bound["decode"]
        return decode

    def _convert(self, field: Field) -> list[str]:
        convert, default = self.compiler.value(field.schema), self.compiler.default(field.schema)
        name, index, x = repr(field.name), field.index, f"x{field.index}"
        self.bound[f"C{index}"], self.bound[f"D{index}"] = convert, default
        lines = [f"    if {x} is None: v[{name}] = D{index}"] if default is not None else []
        if convert is decode_float:
            lines.append(f"    if type({x}) is not float and {x} is not None: v[{name}] = decode_float({x})")
        elif field.schema.type is SchemaType.STRUCT:
            lines.append(f"    if {x} is not None:")
            lines.append(f"        y = C{index}({x})")
            lines.append(f"        if y is not {x}: v[{name}] = y")
        else:
            lines.append(f"    if {x} is not None: v[{name}] = C{index}({x})")
        return lines

    def _complete(self, value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise DataError(f"Structs should be encoded as JSON objects, but found {node_type(value)}")
        return {name: value.get(name) for name in self.names}

    def _check(self, value: dict[str, Any]) -> None:
        """Check what is null, and the fields that are taken as parsed; whole numbers may have come as 1.0."""
        for field in self.schema.fields:
            found = value[field.name]
            if found is None:
                default = self.compiler.default(field.schema)
                if default is None and not field.schema.optional:
                    raise null_error(field.schema)
                if field.name in self.native:
                    value[field.name] = default
            elif type(found) is not self.native.get(field.name, type(found)):
                value[field.name] = fit(found, field.schema.type)
        known: set[tuple[type, ...]] = self.bound["known"]
        if len(known) >= _TYPES_KEPT:
            known.clear()
        known.add((*map(type, value.values()),))


def null_error(schema: Schema) -> DataError:
    """The error for a null where a value is required."""
    return DataError(f"Invalid null value for required {schema.type.name} field")


def native(schema: Schema) -> Decode | None:
    """The check of values that are what the parser makes of them."""
    kind, expected = schema.type, _NATIVE.get(schema.type)
    if expected is None or schema.name in LOGICAL_NAMES:
        return None
    return lambda value: value if type(value) is expected else fit(value, kind)


def fit(value: Any, kind: SchemaType) -> Any:
    """A value that was parsed as another type: a whole number that came as 1.0 is one.

    Raises:
        DataError: it is of another kind, or not whole.
    """
    expected = _NATIVE[kind]
    if expected is int and isinstance(value, (float, Decimal)) and value == value // 1:
        # Above 2^53 a float may stand for another number than the text did.
        if isinstance(value, Decimal) or abs(value) <= 1 << 53:
            return int(value)
    elif type(value) is expected:
        return value
    raise DataError(
        f"Invalid type for {kind.name}: expected {_EXPECTED[expected]} but was {node_type(value)}"
    )


_EXPECTED: Final = {int: "an integer", bool: "a boolean", str: "a string"}


def decode_float(value: Any) -> float:
    """A float from a JSON number or the name of a non-finite one."""
    if type(value) is float:
        return value
    if type(value) is int or isinstance(value, Decimal) or (type(value) is str and value in _NON_FINITE):
        return float(value)
    raise DataError(f"Invalid type for float: {node_type(value)}")
