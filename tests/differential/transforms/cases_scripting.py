"""Cases for Debezium's Filter and ContentBasedRouter, with expressions in Groovy."""

from __future__ import annotations

from collections.abc import Iterator

from tests.differential.transforms.events import (
    AFTER,
    BEFORE,
    KEY,
    ROW,
    TOMBSTONE,
    D,
    event,
)
from tests.differential.transforms.shapes import M, Node, S, case, f8, header, i4, i8, rec, s

HEADERS = {"headers": [header("h", s("string"), "hv"), header("n", s("int32"), i4(5))]}
PLAIN = [
    event("c", None, AFTER),
    event("u", BEFORE, AFTER, **HEADERS),
    event("d", BEFORE),
    TOMBSTONE,
    rec(
        None,
        M(op="u", n=i8(3), f=f8("1.5"), list=[i8(1), "x"], map=M(a="b"), nothing=None),
        topic="schemaless",
    ),
    rec(ROW, S(id=i4(7), name="row"), key_schema=s("string"), key="k"),
]
ERROR = "*"

REFUSED = ("value.op == 'u' and true", "value.op == ", "value.op = 'u'")
"""What we refuse when it is configured, with a reason."""
NO_ANSWER = dict.fromkeys((0, 1, 2, 4, 5), ERROR)

CONDITIONS = (
    "value.op == 'u' && value.before.id == 1",
    "value.op == 'u'",
    "value.op == \"c\" || value.op == 'd'",
    "value.op != 'u'",
    "!(value.op == 'u')",
    "value.op in ['c', 'u']",
    "!(value.op in ['c'])",
    "value.before != null",
    "value.after == null",
    "value.after?.name == 'new'",
    "value.after?.qty == null",
    "value.after.id > 0",
    "value.after.id >= 1 && value.after.id < 2",
    "value.after.id + 1 == 2",
    "value.after.id * 2 - 1 == 1 && 7 % 4 == 3",
    "7 / 2 == 3.5",
    "value.source.lsn > 98",
    "value.source.table == 't'",
    "value.source.table.startsWith('t')",
    "value.source.table.length() == 1",
    "value.source.ts_ms > 10L",
    "value.op.equals('u')",
    "value.op.toUpperCase() == 'U'",
    "topic == 'p.s.t'",
    "topic.endsWith('.t')",
    "topic.contains('s')",
    "topic =~ /p\\..*/ ? true : false",
    "topic ==~ /p\\.s/",
    "topic ==~ 'p\\\\..*'",
    "topic.matches('p.*')",
    "key.id == 1",
    "key != null && key.id == 1",
    "valueSchema.name() == 'p.s.t.Envelope'",
    "valueSchema != null && valueSchema.name == 'p.s.t.Envelope'",
    "keySchema.field('id') != null",
    "keySchema.name.endsWith('Key')",
    "header.h != null && header.h.value == 'hv'",
    "header.n?.value == 5",
    "header['h']?.value == 'hv'",
    "value == null",
    "value.get('op') == 'u'",
    "value.getString('op') == 'u'",
    "value['op'] == 'u'",
    "value.nix == 1",
    "true",
    "false",
    "null",
    "'text'",
    "1",
    "value.n == 3",
    "value.f > 1",
    "value.list.size() == 2",
    "value.list.contains('x')",
    "value.list[0] == 1",
    "value.list[-1] == 'x'",
    "value.map.a == 'b'",
    "value.nothing == null",
    "value.list.any { it == 'x' }",
    "value.list.every { it != null }",
    "value.op ?: 'none' == 'none'",
    "(value?.op ?: 'none') == 'none'",
    "value.op == 'u' ? true : false",
    "value.op < 'd'",
    "value.op <=> 'c' == 0",
    "[1, 2, 3].contains(2)",
    "[a: 1].a == 1",
    "1 in 1..3",
    "\"${value.op}x\" == 'ux'",
    "value.op + 'x' == 'ux'",
    "'a' + 1 == 'a1'",
    "return value.op == 'u'",
    "value.op == 'u';",
    "value.after instanceof Object",
    "Integer.parseInt('5') == 5",
    "value.op.substring(0, 1) == 'u'",
    "'a,b'.split(',').size() == 2",
    "'Abc'.toLowerCase().indexOf('b') == 1",
    "' x '.trim() == 'x'",
    "'a-b'.replace('-', '_') == 'a_b'",
    "'a1b2'.replaceAll('[0-9]', '') == 'ab'",
    "'5'.toInteger() == 5",
    "'5'.isNumber()",
    "null == null",
    "1 == 1.0",
    "1 == '1'",
    "'a'.compareTo('b') < 0",
    "-value.source.lsn < 0",
    "value.op == 'u' and true",
    "value.op == ",
    "value.op = 'u'",
    "((((value.op == 'u'))))",
    "value.op == 'it\\'s'",
    "value.after.name.size() == 3",
    "value.transaction.id == 'tx:1'",
    "value.ts_ms > 0 // comment",
    "value.op == 'u' /* comment */",
)
TOPICS = (
    "value.op == 'u' ? 'updates' : null",
    "value.after?.name == 'new' ? 'new_' + topic : 'other'",
    "value.op",
    "'all.' + value.op",
    "null",
    "5",
    "true",
    '"x_${value.op}"',
    '"x_${value.op}".toString()',
    "topic.toUpperCase()",
    "value == null ? 'tombstones' : null",
    "value.op == 'd' ? 'deletes' : (value.op == 'u' ? 'updates' : 'rest')",
    "''",
)


