"""Figures of a task: windows, histogram, Connect's attributes, end-to-end times."""

from __future__ import annotations

import math
from typing import Any

import pytest

from replicator.api.record import SinkRecord
from replicator.api.schema import STRING, struct_schema
from replicator.api.struct import Struct
from replicator.metrics import names_connect
from replicator.runtime.measures import measures
from replicator.runtime.plugin_info import plugin_info
from replicator.runtime.sink_records import commit_time
from replicator.runtime.startups import Startups
from replicator.runtime.stats import TaskStats
from replicator.runtime.windows import Histogram, Window
from replicator.testing.clock import ManualClock
from replicator.testing.fakes import FakeSinkTask
from tests.unit.runtime.service_fixture import eventually, running, script, sink, source, write


def test_a_window_forgets() -> None:
    clock = ManualClock()
    window = Window(clock.now)
    assert math.isnan(window.average)
    for value in (1.0, 5.0):
        window.record(value)
    clock.advance(29)
    assert (window.average, window.least, window.greatest, window.count) == (3.0, 1.0, 5.0, 2)
    clock.advance(10)
    window.record(6.0)
    assert (window.average, window.greatest) == (4.0, 6.0)
    clock.advance(30)
    assert (window.count, window.average) == (1, 6.0)
    clock.advance(100)
    assert window.count == 0
    assert window.rate == 0.0


def test_rates_are_over_the_time_that_passed() -> None:
    clock = ManualClock()
    window = Window(clock.now)
    for _ in range(10):
        clock.advance(1)
        window.record(3)
    assert window.rate == pytest.approx(3.0)
    assert window.rate_of_count == pytest.approx(1.0)
    clock.advance(35)
    assert window.rate == pytest.approx(30 / 45)


def test_histogram() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.record(value)
    shown = histogram.to_json()
    assert shown["buckets"] == [[0.1, 2], [1.0, 3]]
    assert shown["count"] == 4
    assert shown["sum"] == pytest.approx(7.65)


def test_every_attribute_of_connect_is_measured() -> None:
    stats = TaskStats(ManualClock())
    stats.transaction(5)
    shown = measures(stats)
    groups = {
        "source": names_connect.SOURCE,
        "sink": names_connect.SINK,
        "task": names_connect.TASK,
        "errors": names_connect.ERRORS,
    }
    for kind, group in groups.items():
        assert set(shown[kind]) == set(group.by_stat()), kind


def test_batches_commits_and_states() -> None:
    clock = ManualClock()
    stats = TaskStats(clock)
    stats.entered("RUNNING")
    stats.received(10, 0.2)
    assert measures(stats)["source"]["source_record_active_count"] == 10
    stats.sent(8)
    stats.committed(0.05)
    stats.committed(0.15, done=False)
    clock.advance(6)
    stats.entered("PAUSED")
    clock.advance(2)
    shown = measures(stats)
    assert shown["source"]["source_record_poll_total"] == 10
    assert shown["source"]["source_record_write_total"] == 8
    assert shown["source"]["poll_batch_avg_time_ms"] == pytest.approx(200)
    assert shown["source"]["source_record_active_count"] == 0
    assert shown["task"]["offset_commit_max_time_ms"] == pytest.approx(150)
    assert shown["task"]["offset_commit_success_percentage"] == 0.5
    assert shown["task"]["running_ratio"] == pytest.approx(0.75)
    assert shown["task"]["pause_ratio"] == pytest.approx(0.25)


def test_times_from_commit_to_commit() -> None:
    clock = ManualClock()
    stats = TaskStats(clock)
    stats.reached(None)
    assert stats.end_to_end_ms is None
    now = clock.wall_ms()
    stats.visible([now - 900, now - 40])
    assert stats.end_to_end_ms == 40
    shown = measures(stats)
    assert shown["end_to_end_max_ms"] == 900
    assert shown["end_to_end_times"]["count"] == 1
    stats.reached(None)
    assert stats.snapshot()["end_to_end_ms"] == 0


