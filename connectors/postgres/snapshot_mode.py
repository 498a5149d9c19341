"""`snapshot.mode=configuration_based` as one of the other modes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replicator.api import ConfigError

CONFIGURED: Final = "configuration_based"
DATA: Final = "snapshot.mode.configuration.based.snapshot.data"
STREAM: Final = "snapshot.mode.configuration.based.start.stream"


def snapshot_mode(options: Mapping[str, Any]) -> str:
    """The mode to follow. As in Debezium, rows are copied at every start if they are wanted at all.

    Raises:
        ConfigError: neither a copy nor the stream is wanted.
    """
    mode: str = options["snapshot.mode"]
    if mode != CONFIGURED:
        return mode
    if not options[DATA] and not options[STREAM]:
        raise ConfigError(
            f"snapshot.mode={CONFIGURED} with neither {DATA} nor {STREAM} would do nothing.", option=STREAM
        )
    if not options[DATA]:
        return "no_data"
    return "always" if options[STREAM] else "initial_only"
