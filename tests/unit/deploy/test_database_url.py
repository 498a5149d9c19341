"""Placeholders in the URLs of sync, verify, recopy and clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from replicator.api.errors import ConfigError
from replicator.cli.database_url import resolved
from replicator.cli.main import cli


def test_a_secret_of_a_file_is_percent_encoded(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("p/@s#%\n")
    (tmp_path / "all.properties").write_text("mysql=geheim\n")
    assert (
        resolved(f"postgresql://me:${{dir:{tmp_path}:source}}@db/x") == "postgresql://me:p%2F%40s%23%25@db/x"
    )
    assert resolved(f"mysql://me:${{file:{tmp_path}/all.properties:mysql}}@db/x") == "mysql://me:geheim@db/x"


def test_a_whole_url_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://me:pw@db:5432/shop?sslmode=require")
    assert resolved("${env:SHOP_URL}") == "postgresql://me:pw@db:5432/shop?sslmode=require"


def test_a_url_without_placeholders_is_not_touched() -> None:
    assert resolved("postgresql://me:p%2F$w@db/x") == "postgresql://me:p%2F$w@db/x"


def test_an_unknown_provider() -> None:
    with pytest.raises(ConfigError, match=r"\$\{vault:a:b\} cannot be resolved"):
        resolved("postgresql://me:${vault:a:b}@db/x")


@pytest.mark.parametrize("command", ["sync", "verify", "recopy", "clean"])
def test_every_command_that_takes_urls_resolves_them(command: str) -> None:
    tables = ["--tables", "t"] if command == "recopy" else []
    found = CliRunner().invoke(
        cli, [command, "postgresql://me:${env:NOT_SET_HERE}@db/x", "mysql://db/x", *tables]
    )
    assert found.exit_code == 2
    assert "Environment variable NOT_SET_HERE is not set" in found.output
