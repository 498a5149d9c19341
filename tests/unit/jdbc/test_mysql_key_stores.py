"""Key stores that MySQL's URLs name: JKS as well."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from connectors.jdbc.dialects.mysql_tls import _key_store, _load_chain
from tests.support.certificates import Authority
from tests.support.java_stores import jks


def test_a_store_of_type_jks(tmp_path: Path) -> None:
    authority = Authority()
    own, place = authority.issue("app"), tmp_path / "store.jks"
    place.write_bytes(jks("store-1", own, [authority.own.certificate]))
    key, certificates = _key_store(f"file:{place}", "store-1")
    assert (key, certificates) == (own.key_pem(), [own.pem(), authority.own.pem()])
    _load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), (key or "") + "".join(certificates))
    with pytest.raises(ValueError, match="its password is another one"):
        _key_store(f"file:{place}", "store-2")
