"""Topic creation groups, and the client options a connector may override."""

from __future__ import annotations

import re

import pytest

from replicator.api.errors import ConfigError, ConnectError
from replicator.broker.admin import NewTopic
from replicator.config.overrides import OverridePolicy, overrides, policy_of
from replicator.config.worker import WorkerConfig
from replicator.runtime.topics import TopicCreator, rules
from tests.unit.runtime.service_fixture import eventually, running, script, source, task_state

DEFAULT = {"topic.creation.default.partitions": "2", "topic.creation.default.replication.factor": "-1"}


class Recorder:
    """An admin that remembers what it is asked to create."""

    def __init__(self, *existing: str) -> None:
        self.existing = dict.fromkeys(existing)
        self.created: dict[str, NewTopic] = {}

    def topics(self) -> dict[str, None]:
        return self.existing

    def create_topics(self, topics: list[NewTopic]) -> None:
        self.created |= {topic.name: topic for topic in topics}


def created(options: dict[str, str], *topics: str) -> dict[str, NewTopic]:
    admin = Recorder("there")
    creator = TopicCreator(admin, rules(options), enabled=True, used=lambda topic: None)  # type: ignore[arg-type]
    creator.ensure(set(topics))
    return admin.created


def test_without_rules_topics_have_one_partition() -> None:
    assert created({}, "a", "there") == {"a": NewTopic("a", 1, -1, {"cleanup.policy": "delete"})}


def test_the_first_group_that_matches_decides() -> None:
    options = {
        **DEFAULT,
        "topic.creation.groups": "logs, tables",
        "topic.creation.logs.include": r"log\..*, .*_log",
        "topic.creation.logs.exclude": r"log\.secret.*",
        "topic.creation.logs.partitions": "8",
        "topic.creation.logs.cleanup.policy": "compact",
        "topic.creation.tables.include": "t.*,log.*",
        "topic.creation.tables.replication.factor": "3",
        "topic.creation.default.retention.ms": "5",
        "topic.creation.default.include": "nothing",
    }
    found = created(options, "log.a", "b_log", "log.secret1", "t1", "xlog.a", "other")
    shown = {
        name: (topic.partitions, topic.replication_factor, topic.config) for name, topic in found.items()
    }
    assert shown == {
        "log.a": (8, -1, {"cleanup.policy": "compact"}),
        "b_log": (8, -1, {"cleanup.policy": "compact"}),
        "log.secret1": (2, 3, {}),
        "t1": (2, 3, {}),
        "xlog.a": (2, -1, {"retention.ms": "5"}),
        "other": (2, -1, {"retention.ms": "5"}),
    }


def test_the_brokers_default_is_the_brokers_choice() -> None:
    options = {"topic.creation.default.partitions": "-1", "topic.creation.default.replication.factor": "-1"}
    assert (created(options, "a")["a"].partitions, created(options, "a")["a"].replication_factor) == (-1, -1)


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"topic.creation.default.partitions": "1"}, "topic.creation.default.replication.factor", "Missing required"),
        ({**DEFAULT, "topic.creation.groups": "g"}, "topic.creation.g.include", "Missing required"),
        ({**DEFAULT, "topic.creation.default.partitions": "0"}, "topic.creation.default.partitions",
         "Number of partitions must be positive, or -1 to use the broker's default"),
        ({**DEFAULT, "topic.creation.default.replication.factor": "x"}, "topic.creation.default.replication.factor",
         "Replication factor must be positive and not larger than the number of brokers"),
        ({**DEFAULT, "topic.creation.groups": "g", "topic.creation.g.include": "("}, "topic.creation.g.include",
         "Invalid value"),
    ],
)  # fmt: skip
def test_wrong_rules(options: dict[str, str], option: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        rules(options)
    assert error.value.option == option


def test_a_worker_may_leave_topics_to_the_broker() -> None:
    own = script("src")
    with running(None, **{"topic.creation.enable": "false"}) as service:
        service.herder.put_connector_config("src", source(**DEFAULT))
        own.wait(lambda: own.starts)
        assert "t" not in service.broker.admin().topics()


# --- client options ---

JAVA = "org.apache.kafka.connect.connector.policy.{}ConnectorClientConfigOverridePolicy"


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("All", {"acks", "sasl.mechanism", "linger.ms"}),
        ("None", set()),
        ("Principal", {"sasl.mechanism"}),
        ("Allowlist", {"linger.ms"}),
    ],
)
def test_policies_by_both_names(name: str, allowed: set[str]) -> None:
    for spelled in (name, JAVA.format(name)):
        policy = OverridePolicy(spelled, frozenset({"linger.ms"}))
        assert {o for o in ("acks", "sasl.mechanism", "linger.ms") if policy.allows(o)} == allowed


def test_an_unknown_policy_stops_the_worker() -> None:
    with pytest.raises(ConfigError, match="must be one of All, None, Principal, Allowlist"):
        WorkerConfig({"connector.client.config.override.policy": "com.x.Mine"})


def test_the_allowlist_of_a_worker() -> None:
    worker = WorkerConfig(
        {
            "connector.client.config.override.policy": "Allowlist",
            "connector.client.config.override.allowlist": "linger.ms, acks",
        }
    )
    assert policy_of(worker.values).allows("acks")
    assert overrides(worker.values, {"producer.override.acks": "1"}, "producer") == {"acks": "1"}
    with pytest.raises(ConnectError, match="'Allowlist' policy does not allow"):
        overrides(worker.values, {"producer.override.client.id": "1"}, "producer")


def test_more_tasks_than_allowed_are_an_error_unless_they_are_tolerated() -> None:
    script("src")
    with running() as service:
        service.herder.put_connector_config("src", source(tasks="3"))
        status = service.herder.connector_status("src").connector
        assert status.state == "FAILED"
        assert (
            "The connector src has generated 3 tasks, which is greater than 1, the maximum number of tasks it is"
            " configured to create." in str(status.trace)
        )
        service.herder.put_connector_config("src", source(tasks="3") | {"tasks.max.enforce": "false"})
        eventually(lambda: len(service.herder.task_infos("src")) == 3)
        eventually(lambda: task_state(service, "src", 2) == "RUNNING")


@pytest.mark.parametrize(("initial", "tasks"), [("RUNNING", 1), ("PAUSED", 0), ("STOPPED", 0)])
def test_initial_states(initial: str, tasks: int) -> None:
    script("src")
    with running() as service:
        service.herder.put_connector_config("src", source(), initial_state=initial)
        eventually(lambda: service.herder.connector_status("src").connector.state == initial)
        assert len(service.herder.task_infos("src")) == tasks
        service.herder.resume_connector("src")
        eventually(lambda: task_state(service, "src") == "RUNNING")
