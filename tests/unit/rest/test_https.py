"""HTTPS with certificates made here: right ones, and expired, misnamed and unknown ones."""

from __future__ import annotations

import http.client
import json
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from replicator.api.errors import ConfigError
from replicator.config.tls import client_context, https_options, server_context
from replicator.config.worker import WorkerConfig
from replicator.rest.server import RestServer
from replicator.rest.setup import peer_context
from tests.support.certificates import Authority, Issued
from tests.support.java_stores import jks
from tests.unit.rest.fakes import FakeHerder
from tests.unit.rest.https_server import AUTHORITY, HTTPS, options, serving


def get(port: int, context: ssl.SSLContext, path: str = "/connectors") -> tuple[int, str]:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def trusting(authority: Authority = AUTHORITY, client: Issued | None = None) -> ssl.SSLContext:
    own = {"ssl.truststore.certificates": authority.own.pem()}
    if client is not None:
        own |= {"ssl.keystore.certificate.chain": client.pem(), "ssl.keystore.key": client.key_pem()}
    return client_context(own)


def test_a_client_that_trusts_the_authority() -> None:
    with serving(options(AUTHORITY.issue("127.0.0.1"))) as server:
        assert server.url == f"https://127.0.0.1:{server.port}"
        assert get(server.port, trusting()) == (200, "[]")
        version = ssl.create_default_context(cadata=AUTHORITY.own.pem())
        version.maximum_version = ssl.TLSVersion.TLSv1_2
        assert get(server.port, version)[0] == 200


@pytest.mark.parametrize(
    ("issue", "why"),
    [
        (lambda: AUTHORITY.issue("other.example"), "IP address mismatch"),
        (lambda: AUTHORITY.issue("127.0.0.1", expired=True), "certificate has expired"),
        (lambda: Authority("Somebody else").issue("127.0.0.1"), "unable to get local issuer certificate"),
    ],
)
def test_certificates_that_a_client_refuses(issue: Callable[[], Issued], why: str) -> None:
    with serving(options(issue())) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=why):
            get(server.port, trusting())
        lenient = {
            "ssl.truststore.certificates": AUTHORITY.own.pem(),
            "ssl.endpoint.identification.algorithm": "",
        }
        if "mismatch" in why:
            assert get(server.port, client_context(lenient))[0] == 200


def test_client_certificates() -> None:
    worker = options(
        AUTHORITY.issue("127.0.0.1"), ssl__client__auth="required",
        ssl__truststore__certificates=AUTHORITY.own.pem(),
    )  # fmt: skip
    with serving(worker) as server:
        assert get(server.port, trusting(client=AUTHORITY.issue("operator")))[0] == 200
        refused = [None, Authority("Else").issue("operator"), AUTHORITY.issue("operator", expired=True)]
        for client in refused:
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                get(server.port, trusting(client=client))


def test_plain_http_is_no_https() -> None:
    with serving(options(AUTHORITY.issue("127.0.0.1"))) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        with pytest.raises((OSError, http.client.HTTPException)):
            connection.request("GET", "/connectors")
            connection.getresponse()
        connection.close()


@pytest.mark.parametrize("form", ["pem", "encrypted", "p12", "jks"])
def test_forms_of_key_stores(form: str, tmp_path: Path) -> None:
    issued = AUTHORITY.issue("127.0.0.1")
    file = tmp_path / "store"
    own = {"ssl.keystore.location": str(file)}
    if form in ("p12", "jks"):
        file.write_bytes(issued.p12("pw") if form == "p12" else jks("pw", issued))
        own["ssl.keystore.password"] = "pw"
    else:
        password = "pw" if form == "encrypted" else ""
        file.write_text(issued.key_pem(password) + issued.pem())
        own |= {"ssl.key.password": password} if password else {}
    with serving({"listeners": HTTPS} | own) as server:
        assert get(server.port, trusting())[0] == 200


