"""Placeholders in option values."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def test_providers_of_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_A", "1")
    monkeypatch.setenv("OTHER", "2")
    resolver = Resolver.of_worker(
        {
            "config.providers": "e, f",
            "config.providers.e.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            "config.providers.e.param.allowlist.pattern": "MY_.*",
            "config.providers.f.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
            "config.providers.f.param.allowed.paths": str(tmp_path / "allowed"),
        }
    )
    assert resolver.resolve({"a": "${e:MY_A}"}) == {"a": "1"}
    with pytest.raises(ConfigError):
        resolver.resolve({"a": "${e:OTHER}"})
    (tmp_path / "s.properties").write_text("k=v")
    with pytest.raises(ConfigError, match="not allowed"):
        resolver.resolve({"a": f"${{f:{tmp_path}/allowed/../s.properties:k}}"})


def test_unknown_provider_class() -> None:
    with pytest.raises(ConfigError, match="not known"):
        Resolver.of_worker({"config.providers": "v", "config.providers.v.class": "com.x.VaultProvider"})
