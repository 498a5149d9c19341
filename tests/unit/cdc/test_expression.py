"""The expression language: JavaScript's notation, what is refused, and that nothing else can be reached.

How Groovy's expressions evaluate is compared with Groovy itself (tests/differential/transforms, family scripting).
"""

from __future__ import annotations

from typing import Any

import pytest

from connectors.cdc.expression import compile_expression
from connectors.cdc.expression_lexer import SyntaxProblem
from connectors.cdc.expression_values import EvaluationProblem, HeaderValue
from replicator.api.schema import INT32, OPTIONAL_STRING, STRING, array_schema, struct_schema
from replicator.api.struct import Struct

LINE = struct_schema([("sku", STRING)], name="line")
ROW = struct_schema([("id", INT32), ("name", OPTIONAL_STRING), ("lines", array_schema(LINE))], optional=True)
ENVELOPE = struct_schema([("before", ROW), ("after", ROW), ("op", STRING)], name="t.Envelope")
AFTER = {"id": 2, "name": "new", "lines": [{"sku": "a"}, {"sku": "b"}]}
SCOPE: dict[str, Any] = {
    "value": Struct(ENVELOPE, {"before": None, "after": AFTER, "op": "u"}),
    "key": Struct(struct_schema([("id", INT32)]), {"id": 2}),
    "valueSchema": ENVELOPE,
    "keySchema": None,
    "topic": "s.public.t",
    "header": {"tenant": HeaderValue("acme", STRING)},
}


def evaluate(source: str) -> Any:
    return compile_expression(source)(SCOPE)


VALUES: list[tuple[str, Any]] = [
    # JavaScript's notation
    ("value.op === 'u' && value.after.id !== 3", True),
    ("value.before?.id ?? 'none'", "none"),
    ("`${topic}_${value.op}`", "s.public.t_u"),
    ("value.after.lines.some(l => l.sku == 'b')", True),
    ("value.after.lines.map(l => l.sku).join('-')", "a-b"),
    ("topic.length > 3 && ['u', 'd'].includes(value.op)", True),
    ("value.before == undefined", True),
    # nested structs and lists
    ("value.after.lines[1].sku", "b"),
    ("value.after.lines.sku", ["a", "b"]),
    ("value.after.lines.findAll { it.sku != 'a' }.size()", 1),
    ("value.after.lines.collect { l -> l.sku + topic.size() }", ["a10", "b10"]),
    ("header.tenant.value + '/' + header.tenant.schema.type", "acme/STRING"),
    ("header.absent == null", True),
    ("valueSchema.field('after').schema().isOptional()", True),
    ("valueSchema.fields*.name", SyntaxProblem),
    # precedence
    ("1 + 2 * 3 - 4 / 2 == 5", True),
    ("!value.before && value.after ? 'new' : 'old'", "new"),
    ("true || false && false", True),
    (" || ".join(["false"] * 2000 + ["true"]), True),
    (" && ".join(["true"] * 2000), True),
    ("false ? 1 : true ? 2 : 3", 2),
    ("2 > 1 == true", True),
    ("-2 + 3", 1),
    ("'$5 $' + 'x'", "$5 $x"),
    ('"$topic!"', "s.public.t!"),
    ("'tab\\t\\u0041'", "tab\tA"),
]


@pytest.mark.parametrize(("source", "expected"), VALUES)
def test_values(source: str, expected: Any) -> None:
    if expected is SyntaxProblem:
        with pytest.raises(SyntaxProblem):
            compile_expression(source)
    else:
        assert evaluate(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "",
        "value.",
        "value..op",
        "(value.op == 'u'",
        "value.op == 'u",
        "/unfinished",
        '"${value.op"',
        "nosuch == 1",
        "value instanceof java.io.File",
        "System.exit(1)",
        "Runtime.getRuntime().exec('x')",
        "'x'.execute() ; 'y'",
        "new Date()",
        "import os",
        "__import__('os')",
        "value.op = 'u'",
        "1 2",
        "2 ** 1000000",
        "'x' << 5",
        "1l2",
        "#",
        "(" * 5000 + "1" + ")" * 5000,
        "!" * 5000 + "true",
        "'" + "x" * 30000 + "'",
    ],
)
def test_what_is_no_expression_is_refused_when_it_is_read(source: str) -> None:
    with pytest.raises(SyntaxProblem):
        compile_expression(source)


@pytest.mark.parametrize(
    "source",
    [
        "value.__class__",
        "value.op.__class__",
        "value.op.format('x')",
        "value.fields",
        "value.schema.fields",
        "topic.class",
        "topic.getClass()",
        "topic.encode()",
        "header.__init__('x')",
        "valueSchema.evolve()",
        "valueSchema._by_name",
        "[1].append(2)",
        "[a: 1].pop('a')",
        "value.put('op', 'x')",
        "Math.abs('x')",
        "1 / 0",
        "1 % 0",
        "'a' - 1 > 2",
        "[1] > [2]",
        "value.before.id",
        "value.before.size()",
        "'x'.substring(5)",
        "'x'.toInteger() == 1",
        "1..100000000",
        "'x' * 1000000000",
        "topic ==~ '('",
    ],
)
def test_nothing_but_the_record_can_be_reached(source: str) -> None:
    run = compile_expression(source)
    with pytest.raises(EvaluationProblem):
        run(SCOPE)
