"""The Postgres source connector: options, their validation, and the one task."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from connectors.cdc.masking import ColumnMasks, mask_options
from connectors.cdc.selection import KeyColumns, Patterns, Selection
from connectors.postgres.config import CONFIG
from connectors.postgres.encoders import topic_naming
from connectors.postgres.identities import Identities
from connectors.postgres.overrides import Overrides, override_options
from connectors.postgres.snapshot_mode import snapshot_mode
from replicator.api import ConfigDef, ConfigError, SourceConnector, SourceTask
from replicator.api.config import ConfigValue
from replicator.api.source import ConnectorConfig

_Check = tuple[tuple[str, ...], Callable[[Mapping[str, Any]], object]]
"""The options that must be good for it, none: all; and the check itself."""


class PostgresConnector(SourceConnector):
    """Captures the changes of one Postgres database."""

    aliases = ("io.debezium.connector.postgresql.PostgresConnector", "PostgresConnector")

    @classmethod
    def config_def(cls) -> ConfigDef:
        """Every option."""
        return CONFIG

    def validate(self, config: ConnectorConfig) -> list[ConfigValue]:
        """Each option by itself, and what can be told about all others together."""
        values = {value.name: value for value in CONFIG.validate(config)}
        wrong = {name for name, value in values.items() if value.errors}
        parsed = {name: value.value for name, value in values.items()}
        for problem in problems({**mask_options(config), **override_options(config), **parsed}, wrong):
            values.get(problem.option or "", values["topic.prefix"]).errors.append(str(problem))
        return list(values.values())

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
    for problem in problems(options):
        raise problem


def problems(options: Mapping[str, Any], wrong: Collection[str] = ()) -> Iterator[ConfigError]:
    """All that does not fit together, as far as it does not take an option of `wrong` to see it."""
    for needed, checked in _CHECKS:
        if not any(option in wrong for option in needed) if needed else not wrong:
            try:
                checked(options)
            except ConfigError as problem:
                yield problem


def _plugin(options: Mapping[str, Any]) -> None:
    if options["plugin.name"] != "pgoutput":
        raise ConfigError(
            f"plugin.name={options['plugin.name']} is not served.",
            option="plugin.name",
            hint="Set plugin.name=pgoutput; every server has it, and it needs a slot of its own (another slot.name).",
        )


def _classes(options: Mapping[str, Any]) -> None:
    for option in ("converters", "post.processors"):
        if options[option]:
            raise ConfigError(
                f"{option} names Java classes, which do not run here: records would differ without a word.",
                option=option,
                hint="Leave it out, and use a transformation.",
            )


def _flushing(options: Mapping[str, Any]) -> None:
    if options.get("flush.lsn.source") is False:
        raise ConfigError(
            "flush.lsn.source=false has no effect here: the log would be discarded all the same.",
            option="flush.lsn.source",
            hint="Set lsn.flush.mode=manual instead.",
        )


def _operations(options: Mapping[str, Any]) -> None:
    operations = {str(op).lower() for op in options["skipped.operations"]}
    if not operations <= {"c", "u", "d", "t", "none"} or ("none" in operations and len(operations) > 1):
        raise ConfigError(
            f"Invalid value {','.join(sorted(operations))} for configuration skipped.operations",
            option="skipped.operations",
            hint="Give a list of c, u, d and t, or none.",
        )


def _queue(options: Mapping[str, Any]) -> None:
    if options["max.queue.size"] <= options["max.batch.size"]:
        raise ConfigError("max.queue.size must be greater than max.batch.size.", option="max.queue.size")


def _pair(kind: str) -> _Check:
    lists = (f"{kind}.include.list", f"{kind}.exclude.list")
    return lists, lambda options: Selection({option: options[option] for option in lists})


def _patterns(option: str) -> _Check:
    return (option,), lambda options: Patterns(option, options[option])


_CHECKS: Final[tuple[_Check, ...]] = (
    (("plugin.name",), _plugin),
    (("converters", "post.processors"), _classes),
    (("flush.lsn.source",), _flushing),
    _pair("schema"),
    _pair("table"),
    _pair("column"),
    ((), lambda options: Overrides(options)),
    (
        ("replica.identity.autoset.values",),
        lambda options: Identities(options["replica.identity.autoset.values"]),
    ),
    ((), lambda options: ColumnMasks(options)),
    (("message.key.columns",), lambda options: KeyColumns(options["message.key.columns"])),
    ((), lambda options: topic_naming(options)),
    ((), lambda options: snapshot_mode(options)),
    _patterns("message.prefix.include.list"),
    _patterns("message.prefix.exclude.list"),
    _patterns("snapshot.include.collection.list"),
    _patterns("column.propagate.source.type"),
    _patterns("datatype.propagate.source.type"),
    (("skipped.operations",), _operations),
    (("max.queue.size", "max.batch.size"), _queue),
)
