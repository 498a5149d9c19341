"""Random schemas, values and options, the same every time (fixed seed), for Kafka Connect's transforms."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.differential.transforms.shapes import (
    DATE,
    TIME,
    TIMESTAMP,
    Node,
    P,
    array,
    case,
    dec,
    decimal,
    f4,
    f8,
    header,
    hx,
    i1,
    i2,
    i4,
    i8,
    mapping,
    ms,
    rec,
    s,
    src,
    st,
)

NAMES = ("id", "name", "a", "b", "c", "a.b", "x y", "ü", "ts", "Z_9")
TEXTS = (
    "",
    "x",
    "12",
    "-7",
    "1.5",
    "true",
    "FALSE",
    "2020-01-02",
    "ünïcode",
    " 3 ",
    "1e3",
    "99999999999",
    "0x1",
    "NaN",
)
DAY = 86_400_000


class Maker:
    """Draws schemas, values and options."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.wide = True

    def pick(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def integer(self, bits: int) -> int:
        if bits == 64 and not self.wide:
            return self.random.randrange(-(10**12), 10**12)
        edge = 1 << (bits - 1)
        return int(self.pick(0, 1, -1, edge - 1, -edge, self.random.randrange(-edge, edge)))

    def primitive(self) -> tuple[Node, Any]:
        """A schema without attributes, and a function that draws its values."""
        return self.pick(
            (s("int8"), lambda: i1(self.integer(8))),
            (s("int16"), lambda: i2(self.integer(16))),
            (s("int32"), lambda: i4(self.integer(32))),
            (s("int64"), lambda: i8(self.integer(64))),
            (s("float"), lambda: f4(self.pick("0.0", "1.5", "-2.25", "3.4E38", "NaN", "1.0E-5"))),
            (
                s("double"),
                lambda: f8(self.pick("0.0", "-0.5", "1.0E10", "1.7E308", "Infinity", "123456.789", "0.001")),
            ),
            (s("boolean"), lambda: self.pick(True, False)),
            (s("string"), lambda: self.pick(*TEXTS)),
            (s("bytes"), lambda: hx(self.pick("", "00", "ff10ab"))),
            (decimal(2), lambda: dec(self.pick("0.00", "12.34", "-99999999999.99"))),
            (DATE, lambda: ms(self.random.randrange(-40000, 40000) * DAY)),
            (TIME, lambda: ms(self.random.randrange(0, DAY))),
            (TIMESTAMP, lambda: ms(self.random.randrange(-(10**12), 2 * 10**12))),
        )

    def typed(self, depth: int) -> tuple[Node, Any]:
        kind = self.random.randrange(10) if depth > 0 else 0
        if kind == 7:
            inner, draw = self.typed(depth - 1)
            return array(inner), lambda: [draw() for _ in range(self.random.randrange(3))]
        if kind == 8:
            inner, draw = self.typed(depth - 1)
            return mapping(s("string"), inner), lambda: {"map": [[k, draw()] for k in ("k", "l")]}
        if kind == 9:
            return self.struct(depth - 1)
        return self.primitive()

    def struct(self, depth: int) -> tuple[Node, Any]:
        fields: dict[str, Node] = {}
        drawn: dict[str, Any] = {}
        for name in self.random.sample(NAMES, self.random.randrange(1, 5)):
            fields[name], drawn[name] = self.decorated(depth)
        schema = st(fields)

        def draw() -> Any:
            values = {}
            for name, one in drawn.items():
                field = fields[name]
                missing = self.chance(30) and (field["optional"] or "default" in field)
                values[name] = None if missing else one()
            return {"struct": values}

        return schema, draw

    def decorated(self, depth: int) -> tuple[Node, Any]:
        schema, draw = self.typed(depth)
        schema = {**schema, "optional": self.chance(50)}
        plain = schema["type"] not in ("struct", "array", "map")
        if plain and self.chance(25):
            schema["default"] = draw()
        if "name" not in schema and self.chance(15):
            schema.update(name="custom.Name", version=3, doc="a doc", parameters={"p": "q"})
        return schema, draw

    def schemaless(self, depth: int) -> Any:
        kind = self.random.randrange(9)
        if depth > 0 and kind == 7:
            return [self.schemaless(depth - 1) for _ in range(self.random.randrange(3))]
        if depth > 0 and kind == 8:
            return self.map(depth - 1)
        return self.pick(
            None,
            True,
            False,
            *TEXTS,
            i8(self.integer(64)),
            f8("2.5"),
            hx("0aff"),
            i8(1_500_000_000_000),
            f8("-0.0"),
        )

    def map(self, depth: int) -> Any:
        names = self.random.sample(NAMES, self.random.randrange(5))
        return {"map": [[name, self.schemaless(depth)] for name in names]}

    def records(self, count: int) -> list[Node]:
        found = []
        for _ in range(count):
            kind = self.random.randrange(10)
            headers = [header("h", s("string"), "x"), header(self.pick("h", "a"), s("int32"), i4(1))]
            if kind == 0:
                found.append(rec(None, None))
            elif kind == 1:
                schema, draw = self.typed(1)
                found.append(rec(schema, draw()))
            elif kind == 2:
                found.append(rec(None, self.schemaless(1)))
            elif kind < 5:
                found.append(self.pick(rec, src)(None, self.map(2), headers=headers))
            else:
                schema, draw = self.struct(2)
                schema = {**schema, "optional": self.chance(30), "name": self.pick("r.Value", "other")}
                found.append(self.pick(rec, rec, src)(schema, draw(), headers=headers))
        return found

    def names(self, most: int = 3) -> str:
        return ",".join(n for n in self.random.sample(NAMES, self.random.randrange(1, most + 1)))

    def options(self, family: str) -> dict[str, Any]:
        nulls = {} if self.chance(60) else {"replace.null.with.default": self.pick("true", "false")}
        types = ("int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string")
        if family == "Cast":
            whole = self.chance(15)
            return nulls | {"spec": self.pick(*types) if whole else ",".join(
                f"{name}:{self.pick(*types)}" for name in self.names().split(","))}  # fmt: skip
        if family == "ExtractField":
            v2 = self.chance(50)
            path = self.pick(*NAMES) if not v2 else ".".join(f"`{n}`" for n in self.random.sample(NAMES, 2))
            return nulls | ({"field.syntax.version": "V2"} if v2 else {}) | {"field": path}
        if family == "Flatten":
            return {} if self.chance(50) else {"delimiter": self.pick("_", "", "::")}
        if family == "HoistField":
            return {"field": self.pick(*NAMES)}
        if family == "InsertField":
            mark = self.pick("", "!", "?")
            return nulls | {"topic.field": f"{self.pick(*NAMES)}{mark}", "timestamp.field": f"at{mark}"} | (
                {} if self.chance(50) else {"static.field": "s", "static.value": "v"})  # fmt: skip
        if family == "MaskField":
            return (
                nulls
                | {"fields": self.names()}
                | ({} if self.chance(60) else {"replacement": self.pick("1", "x", "-2.5")})
            )
        if family == "ReplaceField":
            return nulls | self.pick(
                {"exclude": self.names()},
                {"include": self.names(4)},
                {"renames": f"{self.pick(*NAMES)}:new,Z_9:newer"},
                {"include": self.names(4), "renames": f"{self.pick(*NAMES)}:new"},
            )
        if family == "SetSchemaMetadata":
            return nulls | self.pick({"schema.name": "n"}, {"schema.version": "4"})
        if family == "TimestampConverter":
            return nulls | {
                "field": self.pick("", "ts", "a", "name", "id"),
                "target.type": self.pick("string", "unix", "Date", "Time", "Timestamp"),
                "format": self.pick("yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss.SSS"),
                "unix.precision": self.pick("seconds", "milliseconds", "microseconds"),
            }
        return nulls | {"fields": self.names()}


FAMILIES = (
    "Cast$Value", "ExtractField$Value", "Flatten$Value", "HoistField$Value", "InsertField$Value", "MaskField$Value",
    "ReplaceField$Value", "SetSchemaMetadata$Value", "TimestampConverter$Value", "ValueToKey",
)  # fmt: skip


def cases(seed: int = 1, count: int = 12) -> Iterator[Node]:
    maker = Maker(seed)
    for name in FAMILIES:
        maker.wide = not name.startswith("TimestampConverter")  # ours ends with the year 9999
        for _ in range(count):
            options, records = maker.options(name.partition("$")[0]), maker.records(12)
            yield case(f"{P}{name}", options, *records, ours=differing(name, records))


def differing(name: str, records: list[Node]) -> dict[Any, str]:
    """Java's SetSchemaMetadata fails for schemas that are no structs."""
    if not name.startswith("SetSchemaMetadata"):
        return {}
    schemas = enumerate(record.get("value_schema") for record in records)
    return {at: "ok" for at, schema in schemas if schema is not None and schema["type"] != "struct"}
