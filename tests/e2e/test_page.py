"""The page in headless Chromium, over a worker with file connectors: what a person does, and what must never happen."""

from __future__ import annotations

import logging

from replicator.rest.accounts import Accounts, AccountSource
from tests.support.browser import Browser
from tests.support.fix_page import EVIL, FILE_SOURCE, Place, go
from tests.unit.runtime.service_fixture import eventually


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


def test_signing_in_and_what_roles_may(chromium: Browser, place: Place) -> None:
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
