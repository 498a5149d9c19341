"""Defaults, generated columns, NOT NULL columns, random rows."""

# ruff: noqa: E501 - SQL and patterns stay in one piece

from __future__ import annotations

from tests.differential.debezium.case import Case, Deviation, Workload

_DEFAULTS = {
    "smallint": "-5", "integer": "7", "bigint": "9000000000", "numeric(8,2)": "12.5", "numeric": "3.25",
    "real": "1.5", "double precision": "-2.25", "boolean": "true", "money": "'3.50'", "text": "'it''s'",
    "varchar(20)": "'abc'", "char(4)": "'ab'", "date": "'2020-02-29'", "time": "'12:34:56.789'",
    "time(3)": "'12:34:56.789'", "timetz": "'12:00:00+02'", "timestamp": "'2020-01-01 10:11:12.123456'",
    "timestamp(3)": "'2020-01-01 10:11:12.123'", "timestamptz": "'2020-01-01 10:11:12+00'", "interval": "'1 day 02:00:00'",
    "uuid": "'00000000-0000-0000-0000-000000000001'", "json": "'{\"a\": 1}'", "jsonb": "'{\"a\": 1}'",
    "bytea": "'\\xdeadbeef'", "bit(1)": "B'1'", "bit(4)": "B'1010'", "inet": "'10.0.0.1'", "mood": "'ok'",
    "integer[]": "'{1,2}'", "text[]": "'{a,b}'", "int4range": "'[1,5)'", "xml": "'<a/>'", "oid": "42", "point": "'(1,2)'",
    "varbit(8)": "B'101'", "macaddr": "'08:00:2b:01:02:03'", "tsvector": "'a'",
}  # fmt: skip
_COLUMNS = ", ".join(f"c{n} {t} DEFAULT {v}" for n, (t, v) in enumerate(_DEFAULTS.items(), 1))
_NOT_NULL = ", ".join(f"c{n} {t} NOT NULL DEFAULT {v}" for n, (t, v) in enumerate(_DEFAULTS.items(), 1))
_NULLS = ", ".join("NULL" for _ in _DEFAULTS)
DEFAULTS = Workload(
    "defaults",
    (
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        f"CREATE TABLE opt (id int PRIMARY KEY, {_COLUMNS})",
        f"CREATE TABLE req (id int PRIMARY KEY, {_NOT_NULL})",
        "CREATE TABLE fn (id serial PRIMARY KEY, a timestamptz DEFAULT now(), u uuid NOT NULL DEFAULT gen_random_uuid(),"
        " d date DEFAULT CURRENT_DATE, x int DEFAULT 1 + 2, e text DEFAULT '', n text DEFAULT NULL, neg int DEFAULT -1)",
        "CREATE TABLE gen (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED)",
        "INSERT INTO opt (id) VALUES (1)",
        f"INSERT INTO opt VALUES (2, {_NULLS})",
        "INSERT INTO req (id) VALUES (1)",
        "INSERT INTO fn (a, u, d) VALUES ('2020-01-01', '00000000-0000-0000-0000-000000000001', '2020-01-01')",
    ),
    (
        (
            "INSERT INTO opt (id) VALUES (3)",
            f"INSERT INTO opt VALUES (4, {_NULLS})",
            "INSERT INTO req (id) VALUES (3)",
            "DELETE FROM req WHERE id = 1",
            "DELETE FROM opt WHERE id = 1",
            "INSERT INTO fn (a, u, d) VALUES ('2020-01-01', '00000000-0000-0000-0000-000000000002', '2020-01-01')",
            "INSERT INTO gen VALUES (1, 2)",
            "UPDATE gen SET a = 3",
        ),
    ),
    (
        Case("dflt_default"),
        Case(
            "dflt_required",
            {"column.defaults": None},
            (Deviation(r"(opt|fn)#.*fields\[\w+\]\.default$", "defaults of nullable columns"),),
        ),
        Case(
            "dflt_strings",
            {
                "decimal.handling.mode": "string",
                "time.precision.mode": "isostring",
                "interval.handling.mode": "string",
                "binary.handling.mode": "base64",
            },
            (Deviation(r"\.(after|before)\.c16$", "keeps its offset"),),
        ),
        Case(
            "dflt_connect",
            {
                "decimal.handling.mode": "double",
                "time.precision.mode": "connect",
                "binary.handling.mode": "hex",
                "value.converter.replace.null.with.default": "true",
            },
        ),
        Case("dflt_micros", {"time.precision.mode": "microseconds", "include.schema.comments": "true"}),
    ),
    (
        Deviation(r"fn#.*fields\[\w+\]\.default$", "function defaults of columns"),
        Deviation(r"#.*(fields\[c10\]\.default|\.c10)$", "text default with an apostrophe"),
    ),
)
