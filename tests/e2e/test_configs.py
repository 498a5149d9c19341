"""Configurations as people have them, run as they stand: only hosts, ports, accounts and files are the test's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer

from scripts.devservers import ServerUnavailable, private_instance
from scripts.service import PROGRAM
from tests.support import fix_s3
from tests.support.connect_worker import CONFIGS, Worker, text_of
from tests.support.fix_s3 import Bucket
from tests.support.fix_servers import Database, Server
from tests.unit.runtime.service_fixture import eventually


@pytest.fixture(scope="module")
def bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    """A Kafka node of one broker, as these configurations expect it: their topics have no test's prefix."""
    with ExitStack() as stack:
        try:
            node: Any = stack.enter_context(private_instance("kafka", None))
        except ServerUnavailable as reason:
            if request.config.getoption("--require-services"):
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        yield node.bootstrap


@pytest.fixture(scope="module")
def databases(postgres: Server) -> Iterator[tuple[Database, Database]]:
    """`mydb` as the source's and as the sink's."""
    with postgres.database() as source, postgres.database() as target:
        yield source, target


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """The bucket of s3-sink.properties."""
    with fix_s3.server("moto", tmp_path_factory.mktemp("moto")) as (url, child):
        made = Bucket(url, "my-kafka-bucket", False, child)
        made.client.create_bucket(Bucket=made.name)
        yield made


@pytest.fixture(scope="module")
def worker(
    tmp_path_factory: pytest.TempPathFactory,
    bootstrap: str,
    databases: tuple[Database, Database],
    bucket: Bucket,
) -> Iterator[Worker]:
    """A worker with the connector files; what they do not say of S3 stands in the environment."""
    folder = tmp_path_factory.mktemp("configs")
    source, target = databases
    source.execute(
        "CREATE TABLE users (id int primary key, name text)", "INSERT INTO users VALUES (1, 'a'), (2, 'b')",
        "CREATE TABLE orders (id int primary key, amount numeric(8,2))", "INSERT INTO orders VALUES (7, 1.50)",
        "CREATE TABLE others (id int primary key)", "INSERT INTO others VALUES (1)",
    )  # fmt: skip
    files = []
    for name, database in (("jdbc-source.properties", source), ("jdbc-sink.properties", target)):
        at = database.server
        url = f"jdbc:postgresql://{at.host}:{at.port}/{database.name}"
        changes = {"jdbc:postgresql://localhost:5432/mydb": url, "connection.user=user": f"connection.user={at.user}",
                   "connection.password=password": f"connection.password={at.password}"}  # fmt: skip
        files.append(folder / name)
        files[-1].write_text(text_of(name, **changes))
    (folder / "input.txt").write_text("first\nsecond\n")
    files.append(folder / "file-source.properties")
    files[-1].write_text(text_of("file-source.properties", **{"/tmp/input.txt": str(folder / "input.txt")}))
    files.append(CONFIGS / "s3-sink.properties")
    account = {
        "AWS_ENDPOINT_URL": bucket.url,
        "AWS_ACCESS_KEY_ID": bucket.options["aws.access.key.id"],
        "AWS_SECRET_ACCESS_KEY": bucket.options["aws.secret.access.key"],
    }
    made = Worker(folder, bootstrap, account)
    made.start(*files)
    try:
        eventually(lambda: made.call("GET", "/connectors")[0] == 200, 60)
        yield made
        made.stop()
    finally:
        if made.child is not None:
            made.child.kill()
            made.child.wait()


def rows(database: Database, query: str) -> Callable[[], list[tuple[Any, ...]]]:
    return lambda: database.query(query)


def test_files_without_a_name_are_named_by_their_file(worker: Worker) -> None:
    eventually(lambda: len(worker.call("GET", "/connectors")[1] or ()) >= 3, 60)
    assert set(worker.call("GET", "/connectors")[1]) >= {"file-source", "jdbc-source", "jdbc-sink"}
    assert 'jdbc-source.properties has no "name": the connector is called jdbc-source' in worker.output
    for name in ("file-source", "jdbc-source", "jdbc-sink"):
        eventually(lambda name=name: worker.state(name) == ("RUNNING",), 60)


def test_lines_of_a_file(worker: Worker) -> None:
    def values() -> list[Any]:
        return [value["payload"] for _, value in worker.messages("file-input-topic")]

    eventually(lambda: "file-input-topic" in str(worker.call("GET", "/connectors/file-source/topics")[1]), 60)
    eventually(lambda: values() == ["first", "second"], 60)
    with (worker.folder / "input.txt").open("a") as file:
        file.write("third\n")
    eventually(lambda: values() == ["first", "second", "third"], 60)


