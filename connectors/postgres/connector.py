"""The Postgres source connector: options, their validation, and the one task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.cdc.masking import ColumnMasks, mask_options
from connectors.cdc.selection import KeyColumns, Patterns, Selection
from connectors.postgres.config import CONFIG
from connectors.postgres.encoders import topic_naming
from connectors.postgres.identities import Identities
from connectors.postgres.overrides import Overrides, override_options
from connectors.postgres.snapshot_mode import snapshot_mode
from replicator.api import ConfigDef, ConfigError, SourceConnector, SourceTask
from replicator.api.source import ConnectorConfig


class PostgresConnector(SourceConnector):
    """Captures the changes of one Postgres database."""

    aliases = ("io.debezium.connector.postgresql.PostgresConnector", "PostgresConnector")

    @classmethod
    def config_def(cls) -> ConfigDef:
        """Every option."""
        return CONFIG

    def check(self, config: ConnectorConfig) -> None:
        check({**mask_options(config), **override_options(config), **CONFIG.parse(config)})

    def exactly_once_support(self, config: ConnectorConfig) -> bool:
        """Every record carries its exact position, and offsets ride with them."""
        return True

    def task_class(self) -> type[SourceTask]:
        """The task's class."""
        from connectors.postgres.task import PostgresSourceTask

        return PostgresSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """Always one: a slot has one reader."""
        return [dict(self.config)]


def check(options: Mapping[str, Any]) -> None:
    """Check parsed options together.

    Raises:
        ConfigError: they do not fit together.
    """
    if options["plugin.name"] != "pgoutput":
        raise ConfigError(
            f"plugin.name={options['plugin.name']} is not served.",
            option="plugin.name",
            hint="Set plugin.name=pgoutput; every server has it, and it needs a slot of its own (another slot.name).",
        )
    for option in ("converters", "post.processors"):
        if options[option]:
            raise ConfigError(
                f"{option} names Java classes, which do not run here: records would differ without a word.",
                option=option,
                hint="Leave it out, and use a transformation.",
            )
    Selection(options)
    Overrides(options)
    Identities(options["replica.identity.autoset.values"])
    ColumnMasks(options)
    KeyColumns(options["message.key.columns"])
    topic_naming(options)
    snapshot_mode(options)
    for option in (
        "message.prefix.include.list",
        "message.prefix.exclude.list",
        "snapshot.include.collection.list",
        "column.propagate.source.type",
        "datatype.propagate.source.type",
    ):
        Patterns(option, options[option])
    operations = {str(op).lower() for op in options["skipped.operations"]}
    if not operations <= {"c", "u", "d", "t", "none"} or ("none" in operations and len(operations) > 1):
        raise ConfigError(
            f"Invalid value {','.join(sorted(operations))} for configuration skipped.operations",
            option="skipped.operations",
            hint="Give a list of c, u, d and t, or none.",
        )
    if options["max.queue.size"] <= options["max.batch.size"]:
        raise ConfigError("max.queue.size must be greater than max.batch.size.", option="max.queue.size")
