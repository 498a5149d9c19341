"""Postgres types as Connect schemas: `column_codec` for one column, `table_codecs` for a table.

Types are resolved through domains (also nested ones) to a rule; enums, arrays and ranges have rules of
their own; every other type is text, or left out with a warning, as `include.unknown.datatypes` says.
Pure functions, called once per table version.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from hashlib import md5
from typing import Any, Final

import orjson

from connectors.cdc.codec import ColumnCodec
from connectors.cdc.encoder import FAILURES
from connectors.cdc.tables import Column, Table, TypeFacts
from connectors.postgres import arrays
from connectors.postgres.options import TypeOptions
from connectors.postgres.rules import Rule, named, numeric_facets, scalar_rule, text_rule
from replicator.api import DataError, Schema, SchemaType, logical
from replicator.api.schema import STRING

__all__ = ["TypeOptions", "column_codec", "table_codecs"]

logger = logging.getLogger(__name__)

_PLAIN: Final = TypeFacts()
_WITH_DEFAULTS: Final = frozenset({
    "int2", "int4", "int8", "numeric", "float4", "float8", "bool", "text", "varchar", "bpchar", "date", "time",
    "timestamp", "timestamptz", "interval", "uuid", "json", "jsonb", "bit", "varbit", "xml",
})  # fmt: skip


def table_codecs(table: Table, options: TypeOptions) -> dict[str, ColumnCodec]:
    """Codec of every column that is captured: generated columns are not (C6), unknown types are as the
    options say, but always as text when the column is part of the key.
    """
    codecs: dict[str, ColumnCodec] = {}
    for column in table.columns:
        if column.generated:
            continue
        wanted = replace(options, include_unknown=True) if column.key_position else options
        codec = column_codec(column, wanted, table.full_name)
        if codec is not None:
            codecs[column.name] = codec
    return codecs


def column_codec(column: Column, options: TypeOptions, table: str = "") -> ColumnCodec | None:
    """The codec of a column, or None when its type is unknown and such columns are left out.

    Args:
        column: the column.
        options: the handling modes.
        table: full name of its table, for patterns and messages.
    """
    facts = column.type_facts
    rule = _resolve(column.type_name, column.typmod, facts, options)
    if rule is None:
        rule = _unknown(column, options, table)
        if rule is None:
            return None
    type_name, typmod = column.type_name, column.typmod
    if facts.kind == "domain":
        type_name, typmod = facts.base_name, facts.base_typmod
    schema = rule.schema
    parameters = dict(schema.parameters)
    default = None if column.optional and options.defaults == "required" else _default(column, rule)
    if options.propagates(table, column.name, type_name):
        parameters |= _source_type(type_name, typmod, column.name) | _missing_value(column, rule, default)
    if parameters or column.optional or default is not None:
        schema = schema.evolve(optional=column.optional, parameters=parameters, default=default)
    return ColumnCodec(
        schema=schema,
        decode=rule.decode,
        placeholder=rule.placeholder,
        filler=rule.filler if default is None else default,
        inline=rule.inline,
        may_be_unchanged=not rule.fixed,
    )


def _default(column: Column, rule: Rule) -> Any:
    """The column's constant default as a value, or None: for the types for which Debezium knows it, if it fits."""
    text, facts = column.default, column.type_facts
    if text is None or rule.schema.type is SchemaType.STRUCT:
        return None
    name = facts.base_name if facts.kind == "domain" else column.type_name
    if facts.kind != "enum" and name not in _WITH_DEFAULTS:
        return None
    try:
        text = text.rstrip(" ") if name == "bpchar" else text
        return text if rule.decode is None else rule.decode(text)
    except FAILURES:
        return None


def _missing_value(column: Column, rule: Rule, default: Any) -> dict[str, str]:
    """What the rows hold that are older than the column, which is not always its default."""
    if column.missing is None:
        return {} if default is None else {logical.MISSING_VALUE_PARAMETER: "null"}
    try:
        value = column.missing if rule.decode is None else rule.decode(column.missing)
        return {logical.MISSING_VALUE_PARAMETER: orjson.dumps(value).decode()}
    except (ValueError, ArithmeticError, DataError, TypeError):
        return {}


