"""The command line: what users ask of a service, and what its operators need."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from app.cli import adapters, asking, cycles, data, diagnosing, operators, repairing
from app.cli.service import FAILED, USAGE, wrong_setting

cli = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for room in (data, diagnosing, repairing, cycles, adapters, asking, operators):
    room.register(cli)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"casemend {metadata.version('casemend')}")
        raise typer.Exit


@cli.callback()
def casemend(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Why does the fine-tuned model fail on this case? Diagnose it, repair the data, retrain, prove the fix."""


def main() -> None:
    """What is wrong with the settings or the database is told in a line, as any other mistake is."""
    try:
        cli()
    except ValidationError as error:
        told, exit_code = wrong_setting(error), USAGE
    except OperationalError as error:
        told, exit_code = f"the database does not answer, look at DATABASE_URL: {error.orig}", FAILED
    else:
        return
    typer.echo(" ".join(told.split()), err=True)
    raise SystemExit(exit_code)


__all__ = ["cli", "main"]
