"""The copy and the stream give the same value for the same row, whatever its types and the role's settings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.postgres.driver import Driver, row
from tests.support.fix_servers import Database

COLUMNS: dict[str, tuple[str, str]] = {
    "smallint": ("smallint", "-5"),
    "big": ("bigint", "9223372036854775807"),
    "yes": ("boolean", "true"),
    "real": ("real", "'NaN'"),
    "dbl": ("double precision", "0.1::float8 + 0.2::float8"),
    "num": ("numeric", "12345678901234567890.123"),
    "num2": ("numeric(10,2)", "1.5"),
    "nan": ("numeric", "'NaN'"),
    "money": ("money", "'12.34'"),
    "txt": ("text", r"E'tab\t nl\n back\\ cr\r quote'' ü €'"),
    "vc": ("varchar(10)", "'abc'"),
    "ch": ("char(5)", "'ab'"),
    "nm": ("name", "'n'"),
    "bytes": ("bytea", r"'\x00ff5c'"),
    "day": ("date", "'2020-02-29'"),
    "day_bc": ("date", "'0044-03-15 BC'"),
    "day_inf": ("date", "'infinity'"),
    "tod": ("time", "'24:00:00'"),
    "todtz": ("timetz", "'12:00:00.123456+02'"),
    "ts": ("timestamp", "'2020-01-01 12:00:00.123456'"),
    "tstz": ("timestamptz", "'2020-01-01 12:00:00.5+05'"),
    "ival": ("interval", "'1 year 2 mons -3 days 04:05:06.78'"),
    "uid": ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"),
    "js": ("json", "'{\"a\":  1.50}'"),
    "jsb": ("jsonb", "'{\"b\": [1, null]}'"),
    "bit1": ("bit(1)", "B'1'"),
    "bits": ("bit(10)", "B'1010101010'"),
    "vbit": ("varbit", "B'101'"),
    "ip": ("inet", "'10.0.0.1/8'"),
    "rng": ("int4range", "'[1,5)'"),
    "ints": ("int[]", "'{1,NULL,3}'"),
    "grid": ("int[]", "'{{1,2},{3,4}}'"),
    "texts": ("text[]", """'{"a,b",NULL,"q\\"x"}'"""),
    "mood": ("mood", "'sad'"),
    "pos": ("positive", "7"),
    "pt": ("point", "'(1,2)'"),
    "xm": ("xml", "'<a>1</a>'"),
    "tsv": ("tsvector", "'a fat cat'"),
    "pair": ("pair", "'(1,x)'"),
}
SYNC = {
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "interval.handling.mode": "string",
    "array.handling.mode": "json",
    "geometry.handling.mode": "text",
    "include.unknown.datatypes": "true",
    "datatype.propagate.source.type": ".+",
}


@pytest.mark.parametrize("options", [SYNC, {}], ids=["sync", "defaults"])
def test_copy_and_stream_agree(pg_database: Database, options: dict[str, str]) -> None:
    skipped = set() if options else {"grid", "nan", "day_inf", "pair"}
    columns = {name: spec for name, spec in COLUMNS.items() if name not in skipped}
    pg_database.execute(
        "CREATE TYPE mood AS ENUM ('happy', 'sad')",
        "CREATE DOMAIN positive AS int CHECK (value > 0)",
        "CREATE TYPE pair AS (a int, b text)",
        f"ALTER DATABASE {pg_database.name} SET datestyle = 'SQL, DMY'",
        f"ALTER DATABASE {pg_database.name} SET intervalstyle = 'iso_8601'",
        f"ALTER DATABASE {pg_database.name} SET timezone = 'Asia/Kolkata'",
        f"ALTER DATABASE {pg_database.name} SET extra_float_digits = -2",
        f"ALTER DATABASE {pg_database.name} SET bytea_output = 'escape'",
    )
    definitions = ", ".join(f"{name} {spec[0]}" for name, spec in columns.items())
    values = ", ".join(spec[1] for spec in columns.values())

    def insert(number: int) -> str:
        return f"SET datestyle = 'ISO, YMD'; INSERT INTO t VALUES ({number}, {values})"

    pg_database.execute(
        f"CREATE TABLE t (id int PRIMARY KEY, {definitions})", insert(1), "INSERT INTO t (id) VALUES (2)"
    )
    driver = Driver(pg_database)
    for name in ("decimal.handling.mode", "time.precision.mode"):
        del driver.config[name]
    driver.config |= options
    with driver:
        driver.until_count(2)
        driver.until_phase("streaming")
        pg_database.execute(insert(3), "INSERT INTO t (id) VALUES (4)")
        driver.until_count(4)
    copied, copied_nulls, streamed, streamed_nulls = (_values(row(r)) for r in driver.records)
    assert {n: (copied[n], streamed[n]) for n in copied if repr(copied[n]) != repr(streamed[n])} == {}
    assert set(copied) == set(columns)
    assert set(copied_nulls.values()) == set(streamed_nulls.values()) == {None}
    assert driver.records[0].value_schema == driver.records[2].value_schema
    if options:
        assert copied["dbl"] == 0.30000000000000004
        assert copied["ival"] == "P1Y2M-3DT4H5M6.78S"
        assert copied["tstz"] == "2020-01-01T07:00:00.500000Z"
        assert copied["day_bc"] == "-0043-03-15Z"
        assert copied["grid"] == "[[1,2],[3,4]]"
        assert copied["bytes"] == b"\x00\xff\\"


def _values(values: dict[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (values or {}).items() if k != "id"}
