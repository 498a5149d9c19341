"""Topics and adjusted names."""

from __future__ import annotations

import pytest

from connectors.cdc.naming import FIELD_ADJUSTMENTS, SCHEMA_ADJUSTMENTS, TopicNaming, topic_name
from replicator.api import ConfigError


@pytest.mark.parametrize(
    ("name", "plain", "unicode"),
    [
        ("srv.public.t", "srv.public.t", "srv.public.t"),
        ("srv.public.my table", "srv.public.my_table", "srv.public.my_u0020table"),
        ("srv.public.tä_b", "srv.public.t__b", "srv.public.t_u00e4_u005fb"),
        ("a.😀", "a._", "a._ud83d_ude00"),
        (".", "_", "_"),
        ("..", "__", "__"),
        ("x" * 300, "x" * 249, "x" * 249),
    ],
)
def test_topic_names(name: str, plain: str, unicode: str) -> None:
    assert topic_name(name) == plain
    assert topic_name(name, unicode=True) == unicode


def test_topics_of_a_source() -> None:
    naming = TopicNaming("srv")
    assert naming.table("public", "t") == "srv.public.t"
    assert (naming.transaction, naming.heartbeat, naming.message) == (
        "srv.transaction",
        "__debezium-heartbeat.srv",
        "srv.message",
    )
    other = TopicNaming("srv", delimiter="-", heartbeat_name="beat", transaction="tx")
    assert (other.table("s", "t"), other.heartbeat, other.transaction) == ("srv-s-t", "beat", "srv-tx")


def test_two_tables_never_share_a_topic() -> None:
    naming = TopicNaming("srv")
    assert naming.table("public", "a b") == naming.table("public", "a b") == "srv.public.a_b"
    with pytest.raises(
        ConfigError, match=r"public\.a b and public\.a_b would share the topic srv\.public\.a_b"
    ):
        naming.table("public", "a_b")
    escaped = TopicNaming("srv", unicode=True)
    assert escaped.table("public", "a b") != escaped.table("public", "a_b")


@pytest.mark.parametrize(
    ("mode", "name", "field", "schema"),
    [
        ("none", "1-a.b", "1-a.b", "1-a.b"),
        ("avro", "1-a.b", "_1_a_b", "_1_a.b"),
        ("avro_unicode", "é_a", "_u00e9_u005fa", "_u00e9_u005fa"),
        ("avro_unicode", "1a", "_u0031a", "_u0031a"),
    ],
)
def test_adjustment_modes(mode: str, name: str, field: str, schema: str) -> None:
    assert FIELD_ADJUSTMENTS[mode](name) == field
    assert SCHEMA_ADJUSTMENTS[mode](name) == schema
