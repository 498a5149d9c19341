"""Keys, identities, columns and tables: what is read and under which names."""

# ruff: noqa: E501 - SQL and patterns stay in one piece

from __future__ import annotations

from tests.differential.debezium.case import Case, Deviation, Workload

KEYS = Workload(
    "keys",
    (
        "CREATE TABLE plain (id int PRIMARY KEY, v text NOT NULL, n int)",
        "CREATE TABLE pair (v text, b bigint, a varchar(10), PRIMARY KEY (a, b))",
        "CREATE TABLE keyless (a int, b text)",
        "CREATE TABLE whole (a int NOT NULL, b text, c numeric(6,2)); ALTER TABLE whole REPLICA IDENTITY FULL",
        "CREATE TABLE uniq (a int NOT NULL, b text, c int NOT NULL DEFAULT 7)",
        "CREATE UNIQUE INDEX uniq_a ON uniq (a)",
        "ALTER TABLE uniq REPLICA IDENTITY USING INDEX uniq_a",
        "CREATE TABLE fullkey (id uuid PRIMARY KEY, t timestamptz NOT NULL DEFAULT '2020-01-01', v text)",
        "ALTER TABLE fullkey REPLICA IDENTITY FULL",
        "CREATE TABLE ident (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s bigserial, v text)",
        "INSERT INTO plain SELECT g, 'v' || g, g FROM generate_series(1, 20) g",
        "INSERT INTO pair SELECT 'v' || g, g, 'a' || g FROM generate_series(1, 5) g",
        "INSERT INTO keyless VALUES (1, 'x'), (NULL, NULL)",
        "INSERT INTO whole VALUES (1, 'x', 1), (2, NULL, NULL)",
        "INSERT INTO uniq VALUES (1, 'x'), (2, NULL)",
        "INSERT INTO fullkey SELECT md5(g::text)::uuid, '2021-01-01', 'v' FROM generate_series(1, 4) g",
        "INSERT INTO ident (v) VALUES ('a'), ('b')",
    ),
    (
        (
            "INSERT INTO plain VALUES (21, 'x', NULL)",
            "UPDATE plain SET v = 'y' WHERE id < 5",
            "UPDATE plain SET id = id + 100 WHERE id IN (6, 7)",
            "DELETE FROM plain WHERE id IN (8, 9)",
            "UPDATE pair SET v = NULL WHERE b = 1",
            "UPDATE pair SET a = 'new' WHERE b = 2",
            "UPDATE pair SET a = 'new', b = 33 WHERE b = 3",
            "DELETE FROM pair WHERE b = 4",
            "INSERT INTO keyless VALUES (3, 'y')",
            "INSERT INTO whole VALUES (3, 'y', 2.5)",
            "UPDATE whole SET b = 'z' WHERE a = 1",
            "DELETE FROM whole WHERE a = 2",
            "UPDATE uniq SET b = 'z' WHERE a = 1",
            "UPDATE uniq SET a = 11 WHERE a = 1",
            "DELETE FROM uniq WHERE a = 2",
            "UPDATE fullkey SET v = 'w'",
            "UPDATE fullkey SET id = '00000000-0000-0000-0000-000000000001' WHERE id = md5('1')::uuid",
            "DELETE FROM fullkey WHERE id = md5('2')::uuid",
            "INSERT INTO ident (v) VALUES ('c')",
            "UPDATE ident SET v = 'd' WHERE id = 1",
            "DELETE FROM ident WHERE id = 2",
        ),
    ),
    (
        Case("keys_default"),
        Case("keys_notombs", {"tombstones.on.delete": "false", "extended.headers.enabled": "false"}),
        Case(
            "keys_chosen",
            {
                "message.key.columns": r"public\.whole:a,b;public\.(fullkey):v;(.*).plain:id;public.keyless:b,a",
            },
        ),
        Case("keys_meta", {"provide.transaction.metadata": "true", "topic.transaction": "trans"}),
        Case(
            "keys_names",
            {
                "topic.delimiter": "_",
                "topic.naming.strategy": "io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
            },
        ),
        Case(
            "keys_nomsg",
            {
                "skip.messages.without.change": "true",
                "column.include.list": r"public\.plain\.(id|n),public\.fullkey\.(id|t),public.whole.*,public.pair.*",
            },
            (Deviation(r"#.*key\.schema\.fields\[\w+\]\.optional$", "optional in the key"),),
        ),
    ),
    (Deviation(r"ident#.*fields\[s\]\.default$", "function defaults of columns"),),
)
COLUMNS = Workload(
    "columns",
    (
        "CREATE SCHEMA shop",
        "CREATE TABLE people (id int PRIMARY KEY, name text, mail varchar(40), phone char(12), secret text, n numeric(8,3), b bytea)",
        "COMMENT ON TABLE people IS 'those who buy'",
        "COMMENT ON COLUMN people.name IS 'how they are called'",
        "CREATE TABLE shop.orders (id bigint PRIMARY KEY, person int, note varchar(100), amount money)",
        "COMMENT ON COLUMN shop.orders.amount IS 'what it costs'",
        "CREATE TABLE shop.order_lines (id int, line int, item text NOT NULL, PRIMARY KEY (id, line))",
        'CREATE TABLE "Odd Name" ("Id No" int PRIMARY KEY, "a-b" text, "1st" int)',
        'CREATE TABLE shop."dash-ed" (id int PRIMARY KEY, "x.y" text)',
        "INSERT INTO people SELECT g, 'Person ' || g, 'p' || g || '@example.org', '0123 ' || g, 's' || g, g * 1.5, '\\x00ff'"
        " FROM generate_series(1, 10) g",
        "INSERT INTO people VALUES (11)",
        "INSERT INTO shop.orders SELECT g, g, repeat('n', g * 8), g FROM generate_series(1, 10) g",
        "INSERT INTO shop.order_lines SELECT g, g, 'i' FROM generate_series(1, 5) g",
        "INSERT INTO \"Odd Name\" VALUES (1, 'x', 2)",
        "INSERT INTO shop.\"dash-ed\" VALUES (1, 'x')",
    ),
    (
        (
            "BEGIN; INSERT INTO people VALUES (20, 'Ann', 'ann@x', '1', 'sec', 2, '\\x01');"
            " INSERT INTO shop.orders VALUES (20, 20, 'note', 3); INSERT INTO shop.order_lines VALUES (20, 1, 'a'), (20, 2, 'b');"
            " COMMIT",
            "UPDATE people SET secret = 'changed' WHERE id = 1",
            "UPDATE people SET mail = 'changed' WHERE id = 2",
            "UPDATE people SET id = 30 WHERE id = 3",
            "DELETE FROM people WHERE id = 4",
            "UPDATE shop.orders SET note = 'short' WHERE id = 10",
            "DELETE FROM shop.order_lines WHERE id = 1",
            'UPDATE "Odd Name" SET "a-b" = \'y\'',
            'UPDATE shop."dash-ed" SET "x.y" = \'y\'',
            'DELETE FROM "Odd Name"',
        ),
    ),
    (
        Case("cols_default"),
        Case(
            "cols_comments",
            {"include.schema.comments": "true", "column.propagate.source.type": r"shop\.orders\..*,.*\.name"},
            (
                Deviation(
                    r"\.parameters(\.__debezium\.source\.column\.\w+)?$", "the driver's length and scale"
                ),
            ),
        ),
        Case("cols_exclude", {"column.exclude.list": r"public\.people\.(secret|mail),.*\.note"}),
        Case(
            "cols_include",
            {
                "column.include.list": r"public\.people\.(id|name),shop\.orders\.(id|amount)",
                "table.include.list": r"public\.people,shop\.orders",
            },
        ),
        Case(
            "cols_masked",
            {
                "column.mask.with.8.chars": r"public\.people\.(phone|mail)",
                "column.mask.with.0.chars": r"public\.people\.name",
                "column.truncate.to.10.chars": r"shop\.orders\.note,.*\.item",
                "column.mask.hash.SHA-256.with.salt.CzQMA0cB5K": r"public\.people\.secret",
            },
        ),
        Case(
            "cols_hash2",
            {
                "column.mask.hash.v2.SHA-512.with.salt.abc": r"public\.people\.(secret|mail)",
                "column.mask.hash.MD5.with.salt.x": r"public\.people\.name",
            },
        ),
        Case("cols_tables", {"table.exclude.list": r"public\..*,shop\.order_lines"}),
        Case("cols_schema", {"schema.include.list": "shop"}),
        Case("cols_noschema", {"schema.exclude.list": "shop", "schema.name.adjustment.mode": "avro"}),
        Case(
            "cols_avro",
            {"schema.name.adjustment.mode": "avro_unicode", "field.name.adjustment.mode": "avro_unicode"},
        ),
        Case(
            "cols_unicode",
            {
                "topic.naming.strategy": "io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
                "field.name.adjustment.mode": "avro",
            },
        ),
        Case(
            "cols_regex",
            {
                "topic.naming.strategy": "io.debezium.schema.SchemaRegexTopicNamingStrategy",
                "topic.regex": r"(.*)\.shop\.(.*)",
                "topic.replacement": "$1.all_shop",
            },
        ),
    ),
)
