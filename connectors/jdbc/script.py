"""A batch's statements as finished text, made while the server is still at work on the batch before.

Task thread only. A `Script` stands in for the connection: whatever would need the server's answer ends it, and the
batch is then written in the usual way, when its turn has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Final, NoReturn

from connectors.jdbc.dialects import Connection, Statement


class NeedsAnswers(Exception):
    """What is to be sent depends on what the server says."""


class Script(Connection):
    """Collects statements.

    Attributes:
        texts: the statements, encoded, in order.
        applied: changes per table.
        lost: values lost by policy, by `table.column`.
    """

    works_ahead: ClassVar[bool] = True

    def __init__(self) -> None:
        self.texts: Final[list[bytes]] = []
        self.applied: Final[Counter[str]] = Counter()
        self.lost: Final[Counter[str]] = Counter()

    def start(self, statement: Statement, rows: Sequence[str]) -> None:
        self.texts.append(statement.render(rows).encode())

    def finish(self) -> int:
        return 0

    def come_back(self) -> None:
        raise NeedsAnswers

    def execute(self, sql: str, args: Sequence[Any] | None = None) -> NoReturn:
        raise NeedsAnswers

    def query(self, sql: str, args: Sequence[Any] | None = None) -> NoReturn:
        raise NeedsAnswers

    def execute_text(self, sql: str) -> NoReturn:
        raise NeedsAnswers

    def begin(self) -> None:
        raise NeedsAnswers

    commit = rollback = close = ping = begin

    def connection_id(self) -> NoReturn:
        raise NeedsAnswers
