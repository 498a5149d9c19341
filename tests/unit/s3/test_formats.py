"""What stands in the objects: JSON as Connect writes it, Avro and Parquet as other readers read them."""

import base64
import datetime as dt
import io
import json
import math
from decimal import Decimal

import fastavro
import pyarrow.parquet
import pytest

from connectors.s3.formats import format_of
from connectors.s3.json_format import json_of
from connectors.s3.plain import unscaled
from connectors.s3.upload import Upload
from replicator.api import DataError, Header, Struct
from replicator.api import schema as s
from replicator.api.logical import date_schema, decimal_schema, time_schema, timestamp_schema
from replicator.api.plain_json import dumps
from replicator.api.schema import Schema, SchemaType
from tests.unit.s3.fake_store import FakeStore, options, record, writer

INNER = s.struct_schema([("x", s.INT8), ("y", s.OPTIONAL_STRING)], name="com.acme.Inner")
FIELDS = [
    ("b", s.BOOLEAN),
    ("i8", s.INT8),
    ("i16", s.INT16),
    ("i32", s.INT32),
    ("i64", s.INT64),
    ("f32", s.FLOAT32),
    ("f64", s.FLOAT64),
    ("text", s.OPTIONAL_STRING),
    ("raw", s.BYTES),
    ("price", decimal_schema(2, optional=True)),
    ("day", date_schema()),
    ("time", time_schema()),
    ("at", timestamp_schema()),
    ("list", s.array_schema(s.OPTIONAL_INT32)),
    ("map", s.map_schema(s.STRING, s.INT64)),
    ("odd", s.map_schema(s.INT32, s.STRING)),
    ("inner", INNER),
    ("again", INNER.as_optional()),
    ("def", Schema(SchemaType.INT32, optional=True, default=5)),
]
ROW = s.struct_schema(FIELDS, name="com.acme.Row", version=3)
VALUES = {
    "b": True, "i8": -128, "i16": 300, "i32": 2**31 - 1, "i64": -(2**63), "f32": 0.5, "f64": 1e300, "text": "é\n",
    "raw": b"\x00\xff", "price": Decimal("-123.45"), "day": dt.date(1969, 12, 31), "time": dt.time(1, 2, 3, 4000),
    "at": dt.datetime(2024, 2, 29, 1, 2, 3, 456000), "list": [1, None], "map": {"k": 9}, "odd": {1: "one"},
    "inner": {"x": 1, "y": None}, "again": None, "def": None,
}  # fmt: skip
JSON = {
    "b": True, "i8": -128, "i16": 300, "i32": 2**31 - 1, "i64": -(2**63), "f32": 0.5, "f64": 1e300, "text": "é\n",
    "raw": "AP8=", "price": "z8c=", "day": -1, "time": 3723004, "at": 1709168523456, "list": [1, None],
    "map": {"k": 9}, "odd": [[1, "one"]], "inner": {"x": 1, "y": None}, "again": None, "def": 5,
}  # fmt: skip
FORMAT = "io.confluent.connect.s3.format."


def written(count=1, schema=ROW, values=VALUES, **changes):
    store = FakeStore()
    made = writer(store, flush_size=str(count), **changes)
    for offset in range(count):
        made.write(record(offset, Struct(schema, dict(values)) if schema else values, schema), 0)
    ((name, data),) = store.objects.items()
    return name, data


def test_json_lines():
    name, data = written(2)
    assert name.endswith("+0000000000.json")
    lines = data.splitlines()
    assert [json.loads(line) for line in lines] == [JSON, JSON]
    assert list(json.loads(lines[0])) == [name for name, _ in FIELDS]


def test_json_decimals_as_numbers():
    _, data = written(json_decimal_format="numeric")
    assert b'"price":-123.45,' in data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", b'"text"'),
        (2**70, b"1180591620717411303424"),
        (None, b"null"),
        ({"a": [1, b"\x00", Decimal("1.20"), math.nan]}, b'{"a":[1,"AA==",1.20,"NaN"]}'),
        ({"d": dt.datetime(1970, 1, 1, 0, 0, 1)}, b'{"d":1000}'),
    ],
)
def test_json_without_schema(value, expected):
    assert dumps(json_of(None, value, False)) == expected


@pytest.mark.parametrize(
    "number", ["0", "1.27", "1.28", "-1.28", "-1.29", "327.67", "327.68", "12345678901234567890.12"]
)
def test_unscaled_decimals(number):
    assert int.from_bytes(unscaled(Decimal(number), 2), "big", signed=True) == int(Decimal(number) * 100)


def test_unscaled_decimals_are_never_rounded():
    with pytest.raises(DataError, match="does not fit scale 1"):
        unscaled(Decimal("1.23"), 1)
    assert base64.b64encode(unscaled(Decimal("1E+3"), 0)) == b"A+g="


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "bzip2"])
def test_avro(codec):
    name, data = written(2, format_class=f"{FORMAT}avro.AvroFormat", avro_codec=codec)
    assert name.endswith(".avro")
    reader = fastavro.reader(io.BytesIO(data))
    schema = json.loads(reader.metadata["avro.schema"])
    assert (schema["namespace"], schema["name"], schema["connect.version"]) == ("com.acme", "Row", 3)
    by_name = {field["name"]: field for field in schema["fields"]}
    assert by_name["text"] == {"name": "text", "type": ["null", "string"], "default": None}
    assert by_name["i8"]["type"] == {"type": "int", "connect.type": "int8"}
    assert by_name["again"]["type"] == ["null", "com.acme.Inner"]
    assert by_name["def"] == {
        "name": "def",
        "type": [{"type": "int", "connect.default": 5}, "null"],
        "default": 5,
    }
    assert by_name["day"]["type"]["logicalType"] == "date"
    found = list(reader)
    assert len(found) == 2
    expected = {
        **VALUES, "at": VALUES["at"].replace(tzinfo=dt.UTC), "odd": [{"key": 1, "value": "one"}], "def": 5
    }  # fmt: skip
    assert found[0] == expected


