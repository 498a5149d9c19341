"""Preflight of exactly-once sources, in Connect's words; pure but for what the connector does."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

SUPPORT = "exactly.once.support"
BOUNDARY = "transaction.boundary"

_NOT_ENABLED = "This worker does not have exactly-once source support enabled."
_CANNOT_TELL = (
    "The connector does not implement the API required for preflight validation of exactly-once source support."
    " Please consult the documentation for the connector to determine whether it supports exactly-once semantics,"
    ' and then consider reconfiguring the connector to use the value "requested" for this property.'
)
_UNSUPPORTED = "The connector does not support exactly-once semantics with the provided configuration."
_NO_BOUNDARIES = (
    "The connector does not support connector-defined transaction boundaries with the given configuration. "
    "Please reconfigure it to use a different transaction boundary definition."
)


def check_exactly_once(connector: Any, config: Mapping[str, Any], *, enabled: bool) -> list[tuple[str, str]]:
    """Errors of `exactly.once.support` and `transaction.boundary`, as (option, message).

    Args:
        connector: a fresh source connector.
        config: its resolved configuration.
        enabled: whether this worker's sources deliver exactly once.
    """
    found: list[tuple[str, str]] = []
    if str(config.get(SUPPORT, "")).strip().lower() == "required":
        if not enabled:
            found.append((SUPPORT, _NOT_ENABLED))
        message = _support(connector, config)
        if message:
            found.append((SUPPORT, message))
    if str(config.get(BOUNDARY, "")).strip().lower() == "connector":
        message = _boundaries(connector, config)
        if message:
            found.append((BOUNDARY, message))
    return found


def _support(connector: Any, config: Mapping[str, Any]) -> str | None:
    try:
        supported = connector.exactly_once_support(config)
    except Exception as error:
        log.exception("Failed while validating connector support for exactly-once semantics")
        return _unexpected(error)
    if supported is None:
        return _CANNOT_TELL
    return None if supported else _UNSUPPORTED


def _boundaries(connector: Any, config: Mapping[str, Any]) -> str | None:
    try:
        supported = connector.can_define_transaction_boundaries(config)
    except Exception as error:
        log.exception("Failed while validating connector support for transaction boundaries")
        return _unexpected(error)
    return None if supported else _NO_BOUNDARIES


def _unexpected(error: Exception) -> str:
    text = str(error).strip()
    return "An unexpected error occurred during validation" + (
        f": {text}" if text else "; please see the worker logs for more details."
    )
