"""Directories of records, and the times they come from."""

import datetime as dt
import subprocess
import sys

import pytest

from connectors.s3.connector import S3SinkConnector
from connectors.s3.joda import compile_pattern
from connectors.s3.partitioners import TimePartitioner, partitioner_of, zone_of
from connectors.s3.timestamps import milliseconds
from replicator.api import ConfigError, DataError, SinkRecord, Struct
from replicator.api.schema import FLOAT64, INT32, STRING, struct_schema
from tests.unit.s3.fake_store import options

ROW = struct_schema([("id", INT32), ("name", STRING), ("share", FLOAT64), ("at", STRING)], name="shop.Row")
VALUE = Struct(ROW, {"id": 7, "name": "a b/c", "share": 0.5, "at": "2024-02-29T23:59:59.999Z"})
AT = 1_709_251_199_999  # 2024-02-29T23:59:59.999Z
NOW = 1_700_000_000_000  # 2023-11-14T22:13:20Z
P = "io.confluent.connect.storage.partitioner."
F = "io.confluent.connect.s3.format"


def encode(value=VALUE, schema=ROW, timestamp=AT, **changes):
    made = partitioner_of(options(**changes))
    return made.encode(SinkRecord("t", 3, None, None, schema, value, 0, timestamp), NOW)


TIMED = {"partitioner_class": f"{P}TimeBasedPartitioner", "timezone": "UTC", "locale": "en-US"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "partition=3"),
        ({"partitioner_class": f"{P}FieldPartitioner", "partition_field_name": "id"}, "id=7"),
        ({"partitioner_class": "FieldPartitioner", "partition_field_name": "id,name"}, "id=7/name=a b/c"),
        (
            {"partitioner_class": "FieldPartitioner", "partition_field_name": "id,name",
             "partition_field_format_path": "false", "directory_delim": "_"},
            "7_a b/c",
        ),
        ({"partitioner_class": f"{P}DailyPartitioner", "timezone": "UTC"}, "year=2023/month=11/day=14"),
        (
            {"partitioner_class": f"{P}HourlyPartitioner", "timezone": "UTC", "timestamp_extractor": "Record"},
            "year=2024/month=02/day=29/hour=23",
        ),
        (
            {"partitioner_class": f"{P}HourlyPartitioner", "timezone": "Asia/Kolkata",
             "timestamp_extractor": "RecordField", "timestamp_field": "at"},
            "year=2024/month=03/day=01/hour=05",
        ),
        (
            {**TIMED, "path_format": "'dt'=YYYY-MM-dd'T'HHmm", "partition_duration_ms": "600000",
             "timestamp_extractor": "Record"},
            "dt=2024-02-29T2350",
        ),
        ({"s3_schema_partition_affix_type": "PREFIX"}, "schema_name=shop.Row/partition=3"),
        (
            {"s3_schema_partition_affix_type": "SUFFIX", "directory_delim": "_",
             "partitioner_class": f"{P}DailyPartitioner", "timezone": "UTC"},
            "year=2023_month=11_day=14_schema_name=shop.Row",
        ),
    ],
)  # fmt: skip
def test_directories(changes, expected):
    assert encode(**changes) == expected


def test_maps_without_schema_have_fields_too():
    by_field = {"partitioner_class": "FieldPartitioner", "partition_field_name": "a.b,ok"}
    assert encode({"a": {"b": 1}, "ok": True}, None, **by_field) == "a.b=1/ok=true"
    with pytest.raises(DataError, match=r"'a\.b' does not exist"):
        encode({"a": {}, "ok": True}, None, **by_field)
    with pytest.raises(DataError, match="FLOAT64"):
        encode(partitioner_class="FieldPartitioner", partition_field_name="share")


def test_records_without_a_named_schema_go_to_null() -> None:
    assert encode({"id": 1}, None, s3_schema_partition_affix_type="PREFIX") == "schema_name=null/partition=3"


def test_spans_begin_at_local_midnight_over_a_change_of_the_clocks():
    zone = zone_of("Europe/Berlin", "x")
    spans = TimePartitioner(lambda record, now: 0, False, "YYYY", 86_400_000, zone)
    for day in ((2024, 3, 31), (2024, 10, 27), (2024, 7, 1)):
        midnight = int(dt.datetime(*day, tzinfo=zone).timestamp() * 1000)
        for hour in (0, 1, 4, 12, 22):
            assert spans.start_of(midnight + hour * 3_600_000) == midnight


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy/M/d H:m:s.SSS", "2024/2/9 5:6:7.089"),
        ("YY-MM-dd-HH-mm-ss", "24-02-09-05-06-07"),
        ("EEE EEEE MMM MMMM", "Fri Friday Feb February"),
        ("xxxx'W'ww'-'e DDD hh a KK kk", "2024W06-5 040 05 AM 05 05"),
        ("'it''s' ''yyyy''", "it's '2024'"),
        ("Z ZZ ZZZ CC", "+0100 +01:00 Europe/Berlin 20"),
    ],
)
def test_date_patterns(pattern, expected):
    moment = dt.datetime(2024, 2, 9, 5, 6, 7, 89_000, tzinfo=zone_of("Europe/Berlin", "x"))
    assert compile_pattern(pattern)(moment) == expected