def test_avro_gives_the_same_bytes_again():
    changes = {"format_class": "AvroFormat", "avro_codec": "deflate"}
    assert written(3, **changes) == written(3, **changes)


@pytest.mark.parametrize(
    ("codec", "extension"),
    [("snappy", ".snappy.parquet"), ("none", ".parquet"), ("gzip", ".gz.parquet"), ("zstd", ".zstd.parquet")],
)
def test_parquet(codec, extension):
    name, data = written(2, format_class=f"{FORMAT}parquet.ParquetFormat", parquet_codec=codec)
    assert name.endswith(f"+0000000000{extension}")
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    assert str(table.schema.field("i8").type) == "int32"
    assert not table.schema.field("i8").nullable
    found = table.to_pylist()
    expected = {
        **VALUES,
        "at": VALUES["at"].replace(tzinfo=dt.UTC),
        "map": [("k", 9)],
        "odd": [(1, "one")],
        "def": 5,
    }
    assert found == [expected, expected]


def test_parquet_keys_and_headers_are_structs():
    store = FakeStore()
    made = writer(
        store, flush_size="1", format_class="ParquetFormat", keys_format_class="ParquetFormat",
        headers_format_class="ParquetFormat", store_kafka_keys="true", store_kafka_headers="true",
    )  # fmt: skip
    row = record(0, Struct(ROW, dict(VALUES)), ROW, headers=[Header("h", s.INT32, 1)]).evolve(
        key_schema=s.INT32, key=4
    )
    made.write(row, 0)
    found = {
        n.split(".", 1)[1]: pyarrow.parquet.read_table(io.BytesIO(d)).to_pylist()
        for n, d in store.objects.items()
    }
    assert found.pop("keys.snappy.parquet") == [{"key": 4}]
    assert found.pop("headers.snappy.parquet") == [{"headers": [{"key": "h", "value": "1"}]}]


@pytest.mark.parametrize("format_class", ["AvroFormat", "ParquetFormat"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"i8": 128},
        {"i32": None},
        {"i32": "7"},
        {"list": ["x"]},
        {"inner": {"x": None}},
        {"price": Decimal("0.001")},
        {"day": 5},
        {"map": {"k": "v"}},
    ],
)
def test_a_wrong_record_leaves_the_file_whole(format_class, wrong):
    store = FakeStore()
    made = writer(store, flush_size="2", format_class=format_class)
    made.write(record(0, Struct(ROW, dict(VALUES)), ROW), 0)
    with pytest.raises(DataError):
        made.write(record(1, Struct(ROW, VALUES | wrong), ROW), 0)
    made.write(record(2, Struct(ROW, dict(VALUES)), ROW), 0)
    (data,) = store.objects.values()
    if format_class == "AvroFormat":
        assert len(list(fastavro.reader(io.BytesIO(data)))) == 2
    else:
        assert pyarrow.parquet.read_table(io.BytesIO(data)).num_rows == 2


def test_parquet_decimals_have_an_end():
    made = writer(FakeStore(), format_class="ParquetFormat")
    with pytest.raises(DataError, match="does not fit its Parquet columns"):
        made.write(record(0, Struct(ROW, VALUES | {"price": Decimal(10) ** 70}), ROW), 0)


@pytest.mark.parametrize("format_class", ["AvroFormat", "ParquetFormat"])
def test_records_without_schema_are_refused(format_class):
    with pytest.raises(DataError, match="schema"):
        writer(FakeStore(), format_class=format_class).write(record(0, {"a": 1}), 0)


def test_bytes():
    changes = {"format_class": "ByteArrayFormat", "values": b"\x00\x01", "schema": None}
    assert written(2, **changes)[1] == b"\x00\x01\n\x00\x01\n"
    name, data = written(2, **changes, format_bytearray_separator="\\t|", format_bytearray_extension=".dat")
    assert (name[-4:], data) == (".dat", b"\x00\x01\t|\x00\x01\t|")
    with pytest.raises(DataError, match="ByteArrayConverter"):
        written(1, format_class="ByteArrayFormat", values="text", schema=None)


def test_row_groups_bound_memory(monkeypatch):
    monkeypatch.setattr("connectors.s3.parquet_format._ROWS", 10)
    _, data = written(25, format_class="ParquetFormat")
    file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [10, 10, 5]


def test_unknown_formats_are_refused():
    with pytest.raises(Exception, match="could not be found"):
        options(format_class="com.acme.OrcFormat")
    upload = Upload(FakeStore(), "n", 10)  # type: ignore[arg-type]
    assert format_of("JsonFormat", options()).open(upload) is not None
