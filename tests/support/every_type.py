"""Every Postgres type with its extreme values, as tables that MySQL can hold exactly."""

from __future__ import annotations

from collections.abc import Iterator

Columns = dict[str, list[str]]
"""Type as written in DDL -> SQL expressions of values."""

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'über glücklich');
CREATE DOMAIN mood_domain AS mood;
CREATE DOMAIN price AS numeric(9, 3) CHECK (VALUE >= 0);
CREATE TYPE pair AS (a integer, b text);
"""

NUMBERS: Columns = {
    "smallint": ["-32768", "32767", "0"],
    "integer": ["-2147483648", "2147483647"],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "numeric": [
        "0",
        "1.50",
        "-0.000000000000000000000000000001",
        "999999999999999999999999999.5",
        "1e20",
    ],
    "numeric(10,2)": ["-99999999.99", "99999999.99", "1.10"],
    "numeric(5,-2)": ["1234500", "-9999900"],
    "numeric(3,5)": ["0.00999", "-0.00001"],
    "numeric(38,10)": ["1234567890123456789012345678.0123456789"],
    "real": ["3.4028235e38", "-1.1754944e-38", "0.1", "16777217", "-0.0"],
    "double precision": [
        "1.7976931348623157e308",
        "-2.2250738585072014e-308",
        "0.1",
        "1e-5",
        "123456789.12345678",
    ],
    "money": ["'-1234.56'", "'92233720368547758.07'", "0"],
    "boolean": ["true", "false"],
    "price": ["0", "123456.789"],
    "oid": ["0", "4294967295"],
}

TEXTS: Columns = {
    "char(5)": ["'ab'", "''", "'äöü€🔔'"],
    "varchar(20)": ["'a '", "''", "'ABCDEFGHIJKLMNOPQRST'", "E'\\\\ '' \" ` % \\n \\t'"],
    "varchar": ["'x'", "repeat('z', 70000)"],
    "text": [
        "''",
        "'NULL'",
        "'\\N'",
        "repeat('ü', 40000)",
        "E'line\\r\\nnext\\u0001'",
        "'trailing   '",
        "'{\"a\": 1}'",
    ],
    '"char"': ["'a'", "'1'"],
    "name": ["'pg_class'", "repeat('n', 63)"],
    "mood": ["'sad'", "'über glücklich'"],
    "mood_domain": ["'ok'"],
    "bytea": ["''", "'\\x00ff5c27220a0d1a'", "decode(repeat('00ff', 9000), 'hex')"],
    "xml": ["'<a b=\"c\">ä</a>'"],
    "json": [
        '\'{"b": 1,  "a": [1, 2.50], "b": 2}\'',
        "'null'",
        "'\"x\"'",
        "'123456789012345678901234567890.5'",
    ],
    "jsonb": [
        '\'{"b": 1, "a": [1, 2.5, null, "ä\\""]}\'',
        "'null'",
        "'\"x\"'",
        "'[]'",
        "'{}'",
        "'1.5'",
        "'true'",
        '\'{"n": {"m": [[]]}}\'',
        "'9223372036854775807'",
    ],
    "jsonpath": ["'$.a[*]'"],
    "uuid": ["'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-ffff-4fff-bfff-ffffffffffff'"],
}

TIMES: Columns = {
    "date": ["'1000-01-01'", "'9999-12-31'", "'1582-10-10'", "'2024-02-29'"],
    "time": ["'00:00:00'", "'23:59:59.999999'", "'24:00:00'"],
    "time(3)": ["'12:34:56.789'"],
    "timetz": ["'00:00:00+15:59'", "'23:59:59.999999-15:59:59'", "'12:00:00Z'"],
    "timestamp": ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'2024-03-31 02:30:00.5'"],
    "timestamp(3)": ["'2020-01-01 10:11:12.345'"],
    "timestamptz": [
        "'1000-01-01 00:00:00+00'",
        "'9999-12-31 23:59:59.999999+00'",
        "'2024-03-31 02:30:00+05:30'",
        "'1901-01-01 00:00:00+00'",
        "'2038-01-19 03:14:08+00'",
    ],
    "timestamptz(0)": ["'2020-01-01 10:11:12+02'"],
    "interval": [
        "'1 year 2 mons 3 days 04:05:06.78'",
        "'-178000000 years'",
        "'00:00:00'",
        "'-1 mon +1 day -00:00:01'",
    ],
    "interval day to second(3)": ["'1 12:59:10.123'"],
}

OTHERS: Columns = {
    "inet": ["'10.0.0.1'", "'10.0.0.1/8'", "'::1'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128'"],
    "cidr": ["'10.0.0.0/8'", "'2001:db8::/32'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'"],
    "bit(1)": ["B'0'", "B'1'"],
    "bit(8)": ["B'00000001'", "B'10000000'"],
    "bit(64)": ["repeat('1', 64)::bit(64)", "B'0'::bit(64)"],
    "bit(70)": ["repeat('10', 35)::bit(70)"],
    "bit varying": ["B''", "B'0001'"],
    "bit varying(10)": ["B'0'", "B'1111100000'"],
    "int4range": ["'[1,10)'", "'empty'", "'(,)'"],
    "int8range": ["'[-9223372036854775808,)'"],
    "numrange": ["'(1.5,2.50]'"],
    "tsrange": ["'[2020-01-01 00:00:00,2021-01-01 00:00:00)'"],
    "tstzrange": ["'[2020-01-01 00:00:00+02,)'"],
    "daterange": ["'[2020-01-01,2020-02-01)'"],
    "int4multirange": ["'{[1,3),[5,7)}'"],
    "tsvector": ["'''a'':1A fat:2,4 cat'"],
    "tsquery": ["'fat & (rat | !cat)'"],
    "pg_lsn": ["'16/B374D848'"],
    "xid8": ["'18446744073709551615'"],
    "xid": ["'4294967295'"],
    "tid": ["'(4294967295,65535)'"],
    "regtype": ["'integer'"],
    "pair": ["row(1, 'a,\"b')::pair"],
}

GEOMETRY: Columns = {
    "point": ["'(1.5,-2)'"],
    "line": ["'{1,2,3}'"],
    "lseg": ["'[(0,0),(1,1)]'"],
    "box": ["'(1,1),(0,0)'"],
    "path": ["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"],
    "polygon": ["'((0,0),(1,1),(1,0))'"],
    "circle": ["'<(0,0),2>'"],
}

ARRAYS: Columns = {
    "integer[]": ["'{}'", "'{1,NULL,-2147483648}'", "'{{1,2},{3,4}}'", "'[0:1]={5,6}'"],
    "bigint[]": ["'{9223372036854775807}'"],
    "smallint[]": ["'{1}'"],
    "text[]": ["'{}'", '\'{"a,b","NULL",NULL,"","q\\"\\\\"}\'', "'{{a,b},{c,d}}'"],
    "varchar(5)[]": ["'{abc}'"],
    "numeric(10,2)[]": ["'{1.50,NULL,-2.25}'"],
    "boolean[]": ["'{t,f,NULL}'"],
    "double precision[]": ["'{1.5,-2e-10}'"],
    "date[]": ["'{2020-01-01}'"],
    "time[]": ["'{12:00:00.123456}'"],
    "timestamp[]": ["'{\"2020-01-01 12:00:00.5\"}'"],
    "timestamptz[]": ["'{\"2020-01-01 12:00:00+02\"}'"],
    "uuid[]": ["'{00000000-0000-0000-0000-000000000001}'"],
    "jsonb[]": ["array['{\"a\": [1, 2]}'::jsonb, NULL]"],
    "bytea[]": ["array['\\x00ff'::bytea]"],
    "mood[]": ["'{ok,\"über glücklich\"}'"],
    "inet[]": ["'{10.0.0.1}'"],
    "bit(3)[]": ["'{101}'"],
    "interval[]": ["'{\"1 day\"}'"],
    "oidvector": ["'1 2'"],
    "int2vector": ["'1 2'"],
}

GROUPS: dict[str, Columns] = {
    "numbers": NUMBERS,
    "texts": TEXTS,
    "times": TIMES,
    "others": OTHERS,
    "geometry": GEOMETRY,
    "arrays": ARRAYS,
}

LOST: Columns = {
    "date": ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'12345-01-01'"],
    "timestamp": ["'infinity'", "'0044-03-15 12:00:00 BC'"],
    "timestamptz": ["'-infinity'", "'294276-12-31 23:59:59+00'"],
    "numeric": ["'NaN'", "'Infinity'", "'-Infinity'"],
    "real": ["'NaN'", "'Infinity'"],
    "double precision": ["'NaN'", "'-Infinity'"],
}
"""Values that no MySQL column of the matching type can hold."""


def create_table(name: str, columns: Columns) -> str:
    """DDL of a table with one column of each type."""
    listed = ", ".join(f"c{number} {type_}" for number, type_ in enumerate(columns, 1))
    return f"CREATE TABLE {name} (id integer PRIMARY KEY, {listed})"


def inserts(name: str, columns: Columns) -> Iterator[str]:
    """One row of NULLs, then rows until every value of every type was used."""
    yield f"INSERT INTO {name} (id) VALUES (0)"
    for row in range(max(map(len, columns.values()))):
        values = ", ".join(
            f"CAST({values[row % len(values)]} AS {type_})" for type_, values in columns.items()
        )
        yield f"INSERT INTO {name} VALUES ({row + 1}, {values})"
