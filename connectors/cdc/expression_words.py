"""The words of one expression, taken one after the other. Pure."""

from __future__ import annotations

from connectors.cdc.expression_lexer import SyntaxProblem, Token, tokens


class Words:
    """Where a reader stands in an expression.

    Attributes:
        tokens: all words.
        at: index of the next one.
    """

    def __init__(self, source: str) -> None:
        self.tokens = tokens(source)
        self.at = 0

    def peek(self) -> Token:
        """The word that comes next."""
        return self.tokens[self.at]

    def took(self, operator: str) -> bool:
        """Whether an operator came next; it is taken then."""
        token = self.peek()
        found = token.kind == "operator" and token.value == operator
        self.at += found
        return found

    def expect(self, operator: str) -> None:
        """Take an operator that must come."""
        if not self.took(operator):
            raise SyntaxProblem(f"expected '{operator}' at position {self.peek().at}")

    def unexpected(self) -> SyntaxProblem:
        """An error that names the next word."""
        token = self.peek()
        return SyntaxProblem(f"unexpected {token.value!r} at position {token.at}")

    def name(self) -> str:
        """Take a name that must come."""
        token = self.peek()
        if token.kind != "name":
            raise self.unexpected()
        self.at += 1
        return str(token.value)
