"""Why cases fail, and the report that says so."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from casemend_client import models

from app.cli import objects, output
from app.cli.data import chosen_cases
from app.cli.following import follow
from app.cli.service import USAGE, Json, Key, Url, Wait, connected, fail, given, options_from

Cases = Annotated[list[str] | None, typer.Option("--case", help="Only these bad cases; may be repeated.")]
Tag = Annotated[str | None, typer.Option(help="Only bad cases with this tag.")]
Source = Annotated[str | None, typer.Option(help="Only bad cases from this source.")]
ReportFormat = Literal["html", "md", "csv", "json"]


def register(cli: typer.Typer) -> None:
    cli.command()(diagnose)
    cli.command()(report)


def diagnose(
    version: Annotated[str, typer.Argument(help="Version id, or a dataset: its newest version.")],
    case: Cases = None,
    tag: Tag = None,
    source: Source = None,
    options: Annotated[Path | None, typer.Option(help="JSON file of a diagnosis' options.")] = None,
    wait: Wait = True,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Find out why bad cases fail, given the training set."""
    chosen = options_from(options, models.DiagnosisOptions)
    with connected(url, key) as client:
        started = client.diagnoses.create(
            models.NewDiagnosis(
                dataset_version_id=objects.version(client, version).id,
                **chosen_cases(client, case, tag=tag, source=source),
                **given(options=chosen),
            )
        )
        done = follow(client, started.id) if wait else started
        if as_json:
            output.print_json(done)
            return
        typer.echo(f"{done.id}: {done.cases} cases")
        if wait:
            causes = (done.summary or {}).get("by_category", {})
            output.print_table(("cause", "cases"), causes.items())
            typer.echo(f"next: casemend report {done.id}; casemend plan {done.id}")


def report(
    diagnosis: Annotated[str, typer.Argument(help="Id of a diagnosis, or of the cycle that made it.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File; - : stdout.")] = Path("report.html"),
    format: Annotated[ReportFormat | None, typer.Option(help="By the file's name.")] = None,
    compared_with: Annotated[str | None, typer.Option(help="An earlier diagnosis.")] = None,
    url: Url = None,
    key: Key = None,
) -> None:
    """Write what failed and why, what was changed, and whether it helped."""
    chosen = format or _format_of(out)
    with connected(url, key) as client:
        found = client.diagnoses.report(
            objects.diagnosis_id(client, diagnosis),
            format=chosen,
            compared_with=compared_with and objects.diagnosis_id(client, compared_with),
        )
        if str(out) == "-":
            sys.stdout.buffer.write(found.read())
        else:
            typer.echo(f"report: {found.to_file(out)}")


_FORMATS: dict[str, ReportFormat] = {
    ".html": "html",
    ".htm": "html",
    ".md": "md",
    ".markdown": "md",
    ".csv": "csv",
    ".json": "json",
}


def _format_of(out: Path) -> ReportFormat:
    found = _FORMATS.get(out.suffix.lower())
    if found is None:
        fail(f"{out}: which format? End its name in .html, .md, .csv or .json, or give --format", USAGE)
    return found