def cases() -> Iterator[Node]:
    for condition in CONDITIONS:
        differ = {"config": ERROR} if condition in REFUSED else NO_ANSWER if condition == "null" else None
        yield case(f"{D}Filter", {"language": "jsr223.groovy", "condition": condition}, *PLAIN, ours=differ)
    for expression in TOPICS:
        differ = None
        if expression.startswith('"') and not expression.endswith(")"):
            differ = dict.fromkeys((0, 1, 2, 4), "ok")  # Groovy's templates are no strings to Debezium
        if expression == "''":
            differ = NO_ANSWER  # a record without topic would be lost
        yield case(
            f"{D}ContentBasedRouter",
            {"language": "jsr223.groovy", "topic.expression": expression},
            *PLAIN,
            ours=differ,
        )
    update = {"language": "jsr223.groovy", "condition": "value.op == 'u'"}
    for config in (
        {**update, "null.handling.mode": "drop"},
        {**update, "null.handling.mode": "evaluate"},
        {**update, "null.handling.mode": "KEEP"},
        {**update, "null.handling.mode": "nix"},
        {**update, "topic.regex": "schemaless"},
        {**update, "topic.regex": "p.*"},
        {**update, "topic.regex": "("},
        {**update, "language": "groovy"},
        {**update, "language": "jsr223.nix"},
        {"language": "jsr223.groovy"},
        {"condition": "true"},
        {"language": "jsr223.groovy", "condition": ""},
        {},
        {"language": "jsr223.groovy", "condition": "value == null", "null.handling.mode": "evaluate"},
    ):
        # Debezium says of a language it lacks that the expression cannot be parsed.
        differ = {"config": ERROR} if config.get("language") == "jsr223.nix" else None
        yield case(f"{D}Filter", config, *PLAIN, ours=differ)
    route = {"language": "jsr223.groovy", "topic.expression": "'x'"}
    for config in (
        {**route, "topic.regex": "p\\.s\\.t"},
        {**route, "null.handling.mode": "evaluate"},
        {"language": "jsr223.groovy"},
    ):
        yield case(f"{D}ContentBasedRouter", config, *PLAIN)
    yield case(
        f"{D}Filter",
        {**update, "condition": "key == 'k'"},
        rec(ROW, S(id=i4(7)), key_schema=s("string"), key="k"),
        rec(ROW, S(id=i4(1)), key_schema=KEY, key=S(id=i4(1))),
    )
