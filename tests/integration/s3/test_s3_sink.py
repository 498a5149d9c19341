"""The S3 sink against servers: from a topic to objects, as users configure it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import fastavro
import pyarrow.parquet
import pytest

from connectors.s3.task import S3SinkTask
from replicator.api import ConnectError, RetriableError, SinkRecord, Struct, TopicPartition
from replicator.api.schema import INT32, STRING, struct_schema
from replicator.broker.embedded import EmbeddedBroker
from tests.unit.runtime.service_fixture import eventually, running
from tests.unit.s3.fake_store import Context

# The first one that asks for a server may have to build it.
pytestmark = pytest.mark.timeout(600)
ROW = struct_schema([("id", INT32), ("name", STRING)], name="Row", version=1)

CONFIGS = Path(__file__).parents[2] / "e2e" / "configs"


def properties_of(name):
    return dict(line.split("=", 1) for line in (CONFIGS / name).read_text().splitlines() if "=" in line)


def started(bucket, **changes):
    task = S3SinkTask()
    task.initialize(Context())
    task.start(bucket.options | changes)
    task.open([TopicPartition("t", 0)])
    return task


def records(start, count, size=0):
    return [
        SinkRecord("t", 0, STRING, f"k{n}", ROW, Struct(ROW, {"id": n, "name": str(n) * size}), n)
        for n in range(start, start + count)
    ]


def test_a_file_comes_to_s3(bucket, tmp_path):
    """s3-sink.properties as it stands, with the server's address and account added."""
    source = tmp_path / "in.txt"
    source.write_text("".join(f"line {n}\n" for n in range(1500)))
    sink = properties_of("s3-sink.properties") | {"s3.bucket.name": bucket.name}
    account = {
        name: bucket.options[name] for name in ("store.url", "aws.access.key.id", "aws.secret.access.key")
    }
    file_source = {"connector.class": "FileStreamSource", "file": str(source), "topic": sink["topics"]}
    broker = EmbeddedBroker(tmp_path / "data")
    with running(broker, **{"data.dir": str(tmp_path / "data")}) as service:
        service.herder.put_connector_config("source", {"name": "source", **file_source})
        service.herder.put_connector_config("s3-sink", {**sink, **account})
        found = eventually(lambda: len(objects := bucket.objects()) == 2 and objects, 40)
        topic = sink["topics"]
        assert list(found) == [
            f"topics/{topic}/partition=0/{topic}+0+0000000000.json",
            f"topics/{topic}/partition=0/{topic}+0+0000001000.json",
        ]
        assert b"".join(found.values()).splitlines() == [b'"line %d"' % n for n in range(1500)]
        committed = eventually(lambda: service.herder.connector_offsets("s3-sink"))
        assert committed is not None
    broker.close()


@pytest.mark.parametrize("kind", ["json", "avro", "parquet"])
def test_formats_and_multipart_uploads(bucket, kind):
    name = f"io.confluent.connect.s3.format.{kind}.{kind.capitalize()}Format"
    task = started(
        bucket,
        **{"format.class": name, "flush.size": "4", "s3.part.size": str(5 << 20), "parquet.codec": "none"},
    )
    try:
        task.put(records(0, 4, 2 << 20))
        ((found, data),) = bucket.objects().items()
        tag = bucket.client.head_object(Bucket=bucket.name, Key=found)["ETag"]
        assert tag.rstrip('"').endswith("-2"), "an upload in two parts"
        if kind == "json":
            rows = [json.loads(line) for line in data.splitlines()]
        elif kind == "avro":
            rows = list(fastavro.reader(io.BytesIO(data)))
        else:
            rows = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
        assert rows == [record.value.plain() for record in records(0, 4, 2 << 20)]
        task.put(records(4, 3, 2 << 20))
        task.close([TopicPartition("t", 0)])
        assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)
    finally:
        task.stop()


def test_a_restart_writes_the_same_objects(bucket):
    options = {
        "flush.size": "3", "partitioner.class": "io.confluent.connect.storage.partitioner.FieldPartitioner",
        "partition.field.name": "id",
    }  # fmt: skip
    for _ in range(2):
        task = started(bucket, **options)
        task.put(records(0, 8))
        task.stop()
    assert list(bucket.objects()) == [f"topics/t/id={n}/t+0+000000000{n}.json" for n in range(6)]


def test_tags(bucket):
    task = started(bucket, **{"flush.size": "2", "s3.object.tagging": "true"})
    task.put(records(0, 2))
    task.stop()
    (name,) = bucket.objects()
    found = bucket.client.get_object_tagging(Bucket=bucket.name, Key=name)["TagSet"]
    assert {"Key": "recordCount", "Value": "2"} in found


def test_wrong_names_and_secrets(bucket):
    with pytest.raises(ConnectError, match="Non-existent S3 bucket: nosuchbucket"):
        started(bucket, **{"s3.bucket.name": "nosuchbucket"})
    if bucket.checks_signatures:
        task = started(bucket, **{"aws.secret.access.key": "wrong", "flush.size": "1"})
        with pytest.raises(ConnectError, match=r"SignatureDoesNotMatch.*Check aws\.secret\.access\.key"):
            task.put(records(0, 1))


def test_a_server_that_does_not_answer(bucket):
    other = started(bucket, **{"store.url": "http://127.0.0.1:9", "s3.part.retries": "0", "flush.size": "1"})
    with pytest.raises(RetriableError, match=r"Writing .* failed"):
        other.put(records(0, 1))
