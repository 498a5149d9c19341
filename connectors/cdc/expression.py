"""Expressions of Filter and ContentBasedRouter: read once, run for each record. Pure.

The part of Groovy (and of JavaScript) that conditions and topic names are written in: literals, the record's
variables, `.`, `?.`, `[]`, method calls, closures, `! - * / % + < <= > >= in instanceof == != <=> =~ ==~ && || ?: ? :`.
Each construct becomes a closure; names that are not known are refused when the expression is read.
"""

from __future__ import annotations

from typing import Any, Final

from connectors.cdc.expression_closures import (
    Run,
    all_of,
    any_of,
    applied,
    call_of,
    constant,
    instance,
    property_of,
)
from connectors.cdc.expression_lexer import SyntaxProblem, Token
from connectors.cdc.expression_members import call_static, get_item
from connectors.cdc.expression_methods import STATIC
from connectors.cdc.expression_operators import LEVELS, subtract
from connectors.cdc.expression_values import CLASSES, text, truth
from connectors.cdc.expression_words import Words

VARIABLES: Final = frozenset(("value", "key", "valueSchema", "keySchema", "topic", "header"))
_CONSTANTS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None, "undefined": None}
_DEEPEST: Final = 40


def compile_expression(source: str) -> Run:
    """A function from the record's variables to the expression's value.

    Raises:
        SyntaxProblem: it is no expression.
    """
    try:
        return _Reader(source, VARIABLES, 0).whole()
    except RecursionError:
        raise SyntaxProblem("the expression is nested too deeply") from None


