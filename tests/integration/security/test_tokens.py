"""OAUTHBEARER on a real Kafka: tokens from an endpoint, for both Kafka clients."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from replicator.api.errors import ConfigError
from replicator.broker.kafka import KafkaBroker
from replicator.broker.kafka.security import librdkafka_security
from replicator.broker.kafka.tokens import token_provider
from tests.integration.security.test_kafka import use
from tests.support.certificates import Authority
from tests.support.java_stores import jks
from tests.support.secured_kafka import OAUTH, Secured

SECRET = "s3cret-of-client"


class Endpoint(ThreadingHTTPServer):
    """Gives a token to the client `anna`, over TLS."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        authority = Authority("Issuer of the endpoint")
        own = authority.issue("127.0.0.1")
        (folder / "endpoint.pem").write_text(own.key_pem() + own.pem())
        self.store = folder / "endpoint-ca.jks"
        self.store.write_bytes(jks("changeit", None, [authority.own.certificate]))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "endpoint.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.asked: list[dict[str, list[str]]] = []

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}/token"

    def handle_error(self, *_: Any) -> None:
        """A client that does not trust us hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append(form)
        expected = base64.b64encode(f"anna:{SECRET}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {expected}":
            return self._answer(401, {"error": "invalid_client"})
        now = int(time.time())
        claims = {"sub": "anna", "iat": now, "exp": now + 600, "scope": "kafka"}
        parts = [
            base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
            for p in ({"alg": "none"}, claims)
        ]
        return self._answer(
            200, {"access_token": ".".join([*parts, ""]), "token_type": "Bearer", "expires_in": 600}
        )

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    server = Endpoint(tmp_path)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def options(node: Secured, endpoint: Endpoint, secret: str = SECRET) -> dict[str, str]:
    line = (
        f'{OAUTH} required clientId="anna" clientSecret="{secret}" scope="kafka"'
        f' ssl.truststore.location="{endpoint.store}" ssl.truststore.password="changeit";'
    )
    handler = "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler"
    return node.options(
        "oauth",
        sasl_mechanism="OAUTHBEARER",
        sasl_oauthbearer_token_endpoint_url=endpoint.url,
        sasl_login_callback_handler_class=handler,
        sasl_jaas_config=line,
    )


def test_a_client_with_a_token(node: Secured, endpoint: Endpoint) -> None:
    given = options(node, endpoint)
    use(given)
    assert {"grant_type": ["client_credentials"], "scope": ["kafka"]} in endpoint.asked
    # All clients of kafka-python share one token.
    asked = len(endpoint.asked)
    provider = token_provider(librdkafka_security(given))
    assert provider.token().count(".") == 2
    assert len(endpoint.asked) == asked


def test_a_client_that_the_endpoint_refuses(node: Secured, endpoint: Endpoint) -> None:
    broker = KafkaBroker(options(node, endpoint, "wrong-secret"))
    with pytest.raises(ConfigError, match="401") as caught:
        broker.admin().group_offsets("g")  # with kafka-python
    assert caught.value.option == "sasl.jaas.config"
    assert "wrong-secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="invalid_client") as caught:
        broker.cluster_id()  # with librdkafka
    assert caught.value.option == "sasl.jaas.config"
    assert "wrong-secret" not in str(caught.value)
