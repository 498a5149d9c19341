"""MockSource and MockSink: do nothing, or fail after a while as `mock_mode` says."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import ClassVar, Final

from replicator.api import (
    ConfigDef,
    ConnectError,
    Connector,
    SinkConnector,
    SinkRecord,
    SinkTask,
    SourceConnector,
    SourceRecord,
    SourceTask,
    Type,
)
from replicator.api.config import key
from replicator.api.source import ConnectorConfig
from replicator.api.validators import at_least

CONNECTOR_FAILURE: Final = "connector-failure"
TASK_FAILURE: Final = "task-failure"
_TOOLS: Final = "org.apache.kafka.connect.tools."

OPTIONS: Final = ConfigDef(
    key(
        "mock_mode", Type.STRING, None, doc=f"{CONNECTOR_FAILURE} or {TASK_FAILURE}; not set: nothing fails."
    ),
    key("delay_ms", Type.LONG, 15000, validator=at_least(0), doc="When it fails."),
)


class _Fuse:
    """Raises once the time has come."""

    def __init__(self, config: ConnectorConfig) -> None:
        options = OPTIONS.parse(config)
        lit = options["mock_mode"] == TASK_FAILURE
        self._at = time.monotonic() + options["delay_ms"] / 1000 if lit else float("inf")

    def check(self) -> None:
        if time.monotonic() >= self._at:
            raise ConnectError("The mock task fails, as it was told.")


class MockSourceTask(SourceTask):
    """Reads nothing."""

    def start(self, config: ConnectorConfig) -> None:
        self._fuse = _Fuse(config)

    def poll(self) -> Sequence[SourceRecord] | None:
        self._fuse.check()
        self.context.stopping.wait(0.1)
        return None


class MockSinkTask(SinkTask):
    """Writes nothing."""

    def start(self, config: ConnectorConfig) -> None:
        self._fuse = _Fuse(config)

    def put(self, records: Sequence[SinkRecord]) -> None:
        self._fuse.check()


class _Failing(Connector):
    """Fails by itself, from a thread of its own."""

    _timer: threading.Timer | None = None

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def start(self, config: ConnectorConfig) -> None:
        super().start(config)
        options = OPTIONS.parse(config)
        if options["mock_mode"] == CONNECTOR_FAILURE:
            error = ConnectError("The mock connector fails, as it was told.")
            self._timer = threading.Timer(options["delay_ms"] / 1000, self.context.raise_error, (error,))
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class MockSourceConnector(_Failing, SourceConnector):
    """One task that reads nothing."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_TOOLS}MockSourceConnector",)

    def task_class(self) -> type[SourceTask]:
        return MockSourceTask


class MockSinkConnector(_Failing, SinkConnector):
    """One task that writes nothing."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_TOOLS}MockSinkConnector",)

    def task_class(self) -> type[SinkTask]:
        return MockSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [dict(self.config)]
