"""Where commands reach the service, and the one line that a mistake is answered with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from casemend_client import (
    ApiError,
    CasemendError,
    Client,
    Forbidden,
    NotFound,
    ServiceUnreachable,
    Unauthenticated,
    UnexpectedAnswer,
    WaitTimeout,
)
from pydantic import BaseModel, ValidationError

from app import supervisor
from app.settings import get_settings

FAILED, USAGE, GATE_REJECTED = 1, 2, 3
"""Exit codes beside 0."""

Model = TypeVar("Model", bound=BaseModel)
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="CASEMEND_URL",
        help="Service; the one running here.",
        rich_help_panel="Service",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="CASEMEND_KEY",
        help="API key; that of the one running here.",
        rich_help_panel="Service",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Wait = Annotated[bool, typer.Option(help="Wait for the result; --no-wait prints what was started.")]


def readable(path: Path | None) -> Path | None:
    """A file, or - for stdin."""
    if path is None or str(path) == "-":
        return path
    if not os.access(path, os.R_OK):
        raise typer.BadParameter(f"'{path}' is not there, or may not be read")
    if path.is_dir():
        raise typer.BadParameter(f"'{path}' is a folder; give a file")
    return path


Existing = Annotated[Path, typer.Argument(callback=readable)]


def fail(message: str, exit_code: int = FAILED) -> NoReturn:
    """End the command with a line on stderr."""
    typer.echo(message, err=True)
    raise typer.Exit(exit_code)


@contextmanager
def connected(url: str | None, key: str | None) -> Iterator[Client]:
    """A client of the service that is named, or that runs here. What it refuses ends the command."""
    where, secret = address(url, key)
    try:
        _require_service(where, secret)
        with Client(where, secret) as client:
            yield client
    except CasemendError as error:
        fail(explained(error, where))
    except UnicodeEncodeError as error:
        fail(f"{error.object!a} is no text: give UTF-8")
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"{error.filename or 'file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        fail("stopped looking; what was started goes on: 'casemend watch ID' looks again", 130)


def address(url: str | None, key: str | None) -> tuple[str, str]:
    """URL and key. The key of the service that runs here is sent to no other one."""
    if url is not None and not url.startswith(("http://", "https://")):
        fail(f"'{url}' is no address of a service: give http://HOST:PORT", USAGE)
    if url is not None and key is not None:
        return url.rstrip("/"), key
    try:
        service = supervisor.running(get_settings())
    except ValidationError as error:
        fail(wrong_setting(error), USAGE)
    if url is not None and (service is None or service.url != url.rstrip("/")):
        fail(f"no key for {url}: give --key, or set CASEMEND_KEY")
    if service is None:
        fail("no service runs here: start one with 'casemend up --detach', or give --url and --key")
    return service.url, key or service.key


def _require_service(url: str, key: str) -> None:
    """A wrong address or key is told at once, where the client would try again and again."""
    with Client(url, key, max_retries=0) as client:
        try:
            client.project.get()
        except (NotFound, UnexpectedAnswer):
            fail(f"{url} answers, but not as casemend does: look at --url")


def start_one(url: str) -> str:
    """Where nothing answers."""
    return f"no answer from {url}: start a service with 'casemend up --detach', or look at --url"


def explained(error: CasemendError, url: str) -> str:
    """What is wrong and what to do about it."""
    match error:
        case Unauthenticated():
            return (
                f"{url} does not know this key: give --key or set CASEMEND_KEY; 'casemend keys' makes a key "
                "on the machine of the service"
            )
        case Forbidden():
            return f"{error}: use a key of a higher role"
        case NotFound():
            return f"{error}: look at the id, and that the key is of its project"
        case ApiError():
            lines = [f"{e.pointer}: {e.message}" for e in error.errors if e.message not in str(error)]
            return "\n  ".join([str(error), *lines])
        case ServiceUnreachable():
            return f"{error}: start a service with 'casemend up --detach', or look at --url"
        case WaitTimeout():
            return f"{error}; it goes on, and 'casemend watch' looks again"
        case _:
            return str(error)


def _first_of(error: ValidationError) -> str:
    """The first thing that is wrong, and where."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def wrong_setting(error: ValidationError) -> str:
    """By the name of the environment variable."""
    name, _, told = _first_of(error).partition(": ")
    return f"{name if name.isupper() else f'CASEMEND_{name.upper()}'}: {told}"


def options_from(path: Path | None, kind: type[Model]) -> Model | None:
    """What a JSON file says; None without one. A file of anything else is a mistake of usage."""
    if path is None:
        return None
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fail(f"{path}: {_first_of(error)}", USAGE)
    except OSError as error:
        fail(f"{path}: {error.strerror}", USAGE)


def given(**values: Any) -> dict[str, Any]:
    """Without what was left out: the service's own defaults hold."""
    return {name: value for name, value in values.items() if value is not None}
