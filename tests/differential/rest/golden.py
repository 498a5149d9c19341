"""Recorded answers: what differs from run to run masked, definitions of options kept once each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from tests.differential.rest.play import Answer, Call

FOLDER = Path(__file__).parents[2] / "golden" / "rest"
_MASKED = {"worker_id", "version", "commit", "kafka_cluster_id", "last_modified", "trace"}
_PLUGINS = re.compile(r"(converter|\.type|plugin\.version)$")


def normal(answer: Answer) -> dict[str, Any]:
    """The answer with worker, versions, times and prose masked."""
    headers = {n: _header(n, v) for n, v in answer.headers.items() if n != "content-type"}
    return {"status": answer.status, "headers": headers, "body": _masked(answer.body)}


def write(out: TextIO, answers: Iterable[tuple[Call, Answer]]) -> None:
    """One line per answer; a line `{"definition": ...}` before its first use."""
    known: dict[str, int] = {}

    def shortened(value: Any) -> Any:
        if isinstance(value, dict) and "display_name" in value:
            text = json.dumps(value, ensure_ascii=False, sort_keys=True)
            if text not in known:
                known[text] = len(known)
                out.write(json.dumps({"definition": value}, ensure_ascii=False) + "\n")
            return f"#{known[text]}"
        if isinstance(value, dict) and set(value) == {"definition", "value"}:
            shown = value["value"]
            plain = {**shown, "recommended_values": [], "errors": [], "visible": True}
            entry = {"d": shortened(value["definition"]), "v": shown if shown != plain else shown["value"]}
            return entry if value["definition"] is not None else value
        if isinstance(value, dict):
            return {name: shortened(v) for name, v in value.items()}
        return [shortened(v) for v in value] if isinstance(value, list) else value

    for call, answer in answers:
        line = {"call": str(call), **shortened(normal(answer))}
        out.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(call, answer) of a file that `write` made."""
    definitions: list[dict[str, Any]] = []

    def full(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("#"):
            return definitions[int(value[1:])]
        if isinstance(value, dict) and set(value) == {"d", "v"}:
            definition = full(value["d"])
            shown = value["v"]
            if not isinstance(shown, dict):
                shown = {
                    "name": definition["name"],
                    "value": shown,
                    "recommended_values": [],
                    "errors": [],
                    "visible": True,
                }
            return {"definition": definition, "value": shown}
        if isinstance(value, dict):
            return {name: full(v) for name, v in value.items()}
        return [full(v) for v in value] if isinstance(value, list) else value

    for line in path.read_text(encoding="utf-8").strip().split("\n"):  # messages hold other line ends
        entry = json.loads(line)
        if "definition" in entry:
            definitions.append(entry["definition"])
        else:
            yield entry.pop("call"), {**entry, "body": full(entry["body"])}


def _header(name: str, value: str) -> Any:
    if name == "location":
        return re.sub(r"^https?://[^/]+", "", value)
    return sorted(part.strip() for part in value.split(",")) if name == "allow" else value


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(v) for v in value]
    if not isinstance(value, dict):
        return _text(value) if isinstance(value, str) else value
    found = {n: f"<{n}>" if n in _MASKED and v is not None else _masked(v) for n, v in value.items()}
    found.pop("documentation", None)
    name = str(found.get("name", ""))
    if _PLUGINS.search(name):
        if found.get("recommended_values"):
            found["recommended_values"] = "<plugins>"
        if name.endswith("plugin.version"):
            found |= {k: "<version>" for k in ("value", "default_value") if found.get(k)}
    return found


def _text(value: str) -> Any:
    if value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if value.startswith("<html"):
        return "<page>"
    # Plugins differ from worker to worker.
    return re.sub(r"available (connectors are|versions): .*", r"available \1: <plugins>", value)


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether two normal answers say the same; the order of members never matters, nor that of stored offsets."""
    return _ordered(found) == _ordered(expected)


def fits(found: dict[str, Any], stated: dict[str, Any], recorded: dict[str, Any]) -> bool:
    """Whether an answer has what a deviation states.

    `message` may end with `...`; `errors` are those of each option; `superset`: all that was recorded, and more.
    """
    body = found["body"]
    if found["status"] != stated["status"]:
        return False
    if "errors" in stated:
        wrong = {c["value"]["name"]: c["value"]["errors"] for c in body["configs"] if c["value"]["errors"]}
        return bool(wrong == stated["errors"])
    if stated.get("superset"):
        return all(entry in body for entry in recorded["body"])
    message = stated.get("message")
    if message is None:
        return True
    given = str(body.get("message", ""))
    return given.startswith(message[:-3]) if message.endswith("...") else given == message


def _ordered(answer: dict[str, Any]) -> dict[str, Any]:
    body = answer["body"]
    if isinstance(body, dict) and isinstance(body.get("offsets"), list):
        body = {"offsets": sorted(body["offsets"], key=lambda o: json.dumps(o, sort_keys=True))}
    if isinstance(body, dict) and isinstance(body.get("configs"), list):
        body = {**body, "configs": sorted(body["configs"], key=lambda c: str(c["value"]["name"]))}
    if answer["status"] == 200 and answer["headers"].get("allow"):
        body = ""
    return {**answer, "body": body}
