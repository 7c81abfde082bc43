"""Which verdicts of people teach a diagnosis: the last on each case, as long as its rows still stand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow, DiagnosisRow, ExampleRow, FindingRow, VersionExampleRow
from app.domain.evidence import Evidence, Finding, JudgeEvidence, Neighbor
from app.domain.records import Agreement, RootCause
from app.domain.repair.plan import ActionKind
from app.services.diagnoses import diagnoses, overrides
from app.services.repairs import applying
from tests.integration.builders import action, add_case, add_repair, add_version, example

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def examples_of(session: Session, version: DatasetVersionRow) -> list[ExampleRow]:
    statement = (
        select(ExampleRow)
        .join(VersionExampleRow, VersionExampleRow.example_id == ExampleRow.id)
        .where(VersionExampleRow.version_id == version.id)
        .order_by(VersionExampleRow.position)
    )
    return list(session.scalars(statement))


def diagnosed(
    session: Session, project: str, version: DatasetVersionRow, *numbers: int, judge: RootCause | None = None
) -> list[FindingRow]:
    """A diagnosis whose findings rest on the version's first row."""
    cases = [add_case(session, project, n) for n in numbers]
    return diagnosed_again(session, project, version, [c.id for c in cases], judge=judge)


def diagnosed_again(
    session: Session,
    project: str,
    version: DatasetVersionRow,
    case_ids: list[str],
    judge: RootCause | None = None,
) -> list[FindingRow]:
    from app.db.repositories import bad_cases

    cases = bad_cases.by_ids(session, project, case_ids)
    row = diagnoses.create(session, project, dataset_version_id=version.id, case_ids=case_ids)
    near = examples_of(session, version)[0]
    evidence = Evidence(
        neighbors=(
            Neighbor(
                example_id=near.id, similarity=0.9, input="Q0", output="A0", agrees_with=Agreement.NEITHER
            ),
        ),
        judge=None
        if judge is None
        else JudgeEvidence(verdict=judge, quote="Q0", reason="r", model="m", agrees=False),
    )
    found = [
        Finding(
            bad_case_id=case.id,
            root_cause=RootCause.HARD,
            probabilities={RootCause.HARD: 1.0},
            confidence=1.0,
            evidence=evidence,
        )
        for case in cases
    ]
    diagnoses.save(
        session,
        row,
        findings=found,
        clusters=(),
        roadmap=(),
        calibration={},
        training_defaults={},
        cases=cases,
        held_back=frozenset(),
    )
    return diagnoses.list_findings(session, row.id)


def say(session: Session, finding: FindingRow, category: RootCause, *, minutes: int = 0) -> None:
    diagnoses.override(
        session,
        finding.project_id,
        finding.id,
        category=category,
        note=None,
        key_id=None,
        now=NOW + timedelta(minutes=minutes),
    )


def taught(
    session: Session, project: str, version: DatasetVersionRow, **more: int
) -> list[tuple[str | None, str]]:
    made = overrides.for_teaching(session, project, version.id, **more)
    return [(case.external_id, cause.value) for case, cause in made]


def repaired(
    session: Session, project: str, version: DatasetVersionRow, kind: ActionKind
) -> DatasetVersionRow:
    """The version with its first row dropped, or with a row added."""
    first = examples_of(session, version)[0]
    rows = [example("Q0", "A0", id=first.id)] if kind is ActionKind.DROP else []
    outputs = ["new answer"] if kind is ActionKind.ADD else []
    repair = add_repair(session, project, [action(kind, rows, outputs=outputs)], version=version)
    return applying.apply(session, project, repair.id)


