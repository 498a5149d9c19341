"""TLS to Postgres, by libpq's names and those of its JDBC driver. Pure."""

from __future__ import annotations

from typing import Final

from connectors.jdbc.url import OPTION, TargetUrl
from replicator.api import ConfigError

_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SAME: Final = (
    "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslcrldir", "sslsni", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version", "channel_binding", "gssencmode", "require_auth",
)  # fmt: skip
_JDBC: Final = {
    "sslNegotiation": "sslnegotiation",
    "gssEncMode": "gssencmode",
    "channelBinding": "channel_binding",
    "requireAuth": "require_auth",
}


def tls_arguments(url: TargetUrl) -> dict[str, str]:
    """The driver's arguments for TLS.

    Raises:
        ConfigError: there is no such mode.
    """
    options = url.options
    found = {name: options[name] for name in _SAME if options.get(name)}
    found |= {libpq: options[jdbc] for jdbc, libpq in _JDBC.items() if options.get(jdbc)}
    mode = options.get("sslmode") or _older(options)
    if mode is None:
        return found
    if mode not in _MODES:
        raise ConfigError(f"sslmode in {OPTION} must be one of {', '.join(_MODES)}", option=OPTION)
    return {"sslmode": mode} | found


def _older(options: dict[str, str]) -> str | None:
    """The JDBC driver's `ssl=true` means verify-full, unless a factory says that nothing is to be checked."""
    given = options.get("ssl")
    if given is None:
        return None
    if given.strip().lower() not in ("", "true", "1"):
        return "disable"
    return "require" if options.get("sslfactory", "").endswith("NonValidatingFactory") else "verify-full"
