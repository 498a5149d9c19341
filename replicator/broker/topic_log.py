"""A compacted topic as a map: read to the end at start, then followed; the stores are made of it.

Works over any broker. With `follow` a thread of its own delivers records as they arrive; without, records are
delivered by `read_to_end` on the calling thread. Callbacks run one at a time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from replicator.api.errors import BrokerError, ConnectError, IllegalStateError, RetriableError
from replicator.api.record import TopicPartition
from replicator.broker.admin import Admin, NewTopic
from replicator.broker.base import Broker, Consumer, Producer
from replicator.broker.message import Message, NewMessage

_log = logging.getLogger(__name__)

_POLL_MESSAGES: Final = 2000
_POLL_SECONDS: Final = 1.0
# While somebody waits for the end: reaching it past a transaction's marker returns no message that would end a poll.
_END_POLL_SECONDS: Final = 0.05
_FIRST_BACKOFF: Final = 0.1
_LAST_BACKOFF: Final = 10.0
_VISIBLE_SECONDS: Final = 30.0
# Longer than a read ever takes, and short enough that whoever waits for a read still gets an answer.
_STUCK_SECONDS: Final = 10.0
# As Connect's own: appended one request after the other, and never refused for what a broker has lost meanwhile.
_PRODUCER: Final = {"enable.idempotence": "false", "max.in.flight.requests.per.connection": "1"}


class _Waiter:
    """Somebody who waits until the follower has reached these offsets."""

    __slots__ = ("ends", "reached")

    def __init__(self, ends: Mapping[TopicPartition, int]) -> None:
        self.ends = ends
        self.reached = threading.Event()


class TopicLog:
    """See the module. Methods may be called from any thread, except from the callback."""

    def __init__(
        self,
        broker: Broker,
        topic: NewTopic,
        on_record: Callable[[Message], None],
        *,
        client_id: str,
        follow: bool = True,
        writable: bool = True,
    ) -> None:
        """Prepare; nothing is opened before `start`.

        Args:
            broker: where the topic lives.
            topic: created when it does not exist and `writable`.
            on_record: called with every record, tombstones too.
            client_id: name of the producer and consumer.
            follow: whether a thread delivers records as they arrive.
            writable: False for looking at a log that another process owns.
        """
        self._broker = broker
        self._topic = topic
        self._on_record = on_record
        self._client_id = client_id
        self._follow = follow
        self._writable = writable
        self._consumer: Consumer | None = None
        self._producer: Producer | None = None
        self._producing = threading.Lock()
        self._reading = threading.Lock()
        self._waiters: list[_Waiter] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: ConnectError | None = None
        self._partitions: list[TopicPartition] = []

    @property
    def name(self) -> str:
        """Name of the topic."""
        return self._topic.name

    def start(self, check: Callable[[Admin], None] | None = None) -> None:
        """Open the topic and deliver everything in it; `check` may refuse the topic before it is read.

        After an error nothing is open, and it may be called again.

        Raises:
            RetriableError: the topic cannot be seen or read yet.
        """
        try:
            self._open(check)
        except BaseException:
            self._release()
            raise

    def _open(self, check: Callable[[Admin], None] | None) -> None:
        admin = self._broker.admin()
        if self._writable:
            admin.create_topics([self._topic])
        self._partitions = self._find_partitions(admin)
        if self._writable:
            if check is not None:
                check(admin)
            self._producer = self._broker.producer(f"{self._client_id}-producer", options=_PRODUCER)
        self._consumer = self._broker.consumer(f"{self._client_id}-consumer", start="earliest")
        self._consumer.assign(self._partitions)
        # Nobody waits here for a transaction that a lost worker left open: its successor ends it, and may start here.
        visible = admin.next_committed(self._partitions) if self._partitions else {}
        self._read_until(self._consumer, visible, time.monotonic() + 3600)
        if self._follow:
            self._thread = threading.Thread(target=self._run, name=f"{self._client_id}-log", daemon=True)
            self._thread.start()

    def _find_partitions(self, admin: Admin) -> list[TopicPartition]:
        """The topic's partitions; a log that saw none of them would read nothing for ever.

        A topic made a moment ago, by another worker perhaps, is not known to every broker yet.
        """
        deadline = time.monotonic() + _VISIBLE_SECONDS
        while (found := admin.topics().get(self.name)) is None or not found.partitions:
            if not self._writable:
                return []
            if self._stop.wait(_FIRST_BACKOFF) or time.monotonic() > deadline:
                raise RetriableError(
                    f"Could not look up the partitions of {self.name} in time. It may be missing, or not available, or"
                    " still on its way after it was created."
                )
        return [TopicPartition(self.name, n) for n in range(found.partitions)]

    def stop(self) -> None:
        """Stop following and release the clients."""
        self._stop.set()
        if self._consumer is not None:
            self._consumer.wakeup()
        if self._thread is not None:
            self._thread.join()
        self._release()

    def _release(self) -> None:
        with self._producing, self._reading:
            producer, self._producer = self._producer, None
            consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()
        if producer is not None:
            producer.close()

    def append(self, records: Sequence[tuple[bytes, bytes | None]], timeout: float = 30.0) -> None:
        """Append records in order and wait until the broker has them.

        Raises:
            RetriableError: not acknowledged in time, or the broker asks to try again.
        """
        done = threading.Event()
        errors: list[Exception] = []

        def on_done(error: Exception | None) -> None:
            if error is not None:
                errors.append(error)
            done.set()

        with self._producing:
            if self._producer is None:
                raise IllegalStateError(f"The log of {self.name} is not open for writing.")
            self._producer.append([NewMessage(self.name, key, value) for key, value in records], on_done)
        if not done.wait(timeout):
            raise RetriableError(f"Records for {self.name} were not acknowledged within {timeout:g} s.")
        if errors:
            raise errors[0]

    def append_whole(self, producer: Producer, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Append records in one transaction of a producer of the caller's, who closes it.

        Raises:
            FencedError: another producer of its id has taken over.
            RetriableError: nothing was appended; the transaction was aborted.
        """
        with self._producing:
            producer.begin_transaction()
            try:
                producer.append([NewMessage(self.name, key, value) for key, value in records])
            except BaseException:
                producer.abort_transaction()
                raise
            producer.commit_transaction()

    def read_to_end(self, timeout: float = 30.0) -> None:
        """Wait until everything that is in the topic now was delivered.

        Raises:
            RetriableError: not within `timeout`.
        """
        ends = self._ends()
        thread, consumer = self._thread, self._consumer
        if consumer is None:
            raise IllegalStateError(f"The log of {self.name} is not open.")
        if thread is None:
            with self._reading:
                self._read_now(ends, timeout)
            return
        waiter = _Waiter(ends)
        self._waiters.append(waiter)
        consumer.wakeup()
        reached = thread.is_alive() and waiter.reached.wait(timeout)
        if self._failure is not None:
            raise self._failure
        if not reached:
            raise RetriableError(f"Could not read {self.name} to its end within {timeout:g} s.")

    def _read_now(self, ends: Mapping[TopicPartition, int], timeout: float) -> None:
        """Read on the calling thread; a consumer that does not come on after the loss of a broker is replaced."""
        consumer = self._consumer
        if consumer is None:
            raise IllegalStateError(f"The log of {self.name} is not open.")
        deadline = time.monotonic() + timeout
        try:
            self._read_until(consumer, ends, min(deadline, time.monotonic() + _STUCK_SECONDS))
            return
        except RetriableError as error:
            _log.warning("%s A new consumer reads it from its beginning.", error)
        self._consumer = fresh = self._broker.consumer(f"{self._client_id}-consumer", start="earliest")
        fresh.assign(self._partitions)
        consumer.close()
        self._read_until(fresh, ends, deadline)

    def _ends(self) -> dict[TopicPartition, int]:
        return self._broker.admin().end_offsets(self._partitions) if self._partitions else {}

    def _read_until(self, consumer: Consumer, ends: Mapping[TopicPartition, int], deadline: float) -> None:
        missing = {tp: end for tp, end in ends.items() if consumer.position(tp) < end}
        while missing:
            left = deadline - time.monotonic()
            if left <= 0:
                left_out = ", ".join(
                    f"{tp.partition} at {consumer.position(tp)} of {missing[tp]}" for tp in missing
                )
                raise RetriableError(f"Could not read {self.name} to its end in time: partition {left_out}.")
            self._deliver(consumer.poll(_POLL_MESSAGES, min(left, _END_POLL_SECONDS)))
            missing = {tp: end for tp, end in missing.items() if consumer.position(tp) < end}

    def _deliver(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._on_record(message)

    def _run(self) -> None:
        backoff = _FIRST_BACKOFF
        while not self._stop.is_set():
            try:
                self._step()
                backoff = _FIRST_BACKOFF
            except RetriableError as error:
                _log.warning("Reading %s failed and is tried again: %s", self.name, error)
                self._stop.wait(backoff)
                backoff = min(2 * backoff, _LAST_BACKOFF)
            except Exception as error:  # noqa: BLE001 - handed to whoever reads or writes next
                _log.exception("Following %s ended", self.name)
                self._failure = error if isinstance(error, ConnectError) else _failure_of(self.name, error)
                break
        for waiter in self._waiters:
            waiter.reached.set()

    def _step(self) -> None:
        consumer = self._consumer
        if consumer is None:
            return
        self._deliver(consumer.poll(_POLL_MESSAGES, _END_POLL_SECONDS if self._waiters else _POLL_SECONDS))
        for waiter in list(self._waiters):
            if all(consumer.position(tp) >= end for tp, end in waiter.ends.items()):
                self._waiters.remove(waiter)
                waiter.reached.set()


def _failure_of(topic: str, error: Exception) -> ConnectError:
    failure = BrokerError(f"Following {topic} ended: {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure
