"""When objects become visible, under which names, and which offsets may be committed meanwhile."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.s3.partition_writer import PartitionWriter
from connectors.s3.settings import Settings
from connectors.s3.task import S3SinkTask
from replicator.api import DataError, Header, OffsetAndMetadata, RetriableError, SchemaError, Struct
from replicator.api.schema import INT32, INT64, OPTIONAL_STRING, STRING, struct_schema
from tests.unit.s3.fake_store import PARTITION, Context, FakeStore, Reports, options, record, writer

HOUR = {
    "partitioner_class": "HourlyPartitioner", "timezone": "UTC", "timestamp_extractor": "Record",
    "rotate_interval_ms": "60000", "flush_size": "100",
}  # fmt: skip
BY_FIELD = {"partitioner_class": "FieldPartitioner", "partition_field_name": "f", "flush_size": "3"}


def task(store, reporter=None, **changes):
    made = S3SinkTask()
    made.initialize(Context(reporter))
    made._settings = Settings(options(**changes))
    made._store, made._writers, made._backoff = store, {}, 7
    made.open([PARTITION])
    return made


def test_flush_size_counts_records_of_the_partition():
    store = FakeStore()
    made = writer(store, flush_size="2")
    for offset in range(5):
        made.write(record(10 + offset, f"v{offset}"), 0)
    assert store.objects == {
        "topics/t/partition=0/t+0+0000000010.json": b'"v0"\n"v1"\n',
        "topics/t/partition=0/t+0+0000000012.json": b'"v2"\n"v3"\n',
    }
    assert made.first == 14


def test_names_follow_the_options():
    store = FakeStore()
    made = writer(
        store, flush_size="1", topics_dir="a/b", directory_delim="|", file_delim="-",
        filename_offset_zero_pad_width="3", s3_compression_type="gzip",
    )  # fmt: skip
    made.write(record(7, {"a": 1}), 0)
    assert list(store.objects) == ["a/b|t|partition=0|t-0-007.json.gz"]
    assert gzip.decompress(next(iter(store.objects.values()))) == b'{"a":1}\n'
    made = writer(store, flush_size="1", topics_dir="")
    made.write(record(7, 1), 0)
    assert "t/partition=0/t+0+0000000007.json" in store.objects


def test_all_directories_rotate_together():
    store = FakeStore()
    made = writer(store, **BY_FIELD)
    for offset, field in enumerate(("x", "y", "x", "y")):
        made.write(record(offset, {"f": field}), 0)
    assert sorted(store.objects) == [
        "topics/t/f=x/t+0+0000000000.json", "topics/t/f=y/t+0+0000000001.json",
    ]  # fmt: skip
    assert made.first == 3


def test_rotation_by_record_time():
    store = FakeStore()
    made = writer(store, **HOUR)
    for offset, seconds in enumerate((0, 59, 60, 61, 3600, 3601)):
        made.write(record(offset, offset, timestamp=seconds * 1000), 0)
        made.rotate_if_due(10**12)  # the clock has no say
    assert [name.rpartition("/")[2] for name in store.objects] == [
        "t+0+0000000000.json", "t+0+0000000002.json",
    ]  # fmt: skip
    assert made.first == 4


def test_rotation_by_the_wall_clock():
    store = FakeStore()
    made = writer(store, 1000, rotate_schedule_interval_ms="60000", timezone="UTC", flush_size="100")
    made.write(record(0, 0), 59_000)
    assert not made.rotate_if_due(59_999)
    assert made.rotate_if_due(60_000)
    assert not made.rotate_if_due(130_000)
    made.write(record(1, 1), 130_000)
    assert made.rotate_if_due(130_001), "the schedule came by while there was nothing"
    changes = {**HOUR, "timestamp_extractor": "Wallclock"}
    made = writer(FakeStore(), **changes)
    made.write(record(0, 0), 1000)
    assert not made.rotate_if_due(60_999)
    assert made.rotate_if_due(61_000)


def test_without_a_word_on_rotation_objects_appear_soon():
    store = FakeStore()
    made = writer(store, 0)
    made.write(record(0, 0), 1)
    assert made.rotate_if_due(10_000)
    assert Settings(options(flush_size="5")).schedule <= 0


def test_a_new_schema_ends_the_file():
    store = FakeStore()
    one, two = (struct_schema([("a", kind)], name="R", version=v) for kind, v in ((INT32, 1), (INT64, 2)))
    made = writer(store, flush_size="100")
    for offset, schema in enumerate((one, one, two, one)):
        made.write(record(offset, Struct(schema, {"a": offset}), schema), 0)
    assert [name[-7:-5] for name in store.objects] == ["00", "02"]


def test_backward_compatible_records_are_projected():
    store = FakeStore()
    old = struct_schema([("a", INT32)], name="R", version=1)
    new = struct_schema([("a", INT64), ("b", OPTIONAL_STRING)], name="R", version=2)
    made = writer(store, flush_size="3", schema_compatibility="BACKWARD")
    for offset, schema in enumerate((old, new, old, new)):
        made.write(record(offset, Struct(schema, {"a": offset}), schema), 0)
    assert list(store.objects.values()) == [
        b'{"a":0}\n',
        b'{"a":1,"b":null}\n{"a":2,"b":null}\n{"a":3,"b":null}\n',
    ]
    without_version = struct_schema([("a", INT32)])
    made.write(record(4, Struct(old, {"a": 4}), old), 0)
    with pytest.raises(SchemaError, match="Schema version required for BACKWARD"):
        made.write(record(5, Struct(without_version, {"a": 4}), without_version), 0)
    with pytest.raises(SchemaError, match="schema-less"):
        made.write(record(6, {"a": 4}), 0)


def test_large_objects_leave_in_parts():
    store = FakeStore()
    made = writer(store, flush_size="3", s3_part_size=str(5 << 20))
    for offset in range(3):
        made.write(record(offset, "x" * (4 << 20)), 0)
        assert sum(len(part) for parts in store.uploads.values() for part in parts.values()) in (0, 5 << 20)
    assert store.puts == 0
    (data,) = store.objects.values()
    assert data == (b'"' + b"x" * (4 << 20) + b'"\n') * 3
    made.write(record(3, "x" * (6 << 20)), 0)
    made.abort()
    assert (store.aborted, store.uploads) == (["topics/t/partition=0/t+0+0000000003.json"], {})


def test_keys_headers_and_tombstones():
    store, reports = FakeStore(), Reports()
    both = {
        "store_kafka_keys": "true", "store_kafka_headers": "true", "keys_format_class": "JsonFormat",
        "headers_format_class": "JsonFormat", "behavior_on_null_values": "write", "flush_size": "2",
    }  # fmt: skip
    made = task(store, reports, **both)
    headers = [Header("h", STRING, "1"), Header("n", INT32, 2), Header("__replicator.position", None, "p")]
    made.put([
        record(0, "v", key="k", headers=headers), record(1, "w", headers=headers), record(2, "w", key="k"),
        record(3, None, key="gone", headers=headers),
    ])  # fmt: skip
    folder = "topics/t/partition=0/t+0+0000000000"
    listed = b'[{"key":"h","value":"1"},{"key":"n","value":"2"}]\n'
    assert store.objects == {
        f"{folder}.json": b'"v"\n', f"{folder}.keys.json": b'"k"\n', f"{folder}.headers.json": listed,
        "topics/t/tombstone/t+0+0000000003.keys.json": b'"gone"\n',
        "topics/t/tombstone/t+0+0000000003.headers.json": listed,
    }  # fmt: skip
    assert [(r.kafka_offset, str(e).partition(" cannot")[0]) for r, e in reports] == [
        (1, "Key"),
        (2, "Headers"),
    ]


def test_null_values():
    with pytest.raises(DataError, match="Null valued records are not writeable"):
        task(FakeStore()).put([record(0, None)])
    reports = Reports()
    task(FakeStore(), reports).put([record(0, None)])
    assert len(reports) == 1
    task(FakeStore(), behavior_on_null_values="ignore").put([record(0, None)])


def test_a_record_is_reported_once():
    """Also when its batch comes again because the store was away."""
    store, reports = FakeStore(), Reports()
    made = task(store, reports, flush_size="1", format_class="ByteArrayFormat")
    batch = [record(0, None), record(1, "text"), record(2, b"good")]
    store.failures = 2
    for _ in range(2):
        with pytest.raises(RetriableError):
            made.put(batch)
    made.put(batch)
    assert [bad.kafka_offset for bad, _ in reports] == [0, 1]
    assert list(store.objects.values()) == [b"good\n"]


def test_tags():
    store = FakeStore()
    tagged = {
        "s3_object_tagging": "true",
        "s3_object_tagging_key_value_pairs": "team:data",
        "flush_size": "2",
    }
    made = writer(store, **tagged)
    made.write(record(4, 1), 0)
    made.write(record(6, 1), 0)
    assert list(store.tags.values()) == [
        {"team": "data", "startOffset": "4", "endOffset": "6", "recordCount": "2"}
    ]


def test_offsets_move_only_with_visible_objects():
    store = FakeStore()
    made = task(store, flush_size="3")
    delivered = {PARTITION: OffsetAndMetadata(4)}
    assert made.pre_commit(delivered) == delivered
    made.put([record(offset, offset) for offset in (0, 1, 2, 3)])
    assert made.pre_commit(delivered) == {PARTITION: OffsetAndMetadata(3)}
    assert made.context.commits == 0
    made.put([record(offset, offset) for offset in (4, 5)])
    assert made.pre_commit({PARTITION: OffsetAndMetadata(6)}) == {PARTITION: OffsetAndMetadata(6)}


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_failures_neither_lose_nor_double(failures, flush_size):
    """The same batches again and again, as the runtime delivers them, until the store takes them."""
    plain, troubled = FakeStore(), FakeStore()
    batches = [[record(4 * n + i, {"f": f"{i % 2}"}) for i in range(4)] for n in range(4)]
    by_field = {**BY_FIELD, "flush_size": str(flush_size)}
    calm, tried = task(plain, **by_field), task(troubled, **by_field)
    left = list(failures)
    for batch in batches:
        calm.put(batch)
        while True:
            troubled.failures = left.pop() if left else 0
            try:
                tried.put(batch)
                break
            except RetriableError:
                assert tried.context.waits[-1] == 7
    assert troubled.objects == plain.objects


@given(st.integers(0, 11), st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_a_crash_repeats_the_same_objects(crash, flush_size):
    records = [record(offset, {"f": str(offset % 2)}, timestamp=offset * 1000) for offset in range(12)]
    by_field = {**BY_FIELD, "flush_size": str(flush_size)}
    whole, crashed = FakeStore(), FakeStore()
    one = PartitionWriter(Settings(options(**by_field)), whole, 0)  # type: ignore[arg-type]
    for each in records:
        one.write(each, 0)
    first = PartitionWriter(Settings(options(**by_field)), crashed, 0)  # type: ignore[arg-type]
    committed = 0
    for each in records[:crash]:
        first.write(each, 0)
        committed = each.kafka_offset + 1 if first.first is None else first.first
    # The commit itself may be lost, too: then everything is written again from the start.
    for start in (committed, 0):
        again = PartitionWriter(Settings(options(**by_field)), crashed, 0)  # type: ignore[arg-type]
        for each in records[start:]:
            again.write(each, 0)
    assert crashed.objects == whole.objects
