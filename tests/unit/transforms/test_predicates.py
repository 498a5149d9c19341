"""Connect's predicates."""

from __future__ import annotations

import pytest

from replicator.api.errors import ConfigError
from replicator.api.record import Header, SinkRecord
from replicator.transforms.predicates import HasHeaderKey, RecordIsTombstone, TopicNameMatches


def record(topic: str = "db.public.t", value: object = "v", *headers: str) -> SinkRecord:
    listed = [Header(h, None, None) for h in headers] or None
    return SinkRecord(topic, 0, None, None, None, value, 0, headers=listed)


def test_tombstones() -> None:
    assert RecordIsTombstone().test(record(value=None))
    assert not RecordIsTombstone().test(record(value=""))


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("db\\..*", "db.public.t", True),
        ("public", "db.public.t", False),
        ("db", "dbx", False),
        ("a|b", "b", True),
    ],
)
def test_the_whole_topic_name_must_match(pattern: str, topic: str, expected: bool) -> None:
    subject = TopicNameMatches()
    subject.configure({"pattern": pattern})
    assert subject.test(record(topic)) is expected


def test_a_record_without_topic_matches_nothing() -> None:
    subject = TopicNameMatches()
    subject.configure({"pattern": ".*"})
    assert not subject.test(record().evolve(topic=None))


def test_headers() -> None:
    subject = HasHeaderKey()
    subject.configure({"name": "a"})
    assert subject.test(record("t", "v", "b", "a"))
    assert not subject.test(record("t", "v", "b"))
    assert not subject.test(record())


@pytest.mark.parametrize(
    ("cls", "config"),
    [
        (TopicNameMatches, {}),
        (TopicNameMatches, {"pattern": "("}),
        (HasHeaderKey, {}),
        (HasHeaderKey, {"name": ""}),
    ],
)
def test_wrong_options(cls: type[HasHeaderKey | TopicNameMatches], config: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        cls().configure(config)
