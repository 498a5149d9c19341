"""The transforms of a connector, each behind its predicate, applied in order (task thread)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from replicator.api.record import ConnectRecord
from replicator.plugins.factory import Step


class Broken(NamedTuple):
    """Where `Chain.apply` stopped with an error: what was done before is not to be done again.

    Attributes:
        step: index of the step that failed.
        record: what it was given.
        error: its error; None: it was not tried yet.
    """

    step: int
    record: ConnectRecord
    error: Exception | None


class Chain:
    """One record in, one or none out.

    Attributes:
        steps: (transform, predicate or None, negate) in order; empty means nothing to do.
        broken: how the last `apply` failed, until somebody takes it.
    """

    def __init__(self, steps: Sequence[Step] = ()) -> None:
        self.steps = list(steps)
        self.broken: Broken | None = None
        self._calls = [(t.apply, None if p is None else p.test, negate) for t, p, negate in self.steps]

    def __bool__(self) -> bool:
        return bool(self.steps)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        """The transformed record, or None when a transform dropped it."""
        call: Any = None
        try:
            for call in self._calls:
                apply, test, negate = call
                if test is not None and test(record) is negate:
                    continue
                transformed = apply(record)
                if transformed is None:
                    return None
                record = transformed
        except Exception as error:
            self.broken = Broken(self._calls.index(call), record, error)
            raise
        return record

    def take_broken(self) -> Broken | None:
        """How the last `apply` failed, told once."""
        broken, self.broken = self.broken, None
        return broken

    def close(self) -> None:
        """Release the transforms and predicates."""
        for transform, predicate, _ in self.steps:
            transform.close()
            if predicate is not None:
                predicate.close()


def apply_step(step: Step, record: ConnectRecord) -> ConnectRecord | None:
    """One transform, unless its predicate says no."""
    transform, predicate, negate = step
    if predicate is not None and predicate.test(record) is negate:
        return record
    return transform.apply(record)
