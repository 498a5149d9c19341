"""Rules: how values of each Postgres type become Connect data, under the chosen modes.

A `Rule` serves a column as well as the elements of an array. `scalar_rule` knows the types that come
with Postgres and those of well-known extensions; it answers None for every other type. Pure functions,
called once per column of a table version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from connectors.postgres import arrays, binary, geometry, hstore, intervals, numbers, temporal
from connectors.postgres.options import TypeOptions
from replicator.api import Schema, SchemaType, logical
from replicator.api.schema import (
    BOOLEAN,
    BYTES,
    FLOAT32,
    FLOAT64,
    INT16,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    map_schema,
    struct_schema,
)

Decode = Callable[[str], Any]

UNDECLARED_LENGTH: Final = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Rule:
    """How values of one type are represented.

    Attributes:
        schema: schema of a value, not optional.
        decode: text to value; None keeps the text.
        inline: expression equivalent to `decode`; `{0}` is the text, `{1}` the decoder.
        filler: stands for a value that is missing where one is required.
        placeholder: stands for an unchanged value that was not sent; `PLACEHOLDER` for the text itself.
        fixed: the type has a fixed length, so that the server always sends it.
        to_json: text to JSON text, for elements of arrays.
    """

    schema: Schema
    decode: Decode | None = None
    inline: str | None = None
    filler: Any = ""
    placeholder: Any = None
    fixed: bool = False
    to_json: Callable[[str], str] = arrays.json_text


def named(schema: Schema, name: str, **parameters: str) -> Schema:
    """A semantic type of Debezium: a schema with a name, version 1."""
    return schema.evolve(name=name, version=1, parameters=parameters)


def text_rule(options: TypeOptions, name: str | None = None) -> Rule:
    """Text as Postgres prints it."""
    return Rule(STRING if name is None else named(STRING, name), placeholder=options.placeholder)


def scalar_rule(type_name: str, typmod: int, options: TypeOptions) -> Rule | None:
    """The rule of a type that is known by its name, or None."""
    if type_name in _FIXED:
        return _FIXED[type_name]
    build = _BUILDERS.get(type_name)
    if build is not None:
        return build(typmod, options)
    if type_name in _GEOMETRY:
        schema, decode, empty = _GEOMETRY[type_name]
        if options.geometry == "text":
            return text_rule(options)
        return Rule(schema, decode, filler=decode(empty), placeholder=_unavailable_shape(schema, options))
    return None


def _integer(schema: Schema) -> Rule:
    return Rule(schema, int, "int({0})", 0, fixed=True, to_json=arrays.json_number)


def boolean(text: str) -> bool:
    """A boolean's text."""
    return text == "t"


def _float(schema: Schema) -> Rule:
    return Rule(schema, float, "float({0})", 0.0, fixed=True, to_json=arrays.json_number)


_FIXED: Final[dict[str, Rule]] = {
    "bool": Rule(BOOLEAN, boolean, "{0} == 't'", False, fixed=True, to_json=arrays.json_boolean),
    "int2": _integer(INT16),
    "int4": _integer(INT32),
    "int8": _integer(INT64),
    # In JSON the server itself writes an oid as a string.
    "oid": Rule(INT64, int, "int({0})", 0, fixed=True),
    "float4": _float(FLOAT32),
    "float8": _float(FLOAT64),
    "uuid": Rule(named(STRING, logical.DBZ_UUID), filler="00000000-0000-0000-0000-000000000000", fixed=True),
}

_GEOMETRY: Final[dict[str, tuple[Schema, Decode, str]]] = {
    "point": (geometry.POINT, geometry.point, "(0,0)"),
    "box": (geometry.SHAPE, geometry.box, "(0,0),(0,0)"),
    "lseg": (geometry.SHAPE, geometry.lseg, "[(0,0),(0,0)]"),
    "path": (geometry.SHAPE, geometry.path, "[(0,0)]"),
    "polygon": (geometry.SHAPE, geometry.polygon, "((0,0))"),
    "circle": (geometry.CIRCLE, geometry.circle, "<(0,0),0>"),
    "line": (geometry.LINE, geometry.line, "{0,0,0}"),
    "geometry": (geometry.POSTGIS_GEOMETRY, geometry.postgis, "010700000000000000"),
    "geography": (geometry.POSTGIS_GEOGRAPHY, geometry.postgis, "010700000000000000"),
    "sparsevec": (geometry.SPARSE_VECTOR, geometry.sparse_vector, "{}/0"),
}


