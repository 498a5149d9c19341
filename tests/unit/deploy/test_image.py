"""The image: what its files say, its entry point and health check, and on request its build steps."""

from __future__ import annotations

import fnmatch
import http.server
import json
import os
import re
import shlex
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from replicator.config.files import read_options
from replicator.config.worker import WORKER_DEF
from tests.unit.deploy.image_files import IMAGE, ROOT, entrypoint, healthcheck

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
KAFKA = {
    "CONNECT_BOOTSTRAP_SERVERS": "kafka:9092",
    "CONNECT_GROUP_ID": "g",
    "CONNECT_CONFIG_STORAGE_TOPIC": "c",
    "CONNECT_OFFSET_STORAGE_TOPIC": "o",
    "CONNECT_STATUS_STORAGE_TOPIC": "s",
}


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE.read_text()).replace("\\\n", " ")
    words = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in words]


# Dockerfile


def test_the_image_is_pinned_small_and_without_root() -> None:
    found = _instructions()
    assert dict(found)["ARG"] == "PYTHON=python:3.11.13-slim-bookworm"
    assert [rest for word, rest in found if word == "FROM"] == ["${PYTHON} AS build", "${PYTHON}"]
    words = [word for word, _ in found]
    assert dict(found)["USER"] == "10001"
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert {"HEALTHCHECK", "VOLUME", "STOPSIGNAL"} <= set(words)


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    allowed = [
        line[1:]
        for line in (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
        if line[:1] == "!"
    ]
    for word, rest in _instructions():
        if word == "COPY" and "--from" not in rest:
            for source in [part for part in rest.split() if not part.startswith("--")][:-1]:
                assert (ROOT / source).exists(), source
                assert any(source == one or fnmatch.fnmatch(source, f"{one}/*") for one in allowed), source


def test_the_constraints_fit_the_dependencies() -> None:
    """Every dependency is pinned to a version that pyproject.toml allows; else run deploy/image/pin.sh."""
    lines = (IMAGE / "constraints.txt").read_text().splitlines()
    pinned = dict(line.lower().replace("_", "-").split("==") for line in lines if line[:1] != "#")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for text in wanted:
        need = Requirement(text)
        name = need.name.lower().replace("_", "-")
        assert name in pinned, f"{name} is not in deploy/image/constraints.txt: run deploy/image/pin.sh"
        assert pinned[name] in need.specifier, f"{name}: run deploy/image/pin.sh"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    not os.environ.get("REPLICATOR_TEST_IMAGE"),
    reason="REPLICATOR_TEST_IMAGE is not set: loads packages for minutes",
)
def test_the_build_steps_by_hand(tmp_path: Path) -> None:
    """Each RUN of the first stage, with COPYs, in a folder instead of an image; then the entry point in it."""
    opt, src = tmp_path / "replicator", tmp_path / "src"
    src.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_CONSTRAINT": str(src / "constraints.txt"),
    }
    for word, rest in _instructions():
        if word == "FROM" and rest == "${PYTHON}":
            break
        if word == "COPY":
            *sources, target = rest.split()
            subprocess.run(["cp", "-r", *(str(ROOT / one) for one in sources), str(src / target)], check=True)
        if word == "RUN":
            line = rest.replace("/opt/replicator", str(opt)).replace("python -m venv", "python3 -m venv", 1)
            subprocess.run(["sh", "-ec", line], cwd=src, env=environ, check=True)
    environ["PATH"] = f"{opt}/bin:{environ['PATH']}"
    for words in (["--version"], ["plugins", "list"], ["sync", "--help"]):
        command = [str(opt / "bin" / "python"), str(IMAGE / "entrypoint.py"), *words]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout


# Entry point


@pytest.mark.parametrize(
    ("variable", "option"),
    [
        ("CONNECT_BOOTSTRAP_SERVERS", "bootstrap.servers"),
        ("CONNECT_REST_AUTH_USERS_ANNA__B_PASSWORD", "rest.auth.users.anna_b.password"),
        ("CONNECT_CONFIG_PROVIDERS_MY___FILE_CLASS", "config.providers.my-file.class"),
    ],
)
def test_names_of_options(variable: str, option: str) -> None:
    assert entrypoint.option_name(variable) == option


def test_every_option_of_a_worker_can_be_given() -> None:
    for name in WORKER_DEF.keys:
        variable = "CONNECT_" + name.upper().replace("_", "__").replace("-", "___").replace(".", "_")
        assert entrypoint.option_name(variable) == name


