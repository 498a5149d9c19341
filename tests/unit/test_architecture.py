"""Rules of the code base that no linter knows: one test per rule, one failure line per offence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("replicator", "connectors")
LONGEST_MODULE = 700
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """Every Python file below the folders."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(path for path in found if "__pycache__" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_check() -> None:
    assert {"api", "runtime"} <= {path.parent.name for path in modules("replicator")}


def test_every_module_says_what_it_is() -> None:
    silent = [
        name(path) for path in modules(*PACKAGES, "scripts", "tests") if not ast.get_docstring(tree(path))
    ]
    # An empty __init__.py of a test folder has nothing to say.
    assert [entry for entry in silent if not entry.startswith("tests/") or "__init__" not in entry] == []


def test_no_module_is_too_long() -> None:
    lengths = {
        name(path): path.read_text(encoding="utf-8").count("\n")
        for path in modules(*PACKAGES, "scripts", "tests", "migrations")
    }
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_catch_all_names() -> None:
    paths = [path.relative_to(ROOT) for path in modules(*PACKAGES, "scripts", "tests")]
    offences = [str(path) for path in paths if FORBIDDEN_NAMES & {path.stem, *path.parts}]
    assert offences == []


@pytest.mark.parametrize("package", PACKAGES)
def test_package_files_only_re_export(package: str) -> None:
    """An `__init__.py` has a docstring, imports, `__all__` and constants made of literals, and no logic."""
    offences = [
        f"{name(path)}:{node.lineno}: {type(node).__name__}"
        for path in modules(package)
        if path.name == "__init__.py"
        for node in tree(path).body
        if not _is_declaration(node)
    ]
    assert offences == []


def _is_declaration(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return isinstance(node.value, ast.Constant | ast.List | ast.Tuple)
    return False


def test_only_the_command_line_prints() -> None:
    offences = [
        f"{name(path)}:{node.lineno}"
        for path in modules(*PACKAGES)
        if "cli" not in path.parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert offences == []


def test_no_error_is_swallowed_wholesale() -> None:
    """`except Exception: pass` hides the very error that somebody will look for."""
    offences = [
        f"{name(path)}:{node.lineno}"
        for path in modules(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and _does_nothing(node)
    ]
    assert offences == []


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    return caught is None or (isinstance(caught, ast.Name) and caught.id in {"Exception", "BaseException"})


def _does_nothing(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(node, ast.Pass | ast.Continue) for node in handler.body)


def test_the_runtime_never_imports_a_connector() -> None:
    assert [
        f"{where}: {what}" for where, what in imports("replicator") if what.startswith("connectors")
    ] == []


def test_connectors_stand_on_the_api_only() -> None:
    """A connector imports `replicator.api`, itself, and `connectors.cdc`; never another connector."""
    offences = []
    for where, what in imports("connectors"):
        own = where.split("/")[1]
        if what.startswith("replicator") and not what.startswith("replicator.api"):
            offences.append(f"{where}: {what}")
        if what.startswith("connectors.") and what.split(".")[1] not in {own, "cdc"}:
            offences.append(f"{where}: {what}")
    assert offences == []


def test_one_package_knows_kafkas_client() -> None:
    doors = {
        where.rpartition("/")[0] for where, what in imports(*PACKAGES) if what.startswith("confluent_kafka")
    }
    assert doors <= {"replicator/broker/kafka"}


def imports(*folders: str) -> Iterator[tuple[str, str]]:
    """Every import as `path:line` and the module named; also those inside functions."""
    for path in modules(*folders):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                yield from ((f"{name(path)}:{node.lineno}", alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield f"{name(path)}:{node.lineno}", _absolute(path, node)


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    """The imported module's full name; a relative import counts from the module's own package."""
    package = path.relative_to(ROOT).parent.parts
    above = package[: len(package) - node.level + 1] if node.level else ()
    return ".".join((*above, node.module or "")).rstrip(".")