def _unavailable_shape(schema: Schema, options: TypeOptions) -> Any:
    """Only shapes of any length can be left out by the server; their bytes say so."""
    if schema.field("wkb") is None or schema.field("x") is not None:
        return None
    return {f.name: options.placeholder_bytes if f.name == "wkb" else None for f in schema.fields}


def numeric_facets(typmod: int) -> tuple[int, int] | None:
    """Precision and scale (which may be negative) of a declared numeric, or None."""
    if typmod < 4:
        return None
    packed = typmod - 4
    return packed >> 16 & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024


def _numeric(typmod: int, options: TypeOptions) -> Rule:
    if options.decimals == "string":
        inline = "{0} if {0}[-1:] <= '9' else {1}({0})"
        return Rule(
            STRING,
            numbers.numeric_text,
            inline,
            "0",
            options.placeholder,
            to_json=arrays.json_number,
        )
    if options.decimals == "double":
        return Rule(FLOAT64, float, "float({0})", 0.0, float("nan"), to_json=arrays.json_number)
    facets = numeric_facets(typmod)
    if facets is None:
        filler = {"scale": 0, "value": b"\0"}
        missing = {"scale": 0, "value": options.placeholder_bytes}
        return Rule(
            VARIABLE_SCALE_DECIMAL,
            numbers.variable_decimal,
            None,
            filler,
            missing,
            to_json=arrays.json_number,
        )
    # A negative scale rounds to the left of the point: whole numbers of more digits.
    precision, scale = (facets[0], facets[1]) if facets[1] >= 0 else (facets[0] - facets[1], 0)
    return _decimal(scale, precision, numbers.fixed_decimal(scale), options)


VARIABLE_SCALE_DECIMAL: Final = struct_schema(
    (("scale", INT32), ("value", BYTES)),
    name=logical.DBZ_VARIABLE_SCALE_DECIMAL,
    version=1,
    doc="Variable scaled decimal",
)


def _decimal(scale: int, precision: int | None, decode: Decode, options: TypeOptions) -> Rule:
    unscaled = int.from_bytes(options.placeholder_bytes, "big", signed=True)
    return Rule(
        logical.decimal_schema(scale, precision=precision),
        decode,
        None,
        Decimal(0).scaleb(-scale),
        Decimal((0 if unscaled >= 0 else 1, tuple(map(int, str(abs(unscaled)))), -scale)),
        to_json=arrays.json_number,
    )


def _money(_typmod: int, options: TypeOptions) -> Rule:
    digits = options.money_digits
    plain = numbers.money_text(digits)
    if options.decimals == "string":
        return Rule(STRING, plain, None, plain("0"), fixed=True, to_json=arrays.json_text)
    if options.decimals == "double":
        return Rule(FLOAT64, numbers.money_float(digits), None, 0.0, fixed=True)
    return Rule(
        logical.decimal_schema(digits),
        numbers.money_decimal(digits),
        None,
        Decimal(0).scaleb(-digits),
        fixed=True,
    )


def _bytea(_typmod: int, options: TypeOptions) -> Rule:
    if options.binary == "bytes":
        inline = "bytes.fromhex({0}[2:]) if {0}[:2] == '\\\\x' else {1}({0})"
        return Rule(BYTES, binary.bytea, inline, b"", options.placeholder_bytes)
    decode: Decode = {
        "base64": binary.bytea_base64,
        "base64-url-safe": binary.bytea_base64_url,
        "hex": binary.bytea_hex,
    }[options.binary]
    # Debezium writes the placeholder as it is among hexadecimal digits.
    hexadecimal = options.binary == "hex"
    placeholder = options.placeholder if hexadecimal else decode("\\x" + options.placeholder_bytes.hex())
    return Rule(STRING, decode, None, "", placeholder)


def _bit(typmod: int, options: TypeOptions) -> Rule:
    if typmod == 1:
        return Rule(BOOLEAN, _bit_boolean, "{0} == '1'", False, fixed=True)
    # Without a length (CREATE TABLE AS makes such columns) values have any length, as in bit varying.
    return _bits(typmod, options) if typmod > 0 else _varbit(typmod, options)


