"""Hides secrets in options by their names and forms; placeholders (`${env:NAME}`) are no secrets. Pure (INV-9)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from replicator.api.option_types import HIDDEN

_SECRET_NAME: Final = re.compile(
    r"passw(or)?d|passphrase|secret|credential|sasl\.jaas\.config|private[._-]?key|api[._-]?key|access[._-]?key|token$"
    r"|keystore[._-]?key$|ssl[._-]key[._-]pem$|user\.info$",
    re.IGNORECASE,
)
_PLACEHOLDERS: Final = re.compile(r"(\$\{[^}]*\})+")
_IN_URL: Final = re.compile(r"(?<=://)([^/?#@\s:]*):([^/?#\s]*)@")
_IN_QUERY: Final = re.compile(r"(?i)([?&;][\w.-]*(?:password|passwd|passphrase|pwd|secret|token)=)[^&;#\s]*")


def masked_value(name: str, value: Any, declared: Collection[str] = ()) -> Any:
    """An option's value as it may be shown; `declared` are options known to be secret."""
    if not isinstance(value, str) or not value or _PLACEHOLDERS.fullmatch(value):
        return value
    if name in declared or _SECRET_NAME.search(name):
        return HIDDEN
    shown = _IN_URL.sub(lambda m: m[0] if _PLACEHOLDERS.fullmatch(m[2]) else f"{m[1]}:{HIDDEN}@", value)
    return _IN_QUERY.sub(rf"\1{HIDDEN}", shown)


def masked(options: Mapping[str, Any], declared: Collection[str] = ()) -> dict[str, Any]:
    """Options as they may be shown."""
    return {name: masked_value(name, value, declared) for name, value in options.items()}
