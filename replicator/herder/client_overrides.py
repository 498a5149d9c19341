"""Options of Kafka clients that a connector overrides: definitions, values, and what the worker's policy allows.

Definitions come from a table (`config/client_options.tsv`); options that it does not hold are shown without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from replicator.api.config import ConfigDef, ConfigKey, ConfigValue, Importance, key, split_prefix
from replicator.api.errors import ConfigError
from replicator.api.option_types import NO_DEFAULT, Type, parse_type
from replicator.api.validators import between, non_empty, one_of
from replicator.config.connector import DLQ_TOPIC
from replicator.config.overrides import OverridePolicy
from replicator.herder.config_infos import Gathered


class ClientOverrides:
    """The policy of a worker over `producer.override.*`, `consumer.override.*` and `admin.override.*`."""

    def __init__(self, policy: OverridePolicy, group_id: str | None = None) -> None:
        """Of a worker.

        Args:
            policy: what connectors may override.
            group_id: group of the workers, which no sink's consumers may join.
        """
        self._policy = policy
        self._group_id = group_id

    def add(self, result: Gathered, kind: str, name: str, resolved: Mapping[str, Any]) -> None:
        """What a connector overrides; only clients that it will have are shown, all must be allowed."""
        for client in sorted(_clients(kind, resolved)):
            for option, given in split_prefix(resolved, f"{client}.override.").items():
                self._show(result, client, option, given)
        for option, message in self._policy.refusals(resolved):
            result.value(option).value = resolved[option]
            result.error(option, message)
        if kind == "sink" and self._group_id:
            self._check_group(result, name, resolved)

    def _show(self, result: Gathered, client: str, option: str, given: Any) -> None:
        prefixed = f"{client}.override.{option}"
        found = definitions(client).get(option)
        if found is None:
            result.value(prefixed).value = given
            return
        value = ConfigValue(prefixed)
        try:
            value.value = parse_type(option, given, found.type)
            if found.validator is not None:
                found.validator(option, value.value)
        except ConfigError as error:
            value.errors.append(error.message)
        result.add(ConfigDef(found).prefixed(f"{client}.override."), [value])

    def _check_group(self, result: Gathered, name: str, resolved: Mapping[str, Any]) -> None:
        option = "consumer.override.group.id"
        given = resolved.get(option)
        group = given if given is not None else f"connect-{name}"
        if group == self._group_id:
            blamed = option if given is not None else "name"
            result.error(
                blamed, f"Consumer group {group} conflicts with Connect worker group {self._group_id}"
            )


def _clients(kind: str, resolved: Mapping[str, Any]) -> set[str]:
    if kind == "source":
        creates = any(option.startswith("topic.creation.") for option in resolved)
        return {"producer", "admin"} if creates else {"producer"}
    return {"producer", "consumer", "admin"} if resolved.get(DLQ_TOPIC) else {"consumer"}


@cache
def definitions(client: str) -> dict[str, ConfigKey]:
    """Options of a client, by name."""
    text = (files("replicator.config") / "client_options.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {row[1]: _definition(*row[1:]) for row in rows if row[0] == client}


def _definition(name: str, type_name: str, default: str, importance: str, allowed: str) -> ConfigKey:
    type_ = Type(type_name)
    known: Any = NO_DEFAULT if default == "<required>" else None if default == "-" else default
    return key(
        name,
        type_,
        known if known is NO_DEFAULT else parse_type(name, known, type_),
        importance=Importance(importance),
        validator=_validator(allowed),
        doc=f"Option {name} of the Kafka client.",
    )


def _validator(allowed: str) -> Callable[[str, Any], None] | None:
    if not allowed:
        return None
    if allowed == "non-empty":
        return non_empty
    if "|" in allowed:
        return one_of(*allowed.strip("|").split("|"), ignore_case=allowed.startswith("|"))
    low, _, high = allowed.partition("..")
    return between(float(low), float(high) if high else float("inf"))
