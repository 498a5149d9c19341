"""Expressions of Filter and ContentBasedRouter: read once, run for each record. Pure.

The part of Groovy (and of JavaScript) that conditions and topic names are written in: literals, the record's
variables, `.`, `?.`, `[]`, method calls, closures, `! - * / % + < <= > >= in instanceof == != <=> =~ ==~ && || ?: ? :`.
Each construct becomes a closure; names that are not known are refused when the expression is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.cdc import expression_values as values
from connectors.cdc.expression_lexer import SyntaxProblem, Token, tokens

VARIABLES: Final = frozenset(("value", "key", "valueSchema", "keySchema", "topic", "header"))
_CONSTANTS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None, "undefined": None}
_DEEPEST: Final = 40

Scope = Mapping[str, Any]
Run = Callable[[Scope], Any]


def _ordered(test: Callable[[int], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: test(values.compare(left, right))


_LEVELS: Final[tuple[dict[str, Callable[[Any, Any], Any]], ...]] = (
    {
        "==": values.equal,
        "===": values.equal,
        "!=": lambda left, right: not values.equal(left, right),
        "!==": lambda left, right: not values.equal(left, right),
        "=~": values.finds,
        "==~": values.matches,
        "<=>": values.compare,
    },
    {
        "<": _ordered(lambda order: order < 0),
        "<=": _ordered(lambda order: order <= 0),
        ">": _ordered(lambda order: order > 0),
        ">=": _ordered(lambda order: order >= 0),
        "in": lambda left, right: values.contains(right, left),
        "!in": lambda left, right: not values.contains(right, left),
    },
    {"..": lambda left, right: _range(left, right)},
    {"+": values.add, "-": values.subtract},
    {"*": values.multiply, "/": values.divide, "%": values.remainder},
)
"""Binary operators, those that bind least first (logical ones apart: they do not evaluate both sides)."""


def compile_expression(source: str) -> Run:
    """A function from the record's variables to the expression's value.

    Raises:
        SyntaxProblem: it is no expression.
    """
    try:
        return _Reader(source, VARIABLES, 0).whole()
    except RecursionError:
        raise SyntaxProblem("the expression is nested too deeply") from None


class _Reader:
    """Recursive descent over the words of one expression."""

    def __init__(self, source: str, names: frozenset[str], depth: int) -> None:
        self._tokens = tokens(source)
        self._at = 0
        self._names = names
        self._depth = depth

    def whole(self) -> Run:
        """The expression, with an optional `return` before and a semicolon behind."""
        if self._peek().value == "return" and self._peek().kind == "name":
            self._at += 1
        run = self._expression()
        while self._took(";"):
            pass
        if self._peek().kind != "end":
            raise self._unexpected()
        return run

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _took(self, operator: str) -> bool:
        token = self._peek()
        found = token.kind == "operator" and token.value == operator
        self._at += found
        return found

    def _expect(self, operator: str) -> None:
        if not self._took(operator):
            raise SyntaxProblem(f"expected '{operator}' at position {self._peek().at}")

    def _unexpected(self) -> SyntaxProblem:
        token = self._peek()
        return SyntaxProblem(f"unexpected {token.value!r} at position {token.at}")

    def _expression(self) -> Run:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SyntaxProblem("the expression is nested too deeply")
        run = self._ternary()
        self._depth -= 1
        return run

    def _ternary(self) -> Run:
        test = self._logical(("||",))
        if self._took("?:"):
            other = self._expression()
            return lambda scope: found if values.truth(found := test(scope)) else other(scope)
        if self._took("??"):
            fallback = self._expression()
            return lambda scope: fallback(scope) if (found := test(scope)) is None else found
        if not self._took("?"):
            return test
        yes = self._expression()
        self._expect(":")
        no = self._expression()
        return lambda scope: yes(scope) if values.truth(test(scope)) else no(scope)

    def _logical(self, operators: tuple[str, ...]) -> Run:
        is_or = operators == ("||",)
        runs = [self._logical(("&&",)) if is_or else self._binary(0)]
        while self._took(operators[0]):
            runs.append(self._logical(("&&",)) if is_or else self._binary(0))
        if len(runs) == 1:
            return runs[0]
        return _any_of(runs) if is_or else _all_of(runs)

    def _binary(self, level: int) -> Run:
        if level == len(_LEVELS):
            return self._unary()
        run = self._binary(level + 1)
        while True:
            token = self._peek()
            if level == 1 and token.value == "instanceof" and token.kind == "name":
                self._at += 1
                run = _instance(run, self._class())
                continue
            operation = _LEVELS[level].get(token.value) if token.kind in ("operator", "name") else None
            if operation is None:
                return run
            self._at += 1
            run = _applied(operation, run, self._binary(level + 1))

    def _class(self) -> str:
        name = self._name()
        while self._took("."):
            name = self._name()
        if name not in values.CLASSES:
            raise SyntaxProblem(f"unknown class {name}")
        return name

    def _name(self) -> str:
        token = self._peek()
        if token.kind != "name":
            raise self._unexpected()
        self._at += 1
        return str(token.value)

    def _unary(self) -> Run:
        if self._took("!"):
            operand = self._deeper()
            return lambda scope: not values.truth(operand(scope))
        if self._took("-"):
            negated = self._deeper()
            return lambda scope: values.subtract(0, negated(scope))
        if self._took("+"):
            return self._deeper()
        return self._postfix()

    def _deeper(self) -> Run:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SyntaxProblem("the expression is nested too deeply")
        run = self._unary()
        self._depth -= 1
        return run

    def _postfix(self) -> Run:
        run = self._primary()
        while True:
            if self._took("."):
                run = self._member(run, safe=False)
            elif self._took("?."):
                run = self._member(run, safe=True)
            elif self._took("["):
                index = self._expression()
                self._expect("]")
                run = _applied(values.get_item, run, index)
            else:
                return run

    def _member(self, target: Run, *, safe: bool) -> Run:
        token = self._peek()
        if token.kind not in ("name", "text"):
            raise self._unexpected()
        self._at += 1
        name = str(token.value)
        arguments = self._arguments()
        if arguments is None:
            return _property(target, name, safe=safe)
        return _call(target, name, arguments, safe=safe)

    def _arguments(self) -> list[Run] | None:
        """Arguments in parentheses and a closure behind, or None where there is neither."""
        if self._took("("):
            arguments = self._list(")")
        elif self._peek().value == "{" and self._peek().kind == "operator":
            arguments = []
        else:
            return None
        if self._took("{"):
            arguments.append(self._closure())
        return arguments

    def _list(self, closing: str) -> list[Run]:
        found: list[Run] = []
        while not self._took(closing):
            if found:
                self._expect(",")
            if self._took("{"):
                found.append(self._closure())
            else:
                found.append(self._arrow() or self._expression())
        return found

    def _arrow(self) -> Run | None:
        """JavaScript's `x => ...`."""
        start = self._at
        if self._peek().kind == "name":
            name = self._name()
            if self._took("=>"):
                return self._function(name)
        self._at = start
        return None

    def _closure(self) -> Run:
        """Groovy's `{ it ... }` or `{ x -> ... }`, behind its brace."""
        start, name = self._at, "it"
        if self._peek().kind == "name":
            named = self._name()
            if self._took("->"):
                name = named
            else:
                self._at = start
        run = self._function(name)
        self._expect("}")
        return run

    def _function(self, name: str) -> Run:
        outer, self._names = self._names, self._names | {name}
        body = self._expression()
        self._names = outer
        return lambda scope: lambda value: body({**scope, name: value})

    def _primary(self) -> Run:
        token = self._peek()
        self._at += 1
        if token.kind in ("number", "text"):
            return _constant(token.value)
        if token.kind == "template":
            return self._template(token.value)
        if token.kind == "name":
            return self._variable(token)
        if token.value == "(":
            run = self._expression()
            self._expect(")")
            return run
        if token.value == "[":
            return self._collection()
        self._at -= 1
        raise self._unexpected()

    def _variable(self, token: Token) -> Run:
        name = token.value
        if name in _CONSTANTS:
            return _constant(_CONSTANTS[name])
        if name in self._names:
            return lambda scope: scope[name]
        if name in values.STATIC:
            self._expect(".")
            method = self._name()
            arguments = self._arguments()
            if arguments is not None and method in values.STATIC[name]:
                return lambda scope: values.call_static(name, method, [a(scope) for a in arguments])
            raise SyntaxProblem(f"there is no {name}.{method}")
        raise SyntaxProblem(f"unknown name {name!r} at position {token.at}")

    def _template(self, parts: list[tuple[str, str]]) -> Run:
        runs = [
            _constant(part) if kind == "text" else _Reader(part, self._names, self._depth + 1).whole()
            for kind, part in parts
        ]
        return lambda scope: "".join([values.text(run(scope)) for run in runs])

    def _collection(self) -> Run:
        """A list or a map, behind its bracket."""
        if self._took(":"):
            self._expect("]")
            return lambda scope: {}
        if self._is_map():
            return self._map()
        elements = self._list("]")
        return lambda scope: [run(scope) for run in elements]

    def _is_map(self) -> bool:
        following = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
        return (
            self._peek().kind in ("name", "text")
            and following is not None
            and following[:2] == ("operator", ":")
        )

    def _map(self) -> Run:
        entries: list[tuple[str, Run]] = []
        while not self._took("]"):
            if entries:
                self._expect(",")
            token = self._peek()
            if token.kind not in ("name", "text"):
                raise self._unexpected()
            self._at += 1
            self._expect(":")
            entries.append((str(token.value), self._expression()))
        return lambda scope: {key: run(scope) for key, run in entries}


