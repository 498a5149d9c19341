"""What streams: operations, TOAST, messages, heartbeats, changed tables, partitions, large transactions."""

# ruff: noqa: E501 - SQL and patterns stay in one piece

from __future__ import annotations

from tests.differential.debezium.case import MARK, RESTART, Case, Deviation, Workload

_LARGE = "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 400) g)"
TOAST = Workload(
    "toast",
    (
        "CREATE EXTENSION hstore",
        "CREATE TABLE big (id int PRIMARY KEY, n int, t text, b bytea, j jsonb, x text[], i int[], l bigint[], h hstore, nn text NOT NULL)",
        "CREATE TABLE whole (id int PRIMARY KEY, n int, t text, b bytea)",
        "ALTER TABLE whole REPLICA IDENTITY FULL",
        *(
            f"ALTER TABLE big ALTER {c} SET STORAGE EXTERNAL"
            for c in ("t", "b", "j", "x", "i", "l", "h", "nn")
        ),
        f"INSERT INTO big SELECT 1, 1, v, v::bytea, to_jsonb(v), ARRAY[v], (SELECT array_agg(g) FROM generate_series(1,3000) g),"
        f" (SELECT array_agg(g) FROM generate_series(1,3000) g), hstore('a', v), v FROM (SELECT {_LARGE} AS v) q",
        f"INSERT INTO whole SELECT 1, 1, v, v::bytea FROM (SELECT {_LARGE} AS v) q",
    ),
    (
        (
            "UPDATE big SET n = 2",
            "UPDATE big SET t = 'small', n = 3",
            "UPDATE big SET id = 2",
            "UPDATE whole SET n = 2",
            "UPDATE whole SET id = 3",
            "DELETE FROM big",
            "DELETE FROM whole",
        ),
    ),
    (
        Case("toast_default"),
        Case(
            "toast_text",
            {
                "unavailable.value.placeholder": "gone",
                "binary.handling.mode": "base64",
                "hstore.handling.mode": "map",
            },
            (Deviation(r"big#.*after\.b$", "the placeholder in base64", "^null != "),),
        ),
        Case("toast_hex", {"unavailable.value.placeholder": "hex:C3A4", "binary.handling.mode": "hex"}),
        Case("toast_refresh", {"schema.refresh.mode": "columns_diff_exclude_unchanged_toast"}),
    ),
)
_EMIT = "SELECT pg_logical_emit_message({}, '{}', '{}')"
OPERATIONS = Workload(
    "operations",
    (
        "CREATE TABLE a (id int PRIMARY KEY, v text)",
        "CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a (id) ON DELETE CASCADE, v text)",
        "INSERT INTO a SELECT g, 'v' FROM generate_series(1, 10) g",
        "INSERT INTO b SELECT g, g, 'v' FROM generate_series(1, 10) g",
    ),
    (
        (
            "INSERT INTO a VALUES (11, 'x'), (12, 'y')",
            "UPDATE a SET v = 'z' WHERE id = 1",
            "UPDATE a SET v = v WHERE id = 2",
            "DELETE FROM a WHERE id = 3",
            _EMIT.format("true", "foo", "bar"),
            _EMIT.format("true", "other.x", "ä"),
            "BEGIN; INSERT INTO a VALUES (20, 'p'); "
            + _EMIT.format("true", "foo", "inside")
            + "; INSERT INTO b VALUES (20, 20, 'q'); UPDATE a SET v = 'r' WHERE id = 20; DELETE FROM b WHERE id = 20; COMMIT",
            "TRUNCATE b",
            "TRUNCATE a CASCADE",
            "INSERT INTO a VALUES (1, 'after')",
        ),
        ("UPDATE a SET id = 2",),
    ),
    (
        Case("ops_default"),
        Case("ops_all", {"skipped.operations": "none"}),
        Case("ops_some", {"skipped.operations": "u,d"}),
        Case("ops_created", {"skipped.operations": "c,t"}),
        Case("ops_meta", {"skipped.operations": "none", "provide.transaction.metadata": "true"}),
        Case("ops_msgs", {"message.prefix.include.list": f"foo,{MARK}", "binary.handling.mode": "base64"}),
        Case(
            "ops_nomsg",
            {
                "message.prefix.exclude.list": "foo.*",
                "binary.handling.mode": "hex",
                "tombstones.on.delete": "false",
            },
        ),
        Case("ops_same", {"skip.messages.without.change": "true", "skipped.operations": "none"}),
        Case(
            "ops_flush",
            {
                "flush.lsn.source": "true",
                "snapshot.isolation.mode": "repeatable_read",
                "snapshot.locking.mode": "shared",
                "snapshot.fetch.size": "2",
                "streaming.delay.ms": "10",
            },
        ),
        Case(
            "ops_identity",
            {
                "replica.identity.autoset.values": r"public\.none:FULL",
                "event.processing.failure.handling.mode": "warn",
                "snapshot.max.threads": "1",
                "guardrail.collections.max": "100",
                "errors.max.retries": "3",
            },
        ),
        Case(
            "ops_xmin",
            {"xmin.fetch.interval.ms": "1000"},
            (Deviation(r"\.source\.xmin$", "`xmin.fetch.interval.ms`"),),
        ),
    ),
)
BEATS = Workload(
    "beats",
    (
        "CREATE TABLE a (id int PRIMARY KEY, v text)",
        "CREATE TABLE beats (id int PRIMARY KEY, at int)",
        "INSERT INTO a VALUES (1, 'x')",
    ),
    (("INSERT INTO a VALUES (2, 'y')", "SELECT pg_sleep(0.7)"), ("UPDATE a SET v = 'z' WHERE id = 1",)),
    (
        Case(
            "beat_query",
            {
                "heartbeat.interval.ms": "300",
                "topic.heartbeat.prefix": "beat",
                "table.include.list": r"public\.a",
                "heartbeat.action.query": "INSERT INTO beats VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET at = beats.at + 1",
            },
        ),
        Case(
            "beat_name",
            {
                "lsn.flush.mode": "connector_and_driver",
                "heartbeat.interval.ms": "300",
                "table.include.list": r"public\.a",
                "topic.heartbeat.name": "my-side_beat_name_z-beat",
            },
        ),
        Case(
            "beat_plain",
            {
                "heartbeat.interval.ms": "300",
                "table.include.list": r"public\.a",
                "schema.name.adjustment.mode": "avro",
            },
        ),
    ),
)
DDL = Workload(
    "ddl",
    (
        "CREATE TABLE t (id int PRIMARY KEY, a text, b int NOT NULL)",
        "INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)",
    ),
    (
        ("INSERT INTO t VALUES (3, 'z', 3)",),
        (
            "ALTER TABLE t ADD c varchar(20) DEFAULT 'dflt'",
            "INSERT INTO t (id, a, b) VALUES (4, 'x', 4)",
            "UPDATE t SET a = 'n' WHERE id = 1",
        ),
        ("ALTER TABLE t DROP a", "INSERT INTO t VALUES (5, 5, 'c5')"),
        ("ALTER TABLE t RENAME b TO bb", "UPDATE t SET bb = 9 WHERE id = 2"),
        (
            "ALTER TABLE t ALTER bb TYPE bigint, ALTER bb DROP NOT NULL",
            "INSERT INTO t VALUES (6, NULL, 'c6')",
        ),
        ("ALTER TABLE t ADD d numeric(12,4) NOT NULL DEFAULT 3.25", "INSERT INTO t VALUES (7, 7, 'c7', 7)"),
        (
            "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, d)",
            "INSERT INTO t VALUES (8, 8, 'c8', 8)",
            "DELETE FROM t WHERE id = 7",
        ),
        ("ALTER TABLE t ALTER c SET DEFAULT 'other'", "INSERT INTO t (id, bb, d) VALUES (9, 9, 9)"),
        ("ALTER TABLE t ALTER d TYPE numeric(14,2)", "INSERT INTO t VALUES (10, 10, 'x', 10)"),
        ("ALTER TABLE t REPLICA IDENTITY FULL", "UPDATE t SET c = 'full' WHERE id = 10"),
    ),
    (
        Case("ddl_default"),
        Case(
            "ddl_propagated",
            {"column.propagate.source.type": ".*", "decimal.handling.mode": "string"},
            (
                Deviation(
                    r"\.parameters(\.__debezium\.source\.column\.\w+|\.__replicator\.\w+\.\w+)?$",
                    "the driver's length and scale",
                ),
            ),
        ),
    ),
)
PARTITIONS = Workload(
    "partitions",
    (
        "CREATE TABLE m (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region)",
        "CREATE TABLE m_eu PARTITION OF m FOR VALUES IN ('eu')",
        "CREATE TABLE m_us PARTITION OF m FOR VALUES IN ('us')",
        "INSERT INTO m VALUES (1, 'eu', 'a'), (2, 'us', 'b')",
    ),
    (
        (
            "INSERT INTO m VALUES (3, 'eu', 'c')",
            "UPDATE m SET v = 'd' WHERE id = 1",
            "UPDATE m SET region = 'us' WHERE id = 3",
            "DELETE FROM m WHERE id = 2",
        ),
    ),
    (
        Case("parts_leaves", {"table.include.list": r"public\.m_.*"}),
        Case("parts_root", {"publish.via.partition.root": "true", "table.include.list": r"public\.m"}),
    ),
)
BIG = Workload(
    "big",
    (
        "CREATE TABLE r (id int PRIMARY KEY, a text, b numeric(12,3), c timestamptz, d bool, e double precision)",
        "CREATE TABLE s (id int PRIMARY KEY, r int, v varchar(30))",
        "INSERT INTO r SELECT g, md5(g::text), g * 1.125, timestamptz '2020-01-01' + g * interval '7 minutes 0.123 s',"
        " g % 3 = 0, g / 7.0 FROM generate_series(1, 2000) g",
    ),
    (
        (
            "BEGIN; INSERT INTO s SELECT g, g, 's' || g FROM generate_series(1, 900) g;"
            " UPDATE r SET a = a || 'x' WHERE id % 4 = 0; DELETE FROM s WHERE id > 500;"
            " UPDATE s SET id = id + 10000 WHERE id <= 50; COMMIT",
            "INSERT INTO r (id) SELECT g FROM generate_series(5001, 5300) g",
        ),
    ),
    (
        Case("big_default"),
        Case("big_meta", {"provide.transaction.metadata": "true", "tombstones.on.delete": "false"}),
        Case(
            "big_plain",
            {
                "key.converter.schemas.enable": "false",
                "value.converter.schemas.enable": "false",
                "decimal.handling.mode": "string",
                "max.batch.size": "100",
                "max.queue.size": "200",
            },
        ),
    ),
)
_OVERRIDE = "snapshot.select.statement.overrides"
SNAPSHOTS = Workload(
    "snapshots",
    (
        "CREATE TABLE a (id int PRIMARY KEY, v text)",
        "CREATE TABLE b (id int PRIMARY KEY, v text)",
        "CREATE TABLE empty (id int PRIMARY KEY)",
        "INSERT INTO a SELECT g, 'v' || g FROM generate_series(1, 30) g",
        "INSERT INTO b SELECT g, 'v' || g FROM generate_series(1, 20) g",
    ),
    (
        ("INSERT INTO a VALUES (100, 'x')", "UPDATE b SET v = 'n' WHERE id = 1"),
        (RESTART,),
        ("DELETE FROM a WHERE id = 1",),
    ),
    (
        Case("snap_initial"),
        Case("snap_always", {"snapshot.mode": "always"}),
        Case("snap_no_data", {"snapshot.mode": "no_data"}),
        Case("snap_when_needed", {"snapshot.mode": "when_needed"}),
        Case("snap_some", {"snapshot.include.collection.list": r"public\.b"}),
        Case(
            "snap_override",
            {_OVERRIDE: "public.a", f"{_OVERRIDE}.public.a": "SELECT * FROM a WHERE id % 10 = 0"},
        ),
        Case(
            "snap_based",
            {
                "snapshot.mode": "configuration_based",
                "snapshot.mode.configuration.based.snapshot.data": "true",
                "snapshot.mode.configuration.based.snapshot.schema": "true",
                "snapshot.mode.configuration.based.start.stream": "true",
            },
        ),
        Case("snap_committed", {"snapshot.isolation.mode": "read_committed"}),
    ),
)
ONLY = Workload(
    "only",
    SNAPSHOTS.setup,
    (),
    (Case("only_copy", {"snapshot.mode": "initial_only"}, ends_with_copy=True),),
)
