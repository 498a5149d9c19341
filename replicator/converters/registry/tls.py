"""TLS to a registry, from the `ssl.*` options. Called once when a converter is configured."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from replicator.api.key_store import own_identity, trust, trusted_certificates
from replicator.api.option_types import Secret


def context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """The context for requests.

    Raises:
        ConfigError: a store cannot be read, or what it holds cannot be used.
    """
    plain = {name: _plain(value) for name, value in options.items() if name.startswith("ssl.")}
    made = ssl.create_default_context()
    if not plain["ssl.endpoint.identification.algorithm"]:
        made.check_hostname = False
    trusted = trusted_certificates(plain)
    if trusted is not None:
        trust(made, trusted, "ssl.truststore.location")
    identity = own_identity(plain)
    if identity is not None:
        identity.show(made)
    return made


def _plain(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else value or ""
