"""Cases for the transforms of Debezium's JDBC sink that rename tables and columns."""

from __future__ import annotations

from collections.abc import Iterator

from tests.differential.transforms.events import EVENTS, envelope, event
from tests.differential.transforms.shapes import Node, S, case, header, i4, key_rec, mapping, rec, s, st

J = "io.debezium.connector.jdbc.transforms."
NAMES = (
    "orders",
    "customerOrders",
    "CustomerOrders",
    "customer_orders",
    "CUSTOMER_ORDERS",
    "dbserver1.public.customerOrders",
    "a__b..c",
    "HTTPServer2Name",
    "x1Y2z3",
    "kebab-case-name",
    "_leading",
    "trailing_",
    "with space",
    "ünïcodeÄnderung",
    "A",
    "ABC",
    "",
)
STYLES = (
    "default",
    "snake_case",
    "camelCase",
    "UPPER_CASE",
    "lower_case",
    "kebab-case",
    "UPPERCASE",
    "Snake_Case",
    "x",
)
HEADERS = [header("h", s("string"), "v")]
INNER = st({"innerName": s("string", o=1)}, name="Inner", o=1)
ROW = st(
    {
        "id": s("int32"),
        "firstName": s("string", o=1, d="x"),
        "last_name": s("string", doc="a name", parameters={"p": "1"}),
        "innerStruct": INNER,
        "someMap": mapping(s("string"), s("int32"), optional=True),
    },
    name="Row",
    version=3,
    o=1,
)
VALUE = S(
    id=i4(1), firstName=None, last_name="b", innerStruct=S(innerName="c"), someMap={"map": [["k", i4(1)]]}
)
KEY = st({"theId": s("int32")}, name="Key")


def cases() -> Iterator[Node]:
    topics = [rec(ROW, VALUE, topic=name, headers=HEADERS) for name in NAMES]
    for style in STYLES:
        config = {"collection.naming.style": style}
        yield case(f"{J}CollectionNameTransformation", config, *topics)
        row = st({name or "empty": s("int32") for name in dict.fromkeys(NAMES)}, name="Names")
        value = S(**{name or "empty": i4(1) for name in NAMES})
        yield case(f"{J}FieldNameTransformation", {"column.naming.style": style}, rec(row, value))
    config = {
        "collection.naming.prefix": "pre_",
        "collection.naming.suffix": "_suf",
        "collection.naming.style": "snake_case",
    }
    yield case(f"{J}CollectionNameTransformation", config, *topics[:4], rec(None, None, topic="t"))
    for config in (
        {},
        {"column.naming.prefix": "p_", "column.naming.suffix": "_s"},
        {"column.naming.prefix": "p_", "column.naming.style": "snake_case"},
    ):
        yield case(
            f"{J}FieldNameTransformation",
            config,
            rec(
                ROW,
                VALUE,
                key_schema=KEY,
                key=S(theId=i4(1)),
                headers=HEADERS,
            ),
            rec(ROW, VALUE, key_schema=s("string"), key="k"),
            event("u", VALUE, VALUE, envelope(ROW)),
            event("d", VALUE, None, envelope(ROW)),
            rec(None, {"map": [["aB", i4(1)]]}),
            key_rec(KEY, S(theId=i4(1))),
            rec(ROW, None),
            *EVENTS,
        )
