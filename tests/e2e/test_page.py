"""The page in headless Chromium, over a worker with file connectors: what a person does, and what must never happen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage
from replicator.rest.server import RestServer
from replicator.service import Service
from tests.support.browser import Browser
from tests.unit.runtime.service_fixture import eventually

EVIL = "<img src=x onerror=\"document.title='owned'\">"
STRINGS = "org.apache.kafka.connect.storage.StringConverter"
FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
FILE_SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"
JSON = {
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
}


@dataclass
class Place:
    """A worker with its folder and broker."""

    service: Service
    folder: Path
    broker: EmbeddedBroker

    def serve(self, **options: Any) -> RestServer:
        server = RestServer(self.service.herder, port=0, broker=self.broker, **options)
        server.start()
        server.wait_ready()
        return server

    def state(self, name: str) -> str:
        return self.service.herder.connector_status(name).connector.state


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "in.txt").write_text(f'{{"id": 12345678901234567890, "name": "{EVIL[:4]}"}}\n{EVIL}\n')
    broker = EmbeddedBroker(":memory:")
    options = {"listeners": "off", "offset.flush.interval.ms": "50"}
    service = Service({**options, "key.converter": STRINGS, "value.converter": STRINGS}, broker=broker)
    service.start()
    source = {"connector.class": FILE_SOURCE, "file": str(folder / "in.txt"), "topic": "lines"}
    service.herder.put_connector_config("src", source)
    sink = {"connector.class": FILE_SINK, "file": str(folder / "out.txt"), "topics": "lines", **JSON}
    service.herder.put_connector_config(f"bad {EVIL}", sink)
    letters = {
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": "dlq",
        "errors.deadletterqueue.context.headers.enable": "true",
    }
    service.herder.put_connector_config("snk", {**sink, **letters})
    eventually(lambda: service.herder.progress(f"bad {EVIL}")[0].state == "FAILED")
    eventually(lambda: "dlq" in broker.admin().topics())
    yield Place(service, folder, broker)
    service.stop()
    broker.close()


@pytest.fixture(scope="module")
def url(place: Place) -> Iterator[str]:
    server = place.serve()
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Browser]:
    """The page, freshly loaded; it must neither complain nor run what it shows."""
    chromium.problems.clear()
    chromium.look()
    chromium.open("about:blank")
    chromium.open(url + "/")
    chromium.text("Live")
    yield chromium
    assert chromium.problems == []
    assert chromium.run("document.querySelectorAll('main img').length") == 0
    assert "owned" not in chromium.run("document.title")


def go(page: Browser, where: str) -> None:
    page.run(f"location.hash = {where!r}")


def test_overview_shows_connectors_and_errors(page: Browser) -> None:
    page.text(f"bad {EVIL}")
    page.text("Task 0 failed")
    page.text("1 of 1 tasks failed")
    page.click("Trace")
    page.text("Traceback")
    page.run("new Promise(done => setTimeout(done, 1300))")
    assert page.run("document.querySelector('details[open] pre').textContent.includes('Traceback')"), (
        "closed by a poll"
    )
    assert page.run("document.title").startswith("(1 failed)")
    assert page.run("document.querySelectorAll('svg.chart path.line').length") > 0


def test_pause_resume_stop_with_a_question(page: Browser, place: Place) -> None:
    page.click("Pause src")
    page.text("Pause src?")
    page.press("Escape")
    page.until("!document.querySelector('dialog')")
    assert place.state("src") == "RUNNING"
    page.click("Pause src")
    page.click("Pause", "dialog")
    eventually(lambda: place.state("src") == "PAUSED")
    page.click("Resume src")
    eventually(lambda: place.state("src") == "RUNNING")
    page.click("Restart src")
    page.click("Restart", "dialog")
    page.text("src: restarting")


def test_offsets_are_changed_when_stopped(page: Browser, place: Place) -> None:
    go(page, "#/connectors/src")
    page.text("Stop the connector to change or reset its offsets.")
    page.click("Stop src")
    page.click("Stop", "dialog")
    eventually(lambda: place.state("src") == "STOPPED")
    page.until("document.querySelector('textarea')")
    assert '"position"' in page.run("document.querySelector('textarea').value")
    page.fill("Offsets", "{")
    page.click("Save offsets")
    page.text("No JSON")
    file = str(place.folder / "in.txt")
    page.fill("Offsets", f'[{{"partition": {{"filename": "{file}"}}, "offset": {{"position": 0}}}}]')
    page.click("Save offsets")
    page.click("Change", "dialog")
    page.text("have been altered successfully")
    assert place.service.herder.connector_offsets("src")[0]["offset"] == {"position": 0}
    page.click("Resume src")
    eventually(lambda: place.state("src") == "RUNNING")


def test_records_are_read(page: Browser) -> None:
    go(page, "#/topics")
    page.click("lines")
    page.text("0:1")
    page.run("document.querySelector('.entry summary').click()")
    page.text('"id": 12345678901234567890')
    page.fill("Contains", "onerror")
    page.press("Enter")
    page.until(
        "document.querySelectorAll('.entry').length && document.querySelector('main').innerText.includes('searched')"
    )
    assert page.run("document.querySelector('.entry .value').textContent") == EVIL
    page.fill("Contains", "")
    page.fill("Show", "hex")
    page.fill("From offset", "1")
    page.press("Enter")
    page.until(f"(document.querySelector('.entry .value') || {{}}).textContent === {EVIL.encode().hex()!r}")


def test_binary_and_connect_json(page: Browser, place: Place) -> None:
    producer = place.broker.producer("test")
    wrapped = b'{"schema":{"type":"int64"},"payload":12345678901234567}'
    producer.append([NewMessage("lines", b"\xff\x00", wrapped, 0, headers=[("h", b"one"), ("none", None)])])
    producer.close()
    go(page, "#/topics/lines")
    page.text("12345678901234567")
    page.click("Follow")
    producer = place.broker.producer("test")
    producer.append(
        [NewMessage("lines", b"\xff\x00", wrapped.replace(b"7}", b"9}"), 0, headers=[("h", b"one")])]
    )
    producer.close()
    page.text("12345678901234569")
    page.run("[...document.querySelectorAll('.entry summary')].pop().click()")
    page.text("000000  ff00")
    page.text("Schema")
    page.text("Headers")


def test_create_edit_and_delete(page: Browser, place: Place) -> None:
    page.click("New connector")
    page.fill("Connector class", FILE_SOURCE)
    page.text('Missing required configuration "topic" which has no default value.')
    assert page.run("document.querySelectorAll('[aria-invalid=true]').length") >= 2
    page.fill("name", "made here")
    page.fill("topic", "elsewhere")
    page.click("All options")
    page.fill("batch.size", "many")
    page.click("Create")
    page.text("Invalid value many for configuration batch.size")
    page.until("document.activeElement.getAttribute('aria-invalid') === 'true'")
    page.fill("batch.size", "10")
    page.fill("file", str(place.folder / "other.txt"))
    page.fill("Begin as", "PAUSED")
    page.click("Create")
    page.until("location.hash === '#/connectors/made%20here'")
    eventually(lambda: place.state("made here") == "PAUSED")
    page.click("Edit made here")
    page.fill("batch.size", "20")
    page.text("Everything fits")
    page.click("Save")
    page.text("batch.size: 10 → 20")
    page.click("Save", "dialog")
    page.until("location.hash === '#/connectors/made%20here'")
    assert place.service.herder.connector_config("made here")["batch.size"] == "20"
    page.click("Delete made here")
    page.until("document.querySelector('dialog button.danger:disabled')")
    page.fill("Type made here to confirm", "made here")
    page.press("Enter")
    page.until("location.hash === '#/'")
    assert "made here" not in place.service.herder.connectors()


def test_options_as_text(page: Browser) -> None:
    go(page, "#/new")
    page.click("As text")
    page.fill(
        "Options as JSON", f"# a file\nname=t\nconnector.class={FILE_SOURCE}\ntransforms=a\nodd.option=1\n"
    )
    page.click("Use this")
    page.text("transforms.a.type")
    page.text("not declared by the connector")
    page.click("As text")
    shown = page.run("JSON.parse(document.querySelector('textarea').value)")
    assert shown == {"name": "t", "connector.class": FILE_SOURCE, "transforms": "a", "odd.option": "1"}


def test_lines_and_empty_texts_stay(page: Browser, place: Place) -> None:
    config = {
        "connector.class": FILE_SOURCE,
        "file": "/nothing",
        "topic": "t",
        "script": "one\ntwo",
        "note": "",
    }
    place.service.herder.put_connector_config("lines", config, initial_state="STOPPED")
    go(page, "#/edit/lines")
    page.text("Everything fits")
    page.fill("topic", "u")
    page.click("Save")
    page.text("topic: t → u")
    assert page.run("document.querySelectorAll('dialog li').length") == 1
    page.click("Save", "dialog")
    page.until("location.hash === '#/connectors/lines'")
    assert place.service.herder.connector_config("lines") == {**config, "name": "lines", "topic": "u"}
    place.service.herder.delete_connector("lines")


def test_letters_are_replayed_and_purged(page: Browser, place: Place) -> None:
    go(page, "#/letters")
    page.click("dlq")
    page.text("DataException")
    page.run("document.querySelector('.entry summary').click()")
    page.text("connector.name")
    page.text("VALUE_CONVERTER")
    before = place.broker.admin().end_offsets
    from replicator.api.record import TopicPartition

    lines = TopicPartition("lines", 0)
    end = before([lines])[lines]
    page.run("document.querySelector('input[data-place]').click()")
    page.text("1 chosen")
    page.click("Replay")
    page.text("1 to lines")
    page.click("Replay", "dialog")
    eventually(lambda: before([lines])[lines] == end + 1)
    page.text("letters replayed to lines")
    page.click("Purge")
    page.click("Purge", "dialog")
    page.text("letters purged")


def test_letters_page_by_page(page: Browser, place: Place) -> None:
    place.broker.admin().create_topics([NewTopic("pages-dlq")])
    producer = place.broker.producer("test")
    producer.append([NewMessage("pages-dlq", b"k", b"letter-%d" % n) for n in range(450)])
    producer.close()
    go(page, "#/letters/pages-dlq")
    page.text("1 to 200")
    assert page.run("[...document.querySelectorAll('.place')].map(e => e.textContent).at(-1)") == "0:199"
    page.click("Later")
    page.text("201 to 400")
    page.click("Later")
    page.text("401 to 450")
    assert page.run("[...document.querySelectorAll('.place')].length") == 50
    page.click("Earlier")
    page.text("201 to 400")


def test_log_levels(page: Browser) -> None:
    logger = logging.getLogger("tests.page.levels")
    below = logging.getLogger("tests.page.levels.below")
    try:
        go(page, "#/loggers")
        page.fill("Filter loggers", "tests.page.levels")
        page.until("document.querySelectorAll('main tbody tr').length === 2")
        page.fill("Level of tests.page.levels", "DEBUG")
        page.text("tests.page.levels: DEBUG")
        assert (logger.level, below.level) == (logging.DEBUG, logging.DEBUG)
        page.fill("Logger", "tests.page.levels.below")
        page.fill("Level", "ERROR")
        page.click("Set")
        page.text("tests.page.levels.below: ERROR")
        assert (logger.level, below.level) == (logging.DEBUG, logging.ERROR)
        wanted = '[aria-label="Level of tests.page.levels.below"]'
        page.until(f"document.querySelector('{wanted}').value === 'ERROR'")
    finally:
        logger.setLevel(logging.NOTSET)
        below.setLevel(logging.NOTSET)


def test_by_keyboard_alone(page: Browser) -> None:
    page.press("Tab")
    assert page.run("document.activeElement.textContent") == "Skip to content"
    page.press("Enter")
    assert page.run("document.activeElement.id") == "main"
    seen = set()
    for _ in range(12):
        page.press("Tab")
        seen.add(
            page.run(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            )
        )
    assert {"New connector", "Pause src", "Edit src", "Delete src"} <= seen
    page.run("document.querySelector('[aria-label=\"Pause src\"]').focus()")
    page.run("new Promise(done => setTimeout(done, 2300))")
    assert page.run("document.activeElement.getAttribute('aria-label')") == "Pause src", (
        "a poll took the focus"
    )
    page.press("Enter")
    page.until("document.querySelector('dialog').contains(document.activeElement)")
    page.press("Escape")
    page.until("(document.activeElement.getAttribute('aria-label') || '') === 'Pause src'")


SEEN = "const seen = e => e.getClientRects().length && !e.classList.contains('visually-hidden');"
UNNAMED = f"""(() => {{ {SEEN}
  const named = e => e.getAttribute('aria-label') || (e.labels && e.labels.length)
    || (e.textContent.trim() && !e.matches('select, textarea'));
  return [...document.querySelectorAll('input, select, textarea, button, a')]
    .filter(e => seen(e) && !named(e)).map(e => e.outerHTML);
}})()"""
TOO_WIDE = f"""(() => {{ {SEEN}
  return [...document.querySelectorAll('main *')]
    .filter(e => !e.closest('.scroll, pre, svg') && seen(e) && e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 200));
}})()"""


@pytest.mark.parametrize(
    "where",
    ["#/", "#/connectors/src", "#/edit/snk", "#/topics", "#/topics/lines", "#/letters/dlq", "#/loggers"],
)
def test_everything_has_a_name_and_fits(page: Browser, where: str) -> None:
    page.look(width=380)
    go(page, where)
    page.run("new Promise(done => setTimeout(done, 700))")
    assert page.run(UNNAMED) == []
    assert page.run(TOO_WIDE) == []
    assert page.run("document.querySelectorAll('h1').length") == 1
    ids = page.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


PALE = f"""(() => {{ {SEEN}
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => [.2126, .7152, .0722].reduce((sum, part, i) => sum + part * linear(c[i]), 0);
  const behind = e => {{
    for (; e; e = e.parentElement) {{
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3) return c;
    }}
    return [255, 255, 255];
  }};
  const ratio = e => {{
    const [low, high] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  }};
  const text = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll('main *, header *')]
    .filter(e => !e.closest('svg, :disabled') && seen(e) && text(e))
    .map(e => [ratio(e), e.outerHTML.slice(0, 120)]).filter(([found]) => found < 4.5);
}})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out(page: Browser, dark: bool) -> None:
    page.look(dark=dark)
    for where in ("#/", "#/edit/snk", "#/topics/lines", "#/loggers"):
        go(page, where)
        page.run("new Promise(done => setTimeout(done, 500))")
        assert page.run(PALE) == []
    assert page.run("getComputedStyle(document.body).backgroundColor") == (
        "rgb(13, 13, 13)" if dark else "rgb(249, 249, 247)"
    )


