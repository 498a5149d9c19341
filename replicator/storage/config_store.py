"""Configurations and wanted states in Connect's config topic (1 compacted partition). Any thread.

Records and their order are Connect's own (D4), so a Java worker can read what was written here. The listener is
called on the store's thread, after the startup read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from replicator.api.errors import ConnectError, FencedError
from replicator.broker.admin import Admin
from replicator.broker.base import Broker, Producer
from replicator.broker.message import Message
from replicator.broker.topic_log import TopicLog
from replicator.storage import config_log
from replicator.storage.base import ConfigListener, ConfigState, RestartRequest, SessionKey
from replicator.storage.formats import dumps
from replicator.storage.internal_topics import check_compacted, check_single, compacted
from replicator.storage.states import TargetState

_WRITE_SECONDS: Final = 30.0

_Record = tuple[str, bytes | None]


class TopicConfigStore:
    """See the module."""

    def __init__(
        self,
        broker: Broker,
        topic: str,
        *,
        replication_factor: int = 3,
        settings: Mapping[str, str] | None = None,
        writable: bool = True,
    ) -> None:
        self._lock = threading.Lock()
        self._broker = broker
        self._claimed: Producer | None = None
        self._state = config_log.ConfigLog(ConfigListener())
        new = compacted(topic, 1, replication_factor, settings)
        self._log = TopicLog(broker, new, self._record, client_id="configs", writable=writable)

    def listen(self, listener: ConfigListener) -> None:
        """Whom to tell about changes; set before `start`."""
        self._state.listener = listener

    def start(self) -> None:
        """Open the topic, read it, and follow it.

        Raises:
            ConfigError: the topic is not compacted, or has several partitions.
        """
        self._log.start(self._check)
        self._state.live = True

    def _check(self, admin: Admin) -> None:
        check_compacted(admin, self._log.name, "config.storage.topic", "connector configurations")
        check_single(admin, self._log.name, "config.storage.topic")

    def stop(self) -> None:
        """Stop following."""
        self.release()
        self._log.stop()

    @property
    def claimed(self) -> bool:
        """Whether what only the leader may write is written as the owner of a transactional id."""
        return self._claimed is not None

    def claim(self, transactional_id: str) -> None:
        """Write as the only owner of this id from now on: a former leader's late writes fail (INV-10).

        Raises:
            RetriableError: the cluster cannot be reached.
        """
        self.release()
        self._claimed = self._broker.producer("configs-leader", transactional_id=transactional_id)

    def release(self) -> None:
        """Write as anybody again."""
        claimed, self._claimed = self._claimed, None
        if claimed is not None:
            claimed.close()

    def refresh(self, timeout: float = _WRITE_SECONDS) -> None:
        """Read everything that was written until now."""
        self._log.read_to_end(timeout)

    def state(self) -> ConfigState:
        """Everything configured."""
        with self._lock:
            return self._state.state()

    def put_connector(
        self, connector: str, config: Mapping[str, str], target: TargetState | None = None
    ) -> None:
        """Create or change a connector; a wanted state goes before it."""
        records: list[_Record] = []
        if target is not None:
            records.append(_target_record(connector, target))
        records.append((f"{config_log.CONNECTOR}{connector}", dumps({"properties": dict(config)})))
        self._write(records)

    def remove_connector(self, connector: str) -> None:
        """Delete a connector; its task and commit records stay behind and mean nothing."""
        self._write([(f"{config_log.CONNECTOR}{connector}", None), (f"{config_log.TARGET}{connector}", None)])

    def put_tasks(self, connector: str, configs: Sequence[Mapping[str, str]]) -> None:
        """Replace the task configurations of a connector."""
        deadline = time.monotonic() + _WRITE_SECONDS
        self.refresh()
        if configs:
            self._write(
                [
                    (f"{config_log.TASK}{connector}-{number}", dumps({"properties": dict(config)}))
                    for number, config in enumerate(configs)
                ],
                deadline,
            )
        self._write([(f"{config_log.COMMIT}{connector}", dumps({"tasks": len(configs)}))], deadline)

    def put_target(self, connector: str, target: TargetState) -> None:
        """Set the wanted state."""
        self._write([_target_record(connector, target)], leads=False)

    def put_fencing(self, connector: str, tasks: int) -> None:
        """The producers of that many tasks were fenced."""
        self._write([(f"{config_log.FENCING}{connector}", dumps({"task-count": tasks}))])

    def put_session_key(self, key: SessionKey) -> None:
        """Publish a key for requests between workers."""
        value = {"key": key.key, "algorithm": key.algorithm, "creation-timestamp": key.created}
        self._write([(config_log.SESSION, dumps(value))])

    def put_restart(self, request: RestartRequest) -> None:
        """Ask the workers for a restart."""
        value = {"include-tasks": request.include_tasks, "only-failed": request.only_failed}
        self._write([(f"{config_log.RESTART}{request.connector}", dumps(value))])

    def put_logger_level(self, namespace: str, level: str) -> None:
        """Set a logger's level on all workers."""
        self._write([(f"{config_log.LOGGER}{namespace}", dumps({"level": level}))], leads=False)

    def _write(
        self, records: Sequence[_Record], deadline: float | None = None, *, leads: bool = True
    ) -> None:
        until = time.monotonic() + _WRITE_SECONDS if deadline is None else deadline
        encoded = [(key.encode(), value) for key, value in records]
        claimed = self._claimed if leads else None
        if claimed is None:
            self._log.append(encoded, max(0.1, until - time.monotonic()))
        else:
            self._append_claimed(claimed, encoded)
        self._log.read_to_end(max(0.1, until - time.monotonic()))

    def _append_claimed(self, claimed: Producer, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        try:
            self._log.append_whole(claimed, records)
        except FencedError as error:
            self.release()
            raise ConnectError("Failed to write to config topic; lost write privileges to it.") from error

    def _record(self, message: Message) -> None:
        with self._lock:
            self._state.apply((message.key or b"").decode("utf-8", "replace"), message.value, message.offset)


def _target_record(connector: str, target: TargetState) -> _Record:
    # Older workers know no STOPPED: for them it is PAUSED.
    known = TargetState.PAUSED if target is TargetState.STOPPED else target
    return f"{config_log.TARGET}{connector}", dumps({"state": known.value, "state.v2": target.value})
