"""Tokens of OAUTHBEARER for kafka-python; librdkafka gets its own. Any thread.

A token is had from the endpoint with the client's id and secret (RFC 6749, 4.4), and kept, for all clients of the
process, until a fifth of its life is left.
"""

from __future__ import annotations

import base64
import functools
import json
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from kafka.errors import KafkaConnectionError, SaslAuthenticationFailedError
from kafka.net.sasl.oauth import AbstractTokenProvider

from replicator.broker.kafka.security import UNSECURED

_SECONDS: Final = 10.0
_LIFE: Final = 300.0
_USED: Final = 0.8
_OPTIONS: Final = (
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.extensions",
    "https.ca.pem",
    UNSECURED,
    "sasl.oauthbearer.config",
)


def token_provider(security: Mapping[str, str]) -> AbstractTokenProvider:
    """What gives tokens for these options of librdkafka; the same one for the same options."""
    return _provider(*(security.get(name, "") for name in _OPTIONS))


@functools.lru_cache(maxsize=64)
def _provider(*values: str) -> AbstractTokenProvider:
    return _Provider(dict(zip(_OPTIONS, values, strict=True)))


class _Provider(AbstractTokenProvider):  # type: ignore[misc]  # kafka-python has no types
    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__()
        self._options = options
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def token(self) -> str:
        """A token that is good for a while."""
        with self._lock:
            if not self._token or time.monotonic() > self._until:
                unsigned = bool(self._options[UNSECURED])
                self._token, life = _unsigned(self._options) if unsigned else _asked(self._options)
                self._until = time.monotonic() + life * _USED
            return self._token

    def extensions(self) -> dict[str, str]:
        """What is told to the brokers beside the token."""
        given = self._options["sasl.oauthbearer.extensions"]
        return dict(pair.split("=", 1) for pair in given.split(",") if pair)


def _asked(options: Mapping[str, str]) -> tuple[str, float]:
    """A token from the endpoint, and for how many seconds it is good.

    Raises:
        SaslAuthenticationFailedError: the endpoint refuses.
        KafkaConnectionError: it does not answer; to be tried again.
    """
    url = options["sasl.oauthbearer.token.endpoint.url"]
    account = f"{options['sasl.oauthbearer.client.id']}:{options['sasl.oauthbearer.client.secret']}"
    form = {"grant_type": "client_credentials"}
    if options["sasl.oauthbearer.scope"]:
        form["scope"] = options["sasl.oauthbearer.scope"]
    request = urllib.request.Request(
        url,
        urllib.parse.urlencode(form).encode(),
        {
            "Authorization": f"Basic {base64.b64encode(account.encode()).decode()}",
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    context = ssl.create_default_context(cadata=options["https.ca.pem"] or None)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as answer:
            body: Any = json.loads(answer.read())
        token = str(body["access_token"])
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise KafkaConnectionError(f"the token endpoint answers {error.code} {error.reason}") from None
        raise SaslAuthenticationFailedError(
            f"the token endpoint refuses clientId and clientSecret: {error.code} {error.reason}"
        ) from None
    except OSError as error:
        raise KafkaConnectionError(f"the token endpoint cannot be reached: {error}") from None
    except (ValueError, KeyError, TypeError):
        raise SaslAuthenticationFailedError("the token endpoint's answer holds no access_token") from None
    return token, float(body.get("expires_in") or _LIFE)


def _unsigned(options: Mapping[str, str]) -> tuple[str, float]:
    subject = options["sasl.oauthbearer.config"].partition("=")[2]
    now = int(time.time())
    parts = ({"alg": "none"}, {"sub": subject, "iat": now, "exp": now + 3600})
    return ".".join([*(_encoded(part) for part in parts), ""]), 3600.0


def _encoded(part: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
