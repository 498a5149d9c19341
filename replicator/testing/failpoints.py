"""Arms failpoints for a block of a test, or for a child process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from replicator.api.failpoints import VARIABLE, arm


@contextmanager
def armed(text: str) -> Iterator[None]:
    """Arm in this process, disarm at the end."""
    arm(text)
    try:
        yield
    finally:
        arm("")


def environment(base: Mapping[str, str], text: str) -> dict[str, str]:
    """The environment of a child process with these points armed."""
    return {**base, VARIABLE: text}
