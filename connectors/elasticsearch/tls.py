"""TLS towards the cluster, from the `elastic.https.ssl.*` options. Called once, when a task starts."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

from replicator.api import Secret
from replicator.api.key_store import own_identity, trust, trusted_certificates

_PREFIX: Final = "elastic.https."


def context_of(options: Mapping[str, Any]) -> ssl.SSLContext:
    """The context of connections.

    Raises:
        ConfigError: a store cannot be read, or what it holds cannot be used.
    """
    plain = {name: _plain(value) for name, value in options.items() if name.startswith(_PREFIX)}
    context = ssl.create_default_context()
    if not plain[f"{_PREFIX}ssl.endpoint.identification.algorithm"]:
        context.check_hostname = False
    trusted = trusted_certificates(plain, _PREFIX)
    if trusted is not None:
        trust(context, trusted, f"{_PREFIX}ssl.truststore.location")
    identity = own_identity(plain, _PREFIX)
    if identity is not None:
        identity.show(context)
    return context


def _plain(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else value or ""
