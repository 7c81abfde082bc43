"""What was trained: listed, shown, taken away."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from app.cli import objects, output
from app.cli.service import Json, Key, Url, connected, given

adapters = typer.Typer(no_args_is_help=True, help="Adapters: list, show, download.")
Adapter = Annotated[str, typer.Argument(help="Id, or an alias such as current.")]


def register(cli: typer.Typer) -> None:
    cli.add_typer(adapters, name="adapters")


@adapters.command("list")
def list_(
    base_model: Annotated[str | None, typer.Option(help="Only of this base model.")] = None,
    gate: Annotated[str | None, typer.Option(help="accepted, rejected or inconclusive.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """List adapters."""
    with connected(url, key) as client:
        listed = client.adapters.list(**given(base_model=base_model, gate=gate), limit=min(limit, 200))
        found = list(islice(listed, limit))
        if as_json:
            output.print_json(found)
            return
        names: dict[str, list[str]] = {}
        for alias in client.aliases.list().data:
            names.setdefault(alias.adapter_id, []).append(alias.name)
        output.print_table(
            ("id", "base model", "gate", "made", "aliases"),
            ((a.id, a.base_model, a.gate, a.created_at, ", ".join(names.get(a.id, []))) for a in found),
        )


@adapters.command()
def show(adapter: Adapter, url: Url = None, key: Key = None) -> None:
    """Show an adapter and its card as JSON."""
    with connected(url, key) as client:
        output.print_json(objects.adapter(client, adapter))


@adapters.command()
def download(
    adapter: Adapter,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; ID.zip.")] = None,
    url: Url = None,
    key: Key = None,
) -> None:
    """Download an adapter as a zip that peft loads."""
    with connected(url, key) as client:
        found = objects.adapter(client, adapter)
        path = client.adapters.download(found.id).to_file(out or Path(f"{found.id}.zip"))
        typer.echo(f"{path}: {path.stat().st_size:,} bytes")
