"""Cases for Debezium's smaller transforms: schema information as a field, vectors as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from tests.differential.transforms.events import AFTER, BEFORE, EVENTS, D, envelope, event
from tests.differential.transforms.shapes import Node, S, array, case, f4, f8, i2, i4, mapping, rec, s, st

DATA = "io.debezium.data."
VECTORS = st(
    {
        "id": s("int32"),
        "d": array(s("double"), name=f"{DATA}DoubleVector", version=1, optional=True),
        "f": array(s("float"), name=f"{DATA}FloatVector", version=1, optional=True),
        "sp": st(
            {"dimensions": s("int16"), "vector": mapping(s("int16"), s("double"))},
            name=f"{DATA}SparseDoubleVector",
            version=1,
            o=1,
        ),
        "plain": array(s("double"), optional=True),
    },
    name="p.s.t.Value",
    o=1,
)
SPARSE = S(dimensions=i2(25), vector={"map": [[i2(1), f8("10.0")], [i2(5), f8("0.5")]]})
VALUES = S(id=i4(1), d=[f8("1.5"), f8("-2.0")], f=[f4("0.25"), f4("3.0")], sp=SPARSE, plain=[f8("1.0")])
EMPTY = S(id=i4(1), d=[], f=None, sp=None, plain=None)
TYPED = st(
    {
        "id": s("int32", parameters={"__debezium.source.column.type": "INT4", "__debezium.source.column.name": "id"}),
        "name": s("string", o=1, parameters={
            "__debezium.source.column.type": "VARCHAR", "__debezium.source.column.length": "20",
            "__debezium.source.column.name": "name"}),
        "qty": s("int32", o=1, parameters={
            "__debezium.source.column.type": "NUMERIC", "__debezium.source.column.length": "10",
            "__debezium.source.column.scale": "2", "__debezium.source.column.name": "QTY"}),
    },
    name="p.s.t.Value",
    o=1,
)  # fmt: skip


def cases() -> Iterator[Node]:
    vectors = f"{D}VectorToJsonConverter"
    yield case(
        vectors,
        {},
        event("c", None, VALUES, envelope(VECTORS)),
        event("u", VALUES, EMPTY, envelope(VECTORS)),
        rec(VECTORS, VALUES),
        rec(VECTORS, EMPTY),
        *EVENTS,
        ours=dict.fromkeys(
            (4, 5, 6, 12, 13, 14, 15, 16), "ok"
        ),  # Debezium fills in defaults where nothing is to convert, and refuses what is no struct
    )
    schemas = f"{D}ExtractSchemaToNewRecord"
    yield case(schemas, {}, event("c", None, AFTER, envelope(TYPED)), event("d", BEFORE, None, envelope(TYPED)),
               rec(TYPED, AFTER), rec(None, "x"), *EVENTS)  # fmt: skip