def _bit_boolean(text: str) -> bool:
    return text == "1"


def _varbit(typmod: int, options: TypeOptions) -> Rule:
    return text_rule(options) if options.varbits == "text" else _bits(typmod, options)


def _bits(typmod: int, options: TypeOptions) -> Rule:
    length = UNDECLARED_LENGTH if typmod < 0 else typmod
    schema = named(BYTES, logical.DBZ_BITS, length=str(length))
    return Rule(schema, binary.bits, None, b"", options.placeholder_bytes)


def _hstore(_typmod: int, options: TypeOptions) -> Rule:
    text = options.placeholder
    if options.hstore == "map":
        return Rule(map_schema(STRING, OPTIONAL_STRING), hstore.hstore_map, None, {}, {text: text})
    # With our own array mode the placeholder is the same plain text for every type.
    placeholder = text if options.arrays == "json" else f'{{"{text}":"{text}"}}'
    schema = named(STRING, logical.DBZ_JSON)
    return Rule(schema, hstore.hstore_json, None, "{}", placeholder, to_json=hstore.hstore_json)


def _json(_typmod: int, options: TypeOptions) -> Rule:
    schema = named(STRING, logical.DBZ_JSON)
    return Rule(schema, None, None, "{}", options.placeholder, to_json=arrays.json_document)


def _interval(_typmod: int, options: TypeOptions) -> Rule:
    if options.intervals == "string":
        schema = named(STRING, logical.DBZ_INTERVAL)
        return Rule(schema, intervals.interval_iso, None, "P0Y0M0DT0H0M0S", fixed=True)
    schema = named(INT64, logical.DBZ_MICRO_DURATION)
    return Rule(schema, intervals.interval_micros, None, 0, fixed=True)


def _vector(schema: Schema) -> Callable[[int, TypeOptions], Rule]:
    def build(_typmod: int, options: TypeOptions) -> Rule:
        if options.arrays == "json":
            # The text of a vector is a JSON list already.
            return text_rule(options, logical.DBZ_JSON)
        missing = [float(b) for b in options.placeholder_bytes]
        return Rule(schema, geometry.vector, None, [], missing)

    return build


def _short_vector(schema: Schema) -> Callable[[int, TypeOptions], Rule]:
    """int2vector and oidvector: numbers with blanks between them."""

    def numbers_of(text: str) -> list[int]:
        return [int(n) for n in text.split()]

    def json_of(text: str) -> str:
        return f"[{','.join(text.split())}]"

    def build(_typmod: int, options: TypeOptions) -> Rule:
        if options.arrays == "json":
            return Rule(named(STRING, logical.DBZ_JSON), json_of, None, "[]", options.placeholder)
        element = schema.as_optional()
        missing = list(options.placeholder_bytes)
        return Rule(Schema(SchemaType.ARRAY, value_schema=element), numbers_of, None, [], missing)

    return build


def _time_modes(build: Callable[[int, str], Rule]) -> Callable[[int, TypeOptions], Rule]:
    return lambda typmod, options: build(6 if typmod < 0 else typmod, options.times)


def _date(_digits: int, mode: str) -> Rule:
    if mode == "isostring":
        inline = "{0} + 'Z' if len({0}) == 10 else {1}({0})"
        schema = named(STRING, logical.DBZ_ISO_DATE)
        return Rule(schema, temporal.iso_date, inline, "1970-01-01Z", fixed=True)
    if mode == "connect":
        epoch = temporal.connect_date("1970-01-01")
        return Rule(logical.date_schema(), temporal.connect_date, None, epoch, fixed=True)
    return Rule(named(INT32, logical.DBZ_DATE), temporal.epoch_days, None, 0, fixed=True)


def _time(digits: int, mode: str) -> Rule:
    if mode == "isostring":
        schema = named(STRING, logical.DBZ_ISO_TIME)
        return Rule(schema, _iso_time, "{0} + 'Z'", "00:00:00Z", fixed=True)
    if mode == "connect":
        midnight = temporal.connect_time("00:00:00")
        return Rule(logical.time_schema(), temporal.connect_time, None, midnight, fixed=True)
    if mode == "nanoseconds":
        return Rule(named(INT64, logical.DBZ_NANO_TIME), temporal.time_nanos, None, 0, fixed=True)
    if mode == "adaptive" and digits <= 3:
        return Rule(named(INT32, logical.DBZ_TIME), temporal.time_millis, None, 0, fixed=True)
    return Rule(named(INT64, logical.DBZ_MICRO_TIME), temporal.time_micros, None, 0, fixed=True)


