"""Training rows and bad cases: in, listed, out."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from casemend_client import Client, WorkFailed, models

from app.cli import objects, output
from app.cli.following import follow
from app.cli.service import USAGE, Existing, Json, Key, Url, Wait, connected, fail, given

ImportFormat = Literal[
    "auto", "alpaca", "sharegpt", "messages", "preference", "completion", "kto", "dpo", "csv", "parquet"
]
ExportFormat = Literal[
    "alpaca",
    "sharegpt",
    "messages",
    "preference",
    "completion",
    "kto",
    "dpo",
    "csv",
    "parquet",
    "llamafactory",
]
_SUFFIXES = {"csv": "csv", "parquet": "parquet", "llamafactory": "zip"}
_CASES_PER_REQUEST = 1000
_SHOWN_ROWS = 20

cases = typer.Typer(no_args_is_help=True, help="Bad cases: add, list, show, delete.")


def register(cli: typer.Typer) -> None:
    cli.command("import")(import_)
    cli.add_typer(cases, name="cases")
    cli.command()(export)


def import_(
    file: Existing,
    dataset: Annotated[
        str | None, typer.Option(help="Name or id; made when new. The name of the file.")
    ] = None,
    format: Annotated[ImportFormat, typer.Option(help="auto: told by the first rows.")] = "auto",
    strict: Annotated[bool, typer.Option("--strict", help="The first bad row fails the import.")] = False,
    encoding: Annotated[str | None, typer.Option(help="Where it is not UTF-8: gb18030, cp1252 ...")] = None,
    wait: Wait = True,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Import training rows from a file (- : stdin) as a new version of a dataset."""
    if str(file) == "-" and dataset is None:
        fail("rows from stdin have no name: give --dataset", USAGE)
    with connected(url, key) as client:
        name = dataset or file.stem
        into = objects.dataset(client, name) or client.datasets.create(models.NewDataset(name=name))
        body = sys.stdin.buffer if str(file) == "-" else file
        started = client.datasets.upload(into.id, body, format=format, strict=strict, encoding=encoding)
        try:
            done = follow(client, started.id, text=f"import {file}") if wait else started
        except WorkFailed as failed:
            _tell_rejected(file, failed.work)
            fail(f"{file} was not imported: {failed.problem.detail if failed.problem else failed}")
        _tell_rejected(file, done)
        if as_json:
            output.print_json(done)
        elif wait:
            typer.echo(f"{done.dataset_version_id}: {done.rows_accepted} rows in dataset '{into.name}'")
        else:
            typer.echo(done.id)


def _tell_rejected(file: Path, done: models.Import) -> None:
    for row in done.errors[:_SHOWN_ROWS]:
        typer.echo(f"{file} line {row.line}: {row.code}: {row.message}", err=True)
    if done.rows_rejected > _SHOWN_ROWS:
        typer.echo(f"{file}: {done.rows_rejected} rows rejected; --json has the first 1,000", err=True)


@cases.command()
def add(
    file: Existing,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Add bad cases from a file (- : stdin): JSON, one a line or in an array. Exits 1 where one is rejected."""
    # Read first: a line that is no JSON is told before anything is sent.
    rows = list(read_rows(file))
    with connected(url, key) as client:
        submitted: list[models.SubmittedCase] = []
        left = iter(rows)
        while batch := list(islice(left, _CASES_PER_REQUEST)):
            sent = models.BadCaseItems(items=[row for _, row in batch])
            answers = client.bad_cases.create(sent).data
            submitted += answers
            for (place, _), answer in zip(batch, answers, strict=True):
                if answer.error is not None:
                    typer.echo(f"{file} {place}: {answer.error.code}: {answer.error.message}", err=True)
    counts = Counter(case.status for case in submitted)
    if as_json:
        output.print_json(submitted)
    else:
        told = ", ".join(f"{count} {status}" for status, count in counts.items())
        typer.echo(f"{len(submitted)} cases{f': {told}' if told else ''}")
    if counts["rejected"]:
        raise typer.Exit(1)


def read_rows(file: Path) -> Iterator[tuple[str, Any]]:
    """Where each row stands, and the row. The command ends at what is no JSON."""
    try:
        text = (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fail(f"{file}: byte {error.start} is no UTF-8: save the file as UTF-8")
    if text.lstrip().startswith("["):
        rows = _parsed(text, str(file))
        yield from ((f"item {number}", row) for number, row in enumerate(rows, 1))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"line {number}", _parsed(line, f"{file} line {number}")


def _parsed(text: str, where: str) -> Any:
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # half a character can be escaped, but not sent
    except (ValueError, RecursionError) as error:
        fail(f"{where}: invalid_json: {error}; give one JSON object a line, or an array of them")
    return value


@cases.command("list")
def list_(
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    source: Annotated[str | None, typer.Option(help="Only from this source.")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    as_json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """List bad cases."""
    with connected(url, key) as client:
        listed = client.bad_cases.list(**given(tag=tag, source=source, model=model), limit=min(limit, 200))
        found = list(islice(listed, limit))
        if as_json:
            output.print_json(found)
            return
        output.print_table(
            ("id", "external id", "prompt", "model said", "expected"),
            (
                (
                    case.id,
                    case.external_id,
                    output.shortened(str(case.messages[-1].get("content") or "")),
                    output.shortened(case.model_output, 40),
                    output.shortened(case.expected_output or "", 40),
                )
                for case in found
            ),
        )


@cases.command()
def show(case: Annotated[str, typer.Argument()], url: Url = None, key: Key = None) -> None:
    """Show a bad case as JSON."""
    with connected(url, key) as client:
        output.print_json(objects.find(client, case, objects.CASE))


@cases.command()
def delete(case: Annotated[list[str], typer.Argument(help="Ids.")], url: Url = None, key: Key = None) -> None:
    """Delete bad cases."""
    with connected(url, key) as client:
        for one in case:
            client.bad_cases.delete(one)
            typer.echo(f"deleted {one}")


def export(
    version: Annotated[str, typer.Argument(help="Version id, or a dataset: its newest version.")],
    format: Annotated[ExportFormat, typer.Option(help="llamafactory: a zip to unpack.")] = "messages",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; - : stdout.")] = None,
    url: Url = None,
    key: Key = None,
) -> None:
    """Write a dataset version to a file, in any format."""
    with connected(url, key) as client:
        found = objects.version(client, version)
        download = client.versions.export(found.id, format=format)
        if str(out) == "-":
            sys.stdout.buffer.write(download.read())
            return
        path = download.to_file(out or Path(f"{found.id}.{_SUFFIXES.get(format, 'jsonl')}"))
        typer.echo(f"{path}: {found.rows} rows")


def chosen_cases(client: Client, case: list[str] | None, **conditions: str | None) -> dict[str, Any]:
    """``bad_case_ids`` or ``filter`` of a request: the cases that are named, or all that meet the conditions."""
    if not case:
        return {"filter": models.CaseFilterInput(**given(**conditions))}
    if given(**conditions):
        fail("give --case, or conditions such as --tag, not both", USAGE)
    return {"bad_case_ids": [objects.find(client, one, objects.CASE).id for one in case]}
