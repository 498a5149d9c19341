"""What the config topic says between two turns."""

from __future__ import annotations

from replicator.herder.config_changes import Changes, ConfigChanges
from replicator.storage.base import RestartRequest, SessionKey


def test_everything_is_taken_once_and_wakes_the_thread() -> None:
    woken: list[bool] = []
    changes = ConfigChanges(lambda: woken.append(True))
    changes.known = frozenset({"old"})
    changes.connector_updated("old")
    changes.tasks_updated("old")
    changes.target_state_changed("old")
    assert changes.pending
    assert changes.take() == Changes(connectors={"old"}, tasks={"old"}, targets={"old"})
    assert changes.take() == Changes()
    assert not changes.pending
    assert len(woken) == 3
    changes.session_key_updated(SessionKey("", "HmacSHA256", 0))
    assert len(woken) == 4


def test_connectors_that_come_and_go_need_a_round() -> None:
    changes = ConfigChanges(lambda: None)
    changes.known = frozenset({"old"})
    changes.connector_updated("new")
    assert changes.take().assign
    changes.target_state_changed("old")
    changes.connector_removed("old")
    assert changes.take() == Changes(assign=True)


def test_the_widest_restart_counts() -> None:
    changes = ConfigChanges(lambda: None)
    asked = [
        RestartRequest("c", only_failed=True, include_tasks=True),
        RestartRequest("c", only_failed=False, include_tasks=True),
        RestartRequest("c", only_failed=False, include_tasks=False),
        RestartRequest("d", only_failed=True, include_tasks=False),
    ]
    for request in asked:
        changes.restart_requested(request)
    assert changes.take().restarts == {"c": asked[1], "d": asked[3]}


def test_levels_of_loggers_are_handed_on_at_once() -> None:
    set_levels: list[tuple[str, str]] = []
    changes = ConfigChanges(lambda: None)
    changes.on_logger_level = lambda namespace, level: set_levels.append((namespace, level))
    changes.logger_level_changed("a.b", "DEBUG")
    assert set_levels == [("a.b", "DEBUG")]
    assert not changes.pending
