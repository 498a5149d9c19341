"""Every type with extreme values, under every way to represent them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.differential.debezium.case import Case, Deviation, Workload
from tests.support import every_type

Columns = dict[str, list[str]]

_SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'über glücklich');
CREATE DOMAIN price AS numeric(9, 3) CHECK (VALUE >= 0);
CREATE DOMAIN short AS varchar(12);
CREATE TYPE pair AS (a integer, b text);
"""
_LEFT_OUT = ("mood_domain", "numeric(5,-2)", "oidvector")
_NOT_HERE = ("'[0:1]={5,6}'", "'24:00:00'", "'23:59:59.999999-15:59:59'", "'-178000000 years'")
_EXTENSIONS: Columns = {
    "hstore": ['\'a=>1,b=>NULL,"c d"=>"x,\\"y"\'', "''", "NULL"],
    "citext": ["'Abc'", "'ÄÖ'"],
    "ltree": ["'Top.Science.Astronomy'", "'a'"],
    "isbn": ["'978-0-393-04002-9'"],
    "cube": ["'(1,2),(3,4)'"],
    "citext[]": ["'{a,B}'"],
    "ltree[]": ["'{a.b,c}'"],
    "hstore[]": ["array['a=>1'::hstore]"],
    "short": ["'x'"],
    "price": ["1.5"],
}


def _small(columns: Columns) -> Columns:
    return {
        type_: [
            value.replace("70000", "300").replace("40000", "200").replace("9000", "90")
            for value in values
            if "{{" not in value and value not in _NOT_HERE
        ]
        for type_, values in columns.items()
        if type_ not in _LEFT_OUT
    }


GROUPS = {name: _small(columns) for name, columns in every_type.GROUPS.items()}


def _rows(name: str, columns: Columns, first: int, count: int | None = None) -> Iterator[str]:
    """Rows from `first` on; value n of each type in row n."""
    for row in range(count or max(map(len, columns.values()))):
        values = ", ".join(f"CAST({v[row % len(v)]} AS {t})" for t, v in columns.items())
        yield f"INSERT INTO {name} VALUES ({first + row}, {values})"


def _workload(
    name: str,
    groups: dict[str, Columns],
    setup: str,
    cases: tuple[Case, ...],
    deviations: tuple[Deviation, ...],
):
    begin = [statement for statement in setup.split(";\n") if statement.strip()]
    stream: list[str] = []
    changes: list[str] = []
    for table, columns in groups.items():
        begin.append(every_type.create_table(table, columns))
        begin.append(f"INSERT INTO {table} (id) VALUES (0)")
        begin += _rows(table, columns, 1)
        stream.append(f"INSERT INTO {table} (id) VALUES (100)")
        stream += _rows(table, columns, 101)
        setting = ", ".join(f"c{n} = DEFAULT" for n in range(1, len(columns) + 1))
        changes += [
            f"UPDATE {table} SET {setting} WHERE id = 1",
            f"ALTER TABLE {table} REPLICA IDENTITY FULL",
            f"UPDATE {table} SET {setting} WHERE id = 101",
            f"UPDATE {table} SET id = 200 WHERE id = 2",
            f"DELETE FROM {table} WHERE id = 102",
            f"DELETE FROM {table} WHERE id = 0",
        ]
    return Workload(name, tuple(begin), (tuple(stream), tuple(changes)), cases, deviations)


_FAR = Deviation(r"times#.*\.(after|before)\.c1$", "dates before 1582-10-15 in the snapshot")
_DEVIATIONS = (
    Deviation(
        r"arrays#.*(fields\[c16\]\.items\.optional|c18(\[.*)?|fields\[c18\].*|c19)$",
        "arrays of enums, of `bit(n)`",
    ),
    Deviation(r"arrays#.*(fields\[c19\].*|after\]\.fields\.names|before\]\.fields\.names)$", "`interval[]`"),
    Deviation(r"arrays#.*(fields\[c20\].*|\.c20)$", "`oidvector`, `int2vector`"),
    Deviation(r"arrays#.*\.c10\[0\]$", "loses what is below a millisecond"),
    Deviation(r"geometry#.*(\.c[2-7](\..*)?|fields\[c[2-7]\].*|fields\.names)$", "left out before 3.7"),
    Deviation(r"others#.*\.(after|before)\.c(7|10)$", "bits that are all 0", '^"" != "A'),
    Deviation(r"texts#.*\.(after|before)\.c6$", "`name` columns, streamed", "^null != "),
    Deviation(r"times#.*\.(after|before)\.c10$", "passes through a double", "133150122999 != 133150123000"),
    _FAR,
)
_PARAMETERS = Deviation(
    r"\.parameters(\.__debezium\.source\.column\.\w+|\.__replicator\.\w+\.\w+)?$",
    "the driver's length and scale",
)
_UNKNOWN = Deviation(
    r"#.*(fields\[c\d+\](\.items)?\.(type|name|version|fields|parameters|items)|(after|before)\.c\d+(\[\d+\])?)$",
    "bytes of the text | text",
)
_OFFSETS = Deviation(r"\.(after|before)\.c4$", "keeps its offset")

