"""The page of one worker of a group: figures of tasks elsewhere, requests that another worker must answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import Group, until

SOURCE = {
    "connector.class": "org.apache.kafka.connect.tools.VerifiableSourceConnector",
    "tasks.max": "2",
    "throughput": "20",
    "database.password": "hush",
}


@pytest.fixture
def group(kafka: KafkaServer, tmp_path: Path) -> Iterator[Group]:
    made = Group(tmp_path, kafka.bootstrap, f"page-{id(tmp_path)}-")
    made.add(2)
    yield made
    for worker in made.living:
        worker.stop()


def test_any_worker_shows_all(group: Group, tmp_path: Path) -> None:
    browser = Browser(tmp_path / "chromium")
    try:
        first, second = group.workers
        topic = f"{group.prefix}verified"
        first.put_connector("two", {**SOURCE, "topic": topic})
        until(lambda: len(set(second.owners("two").values())) == 2, 30, "a task on each worker")
        for worker in group.workers:
            shown = worker.get("/replicator/overview?workers=all")
            assert {w["id"]: w["answers"] for w in shown["workers"]} == {first.id: True, second.id: True}
            assert all(t["stats"] for t in shown["connectors"][0]["tasks"])
            with pytest.raises(AssertionError, match="403"):
                until(lambda w=worker: w.get(f"/replicator/topics/{group.prefix}config/records"), 0.1, "no")
            browser.open(f"http://127.0.0.1:{worker.port}/")
            browser.text("2 workers")
            browser.text(f"source on {shown['connectors'][0]['worker_id']}")
        browser.open(f"http://127.0.0.1:{second.port}/#/connectors/two")
        browser.text(topic)
        browser.text("[hidden]")
        assert not browser.run("document.body.innerText.includes('hush')")
        for verb, state in (("Pause", "PAUSED"), ("Stop", "STOPPED")):
            browser.click(f"{verb} two")
            browser.click(verb, "dialog")
            until(lambda s=state: first.state("two") == s, 20, state)
        browser.click("Edit two")
        browser.fill("tasks.max", "1")
        browser.text("Everything fits")
        browser.click("Save")
        browser.click("Save", "dialog")
        until(lambda: first.get("/connectors/two/config")["tasks.max"] == "1", 20, "the new option")
        browser.open(f"http://127.0.0.1:{second.port}/#/topics/{topic}")
        browser.until("document.querySelectorAll('.entry').length > 5")
        assert browser.problems == []
    finally:
        browser.close()
