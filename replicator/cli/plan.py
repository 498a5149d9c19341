"""What `sync` and `verify` work on: the tables of the source, and the target table of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from replicator.api.database import Problem, SourceDatabase, TableInfo, TablePair, TargetDatabase
from replicator.api.errors import ConfigError


@dataclass(slots=True)
class Plan:
    """Tables to replicate, and everything preflight found.

    Attributes:
        pairs: source tables with their target names, unsupported ones already left out.
        problems: findings of both sides.
        skipped: tables left out because of --skip-unsupported, with the reason.
        held: tables of a pipeline that began earlier which are left out or stopped, while the others go on (C23).
    """

    pairs: list[TablePair]
    problems: list[Problem]
    skipped: dict[str, str]
    held: dict[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> list[TableInfo]:
        """The source tables."""
        return [p.source for p in self.pairs]

    def refused(self) -> bool:
        """Whether the pipeline must not start."""
        return any(p.severity in ("error", "table") for p in self.problems)


def split_patterns(text: str | None) -> list[str]:
    """`public.*, shop.orders` -> patterns; a name without a schema means schema public."""
    parts = [p.strip() for p in (text or "").split(",") if p.strip()]
    return [p if "." in p else f"public.{p}" for p in parts]


def find_pairs(
    source: SourceDatabase, target: TargetDatabase, include: Sequence[str], exclude: Sequence[str]
) -> list[TablePair]:
    """Matching tables with their target names.

    Raises:
        ConfigError: nothing matches.
    """
    tables = source.tables(include or ["*.*"], exclude)
    if not tables:
        raise ConfigError(
            f"No table matches --tables '{','.join(include) or '*.*'}'.",
            option="--tables",
            hint="Patterns are schema.table, with * and ?, for example 'public.*,shop.orders'."
            " Views, foreign tables and temporary tables are not replicated.",
        )
    return [TablePair(source=t, target_name=target.target_name(t)) for t in tables]


def make_plan(
    source: SourceDatabase,
    target: TargetDatabase,
    name: str,
    include: Sequence[str],
    exclude: Sequence[str],
    *,
    skip_unsupported: bool,
    joined: Sequence[str] = (),
) -> Plan:
    """Check both sides and decide which tables can be replicated.

    Args:
        source: the database to read.
        target: the database to write.
        name: the pipeline's.
        include: patterns of tables.
        exclude: patterns of tables to leave out.
        skip_unsupported: leave out what cannot be held, instead of refusing.
        joined: tables of the pipeline's last run; what concerns a single table then stops the others no more.
    """
    # Newcomers last: where two tables would become one, the later one is at fault.
    found = sorted(
        find_pairs(source, target, include, exclude), key=lambda p: p.source.full_name not in joined
    )
    tables = source.measured([p.source for p in found])
    pairs = [replace(p, source=t) for p, t in zip(found, tables, strict=True)]
    problems = [*source.preflight([p.source for p in pairs], name), *target.preflight(pairs, name)]
    skipped: dict[str, str] = {}
    if skip_unsupported:
        # A table that was replicated before is not left out in silence: it is held, with what to do.
        skipped = {
            p.table: p.what for p in problems if p.severity == "table" and p.table and p.table not in joined
        }
        pairs = [p for p in pairs if p.source.full_name not in skipped]
        problems = [p for p in problems if p.table not in skipped or p.severity == "warning"]
        if not pairs:
            raise ConfigError(
                "Every table is unsupported; nothing would be replicated.", option="--skip-unsupported"
            )
    plan = _without_held(pairs, problems, joined) if joined else Plan(pairs, problems, {})
    plan.skipped = skipped
    return plan


def _without_held(pairs: list[TablePair], problems: Sequence[Problem], joined: Sequence[str]) -> Plan:
    """A later start: tables that cannot go on (or newcomers that cannot join) are held, with what to do."""
    held: dict[str, str] = {}
    out: set[str] = set()
    shown = []
    for problem in problems:
        table = problem.table
        leave_out = problem.severity == "table" or (problem.severity == "error" and table not in joined)
        if table is not None and (leave_out or problem.severity == "stopped"):
            held[table] = f"{held.get(table, '')} {as_sentence(problem)}".strip()
            if leave_out:
                out.add(table)
                problem = replace(problem, severity="held")
        shown.append(problem)
    return Plan([p for p in pairs if p.source.full_name not in out], shown, {}, held)


def as_sentence(problem: Problem) -> str:
    """What and remedy in one line."""
    return f"{problem.what} -> {problem.remedy}" if problem.remedy else problem.what
