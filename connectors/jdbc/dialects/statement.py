"""Statements whose rows are text: `prefix` + rows joined by `separator` + `suffix`.

The row formatter is generated code: it is the hottest part of the sink. A statement is compiled
once per table and column set, used on the task's thread, and keeps no state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.jdbc.dialects.failures import Unrepresentable
from connectors.jdbc.dialects.model import BoundColumn
from replicator.api import DataError

RowText = Callable[[Mapping[str, Any]], str]
LossyText = Callable[[Mapping[str, Any], list[str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement for many rows. `connection.run(statement, rows)` executes it.

    Attributes:
        prefix: text before the rows.
        suffix: text after the rows.
        separator: text between rows; ";" means each row is a statement of its own.
        row_text: one row's text from its values by field name. Raises
            `Unrepresentable` or `DataError`, naming the column.
        lossy_text: the same under the policy that stores NULL or the substitute: appends the name of
            each column whose value was lost to the list.
        max_rows: most rows of one statement.
    """

    prefix: str
    suffix: str
    row_text: RowText
    lossy_text: LossyText
    separator: str = ","
    max_rows: int = 1_000_000

    def render(self, rows: Sequence[str]) -> str:
        """The whole text."""
        return self.prefix + self.separator.join(rows) + self.suffix


@dataclass(frozen=True, slots=True)
class Template:
    """A row's text: constant parts, and numbers that stand for the literal of that column."""

    parts: tuple[str | int, ...]
    columns: tuple[BoundColumn, ...]


def row_template(columns: Sequence[BoundColumn], before: str = "(", after: str = ")") -> Template:
    """`(a,b,c)`."""
    parts: list[str | int] = [before]
    for i in range(len(columns)):
        parts += [",", i] if i else [i]
    return Template((*parts, after), tuple(columns))


def compile_row(template: Template) -> tuple[RowText, LossyText]:
    """Generate the two formatters of a row."""
    return _compile_fast(template), _compile_lossy(template)


def _compile_fast(template: Template) -> RowText:
    """One f-string when all values have their usual form, else value by value."""
    scope: dict[str, Any] = {"explain": _explainer(template.columns)}
    take: list[str] = []
    one_by_one: list[str] = []
    conditions: list[str] = []
    texts: list[str] = []
    for i, bound in enumerate(template.columns):
        literal = bound.literal
        scope[f"r{i}"], scope[f"c{i}"] = literal.render, literal.check
        take.append(f"v{i} = values[{bound.field!r}]")
        if literal.usual is None:
            take.append(f"s{i} = 'NULL' if v{i} is None else r{i}(v{i})")
            texts.append(f"{{s{i}}}")
            continue
        condition, text = (part.replace("$v", f"v{i}").replace("$c", f"c{i}") for part in literal.usual)
        conditions.append(condition)
        texts.append(text)
        one_by_one.append(f's{i} = "NULL" if v{i} is None else f"{text}" if {condition} else r{i}(v{i})')
    usual = "".join(_constant(part) if isinstance(part, str) else texts[part] for part in template.parts)
    any_form = "".join(
        _constant(part) if isinstance(part, str) else f"{{s{part}}}" for part in template.parts
    )
    lines = ["def row_text(values):", "    try:", *(f"        {line}" for line in take)]
    if conditions:
        lines += [f"        if {' and '.join(conditions)}:", f'            return f"{usual}"']
    lines += [*(f"        {line}" for line in one_by_one), f'        return f"{any_form}"']
    lines += ["    except Exception as error:", "        raise explain(values, error) from error"]
    exec("\n".join(lines), scope)
    made: RowText = scope["row_text"]
    return made


def _constant(part: str) -> str:
    """Text of an f-string in double quotes."""
    escaped = part.encode("unicode_escape").decode()
    return escaped.replace('"', '\\"').replace("{", "{{").replace("}", "}}")


def _explainer(columns: Sequence[BoundColumn]) -> Callable[[Mapping[str, Any], Exception], DataError]:
    """Finds the column that made a row fail."""

    def explain(values: Mapping[str, Any], error: Exception) -> DataError:
        for bound in columns:
            if bound.field not in values:
                return DataError(f"The row has no value for {bound.field}")
            try:
                bound.literal(values[bound.field])
            except Unrepresentable as lost:
                return Unrepresentable(
                    f"{bound.column}: {lost.reason}", lost.substitute, rounded=lost.rounded
                )
            except DataError as wrong:
                return DataError(f"{bound.column}: {wrong.message}")
            except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as wrong:
                kind = type(values[bound.field]).__name__
                return DataError(f"{bound.column}: a value of type {kind} does not fit its schema ({wrong})")
        return DataError(f"The row cannot be written: {type(error).__name__}: {error}")

    return explain


def _compile_lossy(template: Template) -> LossyText:
    explain = _explainer(template.columns)

    def lossy_text(values: Mapping[str, Any], lost: list[str]) -> str:
        try:
            texts = [_lossy(bound, values[bound.field], lost) for bound in template.columns]
        except Exception as error:
            raise explain(values, error) from error
        return "".join(texts[part] if isinstance(part, int) else part for part in template.parts)

    return lossy_text


def _lossy(bound: BoundColumn, value: Any, lost: list[str]) -> str:
    try:
        return bound.literal(value)
    except Unrepresentable as error:
        lost.append(bound.column)
        if error.substitute is not None and (error.rounded or not bound.nullable):
            return error.substitute
        if bound.nullable:
            return "NULL"
        raise
