"""S3 servers: moto's, and versitygw, which checks signatures and is built the first time, where there is Go."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from scripts.devservers import ServerUnavailable, go_programs
from scripts.devservers.process import free_port

ACCESS, SECRET = "lab", "labsecret"
_VERSITYGW = ("github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
_numbers = itertools.count(1)


@dataclass
class Bucket:
    """A fresh bucket on a real server."""

    url: str
    name: str
    checks_signatures: bool
    process: subprocess.Popen[bytes]

    @property
    def client(self) -> Any:
        settings = Config(s3={"addressing_style": "path"})
        return boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
            region_name="us-east-1", config=settings,
        )  # fmt: skip

    @property
    def options(self) -> dict[str, str]:
        """What a sink needs to write here."""
        return {
            "connector.class": "io.confluent.connect.s3.S3SinkConnector",
            "s3.bucket.name": self.name,
            "s3.region": "us-east-1",
            "store.url": self.url,
            "aws.access.key.id": ACCESS,
            "aws.secret.access.key": SECRET,
        }

    def objects(self) -> dict[str, bytes]:
        client = self.client
        listed = client.list_objects_v2(Bucket=self.name).get("Contents", [])
        names = [entry["Key"] for entry in listed]
        return {name: client.get_object(Bucket=self.name, Key=name)["Body"].read() for name in names}


@contextmanager
def server(kind: str, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    if kind == "moto":
        command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    else:
        try:
            program = go_programs.program(*_VERSITYGW)
        except ServerUnavailable as reason:
            pytest.skip(f"no versitygw: {reason}")
        data = folder / "data"
        data.mkdir()
        command = [str(program), "--port", f"127.0.0.1:{port}", "posix", str(data)]
    account = {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **account})
    try:
        _wait(f"http://127.0.0.1:{port}", child)
        yield f"http://127.0.0.1:{port}", child
    finally:
        child.terminate()
        child.wait(20)


def _wait(url: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and child.poll() is None:
        try:
            httpx.get(url)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"{child.args} did not start")


@pytest.fixture(scope="session", params=["moto", "versitygw"])
def s3_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with server(request.param, tmp_path_factory.mktemp(request.param)) as (url, child):
        yield request.param, url, child


@pytest.fixture
def bucket(s3_server: Any) -> Bucket:
    return fresh_bucket(*s3_server)


def fresh_bucket(kind: str, url: str, child: subprocess.Popen[bytes]) -> Bucket:
    """A new bucket on that server."""
    made = Bucket(url, f"bucket-{next(_numbers)}", kind == "versitygw", child)
    made.client.create_bucket(Bucket=made.name)
    return made