def test_times_of_fields():
    assert milliseconds("2024-02-29", "f") == AT + 1 - 86_400_000
    assert (
        milliseconds("2024-02-29T23:59:59.999", "f")
        == milliseconds(AT, "f")
        == milliseconds(str(AT), "f")
        == AT
    )
    assert milliseconds(dt.datetime(2024, 2, 29, 23, 59, 59, 999_000), "f") == AT
    assert milliseconds("2024-02", "f") == milliseconds(dt.date(2024, 2, 1), "f")
    for wrong in ("yesterday", True, 1.5, None):
        with pytest.raises(DataError):
            milliseconds(wrong, "f")


@pytest.mark.parametrize(
    ("changes", "option", "message"),
    [
        ({}, "s3.bucket.name", "Missing required"),
        ({"partitioner.class": "FieldPartitioner"}, "partition.field.name", "Missing required"),
        ({"partitioner.class": "DailyPartitioner"}, "timezone", "timezone to be set"),
        ({"partitioner.class": "DailyPartitioner", "timezone": "Mars/Phobos"}, "timezone", "not recognised"),
        ({"partitioner.class": "TimeBasedPartitioner", "timezone": "UTC"}, "path.format", "cannot be empty"),
        (
            {"partitioner.class": "TimeBasedPartitioner", "timezone": "UTC", "path.format": "YYYY"},
            "partition.duration.ms", "positive",
        ),
        ({"partitioner.class": "com.example.Mine"}, "partitioner.class", "could not be found"),
        ({"behavior.on.null.values": "write"}, "store.kafka.keys", "mandatory when tombstone writing is enabled"),
        (
            {"s3.compression.type": "gzip", "format.class": f"{F}.avro.AvroFormat"},
            "format.class", r"gzip not valid for data format class: \( io\.confluent",
        ),
        (
            {"s3.compression.type": "gzip", "store.kafka.keys": "true"},
            "keys.format.class", "not valid for keys format class",
        ),
        ({"s3.acl.canned": "mine"}, "s3.acl.canned", "private"),
        ({"s3.ssea.name": "rot13"}, "s3.ssea.name", "AES256"),
        ({"rotate.schedule.interval.ms": "1000"}, "timezone", "timezone to be set"),
        ({"s3.part.size": "1000"}, "s3.part.size", "at least 5242880"),
    ],
)  # fmt: skip
def test_validation_names_the_option(changes, option, message):
    config = {"s3.bucket.name": "b", **changes} if changes else {}
    errors = {v.name: v.errors for v in S3SinkConnector().validate(config) if v.errors}
    assert list(errors) == [option]
    with pytest.raises(ConfigError, match=message):
        raise ConfigError(errors[option][0])


def test_options_without_effect_are_taken():
    """Files written for Confluent's connector stay valid; any region is one."""
    taken = {
        "s3.bucket.name": "b", "s3.region": "garage", "s3.retry.backoff.ms": "1", "s3.send.digest": "true",
        "s3.http.send.expect.continue": "false", "s3.elastic.buffer.enable": "true", "schema.cache.size": "5",
        "s3.elastic.buffer.init.capacity": "8192", "shutdown.timeout.ms": "1", "allow.optional.map.keys": "true",
        "enhanced.avro.schema.support": "true", "s3.ssea.name": "sse-c", "s3.sse.customer.key": "k" * 32,
    }  # fmt: skip
    found = {value.name: value.errors for value in S3SinkConnector().validate(taken)}
    assert taken.keys() <= found.keys()
    assert not any(found.values())


def test_drivers_are_imported_late():
    """A worker that never writes to S3 pays nothing for it."""
    code = (
        "import sys; from replicator.plugins.registry import Registry;"
        " connector = Registry().connector('io.confluent.connect.s3.S3SinkConnector')[1];"
        " connector().validate({'s3.bucket.name': 'b'});"
        " print({'boto3', 'botocore', 'pyarrow', 'fastavro'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"