def _unknown(column: Column, options: TypeOptions, table: str) -> Rule | None:
    where = f"{table}.{column.name}" if table else column.name
    if options.include_unknown:
        logger.info("Column %s has type %s: its values are sent as text", where, column.type_name)
        return text_rule(options)
    logger.warning(
        "Column %s has type %s and is left out; include.unknown.datatypes=true sends it as text",
        where,
        column.type_name,
    )
    return None


def _resolve(type_name: str, typmod: int, facts: TypeFacts, options: TypeOptions) -> Rule | None:
    if facts.kind == "domain":
        base = facts.base or TypeFacts(oid=facts.base_oid, name=facts.base_name)
        return _resolve(facts.base_name, facts.base_typmod, base, options)
    if facts.kind == "enum":
        schema = named(STRING, logical.DBZ_ENUM, allowed=",".join(facts.labels))
        return Rule(schema, filler=facts.labels[0] if facts.labels else "", fixed=True)
    if facts.kind == "array" or type_name.startswith("_"):
        return _array(type_name, typmod, facts, options)
    if facts.kind == "range" and not type_name.endswith("multirange"):
        return text_rule(options)
    if facts.kind == "composite":
        return None
    return scalar_rule(type_name, typmod, options)


def _array(type_name: str, typmod: int, facts: TypeFacts, options: TypeOptions) -> Rule | None:
    element = facts.element or _PLAIN
    element_name = element.name or type_name.removeprefix("_")
    delimiter = facts.delimiter if facts.kind == "array" else ";" if element_name == "box" else ","
    rule = _resolve(element_name, typmod, element, options)
    if rule is None:
        if not options.include_unknown:
            return None
        rule = text_rule(options)
    if options.arrays == "json":
        schema = named(STRING, logical.DBZ_JSON)
        decode = arrays.json_array(rule.to_json, delimiter)
        return Rule(schema, decode, None, "[]", options.placeholder)
    schema = Schema(SchemaType.ARRAY, value_schema=rule.schema.as_optional())
    return Rule(schema, arrays.flat_array(rule.decode, delimiter), None, [], _missing_list(rule, options))


def _missing_list(element: Rule, options: TypeOptions) -> list[Any]:
    """The placeholder as a list of the element's type, as Debezium forms it."""
    schema, raw = element.schema, options.placeholder_bytes
    if schema.name == logical.DBZ_UUID:
        return [str(uuid.UUID(bytes=md5(raw, usedforsecurity=False).digest(), version=3))]
    if schema.type is SchemaType.STRING:
        return [options.placeholder]
    if schema.type is SchemaType.BYTES and schema.name is None:
        return [raw]
    if schema.type in (SchemaType.INT16, SchemaType.INT32, SchemaType.INT64) and (
        schema.name is None or schema.name.startswith("io.debezium.")
    ):
        return [byte - 256 if byte > 127 else byte for byte in raw]  # Java's bytes have signs
    if schema.type in (SchemaType.FLOAT32, SchemaType.FLOAT64):
        return [float(byte - 256 if byte > 127 else byte) for byte in raw]
    return [] if element.placeholder is None else [element.placeholder]


def _source_type(type_name: str, typmod: int, column: str) -> dict[str, str]:
    """Parameters that name the type in the source; length and scale only where they were declared."""
    parameters = {logical.SOURCE_TYPE_PARAMETER: type_name.upper()}
    length, scale = _length_and_scale(type_name.removeprefix("_"), typmod)
    if length is not None:
        parameters[logical.SOURCE_LENGTH_PARAMETER] = str(length)
    if scale is not None:
        parameters[logical.SOURCE_SCALE_PARAMETER] = str(scale)
    parameters[logical.SOURCE_NAME_PARAMETER] = column
    return parameters


def _length_and_scale(type_name: str, typmod: int) -> tuple[int | None, int | None]:
    if typmod < 0:
        return None, None
    if type_name == "numeric":
        return numeric_facets(typmod) or (None, None)
    if type_name in ("varchar", "bpchar"):
        return typmod - 4, None
    if type_name in ("bit", "varbit", "vector", "halfvec", "sparsevec"):
        return typmod, None
    if type_name in ("time", "timetz", "timestamp", "timestamptz"):
        return None, typmod
    return None, None
