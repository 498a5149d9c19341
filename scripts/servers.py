#!/usr/bin/env python3
"""Real Postgres, MySQL, MariaDB and Kafka for this checkout. Needs no virtual environment."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.devservers import shared
from scripts.devservers.instance import ServerUnavailable

_ACTIONS = {
    "get": "make the programs available",
    "start": "get and start the servers",
    "stop": "stop the servers that this checkout started",
    "status": "show what runs where",
    "wipe": "stop the servers and remove their data",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 when a server cannot be had."""
    options = _parse(arguments)
    kinds = options.servers or list(shared.KINDS)
    try:
        if options.action == "start":
            for kind in kinds:
                shared.ensure_running(kind)
        elif options.action == "get":
            shared.get(kinds)
        elif options.action == "stop":
            shared.stop(kinds)
        elif options.action == "wipe":
            shared.wipe(kinds)
        else:
            _show(options)
    except ServerUnavailable as reason:
        print(f"servers: {reason}", file=sys.stderr)
        return 1
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in _ACTIONS.items():
        action = actions.add_parser(name, help=text)
        action.add_argument("servers", nargs="*", choices=[[], *shared.KINDS], help="all of them by default")
        if name == "status":
            action.add_argument("--json", action="store_true", help="everything there is to know")
            action.add_argument("--running", action="store_true", help="only the names of running servers")
    return parser.parse_args(arguments)


def _show(options: argparse.Namespace) -> None:
    found = shared.status()
    if options.json:
        print(json.dumps(found, indent=2))
    elif options.running:
        print(*(kind for kind, entry in found.items() if entry["running"]))
    else:
        for kind, entry in found.items():
            state = f"runs, pid {entry['pid']}" if entry["running"] else "stopped"
            print(f"{kind:<9} {entry['version']:<9} {entry['host']}:{entry['port']}  {state}")


if __name__ == "__main__":
    sys.exit(main())
