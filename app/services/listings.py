"""Pages of the nouns that a worker makes, filtered by their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import AnswerRow, ExampleRow, FindingRow
from app.db.repositories import examples as example_rows
from app.db.repositories.pages import (
    Page,
    PageRequest,
    by_creation,
    by_ordinal,
    of_project,
    page_of,
    unknown_after,
)


def in_project(
    session: Session, project_id: str, row_class: Any, page: PageRequest, *conditions: Any, **equal: object
) -> Page[Any]:
    """Rows of a project by time of creation that meet SQL ``conditions``; each keyword that is not None is a field's
    wanted value."""
    statement = of_project(row_class, project_id).where(*conditions)
    return by_creation(session, _filtered(statement, row_class, equal), row_class, page)


def all_in_project(session: Session, project_id: str, row_class: Any) -> list[Any]:
    """Every row of the project, the newest first."""
    statement = of_project(row_class, project_id).order_by(row_class.created_at.desc(), row_class.id.desc())
    return list(session.scalars(statement))


def of_parent(
    session: Session, row_class: Any, parent: dict[str, str], page: PageRequest, **equal: object
) -> Page[Any]:
    """Rows of one parent (``{"diagnosis_id": ...}``) by their ordinal."""
    statement = select(row_class).filter_by(**parent)
    return by_ordinal(session, _filtered(statement, row_class, equal), row_class, page)


def _filtered(statement: Any, row_class: Any, equal: dict[str, object]) -> Any:
    for name, value in equal.items():
        if value is not None:
            statement = statement.where(getattr(row_class, name) == value)
    return statement


def findings(
    session: Session, diagnosis_id: str, page: PageRequest, *, symptom: str | None, **equal: object
) -> Page[FindingRow]:
    statement = select(FindingRow).where(FindingRow.diagnosis_id == diagnosis_id)
    if symptom is not None:
        statement = statement.where(FindingRow.symptoms.contains([symptom]))  # pyright: ignore[reportArgumentType]
    return by_ordinal(session, _filtered(statement, FindingRow, equal), FindingRow, page)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A model's answer beside what the dataset says. ``score`` 0..1; larger = nearer to the expected output."""

    id: str
    example_id: str
    source_id: str | None
    prompt: str
    prompt_messages: list[dict[str, Any]]
    expected_output: str
    output: str
    score: float
    correct: bool
    metadata: dict[str, Any]


def answers(
    session: Session, evaluation_id: str, page: PageRequest, *, correct: bool | None = None
) -> Page[Answer]:
    """Answers of an evaluation in the order of its dataset version."""
    statement = (
        select(AnswerRow, ExampleRow)
        .join(ExampleRow, ExampleRow.id == AnswerRow.example_id)
        .where(AnswerRow.evaluation_id == evaluation_id)
        .order_by(AnswerRow.ordinal)
        .limit(page.limit + 1)
    )
    if correct is not None:
        statement = statement.where(AnswerRow.correct == correct)
    if page.after is not None:
        last = session.get(AnswerRow, page.after)
        if last is None or last.evaluation_id != evaluation_id:
            raise unknown_after(page.after)
        statement = statement.where(AnswerRow.ordinal > last.ordinal)
    shown = [_answer(answer, example) for answer, example in session.execute(statement)]
    return page_of(shown, page.limit)


def _answer(answer: AnswerRow, example: ExampleRow) -> Answer:
    record = example_rows.to_record(example)
    return Answer(
        id=answer.id,
        example_id=example.id,
        source_id=record.source_id,
        prompt=record.prompt,
        prompt_messages=[m.as_dict() for m in record.prompt_messages],
        expected_output=record.output,
        output=answer.output,
        score=answer.score,
        correct=answer.correct,
        metadata=dict(record.metadata),
    )
