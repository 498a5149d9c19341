"""Debezium's transforms behind the source."""

# ruff: noqa: E501 - SQL and patterns stay in one piece

from __future__ import annotations

from tests.differential.debezium.case import Case, Deviation, Workload


def _smt(type_: str, **options: str) -> dict[str, str | None]:
    """One transform, which leaves the marks alone."""
    given = {f"transforms.t.{name.replace('__', '.')}": value for name, value in options.items()}
    return {
        "transforms": "t",
        "transforms.t.type": type_,
        "transforms.t.predicate": "marks",
        "transforms.t.negate": "true",
        "predicates": "marks",
        "predicates.marks.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        "predicates.marks.pattern": r".*\.message",
        **given,
    }


_UNWRAP = "io.debezium.transforms.ExtractNewRecordState"
SMT = Workload(
    "smt",
    (
        "CREATE TABLE t1 (id int PRIMARY KEY, v text, n numeric(6,2), at timestamptz)",
        "CREATE TABLE t2 (LIKE t1 INCLUDING ALL)",
        "ALTER TABLE t2 REPLICA IDENTITY FULL",
        "INSERT INTO t1 SELECT g, 'v', g, '2020-01-01' FROM generate_series(1, 10) g",
        "INSERT INTO t2 SELECT g, 'v', g, '2020-01-01' FROM generate_series(1, 10) g",
    ),
    (
        (
            "INSERT INTO t1 VALUES (11, NULL, 1, NULL)",
            "UPDATE t1 SET v = 'x' WHERE id = 1",
            "UPDATE t1 SET id = 20 WHERE id = 2",
            "DELETE FROM t1 WHERE id = 3",
            "UPDATE t2 SET v = 'x' WHERE id = 1",
            "UPDATE t2 SET v = v WHERE id = 4",
            "UPDATE t2 SET id = 20 WHERE id = 2",
            "DELETE FROM t2 WHERE id = 3",
            "TRUNCATE t2",
        ),
    ),
    (
        Case("unwrap_default", _smt(_UNWRAP)),
        Case(
            "unwrap_rewrite",
            _smt(
                _UNWRAP,
                delete__tombstone__handling__mode="rewrite",
                add__fields="op,table,source.ts_ms,lsn:position",
                add__headers="op,db",
            ),
        ),
        Case(
            "unwrap_none",
            {
                **_smt(
                    _UNWRAP,
                    drop__tombstones="false",
                    delete__tombstone__handling__mode="delete-to-tombstone",
                    add__fields__prefix="f_",
                    add__fields="op",
                ),
                "skipped.operations": "none",
            },
        ),
        Case(
            "unwrap_after",
            _smt(
                _UNWRAP,
                route__by__field="v",
                delete__tombstone__handling__mode="tombstone",
            )
            | {"transforms.t.route.by.field": None},
        ),
        Case(
            "unwrap_changed",
            _smt(
                "io.debezium.transforms.ExtractChangedRecordState",
                header__changed__name="Changed",
                header__unchanged__name="Unchanged",
            ),
            (Deviation(r"#.*\.headers\.(names|\w*hanged)", "share the headers of their delete"),),
        ),
        Case(
            "routed",
            _smt(
                "io.debezium.transforms.ByLogicalTableRouter",
                topic__regex=r"(.*)t\d",
                topic__replacement="$1all",
                key__field__regex=r"(.*)t(.*)",
                key__field__replacement="shard_$2",
            ),
        ),
        Case("zones", _smt("io.debezium.transforms.TimezoneConverter", converted__timezone="+05:30")),
        Case(
            "to_value",
            _smt(
                "io.debezium.transforms.HeaderToValue",
                headers="__debezium.newkey",
                fields="newkey",
                operation="copy",
            ),
        ),
    ),
)
OUTBOX = Workload(
    "outbox",
    (
        "CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL,"
        " type varchar(255) NOT NULL, payload jsonb, tenant text)",
    ),
    (
        (
            *(
                f"INSERT INTO outbox VALUES (md5('{n}')::uuid, 'side_{{x}}', 'a{n}', 'Made', '{{\"n\": {n}, \"s\": \"x\"}}', 't{n}')".replace(
                    "{x}", "Order" if n % 2 else "Client"
                )
                for n in range(20)
            ),
            "INSERT INTO outbox VALUES (md5('null')::uuid, 'side_Order', 'z', 'Gone', NULL, NULL)",
            "DELETE FROM outbox",
        ),
    ),
    (
        Case(
            "outbox_plain",
            _smt(
                "io.debezium.transforms.outbox.EventRouter",
                route__topic__replacement="${routedByValue}.side_outbox_plain_z",
            ),
        ),
        Case(
            "outbox_expanded",
            _smt(
                "io.debezium.transforms.outbox.EventRouter",
                table__expand__json__payload="true",
                table__fields__additional__placement="type:header:eventType,tenant:envelope",
                route__topic__replacement="${routedByValue}.side_outbox_expanded_z",
            ),
        ),
    ),
)