class _Reader(Words):
    """Recursive descent over the words of one expression."""

    def __init__(self, source: str, names: frozenset[str], depth: int) -> None:
        super().__init__(source)
        self._names = names
        self._depth = depth

    def whole(self) -> Run:
        """The expression, with an optional `return` before and a semicolon behind."""
        if self.peek().value == "return" and self.peek().kind == "name":
            self.at += 1
        run = self._expression()
        while self.took(";"):
            pass
        if self.peek().kind != "end":
            raise self.unexpected()
        return run

    def _expression(self) -> Run:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SyntaxProblem("the expression is nested too deeply")
        run = self._ternary()
        self._depth -= 1
        return run

    def _ternary(self) -> Run:
        test = self._logical(("||",))
        if self.took("?:"):
            other = self._expression()
            return lambda scope: found if truth(found := test(scope)) else other(scope)
        if self.took("??"):
            fallback = self._expression()
            return lambda scope: fallback(scope) if (found := test(scope)) is None else found
        if not self.took("?"):
            return test
        yes = self._expression()
        self.expect(":")
        no = self._expression()
        return lambda scope: yes(scope) if truth(test(scope)) else no(scope)

    def _logical(self, operators: tuple[str, ...]) -> Run:
        is_or = operators == ("||",)
        runs = [self._logical(("&&",)) if is_or else self._binary(0)]
        while self.took(operators[0]):
            runs.append(self._logical(("&&",)) if is_or else self._binary(0))
        if len(runs) == 1:
            return runs[0]
        return any_of(runs) if is_or else all_of(runs)

    def _binary(self, level: int) -> Run:
        if level == len(LEVELS):
            return self._unary()
        run = self._binary(level + 1)
        while True:
            token = self.peek()
            if level == 1 and token.value == "instanceof" and token.kind == "name":
                self.at += 1
                run = instance(run, self._class())
                continue
            operation = LEVELS[level].get(token.value) if token.kind in ("operator", "name") else None
            if operation is None:
                return run
            self.at += 1
            run = applied(operation, run, self._binary(level + 1))

    def _class(self) -> str:
        name = self.name()
        while self.took("."):
            name = self.name()
        if name not in CLASSES:
            raise SyntaxProblem(f"unknown class {name}")
        return name

    def _unary(self) -> Run:
        if self.took("!"):
            operand = self._deeper()
            return lambda scope: not truth(operand(scope))
        if self.took("-"):
            negated = self._deeper()
            return lambda scope: subtract(0, negated(scope))
        if self.took("+"):
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
            if self.took("."):
                run = self._member(run, safe=False)
            elif self.took("?."):
                run = self._member(run, safe=True)
            elif self.took("["):
                index = self._expression()
                self.expect("]")
                run = applied(get_item, run, index)
            else:
                return run

    def _member(self, target: Run, *, safe: bool) -> Run:
        token = self.peek()
        if token.kind not in ("name", "text"):
            raise self.unexpected()
        self.at += 1
        name = str(token.value)
        arguments = self._arguments()
        if arguments is None:
            return property_of(target, name, safe=safe)
        return call_of(target, name, arguments, safe=safe)

    def _arguments(self) -> list[Run] | None:
        """Arguments in parentheses and a closure behind, or None where there is neither."""
        if self.took("("):
            arguments = self._list(")")
        elif self.peek().value == "{" and self.peek().kind == "operator":
            arguments = []
        else:
            return None
        if self.took("{"):
            arguments.append(self._closure())
        return arguments

    def _list(self, closing: str) -> list[Run]:
        found: list[Run] = []
        while not self.took(closing):
            if found:
                self.expect(",")
            if self.took("{"):
                found.append(self._closure())
            else:
                found.append(self._arrow() or self._expression())
        return found

    def _arrow(self) -> Run | None:
        """JavaScript's `x => ...`."""
        start = self.at
        if self.peek().kind == "name":
            name = self.name()
            if self.took("=>"):
                return self._function(name)
        self.at = start
        return None

    def _closure(self) -> Run:
        """Groovy's `{ it ... }` or `{ x -> ... }`, behind its brace."""
        start, name = self.at, "it"
        if self.peek().kind == "name":
            named = self.name()
            if self.took("->"):
                name = named
            else:
                self.at = start
        run = self._function(name)
        self.expect("}")
        return run

    def _function(self, name: str) -> Run:
        outer, self._names = self._names, self._names | {name}
        body = self._expression()
        self._names = outer
        return lambda scope: lambda value: body({**scope, name: value})

    def _primary(self) -> Run:
        token = self.peek()
        self.at += 1
        if token.kind in ("number", "text"):
            return constant(token.value)
        if token.kind == "template":
            return self._template(token.value)
        if token.kind == "name":
            return self._variable(token)
        if token.value == "(":
            run = self._expression()
            self.expect(")")
            return run
        if token.value == "[":
            return self._collection()
        self.at -= 1
        raise self.unexpected()

    def _variable(self, token: Token) -> Run:
        name = token.value
        if name in _CONSTANTS:
            return constant(_CONSTANTS[name])
        if name in self._names:
            return lambda scope: scope[name]
        if name in STATIC:
            self.expect(".")
            method = self.name()
            arguments = self._arguments()
            if arguments is not None and method in STATIC[name]:
                return lambda scope: call_static(name, method, [a(scope) for a in arguments])
            raise SyntaxProblem(f"there is no {name}.{method}")
        raise SyntaxProblem(f"unknown name {name!r} at position {token.at}")

    def _template(self, parts: list[tuple[str, str]]) -> Run:
        runs = [
            constant(part) if kind == "text" else _Reader(part, self._names, self._depth + 1).whole()
            for kind, part in parts
        ]
        return lambda scope: "".join([text(run(scope)) for run in runs])

    def _collection(self) -> Run:
        """A list or a map, behind its bracket."""
        if self.took(":"):
            self.expect("]")
            return lambda scope: {}
        if self._is_map():
            return self._map()
        elements = self._list("]")
        return lambda scope: [run(scope) for run in elements]

    def _is_map(self) -> bool:
        following = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        return (
            self.peek().kind in ("name", "text")
            and following is not None
            and following[:2] == ("operator", ":")
        )

    def _map(self) -> Run:
        entries: list[tuple[str, Run]] = []
        while not self.took("]"):
            if entries:
                self.expect(",")
            token = self.peek()
            if token.kind not in ("name", "text"):
                raise self.unexpected()
            self.at += 1
            self.expect(":")
            entries.append((str(token.value), self._expression()))
        return lambda scope: {key: run(scope) for key, run in entries}