SOURCE = struct_schema([("ts_ms", STRING), ("snapshot", STRING)])
ENVELOPE = struct_schema([("source", SOURCE)])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"source": {"ts_ms": 7, "snapshot": "false"}}, 7),
        (Struct(ENVELOPE, {"source": {"ts_ms": 7, "snapshot": None}}), 7),
        (Struct(ENVELOPE, {"source": Struct(SOURCE, {"ts_ms": 7, "snapshot": "false"})}), 7),
        ({"source": {"ts_ms": 7, "snapshot": "last"}}, None),
        ({"source": {"ts_ms": 0}}, None),
        ({"source": "text"}, None),
        ({"id": 1}, None),
        ("text", None),
        (None, None),
    ],
)
def test_when_a_change_was_committed(value: Any, expected: int | None) -> None:
    assert commit_time(value) == expected


def test_startups() -> None:
    found = Startups()
    assert found.measures()["task_startup_success_percentage"] == 0.0
    for succeeded in (True, True, False, True):
        found.count("task", succeeded=succeeded)
    shown = found.measures()
    assert shown["task_startup_attempts_total"] == 4
    assert shown["task_startup_failure_percentage"] == 0.25
    assert set(shown) | {"connector_count", "task_count"} == set(names_connect.WORKER.by_stat())


def test_a_running_service_measures() -> None:
    own = script("snk")
    script("src")
    with running() as service:
        config = {"transforms": "u", "transforms.u.type": "Filter"}
        config |= {"transforms.u.predicate": "p", "predicates": "p"}
        config |= {"predicates.p.type": "RecordIsTombstone", "value.converter": "JsonConverter"}
        service.herder.put_connector_config("snk", sink(**config))
        service.herder.put_connector_config("src", source())
        write(service, '{"schema":null,"payload":{"source":{"ts_ms":1000,"snapshot":"false"}}}')
        own.wait(lambda: own.puts)
        found = eventually(lambda: [p for p in service.herder.progress("snk") if p.stats["commits"]])[0]
        shown = found.measures
        assert shown["sink"]["sink_record_send_total"] == 1
        assert shown["sink"]["partition_count"] == 1
        assert eventually(
            lambda: service.herder.progress("snk")[0].measures["sink"]["sink_record_active_count"] == 0
        )
        assert shown["end_to_end_times"]["count"] == 1
        info = shown["info"]
        assert info["task"]["value_converter_class"] == "org.apache.kafka.connect.json.JsonConverter"
        assert info["task"]["connector_type"] == "sink"
        assert [t["transform_class"] for t in info["transforms"]] == [
            "org.apache.kafka.connect.transforms.Filter"
        ]
        assert info["predicates"][0]["predicate"] == "p"
        assert isinstance(own.puts[0][0], SinkRecord)
        assert service.herder.progress("src")[0].measures["task"]["running_ratio"] > 0
        unknown = plugin_info(service.registry, {"connector.class": "No"}, {}, Struct)
        assert (unknown["task"]["connector_class"], unknown["task"]["connector_type"]) == ("No", "unknown")


def test_a_task_that_runs_ahead_is_visible_with_the_next_put(monkeypatch: pytest.MonkeyPatch) -> None:
    own = script("snk")
    monkeypatch.setattr(FakeSinkTask, "is_ahead", True)
    seen: list[int] = []

    def on_put(task: Any, records: Any) -> None:
        if records:
            times = task_stats().measures["end_to_end_times"]
            seen.append(0 if times is None else times["count"])

    with running() as service:
        own.on_put = on_put
        config = sink(**{"value.converter": "JsonConverter", "value.converter.schemas.enable": "false"})
        service.herder.put_connector_config("snk", config)

        def task_stats() -> Any:
            return service.herder.progress("snk")[0]

        own.wait(lambda: own.instances)
        for number in range(3):
            write(service, f'{{"source":{{"ts_ms":{1000 + number}}}}}')
            own.wait(lambda count=number: len(own.puts) > count)  # type: ignore[misc]
        # An empty put follows when nothing comes: then all is visible.
        monkeypatch.setattr(FakeSinkTask, "is_ahead", False)
        eventually(lambda: task_stats().measures["end_to_end_times"]["count"] == 3)
    assert seen[0] == 0
