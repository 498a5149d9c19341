"""Console script `connect-standalone`, with the reference's arguments."""

from __future__ import annotations

from replicator.cli import reference_script
from replicator.cli.standalone import command


def main() -> None:
    """`connect-standalone [-daemon] worker.properties [connector1.properties ...]`."""
    reference_script.run(
        "connect-standalone", command, "connect-standalone.properties [connector1.properties ...]"
    )