TYPES = _workload(
    "types",
    GROUPS,
    _SETUP,
    (
        Case("types_default"),
        Case(
            "types_strings",
            {
                "decimal.handling.mode": "string",
                "interval.handling.mode": "string",
                "binary.handling.mode": "base64",
                "time.precision.mode": "isostring",
            },
            (_OFFSETS,),
        ),
        Case(
            "types_doubles",
            {
                "decimal.handling.mode": "double",
                "binary.handling.mode": "hex",
                "time.precision.mode": "microseconds",
            },
        ),
        Case(
            "types_connect",
            {
                "time.precision.mode": "connect",
                "binary.handling.mode": "base64-url-safe",
                "money.fraction.digits": "4",
            },
        ),
        Case(
            "types_nanos",
            {
                "time.precision.mode": "adaptive_time_microseconds",
                "include.unknown.datatypes": "true",
            },
            (_UNKNOWN,),
        ),
        Case("types_propagated", {"datatype.propagate.source.type": ".+"}, (_PARAMETERS,)),
        Case(
            "types_schemaless",
            {
                "key.converter.schemas.enable": "false",
                "value.converter.schemas.enable": "false",
            },
        ),
        Case(
            "types_avro",
            {
                "schema.name.adjustment.mode": "avro",
                "field.name.adjustment.mode": "avro",
            },
        ),
    ),
    _DEVIATIONS,
)
EXTENSIONS = _workload(
    "extensions",
    {"ext": _EXTENSIONS},
    "CREATE EXTENSION hstore;\nCREATE EXTENSION citext;\nCREATE EXTENSION ltree;\nCREATE EXTENSION isn;\n"
    "CREATE EXTENSION cube;\n" + _SETUP,
    (
        Case("ext_default"),
        Case("ext_map", {"hstore.handling.mode": "map"}),
        Case(
            "ext_unknown",
            {"include.unknown.datatypes": "true", "datatype.propagate.source.type": ".+"},
            (_PARAMETERS, _UNKNOWN),
        ),
    ),
    (),
)
_MODERN = {
    "date": ["'2024-02-29'", "'1970-01-01'", "'1900-03-01'"],
    "time": ["'23:59:59.999999'", "'00:00:00'"],
    "time(3)": ["'12:34:56.789'"],
    "timetz": ["'23:59:59.999999-05:30'", "'00:00:00+02'"],
    "timestamp": ["'2024-03-31 02:30:00.123456'", "'1969-12-31 23:59:59.999999'"],
    "timestamp(3)": ["'2020-01-01 10:11:12.345'"],
    "timestamp(0)": ["'2020-01-01 10:11:12'"],
    "timestamptz": ["'2024-03-31 02:30:00.12+05:30'", "'1969-12-31 23:59:59.9+00'"],
    "timestamptz(3)": ["'2020-01-01 10:11:12.345+02'"],
    "interval": ["'1 year 2 mons 3 days 04:05:06.78'", "'-00:00:01.5'"],
    "timestamp[]": ["'{\"2020-01-01 12:00:00.5\",NULL}'"],
    "date[]": ["'{2020-01-01}'"],
    "timestamptz[]": ["'{\"2020-01-01 12:00:00+02\"}'"],
}
TIMES = _workload(
    "times",
    {"modern": _MODERN},
    "",
    tuple(
        Case(f"times_{mode}", {"time.precision.mode": mode}, (_OFFSETS,) if mode == "isostring" else ())
        for mode in (
            "adaptive",
            "adaptive_time_microseconds",
            "connect",
            "isostring",
            "microseconds",
            "nanoseconds",
        )
    ),
    (),
)
_WARN = {"event.converting.failure.handling.mode": "warn"}
EXTREMES = _workload(
    "extremes",
    {"lost": every_type.LOST | {"time": ["'24:00:00'"]}},
    "",
    (
        Case("lost_default", _WARN),
        Case(
            "lost_strings", {"decimal.handling.mode": "string", "time.precision.mode": "isostring", **_WARN}
        ),
        Case(
            "lost_doubles",
            {"decimal.handling.mode": "double", "time.precision.mode": "connect", **_WARN},
            (Deviation(r"\.(after|before)\.c[127]$", "numbers that the types do not allow"),),
        ),
    ),
    (
        Deviation(r"\.(after|before)\.c[12]$", "infinity in dates"),
        Deviation(r"\.(after|before)\.c1$", "dates before 1582-10-15 in the snapshot"),
        Deviation(r"\.(after|before)\.c7$", "`24:00:00`, `timetz` with `isostring`", "^.00:00:00Z. != .24"),
    ),
)
