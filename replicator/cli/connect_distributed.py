"""Console script `connect-distributed`, with the reference's arguments."""

from __future__ import annotations

import sys

from replicator.cli.distributed import command


def main() -> None:
    """`connect-distributed [-daemon] worker.properties`."""
    arguments = [a for a in sys.argv[1:] if a != "-daemon"]
    command(args=arguments, prog_name="connect-distributed")
