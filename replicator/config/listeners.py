"""Addresses that the REST API listens on, as `listeners` and `admin.listeners` write them. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from replicator.api.errors import ConfigError

_ADDRESS: Final = re.compile(r"(?i)(https?)://(\[[0-9a-f:.%]*\]|[^:/\s]*):(\d{1,5})/?")


class Listener(NamedTuple):
    """One address; an empty host means all of this machine's."""

    scheme: str
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """The address, for somebody on this machine."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0") else "::1" if self.host == "::" else self.host
        return (
            f"{self.scheme}://[{host}]:{self.port}" if ":" in host else f"{self.scheme}://{host}:{self.port}"
        )


def parse_listeners(entries: Iterable[str], option: str = "listeners") -> list[Listener]:
    """The listeners of an option; `off` and empty entries are none.

    Raises:
        ConfigError: an entry is no `http://host:port` or `https://host:port`.
    """
    found = []
    for entry in entries:
        if not entry.strip() or entry.strip().lower() == "off":
            continue
        match = _ADDRESS.fullmatch(entry.strip())
        if match is None or int(match[3]) > 65535:
            raise ConfigError(
                f"Invalid value {entry} for configuration {option}: must be http://host:port or https://host:port",
                option=option,
            )
        found.append(Listener(match[1].lower(), match[2].strip("[]"), int(match[3])))
    return found


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def advertised(listeners: Sequence[Listener], scheme: str | None) -> Listener:
    """The listener that others are told of: the first of that scheme, or of all."""
    return next((one for one in listeners if one.scheme == (scheme or one.scheme).lower()), listeners[0])
