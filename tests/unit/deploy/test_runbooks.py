"""The runbooks: every command in them parses, every link, alert, metric and unit exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from replicator.cli.main import cli
from tests.unit.deploy.image_files import ROOT

RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
PAGES = [*RUNBOOKS, ROOT / "README.md", ROOT / "docs" / "distributed.md", ROOT / "docs" / "rest.md"]
EVERY_PAGE = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_INLINE = re.compile(r"`(replicator [^`]+)`")


def _commands(pattern: re.Pattern[str], pages: list[Path]) -> list[tuple[str, str]]:
    return [(page.name, match[1].strip()) for page in pages for match in pattern.finditer(page.read_text())]


def _blocks() -> list[tuple[str, str]]:
    """Lines of code blocks, whether fenced or indented."""
    found = []
    for page in PAGES:
        text = page.read_text()
        fenced = "\n".join(re.findall(r"(?ms)^ *```\w*\n(.*?)^ *```", text))
        indented = "\n".join(re.findall(r"(?m)^ {4,}(replicator .*)$", text))
        for line in f"{fenced}\n{indented}".splitlines():
            line = re.split(r"\s+#", line.strip())[0]
            words = line.removeprefix(".venv/bin/")
            if words.startswith("replicator "):
                found.append((page.name, words))
    return sorted(set(found))


def _resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    """The innermost command, and what is left for it."""
    command: click.Command = cli
    context = click.Context(cli, info_name="replicator")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no command {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    return command, words


@pytest.mark.parametrize(("page", "line"), _blocks(), ids=lambda value: value[:60])
def test_commands_in_code_blocks_parse(page: str, line: str) -> None:
    words = shlex.split(line.replace("...", "more"))[1:]
    command, rest = _resolved(words)
    command.make_context(command.name, rest)  # raises for a wrong option, a missing or a superfluous argument


@pytest.mark.parametrize(
    ("page", "line"), sorted(set(_commands(_INLINE, PAGES))), ids=lambda value: value[:60]
)
def test_commands_in_the_text_exist(page: str, line: str) -> None:
    # Of several alternatives (`list | show | ...`) the first.
    text = re.split(r" \\?\| ", re.sub(r"\s+", " ", line))[0]
    command, rest = _resolved(re.sub(r"\[.*?\]|\.\.\.|'", "", text).split()[1:])
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {word for word in rest if word.startswith("--")} <= known


def test_some_were_found() -> None:
    assert len(_blocks()) > 20
    assert len(_commands(_INLINE, RUNBOOKS)) > 20


def _links(pages: list[Path]) -> Iterator[tuple[Path, str, str]]:
    """Page, file (empty: the page itself) and heading of each link that stays in the checkout."""
    for page in pages:
        for target, heading in re.findall(r"\]\(([^)#:\s]*)(?:#([^)]*))?\)", page.read_text()):
            yield page, target, heading


def _headings(page: Path) -> set[str]:
    """The names under which a page's headings are linked to."""
    found = re.findall(r"(?m)^#+ (.*)$", page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in found}


def test_links() -> None:
    broken = []
    for page, target, heading in _links(EVERY_PAGE):
        file = page.parent / target if target else page
        if not file.exists() or (heading and heading not in _headings(file)):
            broken.append(f"{page.name}: {target}#{heading}")
    assert not broken
    assert sum(1 for _ in _links(EVERY_PAGE)) > 50


def test_files_of_the_checkout_exist() -> None:
    """Those that a page names by their path."""
    folders = "docs|tests|scripts|deploy|replicator|connectors|migrations"
    named = [
        (page, name)
        for page in EVERY_PAGE
        for name in re.findall(rf"`((?:{folders})/[\w./@-]+)`", page.read_text())
    ]
    assert len(named) > 20
    assert [f"{page.name}: {name}" for page, name in named if not (ROOT / name).exists()] == []


def test_every_runbook_can_be_found() -> None:
    reachable = {
        (page.parent / target).resolve()
        for page, target, _ in _links(PAGES)
        if page.parent != RUNBOOKS[0].parent
    }
    assert {page.name for page in RUNBOOKS} - {page.name for page in reachable} == set()


def test_every_alert_is_explained() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"][0]["rules"]
    explained = (ROOT / "docs" / "runbooks" / "alerts.md").read_text()
    for rule in rules:
        assert rule["alert"] in explained
        assert (ROOT / rule["annotations"].get("runbook", "README.md")).is_file()
    named = {name for page in RUNBOOKS for name in re.findall(r"\bReplicator[A-Z]\w+", page.read_text())}
    assert named <= {rule["alert"] for rule in rules}


def test_metrics_exist() -> None:
    known = (ROOT / "docs" / "metrics.md").read_text()
    for page in RUNBOOKS:
        for name in re.findall(r"`((?:kafka_connect|replicator|debezium)_[a-zA-Z_]+)[{`]", page.read_text()):
            if name not in ("replicator_ledger", "replicator_"):
                assert f"`{name}`" in known, f"{page.name}: {name}"


def test_units_and_services_exist() -> None:
    units = {
        file.name.removesuffix(".service").rstrip("@")
        for file in (ROOT / "deploy" / "systemd").glob("*.service")
    }
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for page in RUNBOOKS:
        text = page.read_text()
        for name in re.findall(
            r"(?:systemctl (?:restart|stop|start|reset-failed|enable --now)|journalctl -u) ([\w-]+)", text
        ):
            assert name in units, f"{page.name}: {name}"
        for name in re.findall(r"docker compose (?:up|logs|kill)[^`\n]* ([\w-]+)`", text):
            assert name in services, f"{page.name}: {name}"
