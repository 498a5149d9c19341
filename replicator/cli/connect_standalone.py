"""Console script `connect-standalone`, with the reference's arguments."""

from __future__ import annotations

import sys

from replicator.cli.standalone import command


def main() -> None:
    """`connect-standalone [-daemon] worker.properties [connector1.properties ...]`."""
    arguments = [a for a in sys.argv[1:] if a != "-daemon"]
    command(args=arguments, prog_name="connect-standalone")