def test_signing_in_and_what_roles_may(chromium: Browser, place: Place) -> None:
    from replicator.rest.accounts import Accounts, AccountSource

    accounts = AccountSource(
        Accounts({"rita": ("r-1", "read"), "anna": ("é:1", "admin")}, {"t-1": "operate"})
    )
    server = place.serve(accounts=accounts)
    try:
        chromium.open(server.url + "/")
        chromium.fill("User", "rita")
        chromium.fill("Password", "wrong")
        chromium.press("Enter")
        chromium.text("That is not known here.")
        chromium.fill("Password", "r-1")
        chromium.press("Enter")
        chromium.text("rita (read)")
        chromium.text("RUNNING")
        assert chromium.run("document.querySelectorAll('main button').length") == 0
        go(chromium, "#/new")
        chromium.text("this needs role admin")
        chromium.click("Sign out")
        chromium.fill("Token", "t-1")
        chromium.press("Enter")
        chromium.text("token (operate)")
        go(chromium, "#/")
        chromium.until("document.querySelector('[aria-label=\"Pause src\"]')")
        assert chromium.run("document.querySelector('[aria-label=\"Delete src\"]')") is None
        chromium.click("Sign out")
        chromium.fill("User", "anna")
        chromium.fill("Password", "é:1")
        chromium.press("Enter")
        chromium.until("document.querySelector('[aria-label=\"Delete src\"]')")
        chromium.open("about:blank")
        chromium.open(server.url + "/")
        chromium.text("anna (admin)")
    finally:
        server.stop()
    chromium.text("No answer from the service", 15)
