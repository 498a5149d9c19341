"""Requests about groups do not wait for a coordinator while Kafka is away: librdkafka would end the process then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from replicator.api.errors import RetriableError
from replicator.broker.kafka import retrying
from replicator.broker.kafka.groups import GroupAdmin


class Away:
    """A client whose cluster does not answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def list_topics(self, topic: str, timeout: float) -> None:
        self.asked.append("list_topics")
        raise KafkaException(KafkaError(KafkaError._TRANSPORT, "away"))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def request(*_: Any, **__: Any) -> None:
            self.asked.append(name)
            raise AssertionError(name)

        return request


@pytest.mark.parametrize(
    "request_of",
    [
        lambda admin: admin.group_offsets("g"),
        lambda admin: admin.delete_group("g"),
        lambda admin: admin.group_members("g"),
    ],
)
def test_nothing_waits_for_a_coordinator(
    request_of: Callable[[GroupAdmin], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "_SECONDS", 0.0)
    monkeypatch.setattr(retrying, "_PAUSE", 0.0)
    away: Any = Away()
    with pytest.raises(RetriableError, match="to reach the cluster"):
        # Groups are described by another client, but where it cannot log in.
        java = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI"}
        request_of(GroupAdmin(lambda: away, lambda _: None, java))
    assert set(away.asked) == {"list_topics"}
