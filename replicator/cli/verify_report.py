"""What `verify` says of what it found, for people and as a document. Pure."""

from __future__ import annotations

from typing import Any

from replicator.cli.output import number
from replicator.cli.table_pair import Difference, TableResult

EQUAL, DIFFERENT, UNKNOWN, POLICY = 0, 1, 2, 3
SHOWN_CHARACTERS = 200


def table_json(result: TableResult) -> dict[str, Any]:
    """A table of `verify --json`."""
    return {
        "table": result.table,
        "target": result.target,
        "status": result.status,
        "reason": result.reason,
        "rows": result.rows,
        "chunks": result.chunks,
        "rechecked": result.rechecked,
        "moving": result.moving,
        "different_rows": result.difference_count,
        "lost_by_policy": dict(result.lost),
        "differences": [
            {"kind": d.kind, "key": [_text(v) for v in d.key], "columns": _differing(result, d)}
            for d in result.differences
        ],
    }


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    text = value.decode("utf-8", "backslashreplace")
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _differing(result: TableResult, difference: Difference) -> list[str]:
    if difference.source is None or difference.target is None:
        return []
    return [
        name
        for name, a, b in zip(result.columns, difference.source, difference.target, strict=True)
        if a != b
    ]


def describe(result: TableResult, difference: Difference) -> str:
    """One row that differs, for people."""
    key = ", ".join("NULL" if v is None else str(_text(v)) for v in difference.key)
    columns = ", ".join(_differing(result, difference))
    words = {
        "missing": "is missing in the target",
        "extra": "is only in the target",
        "changed": f"differs in {columns}",
    }
    return f"row ({key}) {words[difference.kind]}"


def sentence(code: int, results: list[TableResult]) -> str:
    """The last line."""
    rows = number(sum(r.rows for r in results))
    wrong = [r.table for r in results if r.status in ("different", "diverged")]
    unknown = [r.table for r in results if r.status == "unknown"]
    return {
        EQUAL: f"EQUAL: {len(results)} tables, {rows} rows.",
        POLICY: f"EQUAL but for values lost by policy: {len(results)} tables, {rows} rows.",
        DIFFERENT: f"DIFFERENT: {', '.join(wrong)}.",
        UNKNOWN: f"COULD NOT TELL: {', '.join(unknown)}.",
    }[code]
