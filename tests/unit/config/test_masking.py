"""Which options are secrets, by name and by form."""

from __future__ import annotations

import pytest

from replicator.api.option_types import HIDDEN
from replicator.config.masking import masked_value


@pytest.mark.parametrize(
    "name",
    [
        "producer.override.sasl.jaas.config",
        "ssl.keystore.key",
        "listeners.https.ssl.key.password",
        "admin.override.ssl.key.pem",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "rest.auth.tokens.ci.token",
    ],
)
def test_secrets_by_name(name: str) -> None:
    assert masked_value(name, "s3cret") == HIDDEN
    assert masked_value(name, "${file:/run/secrets:x}") == "${file:/run/secrets:x}"


def test_passwords_in_urls() -> None:
    url = (
        "jdbc:mysql://h/db?user=u&clientCertificateKeyStorePassword=s1&keyStorePassword=s2&sslpassword=s3&x=y"
    )
    shown = masked_value("connection.url", url)
    assert shown == (
        f"jdbc:mysql://h/db?user=u&clientCertificateKeyStorePassword={HIDDEN}"
        f"&keyStorePassword={HIDDEN}&sslpassword={HIDDEN}&x=y"
    )


@pytest.mark.parametrize("name", ["ssl.truststore.location", "ssl.keystore.type", "sasl.mechanism", "table"])
def test_what_is_no_secret(name: str) -> None:
    assert masked_value(name, "JKS") == "JKS"
