"""Requests about groups, with a client that answers as told: outcomes, errors, and that librdkafka makes none."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition as Partition
from kafka import errors
from kafka.structs import OffsetAndMetadata as Position

from replicator.api.errors import BrokerError, ConfigError, ConnectError, IllegalStateError, RetriableError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.kafka import group_requests, retrying
from replicator.broker.kafka.errors import translate_python
from replicator.broker.kafka.groups import GroupAdmin

TP = TopicPartition("t", 0)
AT = Partition("t", 0)


class Client:
    """Answers every request with the same, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def request(*arguments: Any) -> Any:
            self.asked.append((name, arguments))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return request


@pytest.fixture
def admin_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], tuple[GroupAdmin, Client]]:
    monkeypatch.setattr(retrying, "_SECONDS", 0.0)
    monkeypatch.setattr(retrying, "_PAUSE", 0.0)

    def make(answer: Any) -> tuple[GroupAdmin, Client]:
        client = Client(answer)

        @contextmanager
        def requesting(_: Any, doing: str, right: str = "") -> Iterator[Any]:
            try:
                yield client
            except errors.KafkaError as error:
                raise translate_python(error, doing, right) from error

        monkeypatch.setattr(group_requests, "requesting", requesting)
        return GroupAdmin(lambda _: None, {}), client

    return make


def test_positions(admin_of: Callable[[Any], tuple[GroupAdmin, Client]]) -> None:
    admin, _ = admin_of({"g": {AT: Position(5, "x", -1), Partition("t", 1): Position(-1, "", -1)}})
    assert admin.group_offsets("g") == {TP: OffsetAndMetadata(5, "x")}
    admin, _ = admin_of(errors.GroupIdNotFoundError())
    assert admin.group_offsets("g") == {}


def test_changed_positions(admin_of: Callable[[Any], tuple[GroupAdmin, Client]]) -> None:
    admin, client = admin_of({AT: errors.NoError})
    admin.alter_group_offsets("g", {TP: OffsetAndMetadata(5, "x"), TopicPartition("t", 1): None})
    assert client.asked == [
        ("alter_group_offsets", ("g", {AT: Position(5, "x", -1)})),
        ("delete_group_offsets", ("g", [Partition("t", 1)])),
    ]


REFUSED: list[tuple[str, Any, type[ConnectError], str]] = [
    ("set", {AT: errors.UnknownMemberIdError}, IllegalStateError, "has members; stop them first"),
    ("set", {AT: errors.TopicAuthorizationFailedError}, BrokerError, r"\(TOPIC_AUTHORIZATION_FAILED\)"),
    ("set", errors.NotCoordinatorError(), RetriableError, r"\(NOT_COORDINATOR\)"),
    ("remove", {AT: errors.GroupSubscribedToTopicError}, IllegalStateError, "has members"),
    ("remove", errors.NonEmptyGroupError(), IllegalStateError, "has members"),
    ("delete", {"g": "NonEmptyGroupError"}, IllegalStateError, "has members"),
    (
        "delete",
        {"g": "GroupAuthorizationFailedError"},
        BrokerError,
        "Grant the service's principal DELETE on the group g",
    ),
    ("delete", {"g": "CoordinatorNotAvailableError"}, RetriableError, r"\(COORDINATOR_NOT_AVAILABLE\)"),
    (
        "read",
        errors.KafkaConnectionError("away"),
        RetriableError,
        r"to read the positions of the group g: away",
    ),
    (
        "read",
        errors.SaslAuthenticationFailedError("no"),
        ConfigError,
        "Check the account in sasl.jaas.config",
    ),
]
REQUESTS: dict[str, Callable[[GroupAdmin], object]] = {
    "set": lambda admin: admin.alter_group_offsets("g", {TP: OffsetAndMetadata(5, "")}),
    "remove": lambda admin: admin.alter_group_offsets("g", {TP: None}),
    "delete": lambda admin: admin.delete_group("g"),
    "read": lambda admin: admin.group_offsets("g"),
}


@pytest.mark.parametrize(("request_of", "answer", "kind", "said"), REFUSED)
def test_refusals(
    admin_of: Callable[[Any], tuple[GroupAdmin, Client]],
    request_of: str,
    answer: Any,
    kind: type[ConnectError],
    said: str,
) -> None:
    admin, _ = admin_of(answer)
    with pytest.raises(kind, match=said) as caught:
        REQUESTS[request_of](admin)
    assert type(caught.value) is kind


def test_a_group_that_is_gone_is_deleted(admin_of: Callable[[Any], tuple[GroupAdmin, Client]]) -> None:
    admin, client = admin_of({"g": "GroupIdNotFoundError"})
    admin.delete_group("g")
    assert client.asked == [("delete_groups", (["g"],))]


@pytest.mark.parametrize("module", ["groups", "group_requests", "python_client"])
def test_no_request_is_made_with_librdkafka(module: str) -> None:
    """It may end the process when Kafka goes away."""
    source = Path(group_requests.__file__).with_name(f"{module}.py").read_text()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert "confluent_kafka" not in imported
