"""A file to S3 with the configuration files as they stand, started by `connect-standalone`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from scripts.service import PROGRAM
from tests.unit.runtime.service_fixture import eventually

CONFIGS = Path(__file__).parents[2] / "e2e" / "configs"


@pytest.mark.parametrize("s3_server", ["moto"], indirect=True)
def test_connect_standalone(bucket, tmp_path):
    bucket.name = "my-kafka-bucket"
    bucket.client.create_bucket(Bucket=bucket.name)
    (tmp_path / "input.txt").write_text("first\nsecond\n")
    worker = (CONFIGS / "connect-standalone.properties").read_text()
    lines = [
        line for line in worker.splitlines() if not line.startswith(("bootstrap.servers", "offset.storage"))
    ]
    extra = [
        f"data.dir={tmp_path}/data",
        f"offset.storage.file.filename={tmp_path}/offsets",
        "listeners=http://127.0.0.1:0",
    ]
    (tmp_path / "worker.properties").write_text("\n".join([*lines, *extra]))
    source = (CONFIGS / "file-source.properties").read_text()
    (tmp_path / "source.properties").write_text(source.replace("/tmp/input.txt", str(tmp_path / "input.txt")))
    account = {
        "AWS_ENDPOINT_URL": bucket.url,
        "AWS_ACCESS_KEY_ID": bucket.options["aws.access.key.id"],
        "AWS_SECRET_ACCESS_KEY": bucket.options["aws.secret.access.key"],
    }
    command = [PROGRAM.with_name("connect-standalone"), "worker.properties", "source.properties"]
    with (tmp_path / "log").open("wb") as log:
        child = subprocess.Popen(
            [*map(str, command), str(CONFIGS / "s3-sink.properties")],
            cwd=tmp_path, env={**os.environ, **account}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        found = eventually(lambda: (child.poll() is not None and [None]) or bucket.objects(), 60)
        assert child.poll() is None, (tmp_path / "log").read_text()[-3000:]
        assert list(found) == ["topics/file-input-topic/partition=0/file-input-topic+0+0000000000.json"]
        assert next(iter(found.values())).splitlines() == [b'"first"', b'"second"']
    finally:
        child.terminate()
        assert child.wait(30) == 0