def test_lines_in_s3(worker: Worker, bucket: Bucket) -> None:
    """The topic comes to the bucket whole and once, in objects named after their first record's offset."""

    def lines() -> list[bytes]:
        return [line for _, content in sorted(bucket.objects().items()) for line in content.splitlines()]

    eventually(lambda: "file-input-topic" in str(worker.call("GET", "/connectors/file-source/topics")[1]), 60)
    eventually(lambda: len(worker.messages("file-input-topic")) >= 2, 60)
    written = [json.dumps(value["payload"]).encode() for _, value in worker.messages("file-input-topic")]
    eventually(lambda: len(lines()) >= len(written), 60)
    assert lines() == written
    folder, offset = "topics/file-input-topic/partition=0", 0
    for name, content in sorted(bucket.objects().items()):
        assert name == f"{folder}/file-input-topic+0+{offset:010d}.json"
        offset += len(content.splitlines())
    assert worker.state("s3-sink") == ("RUNNING",)


def test_tables_into_topics(worker: Worker, databases: tuple[Database, Database]) -> None:
    topics = "/connectors/jdbc-source/topics"
    expected = ["postgres-orders", "postgres-users"]
    eventually(lambda: sorted(worker.call("GET", topics)[1]["jdbc-source"]["topics"]) == expected, 60)
    both = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    eventually(lambda: [value["payload"] for _, value in worker.messages("postgres-users")] == both, 60)
    databases[0].execute("INSERT INTO users VALUES (3, 'c')")
    eventually(lambda: worker.messages("postgres-users")[-1][1]["payload"] == {"id": 3, "name": "c"}, 60)
    offsets = worker.call("GET", "/connectors/jdbc-source/offsets")[1]["offsets"]
    assert {
        "partition": {"protocol": "1", "table": "public.orders"},
        "offset": {"incrementing": 7},
    } in offsets


def order(number: int, amount: int) -> tuple[bytes, bytes]:
    """A record with schemas, as a Java source writes it."""
    key = {
        "type": "struct",
        "optional": False,
        "fields": [{"field": "id", "type": "int32", "optional": False}],
    }
    value = {
        "type": "struct",
        "optional": False,
        "fields": [{"field": "amount", "type": "int64", "optional": True}],
    }
    return (
        json.dumps({"schema": key, "payload": {"id": number}}).encode(),
        json.dumps({"schema": value, "payload": {"amount": amount}}).encode(),
    )


def test_records_into_a_table(worker: Worker, databases: tuple[Database, Database]) -> None:
    worker.produce("orders", order(1, 10), order(2, 20), order(1, 11))
    found = rows(databases[1], "SELECT id, amount FROM orders ORDER BY id")
    exists = rows(databases[1], "SELECT count(*) FROM pg_tables WHERE tablename='orders'")
    eventually(lambda: exists() == [(1,)], 60)
    eventually(lambda: found() == [(1, 11), (2, 20)], 60)


def test_one_topic_into_several_sinks_at_their_own_pace(
    worker: Worker, databases: tuple[Database, Database]
) -> None:
    out = worker.folder / "orders.txt"
    file = {"connector.class": "FileStreamSink", "topics": "orders", "file": str(out)}
    assert worker.call("PUT", "/connectors/orders-file/config", file)[0] == 201
    worker.produce("orders", order(5, 50))
    eventually(lambda: out.exists() and "{amount=50}" in out.read_text(), 60)
    assert worker.call("PUT", "/connectors/orders-file/pause")[0] == 202
    eventually(lambda: worker.state("orders-file") == ("PAUSED",), 60)
    worker.produce("orders", order(6, 60))
    eventually(lambda: databases[1].query("SELECT amount FROM orders WHERE id = 6") == [(60,)], 60)
    assert "60" not in out.read_text()
    assert worker.call("PUT", "/connectors/orders-file/resume")[0] == 202
    eventually(lambda: "{amount=60}" in out.read_text(), 60)


def tolerant() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text_of("tolerant-sink.json"))
    return found


def test_a_sink_without_topics_and_url_is_told_both(worker: Worker) -> None:
    given = tolerant()
    status, answer = worker.call("POST", "/connectors", given)
    assert status == 400
    assert "Must configure one of topics or topics.regex" in answer["message"]
    assert '"connection.url"' in answer["message"]
    status, found = worker.call(
        "PUT",
        "/connector-plugins/JdbcSinkConnector/config/validate",
        given["config"] | {"name": given["name"]},
    )
    wrong = {entry["value"]["name"] for entry in found["configs"] if entry["value"]["errors"]}
    assert (status, wrong) == (200, {"topics", "topics.regex", "connection.url"})


