"""Writes the generated pages below docs/: metrics and the reference of options.

`python scripts/write_docs.py` after a change of names or options; a test compares docs/metrics.md with it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

_WRITTEN = (
    "This page is written by `python scripts/write_docs.py` from the declarations in the code;"
    " `replicator plugins describe CLASS` prints the same."
)
_TITLES = {
    "source": "Source connectors",
    "sink": "Sink connectors",
    "transformation": "Transformations",
    "predicate": "Predicates",
    "converter": "Converters",
    "header_converter": "Header converters",
}


def pages() -> dict[Path, str]:
    """Every generated page by its path."""
    from replicator.metrics.documentation import markdown

    found = {ROOT / "docs" / "metrics.md": markdown()}
    folder = ROOT / "docs" / "reference"
    found[folder / "worker.md"] = _worker()
    found[folder / "connectors.md"] = _common()
    for kind, title in _TITLES.items():
        found[folder / f"{kind}s.md"] = _kind(kind, title)
    return found


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", _WRITTEN, *parts)) + "\n"


def _worker() -> str:
    from replicator.api.config import describe
    from replicator.config.worker import WORKER_DEF

    return _page("Options of a worker", describe(WORKER_DEF))


def _common() -> str:
    from replicator.api.config import ConfigDef, describe
    from replicator.config.connector import COMMON_DEF, QUEUE_DEF, SINK_DEF, SOURCE_DEF

    def beyond(whole: ConfigDef) -> ConfigDef:
        known = COMMON_DEF.keys.keys() | QUEUE_DEF.keys.keys()
        return ConfigDef(*(k for name, k in whole.keys.items() if name not in known))

    return _page(
        "Options of every connector",
        describe(COMMON_DEF),
        "## Sinks",
        describe(beyond(SINK_DEF)),
        "## Sources",
        describe(beyond(SOURCE_DEF)),
        "## Dead letter queue",
        "Of sinks as in Kafka Connect, and of sources, which have none there: a record that a transformation or a"
        " converter refuses, or that is too large for the broker, goes to the queue in the form of the connector's"
        " converters, or as plain JSON where those are what failed. Three headers more say where it came from:"
        " `__connect.errors.source.partition`, `.source.offset` and `.source.encoding` (`converter` or `json`).",
        describe(QUEUE_DEF),
    )


def _kind(kind: str, title: str) -> str:
    from replicator.api.config import describe
    from replicator.plugins.registry import Registry

    parts: list[str] = []
    seen: dict[Any, str] = {}
    for each, name, cls in Registry().all():
        if each != kind:
            continue
        shown = next((a for a in cls.aliases if "." in a), name)
        parts.append(f"## `{shown}`")
        others = [f"`{a}`" for a in dict.fromkeys((name, *cls.aliases)) if a != shown]
        first = (cls.__doc__ or "").strip().partition("\n\n")[0]
        text = " ".join(first.split()) + (f" Also {', '.join(others)}." if others else "")
        table = describe(cls.config_def())
        same = seen.setdefault((cls.__module__, table), shown)
        if not cls.config_def().keys:
            parts.append(f"{text} No options.")
        elif same != shown:
            parts.append(f"{text} Options as `{same}`.")
        else:
            parts += [text, table]
    return _page(title, *parts)


def main() -> None:
    """Write those that changed."""
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
