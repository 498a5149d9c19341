"""The registry's topic with several threads, and with two workers over one log."""

import threading

import pytest

from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.kafka import KafkaBroker
from replicator.converters.registry.server import Registry, State
from replicator.storage.schema_log import SchemaLog, open_registry


@pytest.fixture
def broker(tmp_path):
    made = EmbeddedBroker(str(tmp_path / "log"))
    yield made
    made.close()


def register(registry, subject, number):
    body = {"schema": f'{{"type":"fixed","name":"F{number}","size":{number + 1}}}'}
    answer = registry.call("POST", f"/subjects/{subject}/versions", {}, body)
    assert answer.status == 200, answer
    return answer.body["id"]


def test_many_threads_and_two_registries_agree(broker):
    registries = [open_registry(broker), open_registry(broker)]
    found: dict[int, set[int]] = {}
    lock = threading.Lock()

    def work(worker):
        for number in range(12):
            subject = f"s{number % 3}" if worker % 2 else f"own{worker}"
            registry = registries[worker % 2]
            registry.call("PUT", f"/config/{subject}", {}, {"compatibility": "NONE"})
            made = register(registry, subject, number)
            with lock:
                found.setdefault(number, set()).add(made)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    # Every schema has an id, and no id stands for two schemas.
    ids = [i for made in found.values() for i in made]
    assert len(ids) == len(set(ids))
    fresh = open_registry(broker)
    for registry in (*registries, fresh):
        for number, made in found.items():
            for one in made:
                text = registry.call("GET", f"/schemas/ids/{one}", {}).body["schema"]
                assert f'"F{number}"' in text
    listed = [r.call("GET", "/schemas", {}).body for r in (*registries, fresh)]
    assert listed[0] == listed[1] == listed[2]
    for registry in (*registries, fresh):
        registry.close()


def test_over_kafka_two_workers_see_each_other(kafka, kafka_prefix):
    brokers = [KafkaBroker({"bootstrap.servers": kafka.bootstrap}) for _ in range(2)]
    registries = []
    for broker in brokers:
        state = State()
        log = SchemaLog(broker, state, topic=f"{kafka_prefix}_schemas", replication_factor=1)
        registries.append(Registry(state, log))
    try:
        assert [register(registries[n % 2], f"s{n}", n) for n in range(4)] == [1, 2, 3, 4]
        assert register(registries[1], "other", 0) == 1
        for registry in registries:
            assert registry.call("GET", "/subjects", {}).body == ["other", "s0", "s1", "s2", "s3"]
    finally:
        for registry in registries:
            registry.close()
        for broker in brokers:
            broker.close()