def _constant(value: Any) -> Run:
    return lambda scope: value


def _any_of(runs: list[Run]) -> Run:
    if len(runs) == 2:
        left, right = runs
        return lambda scope: values.truth(left(scope)) or values.truth(right(scope))
    return lambda scope: any(values.truth(run(scope)) for run in runs)


def _all_of(runs: list[Run]) -> Run:
    if len(runs) == 2:
        left, right = runs
        return lambda scope: values.truth(left(scope)) and values.truth(right(scope))
    return lambda scope: all(values.truth(run(scope)) for run in runs)


def _applied(operation: Callable[[Any, Any], Any], left: Run, right: Run) -> Run:
    return lambda scope: operation(left(scope), right(scope))


def _instance(run: Run, class_: str) -> Run:
    return lambda scope: values.is_instance(run(scope), class_)


def _property(target: Run, name: str, *, safe: bool) -> Run:
    get = values.get_property
    if safe:
        return lambda scope: None if (found := target(scope)) is None else get(found, name)
    return lambda scope: get(target(scope), name)


def _call(target: Run, name: str, arguments: list[Run], *, safe: bool) -> Run:
    def run(scope: Scope) -> Any:
        found = target(scope)
        if found is None and safe:
            return None
        return values.call(found, name, [argument(scope) for argument in arguments])

    return run


def _range(left: Any, right: Any) -> list[int]:
    if not (isinstance(left, int) and isinstance(right, int)) or abs(right - left) > 10_000:
        raise values.EvaluationProblem("A range needs two whole numbers that are not far apart")
    return list(range(left, right + 1)) if left <= right else list(range(left, right - 1, -1))
