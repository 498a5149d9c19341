"""CloudEventsConverter against what Debezium's wrote for the same events, and its options."""

from __future__ import annotations

import json

import pytest

from replicator.api.errors import ConfigError, DataError
from replicator.api.schema import INT32, INT64, OPTIONAL_INT64, OPTIONAL_STRING, STRING, Schema, struct_schema
from replicator.api.struct import Struct
from replicator.converters.cloud_events import CloudEventsConverter

ROW = struct_schema([("id", INT32), ("name", OPTIONAL_STRING)], name="p.s.t.Value", optional=True)
SOURCE = struct_schema(
    [
        ("version", STRING),
        ("connector", STRING),
        ("name", STRING),
        ("ts_ms", INT64),
        ("snapshot", OPTIONAL_STRING.evolve(default="false")),
        ("db", STRING),
        ("sequence", OPTIONAL_STRING),
        ("ts_us", OPTIONAL_INT64),
        ("schema", STRING),
        ("table", STRING),
        ("txId", OPTIONAL_INT64),
        ("lsn", OPTIONAL_INT64),
        ("xmin", OPTIONAL_INT64),
    ],
    name="io.debezium.connector.postgresql.Source",
)
BLOCK = struct_schema(
    [("id", STRING), ("total_order", INT64), ("data_collection_order", INT64)],
    name="event.block",
    optional=True,
)
WITHOUT = {"json.schemas.enable": "false"}


def event(*, transaction: bool = False, connector: str = "postgresql") -> tuple[Schema, Struct]:
    fields = [("before", ROW), ("after", ROW), ("source", SOURCE), ("transaction", BLOCK), ("op", STRING)]
    schema = struct_schema(
        [f for f in fields if transaction or f[0] != "transaction"] + [("ts_ms", OPTIONAL_INT64)],
        name="p.s.t.Envelope",
    )
    source = {
        "version": "3.7", "connector": connector, "name": "p", "ts_ms": 1578923739738, "db": "d",
        "sequence": '["1","2"]', "schema": "s", "table": "t", "txId": 565, "lsn": 29274832,
    }  # fmt: skip
    block = {"id": "565:1", "total_order": 1, "data_collection_order": 2} if transaction else None
    value = {"after": {"id": 1, "name": 'a"é'}, "source": source, "op": "c", "ts_ms": 5, "transaction": block}
    return schema, Struct(schema, {f.name: value.get(f.name) for f in schema.fields})


def configured(config: dict[str, str]) -> CloudEventsConverter:
    made = CloudEventsConverter()
    made.configure(config, is_key=False)
    return made


# What Debezium 3.7's converter wrote for `event()`, recorded with its Java class.
ATTRIBUTES = (
    '{"id":"name:p;lsn:29274832;txId:565;sequence:[\\"1\\",\\"2\\"]","source":"/debezium/postgresql/p","specversion":"1.0",'
    '"type":"io.debezium.connector.postgresql.DataChangeEvent","time":"2020-01-13T13:55:39.738Z",'
    '"datacontenttype":"application/json"'
)
EXTENSIONS = (
    ',"iodebeziumop":"c","iodebeziumversion":"3.7","iodebeziumconnector":"postgresql","iodebeziumname":"p",'
    '"iodebeziumtsms":"1578923739738","iodebeziumsnapshot":"false","iodebeziumdb":"d",'
    '"iodebeziumsequence":"[\\"1\\",\\"2\\"]","iodebeziumtsus":null,"iodebeziumschema":"s","iodebeziumtable":"t",'
    '"iodebeziumtxId":"565","iodebeziumlsn":"29274832","iodebeziumxmin":null'
)
NO_TRANSACTION = ',"iodebeziumtxid":null,"iodebeziumtxtotalorder":null,"iodebeziumtxdatacollectionorder":null'
TRANSACTION = ',"iodebeziumtxid":"565:1","iodebeziumtxtotalorder":"1","iodebeziumtxdatacollectionorder":"2"'
DATA = '{"before":null,"after":{"id":1,"name":"a\\"é"}}'
_COLUMNS = '[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"}]'
_IMAGE = f'{{"type":"struct","fields":{_COLUMNS},"optional":true,"name":"p.s.t.Value","field":'
SCHEMA = (
    f'{{"type":"struct","fields":[{_IMAGE}"before"}},{_IMAGE}"after"}}],"optional":false,'
    '"name":"io.debezium.connector.postgresql.Data"}'
)
DATA_WITH_SCHEMA = f'{{"schema":{SCHEMA},"payload":{DATA}}}'


