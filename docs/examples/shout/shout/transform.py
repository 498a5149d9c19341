"""A transform that raises its voice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replicator.api import ConfigDef, ConfigKey, ConnectRecord, Transformation, Type
from replicator.api.schema import STRING

OPTIONS = ConfigDef(ConfigKey(name="marks", type=Type.INT, default=1, doc="Number of exclamation marks."))


class Shout(Transformation):
    """Makes the value text in capitals."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def configure(self, config: Mapping[str, Any]) -> None:
        self._end = "!" * OPTIONS.parse(config)["marks"]

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value is None:
            return record
        return record.evolve(value_schema=STRING, value=f"{record.value}".upper() + self._end)