def test_a_tolerant_sink_on_one_broker(worker: Worker, databases: tuple[Database, Database]) -> None:
    given, at = tolerant(), databases[1].server
    given["config"] |= {
        "topics": "tolerant", "connection.url": f"jdbc:postgresql://{at.host}:{at.port}/{databases[1].name}",
        "connection.user": at.user, "connection.password": at.password, "auto.create": "true",
    }  # fmt: skip
    assert worker.call("POST", "/connectors", given)[0] == 201
    worker.produce("tolerant", order(1, 10), (b"no", b"no json"), order(3, 30))
    exists = rows(databases[1], "SELECT count(*) FROM pg_tables WHERE tablename='tolerant'")
    eventually(lambda: exists() == [(1,)], 60)
    eventually(lambda: databases[1].query("SELECT amount FROM tolerant ORDER BY 1") == [(10,), (30,)], 60)
    eventually(lambda: "Dead letter queue dlq-jdbc-sink cannot have 3 replicas" in worker.output, 60)
    assert worker.state("tolerant-sink") == ("RUNNING",)
    consumer = Consumer(
        {"bootstrap.servers": worker.bootstrap, "group.id": "dlq", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["dlq-jdbc-sink"])
    letter = consumer.poll(20)
    consumer.close()
    assert letter is not None
    assert letter.value() == b"no json"


def test_a_converter_that_does_not_fit(worker: Worker, databases: tuple[Database, Database]) -> None:
    at = databases[1].server
    worker.produce("persons", (b"1", b'{"name": "no schema"}'))
    config = {
        "connector.class": "JdbcSinkConnector", "topics": "persons", "connection.user": at.user,
        "connection.url": f"jdbc:postgresql://{at.host}:{at.port}/{databases[1].name}",
        "connection.password": at.password, "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    }  # fmt: skip
    assert worker.call("PUT", "/connectors/persons-jdbc-sink/config", config)[0] == 201
    eventually(lambda: worker.state("persons-jdbc-sink") == ("FAILED",), 60)
    trace = worker.trace("persons-jdbc-sink")
    assert "Tolerance exceeded in error handler" in trace
    assert (
        "Executing stage 'VALUE_CONVERTER' with class 'org.apache.kafka.connect.json.JsonConverter'" in trace
    )
    assert "schemas.enable" in trace


def test_a_boolean_is_an_option(worker: Worker) -> None:
    given = json.loads(text_of("value-converter.json"))
    config = {
        "connector.class": "FileStreamSink",
        "topics": "file-input-topic",
        "file": str(worker.folder / "o"),
        **given,
    }
    status, answer = worker.call("PUT", "/connectors/boolean/config", config)
    assert (status, answer["config"]["value.converter.schemas.enable"]) == (201, "true")
    eventually(lambda: (worker.folder / "o").exists() and "first" in (worker.folder / "o").read_text(), 60)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_properties_sent_to_rest(worker: Worker, kind: str) -> None:
    # curl --data @file drops the line ends.
    body = text_of("file-source.properties").replace("\n", "").encode()
    status, answer = worker.call("POST", "/connectors", body, Content_Type=kind)
    assert status >= 400
    assert "replicator connectors apply" in answer["message"]
    assert ".properties" in answer["message"]


def holds(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


def test_the_same_file_on_a_distributed_worker(tmp_path: Path, bootstrap: str) -> None:
    made = Worker(tmp_path, bootstrap)
    (tmp_path / "input.txt").write_text("one\n")
    file = tmp_path / "file-source.properties"
    changes = {"/tmp/input.txt": str(tmp_path / "input.txt"), "file-input-topic": "distributed-topic"}
    file.write_text(text_of("file-source.properties", **changes))
    made.start_distributed()
    try:
        eventually(lambda: made.call("GET", "/connectors")[0] == 200, 60)
        apply = [str(PROGRAM), "connectors", "apply", str(file), "--url", f"http://127.0.0.1:{made.port}"]
        applied = subprocess.run(apply, capture_output=True, text=True, timeout=60, check=False)
        assert applied.returncode == 0, applied.stdout + applied.stderr + made.output
        eventually(lambda: made.state("file-source") == ("RUNNING",), 60)
        eventually(lambda: [v["payload"] for _, v in made.messages("distributed-topic")] == ["one"], 60)
        # A value of a provider whose lease ends restarts the connector when it has changed.
        values = tmp_path / "values.properties"
        values.write_text(f"out={tmp_path}/first.txt")
        sink = {
            "connector.class": "FileStreamSink",
            "topics": "distributed-topic",
            "file": f"${{file:{values}:out}}",
        }
        assert made.call("PUT", "/connectors/file-sink/config", sink)[0] == 201
        eventually(lambda: holds(tmp_path / "first.txt", "one\n"), 60)
        values.write_text(f"out={tmp_path}/second.txt")
        eventually((tmp_path / "second.txt").exists, 60)
        with (tmp_path / "input.txt").open("a") as more:
            more.write("two\n")
        eventually(lambda: "two" in (tmp_path / "second.txt").read_text(), 60)
        assert "first.txt" not in json.dumps(made.call("GET", "/connectors?expand=info&expand=status"))
        made.stop()
    finally:
        assert made.child is not None
        made.child.kill()
