"""The kafka-python admin client, for requests that confluent-kafka cannot make (C28), or not safely. Any thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from replicator.api.errors import BrokerError, ConfigError, IllegalStateError, NotFoundError, RetriableError
from replicator.api.record import TopicPartition
from replicator.broker.kafka.client_tls import checks_names, client_context
from replicator.broker.kafka.retrying import retried
from replicator.broker.kafka.security import librdkafka_security

_NAMES: Final = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
}

# Whoever asks is made to ask again; the defaults are half a minute each.
_TIMEOUTS: Final = {"bootstrap_timeout_ms": 5000, "request_timeout_ms": 10_000}


class Member(NamedTuple):
    """A member of a group: its static id, if it has one, and what it reads."""

    instance_id: str | None
    partitions: frozenset[TopicPartition]


class Described(NamedTuple):
    """A group that exists: its state in the broker's words, and its members."""

    state: str
    members: list[Member]


@retried
def describe_group(java: Mapping[str, str], group: str) -> Described | None:
    """A group as its coordinator knows it; None when it does not.

    librdkafka ends the process when the connection to a coordinator breaks at the wrong moment of this request (its
    issue 4605), and it is made every few seconds.
    """
    try:
        with _client(java, f"to describe the group {group}") as client:
            found: Any = client.describe_groups([group])[group]
    except NotFoundError:
        return None
    state = str(found["group_state"])
    if state == "Dead":
        return None
    if found["error"]:
        raise RetriableError(f"Kafka: failed to describe the group {group}: {found['error']}.")
    return Described(state, [Member(m["group_instance_id"] or None, _assigned(m)) for m in found["members"]])


def _assigned(member: Mapping[str, Any]) -> frozenset[TopicPartition]:
    assignment = member["member_assignment"]
    entries = assignment.get("assigned_partitions", ()) if isinstance(assignment, dict) else ()
    return frozenset(TopicPartition(e["topic"], number) for e in entries for number in e["partitions"])


@retried
def delete_group_offsets(java: Mapping[str, str], group: str, partitions: Sequence[TopicPartition]) -> None:
    """Remove committed positions of a group.

    Raises:
        IllegalStateError: the group has members subscribed to these topics.
    """
    # Imported here: it costs a tenth of a second that nobody else should pay.
    from kafka import TopicPartition as Partition
    from kafka.errors import GroupSubscribedToTopicError

    wanted = [Partition(*tp) for tp in partitions]
    try:
        with _client(java, f"to remove positions of the group {group}") as client:
            answers: Any = client.delete_group_offsets(group, wanted)
    except NotFoundError:
        return
    for partition, outcome in (answers or {}).items():
        if issubclass(outcome, GroupSubscribedToTopicError):
            raise IllegalStateError(f"The group {group} has members; stop them first.")
        if outcome.errno:
            raise BrokerError(f"Kafka: failed to remove the position of {group} in {partition}: {outcome}.")


@retried
def remove_static_members(java: Mapping[str, str], group: str, instance_ids: Sequence[str]) -> None:
    """Let static members leave their group; those that are gone already are fine."""
    from kafka.admin import MemberToRemove

    wanted = [MemberToRemove(group_instance_id=instance_id) for instance_id in instance_ids]
    try:
        with _client(java, f"to remove members of the group {group}") as client:
            client.remove_group_members(group, wanted)
    except NotFoundError:
        return


@contextmanager
def _client(java: Mapping[str, str], doing: str) -> Iterator[Any]:
    """A client for one request; its errors leave as ours."""
    from kafka.admin import KafkaAdminClient
    from kafka.errors import GroupIdNotFoundError, KafkaError, NonEmptyGroupError

    try:
        client = KafkaAdminClient(**settings(java), **_TIMEOUTS)
        try:
            yield client
        finally:
            client.close()
    except GroupIdNotFoundError as error:
        raise NotFoundError(f"Kafka: failed {doing}: {error}.") from error
    except NonEmptyGroupError as error:
        raise IllegalStateError(f"Kafka: failed {doing}: the group has members; stop them first.") from error
    except KafkaError as error:
        kind = RetriableError if error.retriable else BrokerError
        raise kind(f"Kafka: failed {doing}: {error}.") from error


def settings(java: Mapping[str, str]) -> dict[str, Any]:
    """kafka-python's options for Java's addresses and security.

    Raises:
        ConfigError: something cannot be had with this client.
    """
    security = librdkafka_security(java)
    found: dict[str, Any] = {"bootstrap_servers": java.get("bootstrap.servers", "").split(",")}
    found |= {theirs: security[name] for name, theirs in _NAMES.items() if name in security}
    if security.get("sasl.oauthbearer.method") or security.get("sasl.mechanism") == "GSSAPI":
        raise ConfigError(
            "This request cannot be made with sasl.mechanism OAUTHBEARER or GSSAPI.", option="sasl.mechanism"
        )
    if security.get("security.protocol", "").upper() in ("SSL", "SASL_SSL"):
        found["ssl_context"] = client_context(security)
        found["ssl_check_hostname"] = checks_names(security)
    return found