@pytest.mark.parametrize(
    ("config", "transaction", "expected"),
    [
        ({}, False, ATTRIBUTES + EXTENSIONS + NO_TRANSACTION + f',"data":{DATA_WITH_SCHEMA}}}'),
        ({}, True, ATTRIBUTES + EXTENSIONS + TRANSACTION + f',"data":{DATA_WITH_SCHEMA}}}'),
        (WITHOUT, True, ATTRIBUTES + EXTENSIONS + TRANSACTION + f',"data":{DATA}}}'),
        ({**WITHOUT, "extension.attributes.enable": "false"}, True, ATTRIBUTES + f',"data":{DATA}}}'),
    ],
)
def test_written_as_debezium_writes(config: dict[str, str], transaction: bool, expected: str) -> None:
    assert (
        configured(config).from_connect_data("t", *event(transaction=transaction)) or b""
    ).decode() == expected


def test_only_change_events_are_written() -> None:
    made = configured({})
    assert made.from_connect_data("t", None, None) is None
    assert made.from_connect_data("t", ROW, Struct(ROW, {"id": 1, "name": None})) is None
    with pytest.raises(DataError, match='No usable CloudEvents converters for connector type "oracle"'):
        made.from_connect_data("t", *event(connector="oracle"))


@pytest.mark.parametrize("config", [{}, WITHOUT])
def test_read_back(config: dict[str, str]) -> None:
    made = configured(config)
    found = made.to_connect_data("t", made.from_connect_data("t", *event()))
    assert found.schema is None
    data = found.value.pop("data")
    assert (data if config else data.fields)["after"] == {"id": 1, "name": 'a"é'}
    assert found.value == json.loads(ATTRIBUTES + EXTENSIONS + NO_TRANSACTION + "}")


@pytest.mark.parametrize("data", [b'{"a":1}', None])
def test_what_is_no_event_is_refused(data: bytes | None) -> None:
    with pytest.raises(DataError, match="A deserialized record's value is not a CloudEvent: value="):
        configured({}).to_connect_data("t", data)


@pytest.mark.parametrize("form", ["json", "avro"])
def test_data_in_avro(form: str) -> None:
    registry = f"mock://cloud-events-{form}"
    made = configured({
        "serializer.type": form, "data.serializer.type": "avro", "avro.schema.registry.url": registry
    })  # fmt: skip
    written = made.from_connect_data("t", *event())
    found = made.to_connect_data("t", written)
    fields = found.value.fields if form == "avro" else found.value
    assert fields["datacontenttype"] == "application/avro"
    assert fields["dataschema"] == f"{registry}/schemas/ids/1"
    assert fields["data"].fields["after"] == {"id": 1, "name": 'a"é'}
    if form == "avro":
        assert found.schema is not None
        assert found.schema.name == "p.d.CloudEvents.Envelope"
    made.close()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"metadata.source": "header"}, "cannot come from headers"),
        ({"metadata.source": "generate"}, "Global metadata source can't be GENERATE"),
        ({"metadata.source": "value,id:header"}, "cannot come from headers"),
        ({"metadata.source": "value,id:x"}, "Field source `x` is not valid"),
        ({"metadata.source": "value,foo:header"}, "Field `foo` is not allowed to set custom source"),
        ({"serializer.type": "avro"}, "Cannot use 'application/json' data content type within Avro events"),
        ({"data.serializer.type": "avro"}, "Need URL\\(s\\) for schema registry instances for CloudEvents"),
        ({"serializer.type": "xml"}, "serializer.type"),
    ],
)
def test_wrong_options(config: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configured(config)
