"""Alembic's entry: the URL comes from the caller or from the settings."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine

import app.db.models  # noqa: F401 - registers the tables
from app.db.base import Base
from app.db.embedded import database_url, sqlalchemy_url
from app.settings import get_settings


def _ours(object_: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """The queue's tables belong to procrastinate, not to our metadata."""
    table = name if type_ == "table" else getattr(getattr(object_, "table", None), "name", "")
    return not (reflected and compare_to is None and str(table).startswith("procrastinate_"))


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_engine(sqlalchemy_url(url) if url else database_url(get_settings()))
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=_ours,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
