"""Settings of the Python interpreter for a process that moves records."""

from __future__ import annotations

import ctypes
import gc
import sys

SWITCH_INTERVAL = 0.001
"""Seconds a busy thread keeps the interpreter. A change passes three threads on its way; the default of 5 ms is
most of the 99th percentile of latency, and longer turns gain nothing measurable in throughput."""

_YOUNG = 500_000
"""Objects until the youngest generation is collected. Records are trees that reference counting
frees; with the default of 700 every batch in flight would be traversed again and again."""


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT = 64 << 20
_MMAPPED = 32 << 20


def _keep_memory() -> None:
    """Stop glibc from giving the blocks of each batch back and asking for them again."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library: its own way is kept
    mallopt(_M_TRIM_THRESHOLD, _KEPT)
    mallopt(_M_MMAP_THRESHOLD, _MMAPPED)
    mallopt(_M_ARENA_MAX, 2)


def settle() -> None:
    """Apply the settings; called when a service starts, after its imports."""
    _keep_memory()
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(_YOUNG, 50, 100)
    gc.freeze()
