"""Bulk requests: what is sent when, what is sent again, and in which order; against a server of our own making."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain

import pytest

from connectors.elasticsearch.client import Client
from connectors.elasticsearch.task import ElasticsearchSinkTask
from replicator.api import ConnectError, SinkRecord
from tests.unit.elasticsearch.test_documents import options
from tests.unit.s3.fake_store import Context, Reports


class Server(ThreadingHTTPServer):
    """Answers by script: `refuse(action) -> (status, type) | None` for items, `statuses` for whole requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = []
        self.refuse = lambda action: None
        self.bulks = []
        self.headers = []
        self.most = 0
        self.now = 0
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.gate.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def ids(self):
        return [[action["_id"] for action in bulk] for bulk in self.bulks]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def _answer(self):
        server = self.server
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        server.headers.append(dict(self.headers))
        status, body = 200, {}
        if self.path == "/_bulk":
            with server.lock:
                server.now += 1
                server.most = max(server.most, server.now)
            server.gate.wait(10)
            status = server.statuses.pop(0) if server.statuses else 200
            body = self._items(data) if status == 200 else {"error": "scripted"}
            with server.lock:
                server.now -= 1
        text = b"" if self.command == "HEAD" else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _items(self, data):
        actions = [next(iter(line.values())) for line in map(json.loads, data.splitlines()[::2])]
        with self.server.lock:
            self.server.bulks.append(actions)
        items = []
        for action in actions:
            refused = self.server.refuse(action)
            outcome = {"status": 200}
            if refused is not None:
                error = {"type": refused[1], "reason": "so it is", "caused_by": {"reason": "because"}}
                outcome = {"status": refused[0], "error": error}
            items.append({"index": outcome})
        return {"errors": any("error" in item["index"] for item in items), "items": items}

    do_GET = do_PUT = do_POST = do_HEAD = _answer  # noqa: N815


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.gate.set()
    made.shutdown()
    made.server_close()


def started(server, reporter=None, **changes):
    task = ElasticsearchSinkTask()
    task.initialize(Context(reporter))
    task.start({"connection.url": server.url, "retry.backoff.ms": "1", "schema.ignore": "true", **changes})
    return task


def records(*keys):
    return [SinkRecord("t", 0, None, key, None, {"n": n}, n) for n, key in enumerate(keys)]


def test_batches_by_number_and_by_bytes(server):
    task = started(server, **{"batch.size": "2", "max.in.flight.requests": "1"})
    task.put(records("a", "b", "c", "d", "e"))
    task.flush({})
    assert server.ids == [["a", "b"], ["c", "d"], ["e"]]
    server.bulks.clear()
    task = started(server, **{"bulk.size.bytes": "150", "max.in.flight.requests": "1"})
    task.put(records("a", "b", "c"))
    task.flush({})
    assert len(server.ids) > 1
    assert list(chain(*server.ids)) == ["a", "b", "c"]


def test_only_what_was_refused_for_the_moment_is_sent_again(server):
    seen = Counter()

    def refuse(action):
        seen[action["_id"]] += 1
        busy = {"b": 2, "c": 1}.get(action["_id"], 0)
        return (429, "es_rejected_execution_exception") if seen[action["_id"]] <= busy else None

    server.refuse = refuse
    server.statuses = [503]
    task = started(server)
    task.put(records("a", "b", "c"))
    task.flush({})
    assert server.ids == [["a", "b", "c"], ["b", "c"], ["b"]]
    task.stop()


def test_retries_end(server):
    server.refuse = lambda action: (429, "es_rejected_execution_exception")
    task = started(server, **{"max.retries": "2"})
    task.put(records("a"))
    with pytest.raises(ConnectError, match="Bulk request failed after 3 attempts: 1 operations were refused"):
        task.flush({})
    with pytest.raises(ConnectError, match="after 3 attempts"):
        task.put([])
    assert len(server.bulks) == 3
    task.stop()


def test_too_large_requests_are_halved(server):
    server.statuses = [413, 413]
    task = started(server)
    task.put(records("a", "b", "c", "d"))
    task.flush({})
    assert server.ids == [["a"], ["b"], ["c", "d"]]
    task.stop()


