"""Kafka's errors as ours: the one table of codes, those of the protocol and confluent-kafka's own.

`translated(doing)` wraps a block; `translate(error, doing)` serves errors that arrive in callbacks;
`translate_python(error, doing)` those of kafka-python, whose codes are the protocol's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from replicator.api.errors import (
    BrokerError,
    ConfigError,
    ConnectError,
    FencedError,
    IllegalStateError,
    NotFoundError,
    RetriableError,
)

_K = KafkaError
_FENCED: Final = {
    _K._FENCED, _K.PRODUCER_FENCED, _K.INVALID_PRODUCER_EPOCH,
    _K.TRANSACTION_COORDINATOR_FENCED, _K.FENCED_MEMBER_EPOCH,
}  # fmt: skip
_RETRIABLE: Final = {
    _K._TRANSPORT, _K._ALL_BROKERS_DOWN, _K._TIMED_OUT, _K._TIMED_OUT_QUEUE, _K._MSG_TIMED_OUT, _K._QUEUE_FULL,
    _K._RESOLVE, _K._WAIT_COORD, _K._WAIT_CACHE, _K._IN_PROGRESS, _K._PREV_IN_PROGRESS, _K._ISR_INSUFF,
    _K._OUTDATED, _K._RETRY, _K._NODE_UPDATE, _K._ASSIGNMENT_LOST, _K._DESTROY_BROKER, _K._INTR,
    # A static member that was away for longer than its session is told so even if nobody took its place.
    _K._MAX_POLL_EXCEEDED, _K._UNKNOWN_BROKER, _K.FENCED_INSTANCE_ID,
    _K.REQUEST_TIMED_OUT, _K.LEADER_NOT_AVAILABLE, _K.NOT_LEADER_FOR_PARTITION, _K.BROKER_NOT_AVAILABLE,
    _K.REPLICA_NOT_AVAILABLE, _K.NETWORK_EXCEPTION, _K.COORDINATOR_LOAD_IN_PROGRESS,
    _K.COORDINATOR_NOT_AVAILABLE, _K.NOT_COORDINATOR, _K.NOT_CONTROLLER, _K.NOT_ENOUGH_REPLICAS,
    _K.NOT_ENOUGH_REPLICAS_AFTER_APPEND, _K.CONCURRENT_TRANSACTIONS, _K.REBALANCE_IN_PROGRESS,
    _K.ILLEGAL_GENERATION, _K.UNKNOWN_MEMBER_ID, _K.KAFKA_STORAGE_ERROR, _K.UNSTABLE_OFFSET_COMMIT,
    _K.OFFSET_NOT_AVAILABLE, _K.FENCED_LEADER_EPOCH, _K.UNKNOWN_LEADER_EPOCH, _K.THROTTLING_QUOTA_EXCEEDED,
    _K.PREFERRED_LEADER_NOT_AVAILABLE, _K.ELIGIBLE_LEADERS_NOT_AVAILABLE, _K.STALE_BROKER_EPOCH,
    _K.TRANSACTION_ABORTABLE, _K.INVALID_MSG, _K.LISTENER_NOT_FOUND, _K.STALE_MEMBER_EPOCH,
    _K.UNKNOWN_TOPIC_ID, _K.INCONSISTENT_TOPIC_ID, _K.REBOOTSTRAP_REQUIRED, _K.UNKNOWN_PRODUCER_ID,
}  # fmt: skip
_MISSING: Final = {
    _K.UNKNOWN_TOPIC_OR_PART, _K._UNKNOWN_TOPIC, _K._UNKNOWN_PARTITION, _K.GROUP_ID_NOT_FOUND,
    _K._UNKNOWN_GROUP, _K._NOENT, _K.RESOURCE_NOT_FOUND,
}  # fmt: skip
_ILLEGAL: Final = {
    _K.NON_EMPTY_GROUP,
    _K.GROUP_SUBSCRIBED_TO_TOPIC,
    _K._STATE,
    _K._CONFLICT,
    _K.INVALID_TXN_STATE,
}
_WRONG_OPTION: Final = {
    _K._INVALID_ARG, _K._NOT_CONFIGURED, _K._UNSUPPORTED_FEATURE, _K.UNSUPPORTED_COMPRESSION_TYPE,
    _K.INVALID_REPLICATION_FACTOR, _K.INVALID_PARTITIONS, _K.INVALID_CONFIG, _K.INVALID_SESSION_TIMEOUT,
    _K.INVALID_GROUP_ID, _K.INVALID_TRANSACTION_TIMEOUT, _K.INCONSISTENT_GROUP_PROTOCOL, _K.TOPIC_EXCEPTION,
    _K.POLICY_VIOLATION, _K.INVALID_REPLICA_ASSIGNMENT, _K.UNSUPPORTED_VERSION,
}  # fmt: skip
LOGIN: Final = {
    _K._AUTHENTICATION, _K._SSL, _K.SASL_AUTHENTICATION_FAILED, _K.UNSUPPORTED_SASL_MECHANISM,
    _K.ILLEGAL_SASL_STATE,
}  # fmt: skip
"""The client was not let in: trying again changes nothing unless somebody changes an option or an account."""

AUTHORIZATION: Final = {
    _K.TOPIC_AUTHORIZATION_FAILED, _K.GROUP_AUTHORIZATION_FAILED, _K.CLUSTER_AUTHORIZATION_FAILED,
    _K.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, _K.DELEGATION_TOKEN_AUTHORIZATION_FAILED,
}  # fmt: skip

_RIGHTS: Final = {
    _K.TOPIC_AUTHORIZATION_FAILED: "the rights it needs on the topic: READ, WRITE, CREATE or DESCRIBE_CONFIGS",
    _K.GROUP_AUTHORIZATION_FAILED: "READ on the group",
    _K.CLUSTER_AUTHORIZATION_FAILED: "the right it needs on the cluster: CREATE, DESCRIBE or IDEMPOTENT_WRITE",
    _K.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "WRITE and DESCRIBE on the transactional id",
}

_Make = Callable[[str], ConnectError]


def _not_let_in(text: str) -> ConnectError:
    if "mechanism handshake failed" in text or "UNSUPPORTED_SASL_MECHANISM" in text:
        return ConfigError(text, option="sasl.mechanism")
    if "_SSL)" not in text:
        return ConfigError(
            text, option="sasl.jaas.config", hint="Check the account in sasl.jaas.config, and sasl.mechanism."
        )
    return ConfigError(
        text,
        option="ssl.truststore.location",
        hint="Check security.protocol and the ssl. options: the issuers that are trusted, the host name.",
    )


_TABLE: Final[tuple[tuple[set[int], _Make], ...]] = (
    (_FENCED, FencedError),
    (LOGIN, _not_let_in),
    (_MISSING, NotFoundError),
    (_ILLEGAL, IllegalStateError),
    (_WRONG_OPTION, ConfigError),
    (_RETRIABLE, RetriableError),
)
_HINTS: Final = {
    _K.MSG_SIZE_TOO_LARGE: "Raise message.max.bytes of the broker, max.message.bytes of the topic and"
    " producer.max.request.size.",
    _K.RECORD_LIST_TOO_LARGE: "Lower producer.batch.size or raise the broker's limits.",
    _K._GAPLESS_GUARANTEE: "A record was refused for good; the log above says why.",
}


def translate(error: KafkaError, doing: str, right: str = "") -> ConnectError:
    """Our error for one of Kafka's.

    Args:
        error: Kafka's.
        doing: completes "Kafka: failed ...", as in "to create the topic x".
        right: what the account must be granted for it, as in "WRITE on the topic x".
    """
    told = error.str().replace("ssl.ca.location", "ssl.truststore.location")
    return _made(error.code(), f"{told} ({error.name()})", error.retriable(), doing, right)


def translate_python(error: Exception, doing: str, right: str = "") -> ConnectError:
    """The same for an error of kafka-python: an exception, with or without a code of the protocol."""
    # Its texts begin with the code, in brackets, and the name of the class.
    told = str(error).rpartition(f"{type(error).__name__}: ")[2] or type(error).__name__
    code = getattr(error, "errno", None)
    name = KafkaError(code).name() if code is not None else type(error).__name__
    return _made(code, f"{told} ({name})", bool(getattr(error, "retriable", False)), doing, right)


def _made(code: int | None, told: str, retriable: bool, doing: str, right: str) -> ConnectError:
    text = f"Kafka: failed {doing}: {told}."
    if code in AUTHORIZATION:
        wanted = right or _RIGHTS.get(code, "what it lacks")
        return BrokerError(text, hint=f"Grant the service's principal {wanted}.")
    for codes, make in _TABLE:
        if code in codes:
            return make(text)
    if retriable:
        return RetriableError(text)
    return BrokerError(text, hint=None if code is None else _HINTS.get(code))


@contextmanager
def translated(doing: str, right: str = "") -> Iterator[None]:
    """Run a block; Kafka's exceptions inside leave as ours. See `translate`."""
    try:
        yield
    except KafkaException as error:
        raise translate(kafka_error(error), doing, right) from error
    except TimeoutError as error:
        # A future of the admin client that nobody answered.
        raise RetriableError(f"Kafka: no answer in time {doing}.") from error


def kafka_error(error: KafkaException) -> KafkaError:
    """The error inside an exception."""
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, KafkaError) else KafkaError(KafkaError._FAIL, str(error))