def test_the_last_verdict_on_each_case_teaches_and_the_newest_comes_first(
    session: Session, project: str
) -> None:
    version = add_version(session, project)
    one, two, three = diagnosed(session, project, version, 1, 2, 3)
    say(session, one, RootCause.OOD, minutes=1)
    say(session, two, RootCause.CONFLICT, minutes=2)
    (again,) = diagnosed_again(session, project, version, [one.bad_case_id])
    say(session, again, RootCause.CONFLICT, minutes=3)
    say(session, three, RootCause.HARD, minutes=4)
    assert taught(session, project, version) == [("c-3", "hard"), ("c-1", "conflict"), ("c-2", "conflict")]
    assert taught(session, project, version, limit=1) == [("c-3", "hard")]


def test_a_case_teaches_as_it_was_judged_and_not_as_it_is_now(session: Session, project: str) -> None:
    version = add_version(session, project)
    (finding,) = diagnosed(session, project, version, 1)
    say(session, finding, RootCause.CONFLICT)
    from app.db.models import BadCaseRow

    session.get_one(BadCaseRow, finding.bad_case_id).model_output = "A dog."
    ((case, _),) = overrides.for_teaching(session, project, version.id)
    assert (case.id, case.model_output, case.prompt) == (finding.bad_case_id, "A cat.", "Where is order 1?")


def test_undetermined_takes_back_what_was_said_before(session: Session, project: str) -> None:
    version = add_version(session, project)
    (finding,) = diagnosed(session, project, version, 1)
    say(session, finding, RootCause.OOD, minutes=1)
    say(session, finding, RootCause.UNDETERMINED, minutes=2)
    assert taught(session, project, version) == []


def test_a_verdict_ends_with_the_rows_that_it_was_given_on(session: Session, project: str) -> None:
    version = add_version(session, project)
    (finding,) = diagnosed(session, project, version, 1)
    say(session, finding, RootCause.CONFLICT)
    without = repaired(session, project, version, ActionKind.DROP)
    assert taught(session, project, version) == [("c-1", "conflict")]
    assert taught(session, project, without) == []


def test_nothing_is_taught_to_be_uncovered_after_rows_were_added(session: Session, project: str) -> None:
    version = add_version(session, project)
    uncovered, contradicted = diagnosed(session, project, version, 1, 2)
    say(session, uncovered, RootCause.OOD, minutes=2)
    say(session, contradicted, RootCause.CONFLICT, minutes=1)
    grown = repaired(session, project, version, ActionKind.ADD)
    assert grown.rows == version.rows + 1
    assert taught(session, project, version) == [("c-1", "ood"), ("c-2", "conflict")]
    assert taught(session, project, grown) == [("c-2", "conflict")]


def test_verdicts_on_another_dataset_or_in_another_project_teach_nothing(
    session: Session, project: str
) -> None:
    from app.services import projects

    version, other = add_version(session, project), add_version(session, project, name="other")
    (finding,) = diagnosed(session, project, version, 1)
    say(session, finding, RootCause.CONFLICT)
    assert taught(session, project, other) == []
    stranger = projects.create_project(session, "stranger").id
    assert taught(session, stranger, version) == []


@pytest.mark.parametrize("person", [RootCause.CONFLICT, None])
def test_a_judgement_is_held_against_a_persons_verdict_where_there_is_one(
    session: Session, project: str, person: RootCause | None
) -> None:
    version = add_version(session, project)
    judged, _ = diagnosed(session, project, version, 1, 2, judge=RootCause.OOD)
    (unjudged,) = diagnosed(session, project, version, 3)
    say(session, unjudged, RootCause.HARD)
    if person is not None:
        say(session, judged, person)
    expected = [{"judge": "ood", "person": "conflict"}] if person else []
    assert [asdict(j) for j in overrides.judged(session, project)] == expected


def test_a_diagnosis_without_neighbours_still_teaches(session: Session, project: str) -> None:
    version = add_version(session, project)
    (finding,) = diagnosed(session, project, version, 1)
    finding.evidence = {**finding.evidence, "neighbors": []}
    say(session, finding, RootCause.OOD)
    assert taught(session, project, version) == [("c-1", "ood")]
    assert session.get_one(DiagnosisRow, finding.diagnosis_id).dataset_version_id == version.id