def test_the_variables_of_other_images() -> None:
    environ = {
        "BOOTSTRAP_SERVERS": "a:1",
        "GROUP_ID": "old",
        "CONNECT_GROUP_ID": "new",
        "CONNECT_LOG4J_ROOT_LOGLEVEL": "INFO",
    }
    assert entrypoint.worker_options(environ) == {
        "bootstrap.servers": "a:1", "group.id": "new", "listeners": "http://:8083",
    }  # fmt: skip


def test_distributed_from_the_environment() -> None:
    word, file, *rest = entrypoint.command(
        ["distributed", "--verbose"], {**KAFKA, "CONNECT_SASL_JAAS_CONFIG": 'x\\"=:\n#'}
    )
    assert (word, rest) == ("distributed", ["--verbose"])
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert read_options(Path(file)) == {
        "bootstrap.servers": "kafka:9092", "group.id": "g", "config.storage.topic": "c", "offset.storage.topic": "o",
        "status.storage.topic": "s", "sasl.jaas.config": 'x\\"=:\n#', "listeners": "http://:8083",
    }  # fmt: skip


def test_what_is_missing_is_named() -> None:
    environ = {
        n: v for n, v in KAFKA.items() if n not in ("CONNECT_GROUP_ID", "CONNECT_OFFSET_STORAGE_TOPIC")
    }
    with pytest.raises(SystemExit, match="CONNECT_GROUP_ID, CONNECT_OFFSET_STORAGE_TOPIC, or"):
        entrypoint.command(["distributed"], environ)
    with pytest.raises(SystemExit, match="REPLICATOR_TARGET_URL"):
        entrypoint.command(["sync"], {"REPLICATOR_SOURCE_URL": "postgresql://db/x"})


def test_standalone() -> None:
    word, file, *rest = entrypoint.command(
        ["standalone", "a.properties", "b.json"], {"REPLICATOR_DATA_DIR": "/data"}
    )
    assert (word, rest) == ("standalone", ["a.properties", "b.json"])
    assert json.loads(Path(file).read_text()) == {"listeners": "http://:8083", "data.dir": "/data"}
    given = entrypoint.command(["standalone", "w.properties", "--", "a.json"], {})
    assert given == ["standalone", "w.properties", "a.json"]


def test_sync_shows_no_secrets_in_its_arguments() -> None:
    environ = {
        "REPLICATOR_SOURCE_URL": "postgresql://u:secret@db/x",
        "REPLICATOR_TARGET_URL": "mysql://u:${dir:/run/secrets:m}@db/x",
    }
    assert entrypoint.command(["sync", "--port", "8083"], environ) == [
        "sync", "${env:REPLICATOR_SOURCE_URL}", "mysql://u:${dir:/run/secrets:m}@db/x", "--port", "8083",
    ]  # fmt: skip
    assert entrypoint.command(["sync", "a://", "b://"], environ) == ["sync", "a://", "b://"]


def test_other_commands_and_none() -> None:
    assert entrypoint.command(["connectors", "list"], {}) == ["connectors", "list"]
    assert entrypoint.command(["distributed", "w.properties"], {}) == ["distributed", "w.properties"]
    assert entrypoint.command([], {}) == ["--help"]
    assert entrypoint.command(["sync", "--help"], {}) == ["sync", "--help"]
    assert entrypoint.command([], KAFKA)[0] == "distributed"


# Health check


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, int]]]:
    answer = {"status": 200}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    made = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/health", answer
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (401, 0), (500, 1), (503, 1)])
def test_health(server: tuple[str, dict[str, int]], status: int, code: int) -> None:
    url, answer = server
    answer["status"] = status
    command = shlex.split(" ".join(json.loads(dict(_instructions())["HEALTHCHECK"].partition("CMD ")[2])))
    local = [command[0], command[1].replace("/opt/replicator/image", str(IMAGE))]
    done = subprocess.run(local, env={**os.environ, "REPLICATOR_HEALTH_URL": url}, check=False)
    assert done.returncode == code


def test_nobody_answers() -> None:
    assert not healthy_at("http://127.0.0.1:1/health")


def healthy_at(url: str) -> bool:
    return bool(healthcheck.healthy(url))


@pytest.mark.parametrize(
    ("listeners", "url"),
    [
        ("", "http://127.0.0.1:8083/health"),
        ("http://:8085", "http://127.0.0.1:8085/health"),
        ("HTTPS://0.0.0.0:8443,http://:1", "https://127.0.0.1:8443/health"),
        ("http://[::]:8083", "http://[::1]:8083/health"),
        ("http://10.0.0.5:8083", "http://10.0.0.5:8083/health"),
    ],
)
def test_where_health_is_asked(listeners: str, url: str) -> None:
    assert healthcheck.address({"CONNECT_LISTENERS": listeners}) == url
