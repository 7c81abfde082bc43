"""What commands print: results on stdout, progress on stderr; tables in a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def errors() -> Console:
    """Made anew: stderr may have been replaced since the module was loaded."""
    return Console(stderr=True)


def print_json(value: Any) -> None:
    ready = TypeAdapter(Any).dump_python(value, mode="json", by_alias=True)
    typer.echo(json.dumps(ready, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """In a terminal a table; elsewhere a line of tab-separated cells for each row, without a head."""
    console = Console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(_text(cell) for cell in row))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    cells = [[_text(cell) for cell in row] for row in rows]
    for number, column in enumerate(columns):
        # The first one is what other commands are given: it is shown whole.
        whole = max((len(row[0]) for row in cells), default=0) if number == 0 else None
        table.add_column(column, no_wrap=number == 0, min_width=whole)
    for row in cells:
        table.add_row(*map(escape, row))
    console.print(table)


def print_fields(fields: dict[str, object]) -> None:
    """One ``name: value`` a line, empty ones left out."""
    for name, value in fields.items():
        if value is not None and value != "":
            typer.echo(f"{name}: {_text(value)}")


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case float():
            return f"{cell:.3f}"
        case datetime():
            return cell.strftime("%Y-%m-%d %H:%M:%S")
        case _:
            return " ".join(str(cell).split())


def shortened(text: str, characters: int = 60) -> str:
    """One line of a text."""
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"
