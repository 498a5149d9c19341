"""ActivateTracingSpan: accepted, so that a configuration with it runs; without a tracer records pass. Task thread.

So it is in the reference without a tracing agent: spans that nobody collects, and no headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.cdc.smt_options import option
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.option_types import Type
from replicator.api.record import ConnectRecord
from replicator.api.transform import Transformation


class ActivateTracingSpan(Transformation):
    """Checks its options; every record passes."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.tracing.ActivateTracingSpan",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        common: dict[str, Any] = {"importance": Importance.HIGH, "width": Width.MEDIUM}
        return ConfigDef(
            option(
                "tracing.span.context.field",
                Type.STRING,
                "tracingspancontext",
                "Serialized tracing span context field",
                "Column that would hold the span of the application.",
                **common,
            ),
            option(
                "tracing.operation.name",
                Type.STRING,
                "debezium-read",
                "Tracing operation name",
                "Name that the span would have.",
                **common,
            ),
            option(
                "tracing.with.context.field.only",
                Type.BOOLEAN,
                False,
                "Trace only events with context field present",
                "Whether only events with that column would be traced.",
                **common,
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        self.config_def().parse(config)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        return record
