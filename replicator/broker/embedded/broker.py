"""The embedded broker: opens the log under a data folder and hands out clients over it (D2)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from replicator.api.errors import BrokerError
from replicator.broker.embedded.admin import EmbeddedAdmin
from replicator.broker.embedded.consumer import EmbeddedConsumer
from replicator.broker.embedded.directory import DirectoryLock
from replicator.broker.embedded.groups import Groups
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.maintenance import Maintenance
from replicator.broker.embedded.producer import EmbeddedProducer, TransactionalProducer

MEMORY: Final = ":memory:"
LOG_FILE: Final = "log.db"


class EmbeddedBroker:
    """Topics in one SQLite file, for one process; other processes may open it with `read_only`.

    Options, all of them also options of a topic except the first: `num.partitions`, `retention.ms`,
    `retention.bytes`, `delete.retention.ms`, `delete.consumed`, `consumed.retention.ms`.
    """

    def __init__(
        self,
        data_dir: str | Path,
        *,
        read_only: bool = False,
        options: Mapping[str, str] | None = None,
        maintenance: bool = True,
    ) -> None:
        """Open the log, making it when it does not exist.

        Args:
            data_dir: folder of the log, or ":memory:".
            read_only: look at a log that another process owns.
            options: defaults for topics.
            maintenance: whether the background thread runs (tests call it by hand).

        Raises:
            BrokerError: the folder is in use, or the file is damaged or missing.
        """
        folder = None if str(data_dir) == MEMORY else Path(data_dir)
        path = None if folder is None else folder / LOG_FILE
        if read_only and (path is None or not path.exists()):
            raise BrokerError(f"There is no topic log in {data_dir}.")
        self._lock = None if folder is None or read_only else DirectoryLock(folder)
        try:
            self.log = Log(path, read_only=read_only, defaults=options)
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise
        self.groups = Groups(self.log)
        self._transactional_epochs: dict[str, int] = {}
        self._admin = EmbeddedAdmin(self.log, self.groups, self._transactional_epochs)
        self.maintenance = Maintenance(self.log, self.groups)
        if not read_only:
            self.maintenance.recover()
            if maintenance:
                self.maintenance.start()
        self._closed = False

    def producer(
        self,
        client_id: str,
        *,
        transactional_id: str | None = None,
        superseded: threading.Event | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> EmbeddedProducer:
        """A producer; with `transactional_id` it fences its predecessors."""
        if transactional_id is None:
            return EmbeddedProducer(self.log)
        return TransactionalProducer(self.log, transactional_id, self._transactional_epochs)

    def consumer(
        self,
        client_id: str,
        group: str | None = None,
        *,
        start: str = "earliest",
        instance_id: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> EmbeddedConsumer:
        """A consumer; `start` says where a group without a position begins."""
        return EmbeddedConsumer(self.log, self.groups, group, start)

    def admin(self) -> EmbeddedAdmin:
        """The shared admin client."""
        return self._admin

    def cluster_id(self) -> str:
        """The log's UUID."""
        return self.log.identity

    def close(self) -> None:
        """Stop the background thread, flush and close the file."""
        if self._closed:
            return
        self._closed = True
        self.maintenance.stop()
        self.log.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> EmbeddedBroker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
