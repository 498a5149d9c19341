"""`replicator plugins`: the list, options as text, Markdown and JSON, and the pages made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from replicator.cli.main import cli
from replicator.plugins.registry import Registry
from replicator.rest.server import RestServer
from scripts import write_docs
from tests.unit.runtime.service_fixture import running


def run(*arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(cli, ["plugins", *arguments])
    assert found.exit_code == code, found.output
    return found.output


def test_list() -> None:
    assert "  io.debezium.connector.postgresql.PostgresConnector" in run("list")
    sinks = json.loads(run("list", "--kind", "sink", "--json"))
    assert {s["type"] for s in sinks} == {"sink"}
    assert "JdbcSinkConnector" in {s["class"] for s in sinks}


@pytest.mark.parametrize(
    "name", ["PostgresConnector", "Postgres", "io.debezium.connector.postgresql.PostgresConnector"]
)
def test_describe(name: str) -> None:
    assert "database.hostname  string" in run("describe", name)


def test_forms() -> None:
    markdown = run("describe", "HasHeaderKey", "--format", "markdown")
    assert markdown.splitlines()[0] == "| option | type | default | importance | meaning |"
    assert "| `name` | string | required |" in markdown
    options = json.loads(run("describe", "JdbcSinkConnector", "--format", "json", "--common"))
    assert {"connection.url", "errors.tolerance"} <= {o["name"] for o in options}
    assert "data.dir" in run("describe", "worker")
    assert run("describe", "RecordIsTombstone") == "It has no options.\n"
    assert "There is no plugin Nonsense" in run("describe", "Nonsense", code=1)


@pytest.fixture
def url() -> Iterator[str]:
    with running() as service:
        server = RestServer(service.herder, port=0)
        server.start()
        server.wait_ready()
        yield server.url
        server.stop()


def test_of_a_worker(url: str) -> None:
    assert "org.example.FakeSourceConnector" in run("--url", url, "list")
    assert "script  string, required" in run("--url", url, "describe", "FakeSource")


def test_every_plugin_has_its_options_in_the_reference() -> None:
    pages = "\n".join(text for path, text in write_docs.pages().items() if path.parent.name == "reference")
    for _, name, cls in Registry().all():
        shown = next((a for a in cls.aliases if "." in a), name)
        assert f"`{shown}`" in pages, shown
