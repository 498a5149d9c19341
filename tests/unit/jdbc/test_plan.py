"""What records mean for tables: envelopes, flat records, keys, names, skipped records."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.jdbc.change import (
    APPEND,
    CHANGE_ONE,
    DELETE,
    MOVE,
    PARTIAL,
    REMOVE_ONE,
    ROW,
    TRUNCATE,
    Change,
)
from connectors.jdbc.config import SinkSettings
from connectors.jdbc.dialects.model import TableName
from connectors.jdbc.plan import Planner
from replicator.api import DataError, Header, Schema, SchemaType, SinkRecord, Struct
from replicator.api.schema import (
    BYTES,
    INT64,
    OPTIONAL_BYTES,
    OPTIONAL_INT64,
    OPTIONAL_STRING,
    STRING,
    array_schema,
    struct_schema,
)
from tests.support.jdbc_sink import Feed, flat

UNCHANGED = "__debezium_unavailable_value"


def settings(**changes: Any) -> SinkSettings:
    defaults: dict[str, Any] = {
        "url": "mysql://h/d",
        "properties": {},
        "insert_mode": "upsert",
        "delete_enabled": True,
        "truncate_enabled": True,
        "pk_mode": "record_key",
        "table_naming": "source",
    }
    return SinkSettings(**(defaults | changes))


def plan(record: SinkRecord, **changes: Any) -> Change:
    change = Planner(settings(**changes)).plan(record)
    assert change is not None
    return change


def skipped(record: SinkRecord, **changes: Any) -> dict[str, int]:
    planner = Planner(settings(**changes))
    assert planner.plan(record) is None
    return dict(planner.skipped)


# envelopes


def test_rows_of_envelopes_are_handed_on_as_they_are() -> None:
    feed = Feed()
    for op in "cru":
        record = feed.envelope(op, None, feed.row(id=7, name="x"))
        change = plan(record)
        assert (change.op, change.key, change.plan.keys) == (ROW, (7,), ("id",))
        assert change.row is record.value.fields["after"]
        assert change.plan.table == TableName(None, "users")


def test_an_absent_field_is_null() -> None:
    feed = Feed()
    record = feed.envelope("c", None, {"id": 1})
    assert plan(record).row == {"id": 1, "name": None, "email": None, "age": None}


def test_deletes_and_truncates_and_their_switches() -> None:
    feed = Feed()
    assert (plan(feed.delete(id=3)).op, plan(feed.delete(id=3)).key) == (DELETE, (3,))
    assert plan(feed.truncate()).op == TRUNCATE
    assert skipped(feed.delete(id=3), delete_enabled=False) == {"delete.enabled is false": 1}
    assert skipped(feed.truncate(), truncate_enabled=False) == {"truncate.enabled is false": 1}


@pytest.mark.parametrize("form", ["struct", "dict", "json", "schema and payload"])
def test_a_delete_that_names_the_new_key_is_a_move(form: str) -> None:
    feed = Feed()
    record = feed.delete(id=3)
    new: Any = {"id": 4}
    if form == "struct":
        assert feed.key_schema is not None
        new = Struct(feed.key_schema, new)
    elif form == "json":
        new = json.dumps(new)
    elif form == "schema and payload":
        new = json.dumps({"schema": {}, "payload": new})
    record.headers = [*(record.headers or []), Header("__debezium.newkey", None, new)]
    change = plan(record)
    assert (change.op, change.key, change.other) == (MOVE, (3,), (4,))


def test_a_delete_with_an_unreadable_new_key_stays_a_delete() -> None:
    record = Feed().delete(id=3)
    record.headers = [Header("__debezium.newkey", None, "no json")]
    assert plan(record).op == DELETE


def test_unchanged_values_are_left_out() -> None:
    fields: list[tuple[str, Schema]] = [
        ("id", INT64),
        ("text", OPTIONAL_STRING),
        ("data", OPTIONAL_BYTES),
        ("list", array_schema(STRING, optional=True)),
        ("n", OPTIONAL_INT64),
    ]
    feed = Feed(fields=fields)
    change = plan(feed.update(id=1, text=UNCHANGED, data=UNCHANGED.encode(), list=[UNCHANGED], n=5))
    assert (change.op, change.row) == (PARTIAL, {"id": 1, "n": 5})
    assert plan(feed.update(id=1, text="t", data=b"x", list=["y"])).op == ROW
    assert plan(feed.update(id=1, data=UNCHANGED.encode())).row == {
        "id": 1,
        "text": None,
        "list": None,
        "n": None,
    }


def test_another_placeholder() -> None:
    record = Feed().update(id=1, name="gone", age=1)
    assert plan(record, placeholder="gone").op == PARTIAL
    assert plan(record).op == ROW


def test_tables_without_key() -> None:
    feed = Feed(keys=())
    old, new = feed.row(id=1, name="a"), feed.row(id=1, name="b")
    assert plan(feed.create(id=1)).op == APPEND
    change = plan(feed.envelope("u", old, new | {"email": UNCHANGED}))
    assert (change.op, change.other, change.row) == (CHANGE_ONE, old, {"id": 1, "name": "b", "age": None})
    assert (plan(feed.envelope("d", old, None)).op, plan(feed.envelope("d", old, None)).other) == (
        REMOVE_ONE,
        old,
    )
    with pytest.raises(DataError, match="REPLICA IDENTITY FULL"):
        plan(feed.envelope("u", None, new))
    with pytest.raises(DataError, match="unchanged TOAST"):
        plan(feed.create(id=1, name=UNCHANGED))


def test_envelopes_that_make_no_sense() -> None:
    feed = Feed()
    with pytest.raises(DataError, match="no after image"):
        plan(feed.envelope("c", None, None))
    with pytest.raises(DataError, match="unknown operation"):
        plan(feed.envelope("x", None, feed.row(id=1)))


def test_a_tombstone_deletes_where_the_topic_told_its_table() -> None:
    feed = Feed()
    planner = Planner(settings())
    assert planner.plan(feed.tombstone(id=1)) is None
    planner.plan(feed.create(id=1))
    change = planner.plan(feed.tombstone(id=1))
    assert change is not None
    assert (change.op, change.key, change.plan.table.name) == (DELETE, (1,), "users")
    assert planner.skipped == {"no table name": 1}
    assert skipped(feed.tombstone(id=1), pk_mode="record_value") == {"tombstone without row data": 1}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("io.debezium.connector.common.Heartbeat", "heartbeat"),
        ("io.debezium.connector.common.TransactionMetadataValue", "transaction metadata"),
        ("io.debezium.connector.mysql.SchemaChangeValue", "schema change"),
    ],
)
def test_records_that_are_no_data(name: str, reason: str) -> None:
    record = Feed().create(id=1)
    record.value_schema = struct_schema([("ts_ms", INT64)], name=name)
    assert skipped(record) == {reason: 1}


def test_a_logical_message_is_skipped() -> None:
    feed = Feed()
    assert skipped(feed.envelope("m", None, None)) == {"logical message": 1}


def test_equal_schemas_share_a_plan_whatever_their_identity() -> None:
    planner = Planner(settings())
    first = planner.plan(Feed().create(id=1))
    second = planner.plan(Feed().create(id=2))
    assert first is not None
    assert second is not None
    assert first.plan is second.plan


# names


def names(table: TableName) -> tuple[str | None, str]:
    return table.schema, table.name


def test_table_names_by_source() -> None:
    assert names(plan(Feed("p.public.users").create(id=1)).plan.table) == (None, "users")
    assert names(plan(Feed("p.sales.users").create(id=1)).plan.table) == (None, "sales_users")


@pytest.mark.parametrize(
    ("topic", "format_", "underscores", "expected"),
    [
        ("orders", "${topic}", False, (None, "orders")),
        ("orders", "kafka_${topic}", False, (None, "kafka_orders")),
        ("server.schema.orders", "${topic}", False, ("schema", "orders")),
        ("server.schema.orders", "${topic}", True, (None, "server_schema_orders")),
        ("server.schema.orders", "sales.${topic}", True, ("sales", "server_schema_orders")),
        ("p.public.users", "x_${source.schema}_${source.table}", False, (None, "x_public_users")),
    ],
)
def test_table_names_by_format(
    topic: str, format_: str, underscores: bool, expected: tuple[str | None, str]
) -> None:
    change = plan(
        Feed(topic).create(id=1),
        table_naming="format",
        table_format=format_,
        dots_to_underscores=underscores,
    )
    assert names(change.plan.table) == expected


def test_records_of_one_topic_may_go_to_several_tables() -> None:
    feed = Feed()
    planner = Planner(settings())
    tables = []
    for table in ("a", "b", "a"):
        feed.source = {"schema": "public", "table": table}
        change = planner.plan(feed.create(id=1))
        assert change is not None
        tables.append(change.plan.table.name)
    assert tables == ["a", "b", "a"]


def test_an_unknown_source_field_is_an_error() -> None:
    with pytest.raises(DataError, match="nothing"):
        plan(Feed().create(id=1), table_naming="format", table_format="${source.nothing}")


# flat records and keys

VALUE = struct_schema([("id", INT64), ("name", OPTIONAL_STRING), ("n", OPTIONAL_INT64)])
KEY = struct_schema([("id", INT64), ("region", STRING)])
FLAT = {"table_naming": "format"}


def test_the_records_key_names_the_row() -> None:
    record = flat("t", VALUE, {"id": 1, "name": "a", "n": 2}, 5, KEY, {"id": 1, "region": "eu"})
    change = plan(record, **FLAT)
    assert (change.op, change.key, change.plan.keys) == (ROW, (1, "eu"), ("id", "region"))
    assert change.row == {"id": 1, "name": "a", "n": 2, "region": "eu"}
    assert plan(record, pk_fields=("region",), **FLAT).key == ("eu",)
    with pytest.raises(DataError, match="nope"):
        plan(record, pk_fields=("nope",), **FLAT)


def test_a_primitive_key_needs_one_name() -> None:
    record = flat("t", VALUE, {"id": 1, "name": "a"}, 5, INT64, 77)
    assert plan(record, pk_fields=("key",), **FLAT).row["key"] == 77
    with pytest.raises(DataError, match="exactly one"):
        plan(record, **FLAT)


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(DataError, match="record_key"):
        plan(flat("t", VALUE, {"id": 1}, 5), **FLAT)


def test_keys_from_value_kafka_and_headers() -> None:
    record = flat("t", VALUE, {"id": 1, "name": "a", "n": 2}, 5)
    assert plan(record, pk_mode="record_value", pk_fields=("id", "n"), **FLAT).key == (1, 2)
    assert plan(record, pk_mode="record_value", **FLAT).key == (1, "a", 2)
    change = plan(record, pk_mode="kafka", **FLAT)
    assert change.key == ("t", 0, 5)
    assert change.row["__connect_offset"] == 5
    assert plan(record, pk_mode="kafka", pk_fields=("a", "b", "c"), **FLAT).row["b"] == 0
    record.headers = [Header("region", STRING, "eu"), Header("__replicator.position", None, b"x")]
    change = plan(record, pk_mode="record_header", **FLAT)
    assert (change.key, change.row["region"]) == (("eu",), "eu")
    assert plan(record, pk_mode="none", **FLAT).op == APPEND


def test_a_null_value_deletes_by_key() -> None:
    record = flat("t", VALUE, None, 5, KEY, {"id": 1, "region": "eu"})
    assert plan(record, **FLAT).key == (1, "eu")
    record.value_schema = VALUE
    assert plan(record, **FLAT).op == DELETE
    assert skipped(record, delete_enabled=False, **FLAT) == {"delete.enabled is false": 1}


def test_a_whole_string_is_one_column() -> None:
    record = flat("t", STRING, "hello", 5, INT64, 1)
    assert plan(record, pk_fields=("id",), **FLAT).row == {"id": 1, "record_value": "hello"}


def test_values_without_schema_or_of_other_types_are_refused() -> None:
    with pytest.raises(DataError, match="schema"):
        plan(SinkRecord("t", 0, INT64, 1, None, {"a": 1}, 0), pk_fields=("id",), **FLAT)
    with pytest.raises(DataError, match="struct or a string"):
        plan(flat("t", BYTES, b"x", 0), **FLAT)


def test_lists_of_fields_never_take_key_fields_away() -> None:
    record = flat("t", VALUE, {"id": 1, "name": "a", "n": 2}, 5)
    by_value = {"pk_mode": "record_value", "pk_fields": ("id",), **FLAT}
    assert plan(record, include=frozenset({"name"}), **by_value).row == {"id": 1, "name": "a"}
    assert plan(record, exclude=frozenset({"id", "name"}), **by_value).row == {"id": 1, "n": 2}
    assert plan(record, include=frozenset({"t:n", "other:name"}), **by_value).row == {"id": 1, "n": 2}


def test_defaults_for_nulls(caplog: pytest.LogCaptureFixture) -> None:
    schema = struct_schema(
        [
            ("id", INT64),
            ("optional", Schema(SchemaType.STRING, optional=True, default="o")),
            ("required", Schema(SchemaType.STRING, default="r")),
        ]
    )
    record = flat(
        "t", schema, {"id": 1, "optional": None, "required": None}, 0, KEY, {"id": 1, "region": "x"}
    )
    rows = {
        mode: plan(record, null_becomes_default=mode, **FLAT).row for mode in ("always", "required", "never")
    }
    assert (rows["always"]["optional"], rows["always"]["required"]) == ("o", "r")
    assert (rows["required"]["optional"], rows["required"]["required"]) == (None, "r")
    assert (rows["never"]["optional"], rows["never"]["required"]) == (None, None)
    (told,) = caplog.records  # of the first mode, the one that changes what may be null
    assert told.getMessage().startswith("Nulls in optional are written as the default")
