"""Topics of a Kafka cluster, and its groups (see groups). Any thread; every call waits for the cluster's answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic as KafkaTopic

from replicator.api.errors import ConfigError, NotFoundError, RetriableError
from replicator.api.record import TopicPartition
from replicator.broker.admin import NewTopic, TopicDescription
from replicator.broker.kafka.client_log import client_log
from replicator.broker.kafka.errors import AUTHORIZATION, kafka_error, translate, translated
from replicator.broker.kafka.groups import GroupAdmin
from replicator.broker.kafka.options import made
from replicator.broker.kafka.producer import unreachable
from replicator.broker.kafka.refusals import refusal
from replicator.broker.kafka.retrying import retried

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_SECONDS: Final = 30.0
_TRY_SECONDS: Final = 3.0
_FIRST_TRY_SECONDS: Final = 1.0
_VISIBLE_SECONDS: Final = 10.0
_SPEC: Final[Any] = OffsetSpec
_EXISTS: Final = KafkaError.TOPIC_ALREADY_EXISTS


class KafkaAdmin(GroupAdmin):
    """The shared admin client. Connects on first use."""

    def __init__(
        self, options: Mapping[str, Any], fence: Callable[[str], None], java: Mapping[str, str]
    ) -> None:
        """Nothing happens yet.

        Args:
            options: librdkafka's.
            fence: makes and ends a transactional producer of an id.
            java: the same options under Java's names, for what another client must do.
        """
        super().__init__(fence, java)
        self._options = options
        self._made: AdminClient | None = None
        self._making = threading.Lock()
        self._last_error: KafkaError | None = None
        self._cluster = ""
        self._let_in = False

    def _connected(self) -> AdminClient:
        with self._making:
            if self._made is None:
                more = {"error_cb": self._client_error, "logger": client_log}
                self._made = made(AdminClient, {**self._options, **more})
            return self._made

    def _client_error(self, error: KafkaError) -> None:
        self._last_error = error

    def cluster_id(self) -> str:
        """Identity of the cluster."""
        if not self._cluster:
            self._cluster = self._metadata().cluster_id or ""
        return self._cluster

    def _metadata(self, topic: str | None = None) -> Any:
        client = self._connected()
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                with translated("to look up topics"):
                    found = client.list_topics(
                        topic, timeout=_TRY_SECONDS if self._let_in else _FIRST_TRY_SECONDS
                    )
            except RetriableError as error:
                client.poll(0)  # serves the error callback, which knows why
                reason = self._refusal() or unreachable(error, self._last_error)
                if time.monotonic() > deadline or not isinstance(reason, RetriableError):
                    raise reason from error
            else:
                self._let_in = True
                return found

    def _refusal(self) -> ConfigError | None:
        """Why a client that was never let in is not; looked at twice, as a broker that stops hangs up as well."""
        if self._let_in:
            return None
        if refusal(self._java, self._options) is None:
            return None
        time.sleep(_FIRST_TRY_SECONDS)
        return refusal(self._java, self._options)

    # -- topics

    def create_topics(self, topics: Sequence[NewTopic]) -> None:
        """Create those that do not exist; waits until all of them can be used.

        A principal that may not create topics is taken to have them created by somebody else, as in Connect.
        """
        if not topics:
            return
        wanted = [
            KafkaTopic(t.name, t.partitions, t.replication_factor, config=dict(t.config)) for t in topics
        ]
        made_now: list[str] = []
        others: list[str] = []
        for name, future in self._connected().create_topics(wanted, operation_timeout=_SECONDS).items():
            doing = f"to create the topic {name}"
            try:
                future.result(_SECONDS + 5)
                made_now.append(name)
            except KafkaException as error:
                reason = kafka_error(error)
                if reason.code() in AUTHORIZATION:
                    log.warning("Not authorized to create the topic %s; it is taken to exist.", name)
                elif reason.code() != _EXISTS:
                    raise translate(reason, doing) from error
                else:
                    # Perhaps made a moment ago by another worker: the brokers may not all know it yet.
                    others.append(name)
            except TimeoutError as error:
                raise RetriableError(f"Kafka: no answer in time {doing}.") from error
        self._wait_visible(made_now, others)

    def _wait_visible(self, made_now: Sequence[str], others: Sequence[str]) -> None:
        """Wait until new topics have leaders, and others are known; their leaders may be away for long."""
        deadline = time.monotonic() + _VISIBLE_SECONDS
        left = {*made_now, *others}
        while left and time.monotonic() < deadline:
            known = self._metadata().topics
            seen = {n for n in left if n in known and known[n].partitions}
            left -= {n for n in seen if n in others or _led(known[n])}
            if left:
                time.sleep(0.02)

    def topic_names(self) -> set[str]:
        """Names of all topics."""
        return set(self._metadata().topics)

    def topics(self) -> dict[str, TopicDescription]:
        """All topics; their configurations are asked for when they are looked at."""
        found = self._metadata().topics
        return {
            name: TopicDescription(name, len(found[name].partitions), _TopicConfig(name, self._config))
            for name in sorted(found)
            if found[name].error is None
        }

    @retried
    def _config(self, topic: str) -> dict[str, str]:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        doing, right = f"to read the settings of the topic {topic}", f"DESCRIBE_CONFIGS on the topic {topic}"
        entries = _results(self._connected().describe_configs([resource]), doing, right)
        return {
            name: entry.value or "" for name, entry in entries[resource].items() if entry.value is not None
        }

    @retried
    def delete_topic(self, name: str) -> None:
        """Delete a topic; missing is fine."""
        try:
            _results(
                self._connected().delete_topics([name], operation_timeout=_SECONDS),
                f"to delete the topic {name}",
                f"DELETE on the topic {name}",
            )
        except NotFoundError:
            return

    # -- offsets

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset one past the last message, also of transactions that are not decided yet.

        Who reads up to here has seen everything that was committed before; a transaction left open by a crash
        makes him wait for its end instead of missing what was committed behind it.

        Raises:
            NotFoundError: one of them does not exist.
        """
        return self._offsets(partitions, _SPEC.latest(), IsolationLevel.READ_UNCOMMITTED)

    def next_committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset from which on a reader of committed data misses nothing that is not visible yet."""
        return self._offsets(partitions, _SPEC.latest(), IsolationLevel.READ_COMMITTED)

    def begin_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset of the first message still kept.

        Raises:
            NotFoundError: one of them does not exist.
        """
        return self._offsets(partitions, _SPEC.earliest(), IsolationLevel.READ_COMMITTED)

    @retried
    def _offsets(
        self, partitions: Iterable[TopicPartition], spec: OffsetSpec, isolation: IsolationLevel
    ) -> dict[TopicPartition, int]:
        wanted = {KafkaPartition(*tp): spec for tp in partitions}
        if not wanted:
            return {}
        asked = self._connected().list_offsets(wanted, isolation_level=isolation, request_timeout=_SECONDS)
        try:
            answers = _results(asked, "to look up offsets")
        except RetriableError:
            # After a restart of a broker the client's idea of the leaders is out of date, and stays so by itself.
            self._metadata()
            raise
        except NotFoundError as error:
            # While leaders are elected they are not found either; the topics are.
            known = self._metadata().topics
            if any(tp.topic not in known or tp.partition not in known[tp.topic].partitions for tp in wanted):
                raise
            raise RetriableError(error.message) from error
        return {TopicPartition(p.topic, p.partition): answer.offset for p, answer in answers.items()}

    @retried
    def log_identity(self, topic: str) -> str:
        """Cluster and topic id: a topic made anew has another (C9)."""
        try:
            described = _results(
                self._connected().describe_topics(TopicCollection([topic]), request_timeout=_SECONDS),
                f"to describe the topic {topic}",
            )
        except NotFoundError:
            return self.cluster_id()
        return f"{self.cluster_id()}.{described[topic].topic_id}"


class _TopicConfig(Mapping[str, str]):
    """Configuration of a topic, asked for once, when it is first looked at."""

    def __init__(self, topic: str, ask: Callable[[str], dict[str, str]]) -> None:
        self._topic = topic
        self._ask = ask
        self._held: dict[str, str] | None = None

    def _entries(self) -> dict[str, str]:
        if self._held is None:
            self._held = self._ask(self._topic)
        return self._held

    def __getitem__(self, name: str) -> str:
        return self._entries()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())


def _led(topic: Any) -> bool:
    return all(p.leader >= 0 for p in topic.partitions.values())


def _results(futures: Mapping[Any, Future[_T]], doing: str, right: str = "") -> dict[Any, _T]:
    """The answers to a request, or the first error among them."""
    found: dict[Any, _T] = {}
    for key, future in futures.items():
        with translated(doing, right):
            found[key] = future.result(_SECONDS + 5)
    return found