def _iso_time(text: str) -> str:
    return text + "Z"


_PLAIN_TIMESTAMP: Final = (
    "{0}[:10] + 'T' + {0}[11:] + 'Z' if {0}[10:11] == ' ' and {0}[-1] != 'C' else {1}({0})"
)
_PLAIN_TIMESTAMPTZ: Final = (
    "({0}[:10] + 'T' + {0}[11:-3] + '.000000Z' if len({0}) == 22 else {0}[:10] + 'T' + {0}[11:-3].ljust(15, '0') + 'Z')"
    " if {0}[10:11] == ' ' and {0}[-3:] == '+00' else {1}({0})"
)


def _timestamp(digits: int, mode: str) -> Rule:
    json = arrays.json_timestamp
    if mode == "isostring":
        schema, filler = named(STRING, logical.DBZ_ISO_TIMESTAMP), "1970-01-01T00:00:00Z"
        return Rule(schema, temporal.iso_timestamp, _PLAIN_TIMESTAMP, filler, fixed=True, to_json=json)
    if mode == "connect":
        epoch = temporal.connect_timestamp("1970-01-01 00:00:00")
        return Rule(
            logical.timestamp_schema(), temporal.connect_timestamp, None, epoch, fixed=True, to_json=json
        )
    if mode == "nanoseconds":
        name, decode = logical.DBZ_NANO_TIMESTAMP, temporal.timestamp_nanos
    elif mode != "microseconds" and digits <= 3:
        name, decode = logical.DBZ_TIMESTAMP, temporal.timestamp_millis
    else:
        name, decode = logical.DBZ_MICRO_TIMESTAMP, temporal.timestamp_micros
    return Rule(named(INT64, name), decode, None, 0, fixed=True, to_json=json)


def _timestamptz(digits: int, _mode: str) -> Rule:
    schema, filler = named(STRING, logical.DBZ_ZONED_TIMESTAMP), "1970-01-01T00:00:00Z"
    json = arrays.json_timestamp

    def padded(text: str) -> str:
        return temporal.padded_iso_timestamp(text, digits)

    inline = _PLAIN_TIMESTAMPTZ if digits == 6 else None
    return Rule(schema, padded, inline, filler, fixed=True, to_json=json)


def _timetz(_digits: int, mode: str) -> Rule:
    schema = named(STRING, logical.DBZ_ZONED_TIME)
    if mode == "isostring":
        return Rule(schema, temporal.timetz_text, None, "00:00:00+00:00", fixed=True)
    return Rule(schema, temporal.timetz_utc, None, "00:00:00Z", fixed=True)


def _text(name: str | None = None) -> Callable[[int, TypeOptions], Rule]:
    return lambda _typmod, options: text_rule(options, name)


_BUILDERS: Final[dict[str, Callable[[int, TypeOptions], Rule]]] = {
    "numeric": _numeric,
    "money": _money,
    "bytea": _bytea,
    "bit": _bit,
    "varbit": _varbit,
    "hstore": _hstore,
    "json": _json,
    "jsonb": _json,
    "xml": _text(logical.DBZ_XML),
    "ltree": _text(logical.DBZ_LTREE),
    "tsvector": _text(logical.DBZ_TSVECTOR),
    "date": _time_modes(_date),
    "time": _time_modes(_time),
    "timetz": _time_modes(_timetz),
    "timestamp": _time_modes(_timestamp),
    "timestamptz": _time_modes(_timestamptz),
    "interval": _interval,
    "vector": _vector(geometry.DOUBLE_VECTOR),
    "halfvec": _vector(geometry.FLOAT_VECTOR),
    "int2vector": _short_vector(INT16),
    "oidvector": _short_vector(INT64),
    **{
        name: _text()
        for name in (
            *("text", "varchar", "bpchar", "char", "name", "citext"),
            *("inet", "cidr", "macaddr", "macaddr8"),
            *("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"),
            *("isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "ean13", "upc"),
        )
    },
}
