"""Short notation for the schemas, values and records of the cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = Any


def s(type_: str, **attributes: Any) -> dict[str, Any]:
    """A schema; `o=1` makes it optional, `d=` gives its default."""
    node: dict[str, Any] = {"type": type_, "optional": bool(attributes.pop("o", False))}
    if "d" in attributes:
        node["default"] = attributes.pop("d")
    return node | attributes


def st(_fields: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """A struct schema of name -> schema."""
    fields = [{**schema, "field": name} for name, schema in (_fields or {}).items()]
    return s("struct", fields=fields, **attributes)


def S(**fields: Any) -> dict[str, Any]:
    """A struct value."""
    return {"struct": fields}


def M(*pairs: tuple[Any, Any], **fields: Any) -> dict[str, Any]:
    """A map value."""
    return {"map": [[k, v] for k, v in (*pairs, *fields.items())]}


def i1(v: int) -> Node:
    return {"i1": v}


def i2(v: int) -> Node:
    return {"i2": v}


def i4(v: int) -> Node:
    return {"i4": v}


def i8(v: int) -> Node:
    return {"i8": v}


def f4(v: str) -> Node:
    return {"f4": v}


def f8(v: str) -> Node:
    return {"f8": v}


def dec(v: str) -> Node:
    return {"dec": v}


def ms(v: int) -> Node:
    return {"ms": v}


def hx(v: str) -> Node:
    return {"hex": v}


DATA = "org.apache.kafka.connect.data."
DATE = s("int32", name=f"{DATA}Date", version=1)
TIME = s("int32", name=f"{DATA}Time", version=1)
TIMESTAMP = s("int64", name=f"{DATA}Timestamp", version=1)


def decimal(scale: int, **attributes: Any) -> Node:
    return s("bytes", name=f"{DATA}Decimal", version=1, parameters={"scale": str(scale)}, **attributes)


def opt(schema: Node, **attributes: Any) -> Node:
    return {**schema, "optional": True, **attributes}


def array(items: Node, **attributes: Any) -> Node:
    return s("array", items=items, **attributes)


def mapping(keys: Node, values: Node, **attributes: Any) -> Node:
    return s("map", keys=keys, values=values, **attributes)


def rec(schema: Node = None, value: Node = None, **attributes: Any) -> Node:
    """A sink record at topic t, partition 3, offset 42, with a timestamp."""
    record = {"topic": "t", "partition": 3, "offset": 42, "timestamp": 1483425001864}
    return {**record, "value_schema": schema, "value": value, **attributes}


def key_rec(schema: Node = None, value: Node = None, **attributes: Any) -> Node:
    return rec(**{"key_schema": schema, "key": value, **attributes})


def src(schema: Node = None, value: Node = None, **attributes: Any) -> Node:
    """A source record, without partition and timestamp."""
    return {"source": True, "topic": "t", "value_schema": schema, "value": value, **attributes}


def header(name: str, schema: Node = None, value: Node = None) -> Node:
    return {"key": name, "schema": schema, "value": value}


def case(cls: str, config: dict[str, Any], *records: Node, ours: Any = None) -> Node:
    """One configured transform and its records.

    `ours` maps the index of a record (or "config") to our message where we differ on purpose.
    """
    node = {"class": cls, "config": config, "records": list(records)}
    return node if ours is None else {**node, "ours": {str(k): v for k, v in ours.items()}}


P = "org.apache.kafka.connect.transforms."


def both(name: str, config: dict[str, Any], *records: Node, **more: Any) -> Iterator[Node]:
    """The same case for the value and, with key and value exchanged, for the key."""
    swapped = [
        {**r, "key_schema": r.get("value_schema"), "key": r.get("value"), "value_schema": None, "value": None}
        for r in records
    ]
    yield case(f"{P}{name}$Value", config, *records, **more)
    yield case(f"{P}{name}$Key", config, *swapped[:4], ours=_first(more.get("ours")))


def _first(ours: Any) -> Any:
    kept = {k: v for k, v in (ours or {}).items() if k == "config" or k < 4}
    return kept or None
