"""TLS of clients, from Java's `ssl.*` options. Called once, when a converter is configured or a task starts."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from replicator.api.key_store import own_identity, trust, trusted_certificates
from replicator.api.option_types import Secret


def client_context(options: Mapping[str, Any], prefix: str = "") -> ssl.SSLContext:
    """The context of connections.

    Args:
        options: as parsed; `ssl.endpoint.identification.algorithm` is among them.
        prefix: in front of `ssl.`, in `options` and in messages.

    Raises:
        ConfigError: a store cannot be read, or what it holds cannot be used.
    """
    plain = {name: _plain(value) for name, value in options.items() if name.startswith(f"{prefix}ssl.")}
    context = ssl.create_default_context()
    if not plain[f"{prefix}ssl.endpoint.identification.algorithm"]:
        context.check_hostname = False
    trusted = trusted_certificates(plain, prefix)
    if trusted is not None:
        trust(context, trusted, f"{prefix}ssl.truststore.location")
    identity = own_identity(plain, prefix)
    if identity is not None:
        identity.show(context)
    return context


def _plain(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else value or ""
