"""The page over a pipeline from Postgres to MySQL: what the source and the sink tell, and a table copied again."""

from __future__ import annotations

import os
from pathlib import Path

from replicator.rest.server import RestServer
from replicator.service import Service
from tests.e2e.test_dead_letters import _sink, _source
from tests.support.browser import Browser
from tests.support.fix_servers import Database
from tests.unit.runtime.service_fixture import eventually


def test_tables_lag_and_retained_log(pg_database: Database, mysql_database: Database, tmp_path: Path) -> None:
    browser = Browser(tmp_path / "chromium")
    pg_database.execute("CREATE TABLE goods (id int PRIMARY KEY, name text)")
    pg_database.execute("INSERT INTO goods SELECT n, 'name' FROM generate_series(1, 500) n")
    mysql_database.execute("CREATE TABLE goods (id int PRIMARY KEY, name varchar(5))")
    service = Service({"data.dir": str(tmp_path), "listeners": "off", "offset.flush.interval.ms": "200"})
    service.start()
    server = RestServer(service.herder, port=0)
    try:
        server.start()
        service.herder.put_connector_config("src", _source(pg_database) | {"slot.name": f"page{os.getpid()}"})
        service.herder.put_connector_config("snk", _sink(mysql_database))
        count = "SELECT count(*) FROM goods"
        eventually(lambda: mysql_database.query(count) == [(500,)], 40)
        server.wait_ready()
        browser.open(f"{server.url}/#/connectors/src")
        for text in ("public.goods", "streaming", "Log kept at the source", "Position", "500"):
            browser.text(text)
        mysql_database.execute("DELETE FROM goods WHERE id <= 100")
        browser.click("Copy public.goods again")
        browser.click("Copy", "dialog")
        eventually(lambda: mysql_database.query(count) == [(500,)], 40)
        browser.click("Edit src")
        browser.text("Everything fits", 20)
        stored = "[...document.querySelectorAll('input[type=password]')].map(i => i.value).filter(Boolean)"
        assert browser.run(stored) == ["[hidden]"]
        browser.fill("database.port", "none")
        browser.until("document.querySelectorAll('[aria-invalid=true]').length", 20)
        browser.open(f"{server.url}/#/connectors/snk")
        browser.text("Lag")
        browser.text("shop.public.goods")
        if shots := os.environ.get("PAGE_SHOTS"):
            for name, where in (("all", "#/"), ("source", "#/connectors/src"), ("edit", "#/edit/src")):
                browser.run(f"location.hash = {where!r}; new Promise(done => setTimeout(done, 2500))")
                browser.screenshot(Path(shots) / f"pipeline_{name}.png")
        assert browser.problems == []
    finally:
        browser.close()
        server.stop()
        service.stop()
