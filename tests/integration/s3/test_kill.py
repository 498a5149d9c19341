"""kill -9 while objects are written: every line is in exactly one object."""

from __future__ import annotations

import gzip
import os
import subprocess
import time

import pytest

from scripts.service import PROGRAM
from tests.unit.runtime.service_fixture import eventually

LINES = 6000


@pytest.mark.slow
@pytest.mark.parametrize("s3_server", ["moto"], indirect=True)
def test_killed_and_started_again(bucket, tmp_path):
    (tmp_path / "in.txt").write_text("".join(f"{n}\n" for n in range(LINES)))
    text = "org.apache.kafka.connect.storage.StringConverter"
    (tmp_path / "worker.properties").write_text(
        f"key.converter={text}\nvalue.converter={text}\ndata.dir={tmp_path}/data\nlisteners=http://127.0.0.1:0\n"
        "offset.flush.interval.ms=150\n"
    )
    (tmp_path / "source.properties").write_text(
        f"name=src\nconnector.class=FileStreamSource\nfile={tmp_path}/in.txt\ntopic=lines\nbatch.size=50\n"
    )
    sink = bucket.options | {
        "name": "s3",
        "topics": "lines",
        "flush.size": "30",
        "s3.compression.type": "gzip",
    }
    (tmp_path / "sink.properties").write_text("".join(f"{name}={value}\n" for name, value in sink.items()))
    for pause in (0.3, 0.6, None):
        before = len(bucket.objects())
        child = start(tmp_path)
        try:
            if pause is None:
                eventually(lambda: len(names(bucket)) == LINES // 30, 60)
            else:
                eventually(lambda before=before: len(names(bucket)) > before, 40)
                time.sleep(pause)
        finally:
            child.kill()
            child.wait()
    found = bucket.objects()
    assert [int(name[-18:-8]) for name in found] == list(range(0, LINES, 30))
    lines = [line for name in sorted(found) for line in gzip.decompress(found[name]).splitlines()]
    assert lines == [b'"%d"' % n for n in range(LINES)]


def start(folder):
    command = [
        str(PROGRAM.with_name("connect-standalone")),
        "worker.properties",
        "source.properties",
        "sink.properties",
    ]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=dict(os.environ), stdout=log, stderr=log)


def names(bucket):
    listed = bucket.client.list_objects_v2(Bucket=bucket.name).get("Contents", [])
    return [entry["Key"] for entry in listed]
