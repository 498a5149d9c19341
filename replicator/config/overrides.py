"""Which client options a connector may override (`connector.client.config.override.policy`). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replicator.api.config import split_prefix
from replicator.api.errors import ConfigError, ConnectError

POLICY: Final = "connector.client.config.override.policy"
ALLOWLIST: Final = "connector.client.config.override.allowlist"
CLIENTS: Final = ("producer.override.", "consumer.override.", "admin.override.")

_PRINCIPAL: Final = frozenset({"sasl.jaas.config", "sasl.mechanism", "security.protocol"})
_NAMES: Final = ("All", "None", "Principal", "Allowlist")
_CLASS: Final = "ConnectorClientConfigOverridePolicy"


class OverridePolicy:
    """A policy by its short or Java class name.

    Attributes:
        name: All, None, Principal or Allowlist.
    """

    def __init__(self, name: str, allowlist: frozenset[str] = frozenset()) -> None:
        """A policy.

        Raises:
            ConfigError: there is none of that name.
        """
        self.name = name.strip().rpartition(".")[2].removesuffix(_CLASS)
        if self.name not in _NAMES:
            raise ConfigError(
                f"Invalid value {name} for configuration {POLICY}: must be one of {', '.join(_NAMES)}, or the name "
                "of one of Connect's classes for them",
                option=POLICY,
            )
        self._allowed = _PRINCIPAL if self.name == "Principal" else allowlist

    def allows(self, option: str) -> bool:
        """Whether a connector may override this option of a client."""
        return self.name == "All" or (self.name != "None" and option in self._allowed)

    def refusals(self, connector: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Overrides of a connector that are not allowed, as (option, message)."""
        return [
            (
                prefix + option,
                f"The '{self.name}' policy does not allow '{option}' to be overridden in the connector configuration.",
            )
            for prefix in CLIENTS
            for option in split_prefix(connector, prefix)
            if not self.allows(option)
        ]


def policy_of(worker: Mapping[str, Any]) -> OverridePolicy:
    """The policy of a worker's parsed options.

    Raises:
        ConfigError: there is none of that name.
    """
    listed = worker.get(ALLOWLIST) or ()
    return OverridePolicy(str(worker.get(POLICY) or "All"), frozenset(name for name in listed if name))


def overrides(worker: Mapping[str, Any], connector: Mapping[str, Any], client: str) -> dict[str, Any]:
    """A connector's overrides of one kind of client (`producer`, `consumer`, `admin`), prefix removed.

    Raises:
        ConnectError: the worker's policy refuses one; it may come from a worker with another policy.
    """
    prefix = f"{client}.override."
    refused = [
        message for option, message in policy_of(worker).refusals(connector) if option.startswith(prefix)
    ]
    if refused:
        raise ConnectError(f"Client Config Overrides not allowed: {' '.join(refused)}")
    return split_prefix(connector, prefix)


def check_policy(name: str, value: Any) -> None:
    """A validator of the worker's option."""
    OverridePolicy(str(value))
