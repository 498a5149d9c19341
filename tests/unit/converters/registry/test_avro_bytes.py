"""Avro's binary form against another library, for schemas and values made up by hypothesis."""

import io
import json

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replicator.api import schema as s
from replicator.api.errors import DataError
from replicator.api.struct import Struct
from replicator.converters.registry.avro_from_connect import ToAvro
from replicator.converters.registry.avro_names import AvroOptions
from replicator.converters.registry.avro_parse import parse
from replicator.converters.registry.avro_print import to_text
from replicator.converters.registry.avro_read import AvroReader
from replicator.converters.registry.avro_to_connect import FromAvro
from replicator.converters.registry.avro_write import WriteCompiler
from tests.unit.converters.registry.rows import ENVELOPE, event

LEAVES = {
    s.INT32: st.integers(-(1 << 31), (1 << 31) - 1),
    s.INT64: st.integers(-(1 << 63), (1 << 63) - 1),
    s.FLOAT32: st.floats(width=32, allow_nan=False),
    s.FLOAT64: st.floats(allow_nan=False),
    s.BOOLEAN: st.booleans(),
    s.STRING: st.text(max_size=200),
    s.BYTES: st.binary(max_size=200),
}


def values(schema):
    if schema.optional:
        return st.none() | values(schema.evolve(optional=False))
    if schema in LEAVES:
        return LEAVES[schema]
    if schema.type is s.SchemaType.ARRAY:
        return st.lists(values(schema.value_schema), max_size=3)
    if schema.type is s.SchemaType.MAP:
        return st.dictionaries(st.text(max_size=3), values(schema.value_schema), max_size=3)
    return st.fixed_dictionaries({f.name: values(f.schema) for f in schema.fields})


def record(members):
    return s.struct_schema([(f"f{n}", m) for n, m in enumerate(members)])


KINDS = st.recursive(
    st.sampled_from(list(LEAVES)).flatmap(lambda leaf: st.sampled_from([leaf, leaf.as_optional()])),
    lambda inner: st.one_of(
        inner.map(s.array_schema),
        inner.map(lambda v: s.map_schema(s.STRING, v)),
        st.lists(inner, max_size=4).map(record),
    ),
    max_leaves=8,
)
CASES = st.lists(KINDS, max_size=5).map(record).flatmap(lambda k: st.tuples(st.just(k), values(k)))


def plain(value):
    if isinstance(value, Struct):
        value = value.fields
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


@settings(max_examples=150, deadline=None)
@given(CASES)
def test_another_library_reads_and_writes_the_same(case):
    schema, value = case
    to_avro = ToAvro(AvroOptions(meta_data=False))
    node = to_avro.node(schema)
    parsed = fastavro.parse_schema(json.loads(to_text(node)))
    parts = []
    WriteCompiler(to_avro).value(schema, node)(parts.append, Struct(schema, value))
    ours = b"".join(parts)
    assert fastavro.schemaless_reader(io.BytesIO(ours), parsed, None) == value
    theirs = io.BytesIO()
    fastavro.schemaless_writer(theirs, parsed, value)
    assert plain(AvroReader(node, schema).read(theirs.getvalue(), 0)) == value


NODE = ToAvro(AvroOptions()).node(ENVELOPE)
READER = AvroReader(NODE, FromAvro(AvroOptions()).schema(NODE))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_bytes_are_data_errors(data):
    parts = []
    WriteCompiler(ToAvro(AvroOptions())).value(ENVELOPE, NODE)(parts.append, event())
    good = b"".join(parts)
    at = data.draw(st.integers(0, len(good) - 1))
    broken = good[:at] + data.draw(st.binary(min_size=1, max_size=9)) + good[at + 1 :]
    try:
        READER.read(broken, 0)
    except DataError:
        pass


def test_blocks_with_their_size_are_read():
    node = parse('{"type":"array","items":"int"}')
    reader = AvroReader(node, FromAvro(AvroOptions()).schema(node))
    assert reader.read(b"\x03\x04\x02\x04\x02\x06\x00", 0) == [1, 2, 3]
    with pytest.raises(DataError, match="a block of"):
        AvroReader(*_of('{"type":"array","items":"null"}')).read(b"\xfe\xff\xff\xff\xff\xff\xff\x01", 0)


def _of(text):
    node = parse(text)
    return node, s.array_schema(s.OPTIONAL_STRING)