@pytest.mark.parametrize(("method", "most"), [("insert", 3), ("upsert", 1)])
def test_requests_in_flight(server, method, most):
    server.gate.clear()
    task = started(server, **{"batch.size": "1", "max.in.flight.requests": "3", "write.method": method})
    threading.Timer(0.3, server.gate.set).start()
    task.put(records(*"abcdefgh"))
    task.flush({})
    assert server.most == most
    if method == "upsert":
        assert list(chain(*server.ids)) == list("abcdefgh")
    task.stop()


def test_an_upsert_request_holds_a_document_once(server):
    task = started(server, **{"write.method": "upsert"})
    task.put(records("a", "b", "a", "c", "a"))
    task.flush({})
    assert server.ids == [["a", "b"], ["a", "c"], ["a"]]
    task.stop()


def test_linger_and_the_number_of_buffered_records(server):
    task = started(server, **{"linger.ms": "60000"})
    task.put(records("a"))
    assert (server.bulks, task.is_ahead) == ([], True)
    assert 0 < task.context.waits[-1] <= 60_000
    task.flush({})
    assert (server.ids, task.is_ahead) == ([["a"]], False)
    task.stop()
    server.gate.clear()
    task = started(server, **{"batch.size": "2", "max.buffered.records": "4", "read.timeout.ms": "20000"})
    threading.Timer(0.2, server.gate.set).start()
    task.put(records(*"abcdefgh"))
    assert server.gate.is_set(), "put waited for answers"
    task.flush({})
    task.stop()


def test_flush_has_an_end(server):
    server.gate.clear()
    task = started(server, **{"flush.timeout.ms": "1000", "read.timeout.ms": "20000"})
    task.put(records("a"))
    with pytest.raises(
        ConnectError, match=r"Flush timeout expired with unflushed records\. Raise flush\.timeout\.ms"
    ):
        task.pre_commit({})
    server.gate.set()
    task.stop()


def test_invalid_records(server):
    reports = Reports()
    bad = [*records("a"), SinkRecord("t", 0, None, None, None, {}, 9)]
    for reporter, changes in ((reports, {}), (None, {"drop.invalid.message": "true"})):
        task = started(server, reporter, **changes)
        task.put(bad)
        task.flush({})
        task.stop()
    assert [record.kafka_offset for record, _ in reports] == [9]
    task = started(server)
    with pytest.raises(ConnectError, match="Key is used as document id"):
        task.put(bad)
    task.stop()


def test_conflicts_of_unversioned_documents_are_reported(server):
    server.refuse = lambda action: (409, "version_conflict_engine_exception")
    reports = Reports()
    for changes in ({}, {"key.ignore": "true"}):
        task = started(server, reports, **changes)
        task.put(records("a"))
        task.flush({})
        task.stop()
    assert ["Version conflict for document t+0+0" in str(error) for _, error in reports] == [True]


def test_other_refusals_fail_the_task(server):
    server.refuse = lambda action: (400, "index_closed_exception")
    task = started(server, Reports(), **{"behavior.on.malformed.documents": "ignore"})
    task.put(records("a"))
    with pytest.raises(
        ConnectError, match=r"Response status: 400.*index_closed_exception: so it is \(because\)"
    ):
        task.flush({})
    task.stop()


def test_accounts_compression_and_refusals(server):
    account = {
        "connection.username": "me",
        "connection.password": "pässword",
        "connection.compression": "true",
    }
    task = started(server, **account)
    task.put(records("a"))
    task.flush({})
    task.stop()
    assert server.ids == [["a"]]
    sent = server.headers[-1]
    assert base64.b64decode(sent["Authorization"].split()[1]).decode() == "me:pässword"
    assert sent["Content-Encoding"] == "gzip"
    server.statuses = [401]
    task = started(server)
    task.put(records("a"))
    with pytest.raises(ConnectError, match=r"refused with 401.*connection\.password"):
        task.flush({})
    task.stop()


def test_the_next_node_is_asked(server):
    changes = {"connection_url": f"http://127.0.0.1:9,{server.url}", "retry_backoff_ms": "1"}
    client = Client(options(**changes), threading.Event())
    assert client.request("GET", "/").is_good
    client.close()
    secure = Client(
        options(connection_url="http://e:1,https://f:2", elastic_security_protocol="ssl"), threading.Event()
    )
    assert secure._urls == ["https://e:1", "https://f:2"]
