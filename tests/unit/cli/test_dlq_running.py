"""`replicator dlq` where a worker runs: its folder leads to its REST API; HTTPS and accounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from replicator.api.record import TopicPartition
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage
from replicator.cli.main import cli
from replicator.cli.pipeline import Pipeline
from replicator.rest.server import RestServer
from tests.unit.runtime.service_fixture import eventually, running, script, sink

QUEUE = {
    "value.converter": "JsonConverter",
    "value.converter.schemas.enable": "false",
    "errors.tolerance": "all",
    "errors.deadletterqueue.topic.name": "dlq",
    "errors.deadletterqueue.context.headers.enable": "true",
}


def run(*arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(cli, ["dlq", *arguments])
    assert found.exit_code == code, found.output
    return found.output


def test_the_folder_of_a_running_pipeline_leads_to_its_worker(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    own = script("snk")
    with EmbeddedBroker(folder) as broker, running(broker) as service:
        server = RestServer(service.herder, port=0, broker=broker)
        server.start()
        server.wait_ready()
        Pipeline("shop", "s", "t", [], [], port=server.port, folder=str(folder)).save()
        broker.producer("test").append([NewMessage("t", b"k", b"bad")])
        service.herder.put_connector_config("snk", sink(**QUEUE))
        where = ["--data-dir", str(tmp_path)]
        eventually(lambda: "dlq: 1 letters" in run(*where, "list"))
        # The log belongs to the service: this process may read it, and asks the service to write.
        assert "t: 1 letters replayed" in run(*where, "replay", "dlq", "--yes")
        place = TopicPartition("t", 0)
        assert broker.admin().end_offsets([place]) == {place: 2}
        eventually(lambda: "dlq: 1 letters, 1 handled" in run(*where, "list"))
        assert "1 letters purged" in run(*where, "purge", "dlq", "--yes")
        assert own.values() == []
        Pipeline("shop", "s", "t", [], [], folder=str(folder)).save()
        refused = run(*where, "purge", "dlq", "--yes", code=1)
        assert "in use by the process" in refused
        assert "--url" in refused
        server.stop()


@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
def test_the_pipeline_is_named_where_there_are_several(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        EmbeddedBroker(tmp_path / name).close()
        Pipeline(name, "s", "t", [], [], folder=str(tmp_path / name)).save()
    found = run("--data-dir", str(tmp_path), "list", code=len(names) - 1)
    if len(names) == 1:
        assert found == "There are no dead letter queues.\n"
    else:
        assert "There are several pipelines: one, two. Give --name." in found
        assert run("--data-dir", str(tmp_path), "--name", "two", "list").startswith("There are no")
