"""The rest of a chain after an error: step by step, with retries, reports and tolerance (task thread)."""

from __future__ import annotations

from functools import partial
from typing import Any

from replicator.runtime.chain import Broken, Chain, apply_step
from replicator.runtime.tolerance import FAILED, ErrorHandler, Stage


def finish(chain: Chain, broken: Broken, errors: ErrorHandler, original: Any) -> Any:
    """The transformed record, None when it was dropped, FAILED when it is to be skipped.

    The failed attempt counts as the first one, as if there were no fast path.

    Raises:
        ConnectError: errors.tolerance is none.
    """
    record: Any = broken.record
    error = broken.error
    for step in chain.steps[broken.step :]:
        record = errors.call(
            Stage.TRANSFORMATION, type(step[0]), partial(apply_step, step, record), original, failed=error
        )
        if record is None or record is FAILED:
            return record
        error = None
    return record
