"""The import graph of ``app`` and ``workers``: no circle, and no import inside a function that hides one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAZY = frozenset({"workers.models", "workers.training", "workers.scaleout", "app.demo", "app.openapi"})
"""Rooms that load torch, ray or a whole application: imported where they are needed."""


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for package in ("app", "workers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = ast.parse(path.read_text("utf-8"))
    return found


def imported(node: ast.AST) -> Iterator[str]:
    """The modules of the project that an import statement names."""
    known = modules()
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            if inner in known or node.module in known:
                yield inner if inner in known else node.module


def test_no_module_imports_itself_through_others() -> None:
    """Imports inside functions and for types alone count too."""
    graph = {
        name: {other for node in ast.walk(tree) for other in imported(node) if other != name}
        for name, tree in modules().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_only_what_is_heavy_or_optional_is_imported_inside_a_function() -> None:
    hidden = [
        f"{name} imports {other} in {function.name}()"
        for name, tree in modules().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        for other in imported(node)
        if ".".join(other.split(".")[:2]) not in LAZY
    ]
    assert not hidden, "\n".join(hidden)


def test_only_the_lifecycle_finishes_a_row_of_work() -> None:
    """Whoever else did so would leave the row's cycle waiting."""
    users = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "mark_finished"
    }
    assert users == {"app.services.work.lifecycle"}
