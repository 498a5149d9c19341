"""A source that counts up to a limit; one record a number, each number once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from replicator.api import ConfigDef, ConfigKey, SourceConnector, SourceRecord, SourceTask, Type
from replicator.api.schema import INT64
from replicator.api.source import ConnectorConfig

OPTIONS = ConfigDef(
    ConfigKey(name="topic", type=Type.STRING, doc="Topic to write to."),
    ConfigKey(name="limit", type=Type.LONG, default=10, doc="Last number."),
)
PARTITION = {"counter": "0"}


class CounterTask(SourceTask):
    """Counts on from the stored offset."""

    def start(self, config: ConnectorConfig) -> None:
        options = OPTIONS.parse(config)
        self._topic, self._limit = options["topic"], options["limit"]
        stored = self.context.offsets.offset(PARTITION) or {}
        self._next = stored.get("number", 0) + 1

    def poll(self) -> Sequence[SourceRecord] | None:
        if self._next > self._limit:
            self.context.stopping.wait(1.0)
            return None
        number, self._next = self._next, self._next + 1
        offset = {"number": number}
        return [SourceRecord(PARTITION, offset, self._topic, None, None, None, INT64, number)]


class CounterSourceConnector(SourceConnector):
    """One counting task."""

    aliases: ClassVar[tuple[str, ...]] = ("org.example.CounterSourceConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def task_class(self) -> type[SourceTask]:
        return CounterTask
