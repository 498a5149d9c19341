"""Board, alert rules and documentation use the names that are exposed, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from replicator.metrics import names
from replicator.metrics.documentation import markdown
from replicator.metrics.metric import HISTOGRAM

ROOT = Path(__file__).resolve().parents[3]
NAME = re.compile(r"\b(?:kafka_connect|debezium_metrics|replicator|process)_\w+")
LABELS_OF = re.compile(r"\b((?:kafka_connect|debezium_metrics|replicator|process)_\w+)\{([^}]*)\}")


def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    return found


def rules() -> list[dict[str, Any]]:
    parsed = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())
    return [rule for group in parsed["groups"] for rule in group["rules"]]


def expressions() -> list[tuple[str, str]]:
    found = [(r["alert"], r["expr"]) for r in rules()]
    for panel in board()["panels"]:
        found += [(panel["title"], t["expr"]) for t in panel.get("targets", [])]
    found += [("variable", str(v["query"])) for v in board()["templating"]["list"]]
    return found


def base(name: str) -> str:
    for suffix in ("_bucket", "_sum", "_count"):
        stem = name.removesuffix(suffix)
        if stem != name and stem in names.ALL and names.ALL[stem].kind == HISTOGRAM:
            return stem
    return name


@pytest.mark.parametrize(("where", "expression"), expressions())
def test_expressions_use_exposed_names_and_labels(where: str, expression: str) -> None:
    for name in NAME.findall(expression):
        assert base(name) in names.ALL, f"{where}: {name}"
    for name, selectors in LABELS_OF.findall(expression):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selectors):
            assert label in (*names.ALL[base(name)].labels, "job", "instance", "le"), (
                f"{where}: {name} {label}"
            )


def test_expressions_are_balanced() -> None:
    for where, expression in expressions():
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing), where


def test_alerts_say_what_to_do() -> None:
    assert len({r["alert"] for r in rules()}) == len(rules()) > 10
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"]["summary"]
        runbook = rule["annotations"].get("runbook")
        assert runbook is None or (ROOT / runbook).is_file(), runbook


def test_the_board_fits_together() -> None:
    panels = board()["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_documentation_is_up_to_date() -> None:
    written = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert written == markdown(), "run python scripts/write_docs.py"
    assert all(f"`{name}`" in written for name in names.ALL)


def test_prometheus_reads_the_rules() -> None:
    parsed = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    assert parsed["rule_files"] == ["alerts.yml"]
    assert [j["job_name"] for j in parsed["scrape_configs"]] == ["replicator"]