WRONG: list[tuple[dict[str, str], str]] = [
    ({}, "HTTPS needs a key and a certificate"),
    ({"ssl.keystore.location": "/nowhere"}, "Cannot read the store /nowhere of ssl.keystore.location"),
    (
        {"ssl.keystore.location": "{jks}", "ssl.keystore.password": "no"},
        "jks of ssl.keystore.location: its password is",
    ),
    ({"ssl.keystore.location": "{junk}"}, "junk of ssl.keystore.location is none of"),
    ({"ssl.keystore.location": "{p12}", "ssl.keystore.password": "wrong"}, "Check ssl.keystore.password"),
    ({"ssl.keystore.certificate.chain": "x", "ssl.keystore.key": "y"}, "cannot be used"),
    ({"ssl.keystore.location": "{pem}", "ssl.client.auth": "required"}, "without ssl.truststore"),
    ({"ssl.keystore.location": "{pem}", "ssl.client.auth": "maybe"}, "none, requested, required"),
    ({"ssl.keystore.location": "{pem}", "ssl.enabled.protocols": "SSLv3"}, "TLSv1.2, TLSv1.3"),
    (
        {"ssl.keystore.location": "{pem}", "ssl.truststore.location": "{junk}"},
        "of ssl.truststore.location is none",
    ),
]


@pytest.mark.parametrize(("own", "message"), WRONG)
def test_what_cannot_be_used_is_said(own: dict[str, str], message: str, tmp_path: Path) -> None:
    issued = AUTHORITY.issue("127.0.0.1")
    (tmp_path / "jks").write_bytes(jks("pw", issued))
    (tmp_path / "junk").write_bytes(b"junk")
    (tmp_path / "p12").write_bytes(issued.p12("pw"))
    (tmp_path / "pem").write_text(issued.key_pem() + issued.pem())
    filled = {n: str(tmp_path / v.strip("{}")) if v.startswith("{") else v for n, v in own.items()}
    with pytest.raises(ConfigError, match=message) as raised:
        server_context(filled)
    assert "BEGIN" not in str(raised.value)


def test_the_prefix_takes_all_or_nothing() -> None:
    worker = {"ssl.keystore.location": "kafka", "ssl.truststore.location": "kafka"}
    assert https_options(worker) == worker
    own = {"listeners.https.ssl.keystore.location": "rest"}
    assert https_options(worker | own) == {"ssl.keystore.location": "rest"}


def test_workers_speak_to_each_other() -> None:
    worker = options(AUTHORITY.issue("127.0.0.1"), ssl__truststore__certificates=AUTHORITY.own.pem())
    peers = peer_context(WorkerConfig(worker))
    assert peers is not None
    with serving(worker) as server:
        assert get(server.port, peers)[0] == 200
    assert peer_context(WorkerConfig({})) is None


def test_several_listeners_and_one_for_loggers() -> None:
    worker = options(AUTHORITY.issue("127.0.0.1")) | {
        "listeners": f"http://127.0.0.1:0,{HTTPS}",
        "admin.listeners": "http://127.0.0.1:0",
    }
    server = RestServer.of_worker(FakeHerder(), WorkerConfig(worker))
    server.start()
    server.wait_ready()
    try:
        plain, tls = server.listeners
        (admin,) = server.admin
        connection = http.client.HTTPConnection("127.0.0.1", plain.port, timeout=10)
        statuses = {}
        for port in (plain.port, admin.port):
            for path in ("/connectors", "/admin/loggers/root"):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", path)
                statuses[port, path] = connection.getresponse().status
                connection.close()
        assert statuses == {
            (plain.port, "/connectors"): 200,
            (plain.port, "/admin/loggers/root"): 404,
            (admin.port, "/connectors"): 404,
            (admin.port, "/admin/loggers/root"): 200,
        }
        assert get(tls.port, trusting())[0] == 200
    finally:
        server.stop()


def test_no_loggers_at_all() -> None:
    with serving({"listeners": "http://127.0.0.1:0", "admin.listeners": ""}) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/admin/loggers")
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["error_code"]) == (404, 404)
        connection.close()


@pytest.mark.parametrize(
    ("worker", "warned"),
    [
        ({"listeners": "http://0.0.0.0:0"}, True),
        ({"listeners": "http://:0"}, True),
        ({"listeners": "http://127.0.0.1:0,http://[::1]:0,http://localhost:0"}, False),
        ({"listeners": "http://0.0.0.0:0", "rest.auth.tokens.ci.token": "t"}, False),
    ],
)
def test_an_open_door_is_warned_of(
    worker: dict[str, str], warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        RestServer.of_worker(FakeHerder(), WorkerConfig(worker))
    assert ("asks for no password" in caplog.text) is warned


@pytest.mark.parametrize(
    "listener", ["127.0.0.1:8083", "ftp://x:1", "http://x", "http://x:99999", "http://x:y"]
)
def test_wrong_listeners(listener: str) -> None:
    with pytest.raises(ConfigError, match=r"http://host:port"):
        RestServer.of_worker(FakeHerder(), WorkerConfig({"listeners": listener}))
