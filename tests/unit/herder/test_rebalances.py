"""Counting and timing of rebalances."""

from __future__ import annotations

import math

from replicator.herder.rebalances import Rebalances


def test_rebalances() -> None:
    now = [100.0]
    found = Rebalances(lambda: now[0])
    before = found.measures()
    assert (before["completed_rebalances_total"], before["rebalancing"]) == (0, False)
    assert math.isinf(before["time_since_last_rebalance_ms"])
    found.begin()
    now[0] += 1
    found.begin()
    assert found.measures()["rebalancing"] is True
    now[0] += 1
    found.end()
    found.begin()
    now[0] += 1
    found.end()
    now[0] += 5
    after = found.measures()
    assert after["completed_rebalances_total"] == 2
    assert (after["rebalance_max_time_ms"], after["rebalance_avg_time_ms"]) == (2000.0, 1500.0)
    assert after["time_since_last_rebalance_ms"] == 5000.0
    assert after["rebalancing"] is False
