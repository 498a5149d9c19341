"""Requests made again while the cluster says that it is busy: leaders and coordinators move. Any thread."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from replicator.api.errors import RetriableError

_P = ParamSpec("_P")
_T = TypeVar("_T")

_SECONDS: Final = 20.0
_PAUSE: Final = 0.1


def retried(call: Callable[_P, _T]) -> Callable[_P, _T]:
    """The same function, called again for up to 20 seconds after a RetriableError."""

    @functools.wraps(call)
    def again(*args: _P.args, **named: _P.kwargs) -> _T:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                return call(*args, **named)
            except RetriableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)

    return again
