"""docker-compose.yml: right by the compose specification, pinned, without secrets, with options that are valid."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from replicator.cli.connectors_files import read_files
from replicator.config.files import read_options
from replicator.config.providers import Resolver
from replicator.config.worker import DISTRIBUTED, WorkerConfig
from replicator.plugins.registry import Registry
from tests.unit.deploy.image_files import IMAGE, ROOT, entrypoint

FILE = ROOT / "docker-compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CONNECTORS = ROOT / "deploy" / "compose" / "connectors"
WORKERS = ("worker-1", "worker-2")


def test_the_compose_specification() -> None:
    command = [
        Path(sys.executable).with_name("check-jsonschema"),
        "--builtin-schema",
        "vendor.compose-spec",
        FILE,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_services() -> None:
    assert set(SERVICES) == {"postgres", "mysql", "kafka", *WORKERS, "connectors"}
    assert "wal_level=logical" in SERVICES["postgres"]["command"]
    assert SERVICES["kafka"]["environment"]["KAFKA_PROCESS_ROLES"] == "broker,controller"
    for name in ("postgres", "mysql", "kafka"):
        assert SERVICES[name]["volumes"][0].partition(":")[0] in COMPOSE["volumes"]
        assert SERVICES[name]["healthcheck"]["test"]


def test_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        image, _, tag = service["image"].partition(":")
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()
        else:
            assert re.match(r"\d+\.\d+", tag), f"{name}: {image}:{tag}"


def test_everything_waits_for_what_it_needs() -> None:
    for service in SERVICES.values():
        for name, needed in (service.get("depends_on") or {}).items():
            assert needed == {"condition": "service_healthy"}
            own = SERVICES[name].get("healthcheck") or "build" in SERVICES[name]
            assert own, f"{name} has no health check"
    assert set(SERVICES["connectors"]["depends_on"]) == set(WORKERS)
    assert set(SERVICES["worker-1"]["depends_on"]) == {"postgres", "mysql", "kafka"}


def test_secrets_are_files_named_in_the_example() -> None:
    wanted = {secret["environment"] for secret in COMPOSE["secrets"].values()}
    example = {line.partition("=")[0]: line.partition("=")[2] for line in _lines(ROOT / ".env.example")}
    assert set(example) == wanted
    assert not any(example.values())
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    for name, service in SERVICES.items():
        assert set(service.get("secrets") or ()) <= set(COMPOSE["secrets"]), name
        for variable, value in (service.get("environment") or {}).items():
            if "PASSWORD" in variable:
                assert variable.endswith("_FILE")
                assert str(value).removeprefix("/run/secrets/") in service["secrets"]
    # Compose cannot put secrets that come from variables into a read-only container.
    assert not any(service.get("read_only") and service.get("secrets") for service in SERVICES.values())


def test_nothing_is_reachable_from_other_machines() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports") or ()]
    assert published == ["127.0.0.1:8083:8083", "127.0.0.1:8084:8083"]


def test_what_is_mounted_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes") or ():
            if volume.startswith("./"):
                source, _, mode = volume.split(":")
                assert (ROOT / source).is_dir()
                assert mode == "ro"


@pytest.mark.parametrize("name", WORKERS)
def test_the_options_of_the_workers(name: str) -> None:
    """Through the image's entry point, as the worker reads them."""
    environ = {variable: str(value) for variable, value in SERVICES[name]["environment"].items()}
    word, file = entrypoint.command(SERVICES[name]["command"], environ)
    assert word == "distributed"
    options = read_options(Path(file))
    config = WorkerConfig(options)
    assert all(options[option] for option in ("bootstrap.servers", *DISTRIBUTED))
    assert config["rest.advertised.host.name"] == name
    assert [config[f"{kind}.storage.replication.factor"] for kind in ("config", "offset", "status")] == [
        1,
        1,
        1,
    ]
    assert config["scheduled.rebalance.max.delay.ms"] == 0


def test_connectors_may_read_the_secrets_and_no_other_files(tmp_path: Path) -> None:
    environ = {variable: str(value) for variable, value in SERVICES["worker-1"]["environment"].items()}
    options = entrypoint.worker_options(environ)
    assert options["config.providers.dir.param.allowed.paths"] == "/run/secrets"
    options["config.providers.dir.param.allowed.paths"] = str(tmp_path)
    (tmp_path / "mysql_password").write_text("pw")
    resolver = Resolver.of_worker(options)
    for connector in read_files([CONNECTORS]):
        for value in connector.config.values():
            for folder, secret in re.findall(r"\$\{dir:(.*?):(.*?)\}", value):
                assert folder == "/run/secrets"
                assert secret in SERVICES["worker-1"]["secrets"]
    assert resolver.resolve({"p": f"${{dir:{tmp_path}:mysql_password}}"}) == {"p": "pw"}


def test_the_connectors_have_known_classes_and_valid_options() -> None:
    registry = Registry()
    found = read_files([CONNECTORS])
    assert [connector.name for connector in found] == ["shop-sink", "shop-source"]
    for connector in found:
        cls = registry.connector(connector.config["connector.class"])[1]
        resolved = {n: "pw" if "${dir:" in v else v for n, v in connector.config.items()}
        wrong = [value for value in cls.config_def().validate(resolved) if value.errors]
        assert not wrong


def test_the_job_that_applies_them() -> None:
    words = SERVICES["connectors"]["command"]
    assert words[:2] == ["connectors", "apply"]
    assert entrypoint.command(words, {}) == words
    url = words[words.index("--url") + 1]
    assert url == ",".join(f"http://{name}:8083" for name in WORKERS)
    assert f"./deploy/compose/connectors:{words[-1]}:ro" in SERVICES["connectors"]["volumes"]
    assert SERVICES["connectors"]["restart"] == "no"


def test_the_script_of_the_source_is_a_shell_script() -> None:
    script = ROOT / "deploy" / "compose" / "postgres" / "10-shop.sh"
    assert script.stat().st_mode & 0o111
    for one in (script, IMAGE / "pin.sh"):
        subprocess.run(["sh", "-n", one], check=True)


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
