"""A change event with a bit of everything, and the values it must come back with."""

import datetime as dt
from decimal import Decimal

from replicator.api import schema as s
from replicator.api.logical import date_schema, decimal_schema, time_schema, timestamp_schema
from replicator.api.struct import Struct

VALUE = s.struct_schema(
    [
        ("id", s.INT32),
        ("small", s.INT8),
        ("short", s.OPTIONAL_INT16),
        ("big", s.OPTIONAL_INT64),
        ("name", s.OPTIONAL_STRING),
        ("price", decimal_schema(2)),
        ("born", date_schema(optional=True)),
        ("at", time_schema(optional=True)),
        ("seen", timestamp_schema(optional=True)),
        ("raw", s.OPTIONAL_BYTES),
        ("single", s.OPTIONAL_FLOAT32),
        ("double", s.OPTIONAL_FLOAT64),
        ("ok", s.OPTIONAL_BOOLEAN),
    ],
    name="srv.public.t.Value",
    optional=True,
)
ENVELOPE = s.struct_schema(
    [
        ("before", VALUE),
        ("after", VALUE),
        ("by_name", s.map_schema(s.STRING, s.OPTIONAL_INT64)),
        ("by_number", s.map_schema(s.INT32, s.STRING)),
        ("rows", s.array_schema(VALUE)),
    ],
    name="srv.public.t.Envelope",
    version=1,
)


def row(**changes):
    return {
        "id": 1,
        "small": -128,
        "short": 32767,
        "big": -(1 << 63),
        "name": "é\U0001f600",
        "price": Decimal("-12.30"),
        "born": dt.date(2024, 2, 29),
        "at": dt.time(23, 59, 59, 999000),
        "seen": dt.datetime(1969, 12, 31, 23, 59, 59, 999000),
        "raw": b"\x00\xff",
        "single": 1.5,
        "double": 0.1,
        "ok": True,
        **changes,
    }


def event(**changes):
    fields = {
        "before": None,
        "after": row(),
        "by_name": {"a": 1, "b": 1 << 40},
        "by_number": {1: "x", -70000: "y"},
        "rows": [row(), row(id=2, name=None)],
        **changes,
    }
    return Struct(ENVELOPE, fields)
