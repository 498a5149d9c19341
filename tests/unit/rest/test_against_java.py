"""The calls of tests/differential/rest/calls.txt against a standalone worker, compared with what Java workers answered.

An answer must equal that of Java's distributed or standalone worker, or the one that `deviations.jsonl` states
with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replicator.rest.server import RestServer
from replicator.service import Service
from tests.differential.rest import golden, play


@pytest.fixture
def url() -> Iterator[str]:
    service = Service({"listeners": "off", "offset.flush.interval.ms": "200"})
    service.start()
    server = RestServer(service.herder, port=0)
    server.start()
    server.wait_ready()
    service.broker.admin().create_topics([])
    try:
        yield server.url
    finally:
        server.stop()
        service.stop()


def deviations() -> dict[str, list[Any]]:
    lines = (golden.FOLDER / "deviations.jsonl").read_text(encoding="utf-8").splitlines()
    found: dict[str, list[Any]] = {}
    for line in lines:
        entry = json.loads(line)
        found.setdefault(entry["call"], []).append(
            {k: v for k, v in entry.items() if k not in ("call", "why")}
        )
    return found


def test_every_answer(url: str, tmp_path: Path) -> None:
    java = [golden.read(golden.FOLDER / f"{name}.jsonl") for name in ("distributed", "standalone")]
    ours = deviations()
    wrong = []
    for (call, answer), *recorded in zip(play.play(url), *java, strict=True):
        assert {text for text, _ in recorded} == {str(call)}
        found = golden.normal(answer)
        expected = [r for _, r in recorded]
        if not any(golden.same(found, e) for e in expected) and not any(
            golden.fits(found, d, expected[0]) for d in ours.get(str(call), ())
        ):
            wrong.append((str(call), found, expected))
    if wrong:
        (tmp_path / "differ.jsonl").write_text("".join(json.dumps(w) + "\n" for w in wrong), encoding="utf-8")
    assert not wrong, f"{len(wrong)} answers differ: " + "; ".join(call for call, _, _ in wrong)
