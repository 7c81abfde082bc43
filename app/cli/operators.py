"""What operators need: ``casemend up``, ``casemend demo``, one process of it, keys, migrations."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app import logging, supervisor
from app.db import embedded, migrate
from app.db.session import make_engine, make_sessions, transaction
from app.errors import NotFound
from app.services import browser_sessions, projects
from app.settings import get_settings

operators = typer.Typer()


def register(cli: typer.Typer) -> None:
    for command in operators.registered_commands:
        command.rich_help_panel = "Run the service"
        cli.registered_commands.append(command)


@operators.command()
def up(detach: Annotated[bool, typer.Option(help="Leave it running in the background.")] = False) -> None:
    """Run the whole service: database, API and workers."""
    settings = get_settings()
    logging.configure(settings)
    try:
        if not detach:
            supervisor.run(settings, ready=_in_foreground)
            return
        service = supervisor.start_detached(settings)
    except supervisor.CannotStart as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    _tell(service)
    typer.echo("stop it with: casemend down")


def _in_foreground(service: supervisor.Service) -> None:
    # a log that is kept must hold neither key nor link
    if sys.stdout.isatty():
        _tell(service)


def _tell(service: supervisor.Service) -> None:
    typer.echo(f"casemend runs at {service.url}\nAPI key: {service.key}\nAPI docs: {service.url}/docs")
    try:
        link = _sign_in_link(service.url, projects.DEFAULT_PROJECT)
    except NotFound as error:  # its admin keys were revoked
        typer.echo(f"no link to sign in: {error.detail}")
    else:
        typer.echo(f"open in a browser, once, within ten minutes: {link}")


@operators.command()
def sign_in(
    project: Annotated[str, typer.Option(help="Project to look at.")] = projects.DEFAULT_PROJECT,
    url: Annotated[
        str | None, typer.Option(envvar="CASEMEND_URL", help="Address of the service as the browser sees it.")
    ] = None,
) -> None:
    """Print a link that signs a browser in, once, within ten minutes, as an admin of the project."""
    try:
        link = _sign_in_link(url or supervisor.shown_url(get_settings()), project)
    except NotFound as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(1) from error
    typer.echo(link)


def _sign_in_link(url: str, project: str) -> str:
    engine = make_engine(embedded.database_url(get_settings()), pool_size=1)
    try:
        with transaction(make_sessions(engine)) as session:
            token = browser_sessions.new_link_for(session, project, datetime.now(UTC))
    finally:
        engine.dispose()
    return f"{url.rstrip('/')}/sign-in?token={token}"


@operators.command()
def down() -> None:
    """Stop the service that ``up --detach`` started."""
    typer.echo("stopped" if supervisor.stop(get_settings()) else "nothing was running")


@operators.command()
def demo(
    train: Annotated[Path | None, typer.Option(help="Training set; the bundled one when left out.")] = None,
    eval_: Annotated[Path | None, typer.Option("--eval", help="Prompts with their expected answers.")] = None,
    base_model: Annotated[str, typer.Option(help="Base model.")] = "smollm2-135m-instruct",
    out: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("demo-report"),
) -> None:
    """Fine-tune, find what is really wrong, repair it, prove it: the whole story in minutes."""
    from app.demo import run

    if (train is None) != (eval_ is None):
        raise typer.BadParameter("give both --train and --eval, or neither")
    raise typer.Exit(run.main(train=train, evaluation=eval_, base_model=base_model, out=out))


@operators.command()
def api() -> None:
    """Run the API alone."""
    import uvicorn

    settings = get_settings()
    logging.configure(settings)
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        log_config=None,
        timeout_graceful_shutdown=5,  # an open event stream does not hold up the stop
    )


@operators.command()
def worker(
    queues: Annotated[str, typer.Option(help="Comma-separated: cpu, llm, gpu.")] = "cpu,llm,gpu",
) -> None:
    """Run one worker process."""
    os.execv(sys.executable, [sys.executable, "-m", "workers", "--queues", queues])  # noqa: S606


@operators.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address for APIs of other machines.")] = None,
    port: Annotated[int, typer.Option(help="Its port.")] = 8001,
) -> None:
    """Run the server that answers chat requests. It knows no keys: only the API may reach it."""
    where = [] if host is None else ["--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "workers.serving", *where])  # noqa: S606


@operators.command("migrate")
def migrate_() -> None:
    """Bring the database to the newest revision."""
    migrate.upgrade(embedded.database_url(get_settings()))


@operators.command()
def check_migrations() -> None:
    """Fail where the tables of the code and of the migrations differ."""
    url = embedded.database_url(get_settings())
    migrate.upgrade(url)
    migrate.check(url)


@operators.command()
def openapi(
    check: Annotated[bool, typer.Option(help="Fail where openapi.json is out of date.")] = False,
) -> None:
    """Write openapi.json, or check it."""
    from app.openapi import render

    path = Path("openapi.json")
    content = render()
    if not check:
        path.write_text(content, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != content:
        typer.echo("openapi.json is out of date: run `make openapi` and commit it", err=True)
        raise typer.Exit(1)


@operators.command()
def keys(
    project: Annotated[str, typer.Option(help="Project name; made when new.")] = "default",
    role: Annotated[
        projects.Role, typer.Option(help="Each may do what the one before it may.")
    ] = projects.Role.CONTRIBUTOR,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "cli",
) -> None:
    """Make an API key; it is shown once."""
    engine = make_engine(embedded.database_url(get_settings()), pool_size=1)
    with transaction(make_sessions(engine)) as session:
        row = projects.project_named(session, project) or projects.create_project(session, project)
        created = projects.create_key(session, row.id, name=name, role=role)
    typer.echo(created.secret)
