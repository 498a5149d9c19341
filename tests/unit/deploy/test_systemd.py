"""The units: systemd reads them without a complaint, they are sealed off, and their commands are the program's."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from replicator.cli.main import cli
from replicator.config.files import parse_properties, read_options
from replicator.config.worker import DISTRIBUTED, WorkerConfig

FOLDER = Path(__file__).parents[3] / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
PROGRAM = "/opt/replicator/bin/replicator"


def _service(unit: Path) -> list[tuple[str, str]]:
    """Options of section [Service]; options may come several times."""
    text = unit.read_text().partition("[Service]")[2].partition("\n[")[0]
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


@pytest.fixture
def analyzed(tmp_path: Path) -> list[Path]:
    """The units with a program that exists."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed (package systemd)")
    program = tmp_path / "replicator"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, str(program)))
    return [tmp_path / unit.name for unit in UNITS]


def test_there_are_two() -> None:
    assert [unit.name for unit in UNITS] == ["replicator-connect.service", "replicator-sync@.service"]


def test_systemd_reads_them(analyzed: list[Path]) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", *analyzed], capture_output=True, text=True, check=False
    )
    own = [line for line in done.stderr.splitlines() if "replicator" in line]
    assert (done.returncode, own) == (0, []), done.stderr


def test_systemd_finds_them_sealed_off(analyzed: list[Path]) -> None:
    for unit in analyzed:
        # Exposure in tenths of 0 to 10; a service without any hardening has 9.6.
        command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-200:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_ready_and_watchdog(unit: Path) -> None:
    options = dict(_service(unit))
    assert options["Type"] == "notify"
    assert options["NotifyAccess"] == "main"
    assert int(options["WatchdogSec"]) >= 30
    assert options["Restart"] == "on-failure"
    assert options["ProtectSystem"] == "strict"
    assert "StateDirectory" in options


def _parse(words: list[str]) -> dict[str, object]:
    """The parameters that the program understands."""
    context = cli.make_context("replicator", words[:])
    name, command, rest = cli.resolve_command(context, words)
    assert name is not None
    assert isinstance(command, click.Command)
    return command.make_context(name, rest, parent=context).params


def _environment(file: Path) -> dict[str, str]:
    """As systemd reads an environment file that uses nothing but plain and single-quoted values."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    pairs = (line.partition("=") for line in lines)
    return {name: value.removeprefix("'").removesuffix("'") for name, _, value in pairs}


def test_the_command_of_a_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ExecStart with the example's environment, as systemd expands it, and credentials with awkward characters."""
    for name, secret in (("source", "s/@#%\n"), ("target", "t:?&")):
        (tmp_path / name).write_text(secret)
    environment = _environment(FOLDER / "sync.env.example")
    words: list[str] = []
    for word in shlex.split(dict(_service(FOLDER / "replicator-sync@.service"))["ExecStart"]):
        word = word.replace("%i", "shop")
        if match := re.fullmatch(r"\$\{(\w+)\}", word):
            words.append(
                environment[match[1]].replace("/run/credentials/replicator-sync@shop.service", str(tmp_path))
            )
        elif word.startswith("$"):
            words += environment[word[1:]].split()
        else:
            words.append(word)
    assert words[0] == PROGRAM
    found = _parse(words[1:])
    assert found["source_url"] == "postgresql://replicator:s%2F%40%23%25@db1:5432/shop?sslmode=require"
    assert found["target_url"] == "mysql://replicator:t%3A%3F%26@db2:3306/shop?ssl-mode=REQUIRED"
    assert (found["name"], found["data_dir"], found["port"]) == ("shop", Path("/var/lib/replicator"), "8083")
    assert found["tables"] == "public.*"


def test_credentials_are_where_the_examples_look_for_them() -> None:
    for unit, example in (
        ("replicator-sync@.service", "sync.env.example"),
        ("replicator-connect.service", "connect.properties.example"),
    ):
        given = {
            value.partition(":")[0] for name, value in _service(FOLDER / unit) if name == "LoadCredential"
        }
        folder = unit.replace("@", "@shop")
        text = (FOLDER / example).read_text()
        asked = set(re.findall(r"/run/credentials/" + re.escape(folder) + r"[:/](\w+)", text))
        assert asked == given


def test_the_command_of_a_worker() -> None:
    words = shlex.split(dict(_service(FOLDER / "replicator-connect.service"))["ExecStart"])
    assert words[0] == PROGRAM
    assert _parse(words[1:])["worker"] == Path("/etc/replicator/connect.properties")


def test_the_options_of_a_worker(tmp_path: Path) -> None:
    file = tmp_path / "connect.properties"
    # What is commented out is an example, too.
    file.write_text(re.sub(r"(?m)^#(?=[a-z.]+=)", "", (FOLDER / "connect.properties.example").read_text()))
    options = read_options(file)
    config = WorkerConfig(options)
    assert all(options[name] for name in ("bootstrap.servers", *DISTRIBUTED))
    assert config["listeners"] == ["http://0.0.0.0:8083"]
    assert options["security.protocol"] == "SASL_SSL"
    assert options == parse_properties(file.read_text())


def test_no_option_twice() -> None:
    several = {"LoadCredential", "Environment", "SystemCallFilter"}
    for unit in UNITS:
        names = [name for name, _ in _service(unit) if name not in several]
        assert len(names) == len(set(names)), unit
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(unit.read_text())
        assert parser.sections() == ["Unit", "Service", "Install"]
