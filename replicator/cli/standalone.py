"""`replicator standalone worker.properties source.properties sink.json`, exactly like connect-standalone.

The main thread waits for SIGTERM or SIGINT, then drains.
"""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Final

import click

from replicator.api.errors import ConfigError
from replicator.cli.notify_loop import Heartbeat
from replicator.cli.output import fails_with, say

_TURN_SECONDS: Final = 0.5


@click.command(name="standalone")
@click.argument("worker", type=click.Path(path_type=Path))
@click.argument("connectors", nargs=-1, type=click.Path(path_type=Path))
@click.option("--verbose", is_flag=True, help="Log at level DEBUG.")
@fails_with(1)
def command(worker: Path, connectors: tuple[Path, ...], verbose: bool) -> None:
    """Run a worker with connectors from .properties, JSON, YAML or TOML files."""
    from replicator.config.files import read_connector, read_options
    from replicator.service import Service

    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    for path in (worker, *connectors):
        if not path.is_file():
            raise ConfigError(f"There is no file {path}.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    heartbeat = Heartbeat()
    service = Service(read_options(worker))
    service.start()
    try:
        for path in connectors:
            requested = read_connector(path)
            service.herder.put_connector_config(
                requested.name, requested.config, initial_state=requested.initial_state
            )
            say(f"Connector {requested.name} started from {path}.")
        say("Worker is running. Ctrl-C stops it.")
        while not stop.wait(_TURN_SECONDS):
            heartbeat.turn(service.herder)
        say("Stopping ...")
    finally:
        heartbeat.stopping()
        service.stop()
