"""The way to a registry over HTTP: headers, failover, repetition."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from replicator.api.errors import RetriableError
from replicator.converters.registry import options
from replicator.converters.registry.client import RegistryClient
from replicator.converters.registry.http import HttpTransport, request_headers
from replicator.converters.registry.model import AVRO, RegistryError, SchemaText


class Server:
    """Answers what it is told, and keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                size = int(self.headers.get("content-length") or 0)
                outer.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(size)))
                status, body = outer.answers.pop(0) if outer.answers else (200, {"schema": '"int"', "id": 1})
                data = json.dumps(body).encode() if not isinstance(body, bytes) else body
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def header(self, name):
        return {k.lower(): v for k, v in self.asked[-1][2].items()}.get(name.lower())

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


def client(*urls, **given):
    raw = options.unprefixed({"schema.registry.url": ",".join(urls), "retries.wait.ms": "1", **given})
    return RegistryClient(HttpTransport(urls, options.CONVERTER.parse(raw), request_headers(raw)))


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p w";'


@pytest.mark.parametrize(
    ("user", "given", "expected"),
    [
        ("", {}, None),
        ("u:p%40@", {}, basic("u:p@")),
        ("", {"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "u:p:q"}, basic("u:p:q")),
        (
            "",
            {
                "schema.registry.basic.auth.credentials.source": "USER_INFO",
                "schema.registry.basic.auth.user.info": "a:b",
            },
            basic("a:b"),
        ),
        ("", {"basic.auth.credentials.source": "SASL_INHERIT", "sasl.jaas.config": JAAS}, basic("u:p w")),
        ("", {"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.token": "abc"}, "Bearer abc"),
        ("", {"request.header.Authorization": "Custom x"}, "Custom x"),
    ],
)
def test_credentials(server, user, given, expected):
    made = client(server.url.replace("//", f"//{user}"), **given)
    assert made.by_id(1) == SchemaText(AVRO, '"int"')
    assert server.header("authorization") == expected
    assert "application/vnd.schemaregistry.v1+json" in server.header("accept")


def test_a_token_is_asked_for_once_and_sent_with_its_headers(server):
    server.answers = [(200, {"access_token": "t1", "expires_in": 3600})]
    made = client(
        server.url + "/base/",
        **{
            "bearer.auth.credentials.source": "OAUTHBEARER",
            "bearer.auth.issuer.endpoint.url": server.url + "/token",
            "bearer.auth.client.id": "me",
            "bearer.auth.client.secret": "s",
            "bearer.auth.scope": "sr",
            "bearer.auth.logical.cluster": "lsrc-1",
            "bearer.auth.identity.pool.id": "pool-1",
        },
    )
    made.by_id(1)
    made.by_id(2)
    assert [path.partition("?")[0] for _, path, _, _ in server.asked] == [
        "/token",
        "/base/schemas/ids/1",
        "/base/schemas/ids/2",
    ]
    assert server.asked[0][3] == b"grant_type=client_credentials&scope=sr"
    assert server.header("authorization") == "Bearer t1"
    assert (server.header("target-sr-cluster"), server.header("confluent-identity-pool-id")) == (
        "lsrc-1",
        "pool-1",
    )


def test_what_was_answered_is_not_asked_again(server):
    made = client(server.url)
    schema = SchemaText(AVRO, '"int"')
    for _ in range(3):
        made.by_id(1)
        made.register("a/b", schema)
    assert [(method, path) for method, path, _, _ in server.asked] == [
        ("GET", "/schemas/ids/1?fetchMaxId=false"),
        ("POST", "/subjects/a%2Fb/versions?normalize=false"),
    ]
    assert json.loads(server.asked[1][3]) == {"schema": '"int"'}


def test_the_next_registry_is_asked_when_one_is_out_of_order(server):
    other = Server()
    server.answers = [(503, {"error_code": 50004, "message": "no leader"})]
    made = client("http://127.0.0.1:1", server.url, other.url)
    made.by_id(1)
    assert (len(server.asked), len(other.asked)) == (1, 1)
    made.by_id(2)
    assert (len(server.asked), len(other.asked)) == (1, 2)
    other.close()


def test_without_an_answer_the_round_is_repeated_and_then_retriable(server):
    server.answers = [(500, b"broken")] * 3
    made = client(server.url, **{"max.retries": "2"})
    with pytest.raises(RetriableError, match=r"No schema registry answers .*HTTP status 500"):
        made.by_id(1)
    assert len(server.asked) == 3
    assert made.by_id(1).text == '"int"'


def test_a_refusal_is_not_repeated(server):
    server.answers = [(404, {"error_code": 40403, "message": "Schema not found"})]
    with pytest.raises(RegistryError, match="Schema not found; error code: 40403"):
        client(server.url).by_id(9)
    assert len(server.asked) == 1
