"""Exactly-once sources (KIP-618): records and their offsets in one transaction of the broker (task thread).

A transaction ends after each polled batch, at an interval, or where the connector says. Its offsets are written at
its end, so that those of aborted records are stored with the next one: they are skipped, not read again. A
transaction that the broker aborted ends the run: the task begins again from the stored offsets (INV-8, INV-10).

The broker answers a commit before its marks are in the partitions. One that is killed in between may never write
them: the offsets stay invisible, or go with an abort that comes later. Therefore the source hears of offsets only when
a later transaction was committed (INV-2): it cannot begin before the marks of the one before are written. While nothing
comes, that later transaction stores the same offsets again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from replicator.api.errors import ConnectError, DataError, DiskFullError, RetriableError
from replicator.api.failpoints import failpoint
from replicator.api.record import SourceRecord
from replicator.broker.base import Producer
from replicator.broker.message import NewMessage
from replicator.runtime.clock import Clock
from replicator.runtime.durability import partition_key
from replicator.runtime.inflight import PartitionOffset
from replicator.storage.base import OffsetStore

log = logging.getLogger(__name__)

POLL: Final = "poll"
INTERVAL: Final = "interval"
CONNECTOR: Final = "connector"

_CONFIRM_SECONDS: Final = 1.0
_COMMIT: Final = "commit"
_ABORT: Final = "abort"


class TransactionRequests:
    """What the task asked for; implements `TransactionContext`. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batch: str | None = None
        # The records themselves are kept, so that an identity is not given to another one meanwhile.
        self._records: dict[int, tuple[SourceRecord, str]] = {}

    def commit_transaction(self, record: SourceRecord | None = None) -> None:
        """Commit after the record, or after the batch."""
        self._ask(record, _COMMIT)

    def abort_transaction(self, record: SourceRecord | None = None) -> None:
        """Abort after the record, or after the batch."""
        self._ask(record, _ABORT)

    def _ask(self, record: SourceRecord | None, what: str) -> None:
        with self._lock:
            if record is None:
                self._batch = what
            else:
                self._records[id(record)] = (record, what)

    def take_record(self, record: SourceRecord) -> str | None:
        """What to do after this record."""
        if not self._records:
            return None
        with self._lock:
            found = self._records.pop(id(record), None)
        return None if found is None else found[1]

    def take_batch(self) -> str | None:
        """What to do after the present batch."""
        with self._lock:
            taken, self._batch = self._batch, None
            self._records.clear()
            return taken


class TransactionalCommit:
    """Strategy of the source loop; see `Commits`."""

    def __init__(
        self,
        connector: str,
        producer: Producer,
        store: OffsetStore,
        clock: Clock,
        *,
        boundary: str,
        interval: float,
        requests: TransactionRequests | None = None,
    ) -> None:
        """A transaction may be open for `interval` seconds where the boundary is the interval."""
        self._connector = connector
        self._producer = producer
        self._store = store
        self._clock = clock
        self._boundary = boundary
        self._interval = interval
        self._requests = requests
        self._open = False
        self._failed = False
        self._offsets: dict[str, PartitionOffset] = {}
        self._unconfirmed: dict[str, PartitionOffset] = {}
        self._durable: dict[str, PartitionOffset] = {}
        self._confirm_at = 0.0
        self._next_commit = clock.now() + interval

    def start(self) -> None:
        """No thread is needed."""

    def parts(self, records: Sequence[SourceRecord]) -> Iterable[Sequence[SourceRecord]]:
        """The batch, cut where the task wants a transaction to end."""
        requests = self._requests
        if requests is None:
            yield records
            self._after_batch()
            return
        begin = 0
        for index, record in enumerate(records, 1):
            wanted = requests.take_record(record)
            if wanted is not None:
                yield records[begin:index]
                begin = index
                self._end(wanted)
        if begin < len(records):
            yield records[begin:]
        self._end(requests.take_batch())

    def append(self, messages: list[NewMessage], offsets: Sequence[PartitionOffset]) -> None:
        """Append to the open transaction, opening one if there is none."""
        if messages:
            try:
                self.begin()
                self._producer.append(messages)
            except (RetriableError, DataError, DiskFullError):
                raise  # nothing was appended
            except ConnectError:
                self._failed = True
                raise
        for partition, offset in offsets:
            self._offsets[partition_key(partition)] = (partition, offset)

    def pause(self) -> None:
        """Finish what was begun, unless only the task may say when."""
        if self._requests is None:
            self._commit()

    def take_durable(self) -> list[PartitionOffset]:
        """Offsets of transactions committed since the last call; ends one that has been open for long enough."""
        if not self._failed:
            if self._boundary == INTERVAL and self._clock.now() >= self._next_commit:
                self._commit()
            if self._unconfirmed and not self._open and self._clock.now() >= self._confirm_at:
                self._confirm()
        taken, self._durable = self._durable, {}
        return list(taken.values())

    def close(self, timeout: float) -> list[PartitionOffset]:
        """Commit a last time, unless the task failed or has not said that its transaction is whole."""
        if not self._failed:
            if self._requests is None:
                self._commit()
            else:
                self._end(self._requests.take_batch())
            if self._unconfirmed and not self._open:
                self._confirm()
        return self.take_durable()

    def _after_batch(self) -> None:
        if self._boundary == POLL or self._clock.now() >= self._next_commit:
            self._commit()

    def _end(self, wanted: str | None) -> None:
        if wanted == _COMMIT:
            self._commit()
        elif wanted == _ABORT:
            self._abort()

    def begin(self) -> None:
        """Open a transaction if none is open."""
        if not self._open:
            self._producer.begin_transaction()
            self._open = True

    def _commit(self) -> None:
        """Write the offsets, commit; nothing happens without records and without offsets."""
        self._next_commit = self._clock.now() + self._interval
        if not self._open and not self._offsets:
            return
        offsets = self._offsets
        self._write(offsets)
        self._durable |= self._unconfirmed
        self._unconfirmed, self._offsets = offsets, {}
        self._confirm_at = self._clock.now() + _CONFIRM_SECONDS
        self._store.observe(self._connector, list(offsets.values()))

    def _confirm(self) -> None:
        """See that the last transaction is whole: the next one commits its offsets again."""
        self._write(self._unconfirmed)
        self._durable |= self._unconfirmed
        self._unconfirmed = {}

    def _write(self, offsets: Mapping[str, PartitionOffset]) -> None:
        """End a transaction with these offsets."""
        try:
            self.begin()
            if offsets:
                self._producer.append(self._store.messages(self._connector, list(offsets.values())))
            failpoint("before_transaction_commit")
            self._producer.commit_transaction()
            failpoint("after_transaction_commit")
        except ConnectError:
            self._failed = True
            raise
        self._open = False

    def _abort(self) -> None:
        if not self._open:
            log.warning("%s: there is no transaction to abort, as it is empty.", self._connector)
            return
        log.info("%s: aborting a transaction as the connector asked for.", self._connector)
        self._open = False
        try:
            self._producer.abort_transaction()
        except ConnectError:
            self._failed = True
            raise


class TransactionLetters:
    """A source's dead letters, written in the transaction of the records around them (a Producer)."""

    atomic = False

    def __init__(self, commits: TransactionalCommit, producer: Producer) -> None:
        self._commits = commits
        self._producer = producer

    def append(
        self, batch: Sequence[NewMessage], on_done: Callable[[Exception | None], None] | None = None
    ) -> None:
        """Append, opening a transaction if none is open."""
        self._commits.begin()
        self._producer.append(batch, on_done)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)
