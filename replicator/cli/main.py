"""The command line. Subcommands are imported when used, so that each starts quickly."""

from __future__ import annotations

import importlib
from typing import Any

import click

from replicator import __version__

_COMMANDS = {
    "sync": ("replicator.cli.sync", "Replicate a database into another, continuously."),
    "verify": ("replicator.cli.verify", "Compare source and target, row by row, while writes go on."),
    "status": ("replicator.cli.status", "Show pipelines, their progress and lag."),
    "recopy": ("replicator.cli.recopy", "Copy tables anew in a running pipeline."),
    "clean": ("replicator.cli.clean", "Remove what a pipeline left on the source (slot, publications)."),
    "connectors": ("replicator.cli.connectors", "List, apply and steer connectors of any Connect worker."),
    "plugins": ("replicator.cli.plugins", "List plugins and describe their options."),
    "dlq": ("replicator.cli.dlq", "Look at dead letters, replay or purge them."),
    "distributed": ("replicator.cli.distributed", "Run a worker of a group, like connect-distributed."),
    "standalone": ("replicator.cli.standalone", "Run connectors from files, like connect-standalone."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = importlib.import_module(_COMMANDS[cmd_name][0]).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="replicator")
def cli() -> None:
    """Change-data-capture replication of databases."""


def main(argv: list[str] | None = None) -> Any:
    """Console script `replicator`."""
    return cli(args=argv, prog_name="replicator")


if __name__ == "__main__":
    main()
