"""Many rows at once through COPY, on the session's own connection and in its transaction.

``record.id`` names the example; the caller has given it one that is free.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from app.db.repositories.example_encoding import EncodedExample
from app.domain.records import TrainingExample

_EXAMPLES = (
    "COPY examples (id, dataset_id, content_hash, record_hash, messages, rejected, tools, desirable, "
    "instruction_length, source_id, metadata) FROM STDIN"
)
_MEMBERS = "COPY dataset_version_examples (version_id, position, example_id) FROM STDIN"
_CHANGES = (
    "COPY dataset_version_changes (version_id, ordinal, kind, example_id, previous_example_id, reason, "
    "action_id) FROM STDIN"
)


def copy_examples(
    session: Session, dataset_id: str, examples: Iterable[tuple[TrainingExample, EncodedExample]]
) -> None:
    _copy(session, _EXAMPLES, (_columns(dataset_id, example, encoded) for example, encoded in examples))


def copy_members(session: Session, version_id: str, places: Iterable[tuple[int, str]]) -> None:
    """(position, example_id) of each row."""
    _copy(session, _MEMBERS, ((version_id, position, example_id) for position, example_id in places))


def copy_changes(session: Session, rows: Iterable[tuple[Any, ...]]) -> None:
    """(version_id, ordinal, kind, example_id, previous_example_id, reason, action_id) of each change."""
    _copy(session, _CHANGES, rows)


def _copy(session: Session, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    session.flush()
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _columns(dataset_id: str, example: TrainingExample, encoded: EncodedExample) -> tuple[Any, ...]:
    return (
        example.id,
        dataset_id,
        encoded.content_hash,
        encoded.record_hash,
        encoded.messages,
        encoded.rejected,
        # A list of one: "tools": null in a row stays apart from no tools at all.
        None if encoded.tools is None else f"[{encoded.tools}]",
        example.desirable,
        example.instruction_length,
        example.source_id,
        encoded.metadata,
    )
