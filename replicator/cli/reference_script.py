"""What the console scripts `connect-standalone` and `connect-distributed` share with the reference's shell scripts.

Without arguments they print their usage and exit 1; `-daemon` leaves a detached process behind whose output goes to
`$LOG_DIR/connectStandalone.out` (or `connectDistributed.out`; LOG_DIR is `logs` below the current folder if not set).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

_SECONDS_TO_FAIL: Final = 1.0


def run(script: str, command: click.Command, usage: str, arguments: Sequence[str] | None = None) -> None:
    """Run the command as the script of this name."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    daemon = bool(given) and given[0] == "-daemon"
    if daemon:
        del given[0]
    if not given:
        click.echo(f"USAGE: {script} [-daemon] {usage}", err=True)
        sys.exit(1)
    if daemon:
        sys.exit(_detach(script, command, given))
    command(args=given, prog_name=script)


def _detach(script: str, command: click.Command, arguments: Sequence[str]) -> int:
    """Start the command in the background; 1 when it ends at once."""
    first, second = script.split("-")
    folder = Path(os.environ.get("LOG_DIR") or "logs")
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"{first}{second.capitalize()}.out"
    with output.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "replicator", str(command.name), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = process.wait(_SECONDS_TO_FAIL)
    except subprocess.TimeoutExpired:
        return 0
    if code:
        click.echo(f"It ended at once; {output} tells why.", err=True)
    return int(bool(code))
