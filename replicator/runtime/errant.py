"""`context.reporter` of sink tasks (KIP-610), and what its reports hold back (task thread)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from replicator.api.errors import ConnectError
from replicator.api.record import SinkRecord
from replicator.broker.message import Message
from replicator.runtime.dead_letters import DeadLetterQueue, Durable
from replicator.runtime.tolerance import ErrorHandler, Failure, Stage


class RecordReporter:
    """Takes single bad records of the task.

    Attributes:
        failure: set when a report under tolerance none must fail the task, even if the task swallowed it.
    """

    def __init__(
        self,
        errors: ErrorHandler,
        original: Callable[[SinkRecord], Message],
        task_class: Callable[[], type],
        queue: DeadLetterQueue | None = None,
    ) -> None:
        self._errors = errors
        self._original = original
        self._task_class = task_class
        self._queue = queue
        self.failure: ConnectError | None = None

    def report(self, record: SinkRecord, error: BaseException) -> Future[None]:
        """Report one record; the future's result comes when the report survives power loss."""
        failed = Failure(
            stage=Stage.TASK_PUT,
            executing=self._task_class(),
            error=error,
            attempts=1,
            original=self._original(record),
        )
        self._errors.counts.failures += 1
        try:
            self._errors.fail(failed)
        except ConnectError as tolerance_exceeded:
            self.failure = tolerance_exceeded
            raise
        if self._queue is not None:
            return Durable(self._queue)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def settled(self) -> bool:
        """Whether everything reported so far survives power loss; offsets must not pass it before (INV-6)."""
        return self._queue is None or self._queue.sync()
