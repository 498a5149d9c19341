"""The page shows records of topics and dead letters, and replays them."""

from __future__ import annotations

from replicator.api.record import TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.message import NewMessage
from tests.support.browser import Browser
from tests.support.fix_page import EVIL, Place, go
from tests.unit.runtime.service_fixture import eventually


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


def test_letters_are_replayed_and_purged(page: Browser, place: Place) -> None:
    go(page, "#/letters")
    page.click("dlq")
    page.text("DataException")
    page.run("document.querySelector('.entry summary').click()")
    page.text("connector.name")
    page.text("VALUE_CONVERTER")
    before = place.broker.admin().end_offsets
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
