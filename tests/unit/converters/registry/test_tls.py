"""A schema registry over HTTPS that asks for client certificates; stores are Java's."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from replicator.api.errors import ConfigError
from replicator.api.schema import STRING
from replicator.converters.avro import AvroConverter
from tests.support.certificates import Authority
from tests.support.java_stores import jks

AUTHORITY = Authority()


class _Registry(BaseHTTPRequestHandler):
    """Takes every schema."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"id": 7}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    server = AUTHORITY.issue("127.0.0.1")
    file = tmp_path / "server.pem"
    file.write_text(server.key_pem() + server.pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.load_verify_locations(cadata=AUTHORITY.own.pem())
    context.verify_mode = ssl.CERT_REQUIRED
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    yield f"https://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.mark.parametrize("prefix", ["", "schema.registry."])
def test_a_registry_that_wants_a_client_certificate(url: str, tmp_path: Path, prefix: str) -> None:
    store = tmp_path / "client.jks"
    store.write_bytes(jks("store-1", AUTHORITY.issue("carla"), [AUTHORITY.own.certificate]))
    own = {
        "ssl.truststore.location": str(store),
        "ssl.truststore.type": "JKS",
        "ssl.truststore.password": "store-1",
        "ssl.keystore.location": str(store),
        "ssl.keystore.password": "store-1",
    }
    options = {"schema.registry.url": url} | {f"{prefix}{name}": value for name, value in own.items()}
    converter = AvroConverter()
    converter.configure(options, is_key=False)
    assert converter.from_connect_data("t", STRING, "x") == b"\x00\x00\x00\x00\x07\x02x"

    with pytest.raises(ConfigError, match=r"Cannot open the store .*client\.jks") as caught:
        AvroConverter().configure(options | {f"{prefix}ssl.keystore.password": "wrong"}, is_key=False)
    assert caught.value.option == "ssl.keystore.location"
