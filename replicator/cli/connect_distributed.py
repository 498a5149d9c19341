"""Console script `connect-distributed`, with the reference's arguments."""

from __future__ import annotations

from replicator.cli import reference_script
from replicator.cli.distributed import command


def main() -> None:
    """`connect-distributed [-daemon] worker.properties`."""
    reference_script.run("connect-distributed", command, "connect-distributed.properties")
