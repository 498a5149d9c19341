"""Placeholders in option values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from replicator.api import ConfigProvider, ProvidedValue
from replicator.api.errors import ConfigError
from replicator.config.providers import Resolver


def test_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "s${x}t")
    assert Resolver().resolve({"a": "x-${env:PW}-${env:PW}", "b": 1}) == {"a": "x-s${x}t-s${x}t", "b": 1}


def test_file_and_dir(tmp_path: Path) -> None:
    (tmp_path / "s.properties").write_text("user.name=u\n")
    (tmp_path / "password").write_text("p\n")
    raw = {"a": f"${{file:{tmp_path}/s.properties:user.name}}", "b": f"${{dir:{tmp_path}:password}}"}
    assert Resolver().resolve(raw) == {"a": "u", "b": "p\n"}


@pytest.mark.parametrize("text", ["${nobody:a}", "${plain}", "$env:A", "${vault:a/b:c}"])
def test_unknown_providers_stay_text(text: str) -> None:
    assert Resolver().resolve({"a": text}) == {"a": text}


def test_what_cannot_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NONE", raising=False)
    (tmp_path / "s.properties").write_text("a=1\n")
    for text in ("${env:NONE}", f"${{file:{tmp_path}/s.properties:b}}", f"${{file:{tmp_path}/x:b}}",
                 f"${{dir:{tmp_path}:../x}}"):  # fmt: skip
        with pytest.raises(ConfigError):
            Resolver().resolve({"a": text})


def provider(kind: str, **parameters: str) -> Resolver:
    """A worker's resolver with one provider `p`."""
    names = {"env": "EnvVarConfigProvider", "file": "FileConfigProvider", "dir": "DirectoryConfigProvider"}
    options = {"config.providers.p.param." + n.replace("_", "."): v for n, v in parameters.items()}
    cls = f"org.apache.kafka.common.config.provider.{names[kind]}"
    return Resolver.of_worker({"config.providers": "p", "config.providers.p.class": cls, **options})


def test_env_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_A", "1")
    monkeypatch.setenv("OTHER", "2")
    resolver = provider("env", allowlist_pattern="MY_.*")
    assert resolver.resolve({"a": "${p:MY_A}"}) == {"a": "1"}
    with pytest.raises(ConfigError, match="OTHER is not allowed"):
        resolver.resolve({"a": "${p:OTHER}"})
    with pytest.raises(ConfigError, match=r"config\.providers\.p|Could not compile regex"):
        provider("env", allowlist_pattern="(")


@pytest.mark.parametrize("kind", ["file", "dir"])
def test_allowed_paths_follow_links(tmp_path: Path, kind: str) -> None:
    allowed = tmp_path / "allowed"
    (allowed / "below").mkdir(parents=True)
    for folder in (tmp_path, allowed, allowed / "below"):
        (folder / "s.properties").write_text("k=v")
    (allowed / "link.properties").symlink_to(tmp_path / "s.properties")
    resolver = provider(kind, allowed_paths=str(allowed))

    def get(folder: Path, name: str) -> str:
        text = f"${{p:{folder}/{name}:k}}" if kind == "file" else f"${{p:{folder}:{name}}}"
        found: str = resolver.resolve({"a": text})["a"]
        return found

    expected = "v" if kind == "file" else "k=v"
    assert [get(f, "s.properties") for f in (allowed, allowed / "below")] == [expected, expected]
    for folder, name in (
        (tmp_path, "s.properties"),
        (allowed / "..", "s.properties"),
        (allowed, "link.properties"),
    ):
        with pytest.raises(ConfigError, match="not allowed to be accessed"):
            get(folder, name)


@pytest.mark.parametrize("path", ["relative", "/no/such/folder"])
def test_allowed_paths_are_absolute_and_exist(path: str) -> None:
    with pytest.raises(ConfigError, match=r"not absolute|does not exist") as error:
        provider("file", allowed_paths=path)
    assert error.value.option == "config.providers.p.param.allowed.paths"


def test_a_worker_that_names_providers_has_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "1")
    assert provider("file").resolve({"a": "${env:A}"}) == {"a": "${env:A}"}
    assert Resolver.of_worker({}).resolve({"a": "${env:A}"}) == {"a": "1"}


def test_unknown_or_missing_provider_class() -> None:
    with pytest.raises(ConfigError, match="not known"):
        Resolver.of_worker({"config.providers": "v", "config.providers.v.class": "com.x.VaultProvider"})
    with pytest.raises(ConfigError, match="Missing required configuration"):
        Resolver.of_worker({"config.providers": "v"})


def test_the_shortest_lease_counts(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    resolver = provider("dir", ttl_ms="1500")
    assert resolver.lease({"x": f"${{p:{tmp_path}:a}}", "y": "plain"}) == ({"x": "1", "y": "plain"}, 1500)
    assert resolver.lease({"y": "plain"}).ttl_ms is None


class Vault(ConfigProvider):
    """A provider of another package."""

    aliases: ClassVar[tuple[str, ...]] = ("com.example.VaultConfigProvider",)

    def configure(self, config: Mapping[str, Any]) -> None:
        self.token = config["token"]

    def get(self, path: str, key: str) -> ProvidedValue:
        return ProvidedValue(f"{self.token}:{path}:{key}", 60_000)


@pytest.mark.parametrize("name", ["Vault", "com.example.VaultConfigProvider", f"{__name__}.Vault"])
def test_providers_of_other_packages(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    point = SimpleNamespace(name="Vault", load=lambda: Vault)
    monkeypatch.setattr("replicator.config.providers.entry_points", lambda group: [point])
    worker = {
        "config.providers": "v",
        "config.providers.v.class": name,
        "config.providers.v.param.token": "t",
    }
    assert Resolver.of_worker(worker).lease({"a": "${v:secret/db:pw}"}) == ({"a": "t:secret/db:pw"}, 60_000)
