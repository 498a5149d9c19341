"""What commands print: problems with remedies, numbers for people, errors without tracebacks."""

from __future__ import annotations

import errno
import functools
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from replicator.api.database import Problem
from replicator.api.errors import ConnectError

F = TypeVar("F", bound=Callable[..., Any])
_MARK = {
    "error": ("ERROR", "red"),
    "table": ("TABLE", "red"),
    "held": ("NOT REPLICATED", "red"),
    "stopped": ("STOPPED", "red"),
    "warning": ("WARNING", "yellow"),
    "note": ("NOTE", "cyan"),
}


def fails_with(code: int) -> Callable[[F], F]:
    """Decorator: an error of the service ends the command with one message and this exit code."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except ConnectError as error:
                fail(str(error), code)

        return run  # type: ignore[return-value]

    return decorate


def fail(message: str, code: int = 1) -> None:
    """Print an error and leave."""
    click.secho(f"ERROR: {message}", fg="red", err=True)
    sys.exit(code)


def say(message: str) -> None:
    """One line to stdout, at once."""
    click.echo(message)
    sys.stdout.flush()


def show(text: str, colour: str | None = None, *, nl: bool = True) -> None:
    """As `say`, of a service that goes on when nobody can read it: stdout may be a file on a full disk."""
    try:
        click.secho(text, fg=colour, nl=nl)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


def show_problems(problems: Sequence[Problem], *, notes: bool = False) -> None:
    """Every finding, the gravest first, with its remedy."""
    order = {"error": 0, "table": 1, "held": 2, "stopped": 3, "warning": 4, "note": 5}
    for problem in sorted(problems, key=lambda p: order.get(p.severity, 9)):
        if problem.severity == "note" and not notes:
            continue
        word, colour = _MARK.get(problem.severity, ("NOTE", "cyan"))
        click.secho(f"{word}: ", fg=colour, nl=False)
        click.echo(problem.what)
        if problem.remedy:
            click.echo(f"    -> {problem.remedy}")


def leave_out_traces() -> None:
    """Errors of the service explain themselves; the log keeps traces of unexpected ones only."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_WithoutTraces(handler.formatter._fmt if handler.formatter else None))


class _WithoutTraces(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return "" if isinstance(ei[1], ConnectError) else super().formatException(ei)


def number(value: float) -> str:
    """12345 -> 12,345."""
    return f"{int(value):,}"


def size(octets: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(octets) < 1024:
            return f"{octets:.0f} {unit}" if unit == "B" else f"{octets:.1f} {unit}"
        octets /= 1024
    return f"{octets:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"


def lsn(position: int) -> str:
    """A log position as Postgres writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
