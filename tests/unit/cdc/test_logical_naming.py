"""Topics that several tables share."""

from __future__ import annotations

import pytest

from connectors.cdc.logical_naming import LogicalTopicNaming
from replicator.api import ConfigError

OPTIONS = {
    "topic.regex": r"(.*)\.shard_\d\.(.*)",
    "topic.replacement": "$1.all.$2",
    "topic.key.enforce.uniqueness": True,
    "topic.key.field.name": "table",
    "topic.key.field.regex": None,
    "topic.key.field.replacement": None,
}


def test_tables_share_a_topic_and_keys_tell_them_apart() -> None:
    names = LogicalTopicNaming("srv", OPTIONS)
    assert names.table("shard_1", "t") == names.table("shard_2", "t") == "srv.all.t"
    assert names.table("other", "t u") == "srv.other.t_u"
    assert names.identifier("shard_1", "t") == ("table", "srv.shard_1.t")
    assert names.message == "srv.message"


def test_what_goes_into_the_key() -> None:
    rule = {"topic.key.field.regex": r".*\.shard_(\d)\..*", "topic.key.field.replacement": "$1"}
    names = LogicalTopicNaming("srv", {**OPTIONS, **rule})
    assert names.identifier("shard_2", "t") == ("table", "2")
    assert names.identifier("other", "t") == ("table", "srv.other.t")
    assert (
        LogicalTopicNaming("srv", {**OPTIONS, "topic.key.enforce.uniqueness": False}).identifier("a", "b")
        is None
    )


@pytest.mark.parametrize("missing", ["topic.regex", "topic.replacement"])
def test_both_expressions_are_needed(missing: str) -> None:
    with pytest.raises(ConfigError):
        LogicalTopicNaming("srv", {**OPTIONS, missing: None})
