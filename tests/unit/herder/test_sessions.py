"""Signed requests between workers."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from replicator.api.errors import BadRequestError, ConfigError
from replicator.herder.base import RefusedError, Signature
from replicator.herder.sessions import ALGORITHM_HEADER, SIGNATURE_HEADER, new_key, sign, verify
from replicator.storage.base import SessionKey

ALLOWED = ["HmacSHA256"]
KEY = SessionKey(base64.b64encode(b"k" * 32).decode(), "HmacSHA256", 1)
BODY = b'[{"task.class":"x"}]'


def signed(body: bytes = BODY, algorithm: str = "HmacSHA256") -> Signature:
    headers = sign(KEY, algorithm, body)
    return Signature(headers[ALGORITHM_HEADER], headers[SIGNATURE_HEADER], body)


def test_the_signature_is_the_hmac_of_the_body():
    expected = base64.b64encode(hmac.new(b"k" * 32, BODY, hashlib.sha256).digest()).decode()
    assert sign(KEY, "HmacSHA256", BODY) == {
        "X-Connect-Authorization": expected,
        "X-Connect-Request-Signature-Algorithm": "HmacSHA256",
    }
    verify(signed(), KEY, ALLOWED)


@pytest.mark.parametrize(
    "given",
    [
        Signature(None, None, BODY),
        Signature("HmacSHA256", None, BODY),
        Signature(None, signed().signature, BODY),
        Signature("HmacSHA256", "not base64!", BODY),
        Signature("HmacMD5", signed().signature, BODY),
        Signature("nonsense", signed().signature, BODY),
    ],
)
def test_malformed_signatures(given):
    with pytest.raises(BadRequestError):
        verify(given, KEY, ALLOWED)


def test_wrong_and_early_signatures():
    with pytest.raises(RefusedError) as wrong:
        verify(signed()._replace(body=b"[]"), KEY, ALLOWED)
    assert wrong.value.status == 403
    other = SessionKey(base64.b64encode(b"o" * 32).decode(), "HmacSHA256", 2)
    with pytest.raises(RefusedError, match="invalid signature"):
        verify(signed(), other, ALLOWED)
    with pytest.raises(RefusedError) as early:
        verify(signed(), None, ALLOWED)
    assert early.value.status == 503


def test_keys():
    key = new_key("HmacSHA256", None, 7)
    assert len(base64.b64decode(key.key)) == 32
    assert (key.algorithm, key.created) == ("HmacSHA256", 7)
    assert len(base64.b64decode(new_key("HmacSHA512", 1024, 7).key)) == 128
    assert new_key("HmacSHA256", None, 7).key != key.key
    with pytest.raises(ConfigError):
        new_key("Rot13", None, 7)
