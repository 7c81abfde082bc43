"""What became of a version's rows over several generations."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow
from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.plan import ActionKind, ProposedAction
from app.services.repairs import applying
from app.services.versions import lineage, versions
from tests.integration.builders import action, add_plan, add_repair, add_version, example


def rows_of(session: Session, version: DatasetVersionRow) -> list[TrainingExample]:
    return versions.load_examples(session, version.id)


def taught_outputs(session: Session, version: DatasetVersionRow, ancestor: DatasetVersionRow) -> list[str]:
    taught = lineage.taught_since(session, version.id, ancestor_id=ancestor.id)
    rows = rows_of(session, version)
    assert taught <= {row.id for row in rows}, "a row that is not in the version is taught by it"
    return [row.output for row in rows if row.id in taught]


def repaired(
    session: Session, project: str, version: DatasetVersionRow, actions: Sequence[ProposedAction]
) -> tuple[DatasetVersionRow, str]:
    """The version after a repair, and the id of the diagnosis that it belongs to."""
    repair = add_repair(session, project, actions, version=version)
    return applying.apply(session, project, repair.id), repair.diagnosis_id


def augmented(session: Session, version: DatasetVersionRow, *outputs: str) -> DatasetVersionRow:
    changes = [
        versions.Change(kind="added", example=example(f"New {output}", output), reason="nothing covers it")
        for output in outputs
    ]
    return versions.create_child(session, version, changes=changes, recipe={"kind": "augmentation"})


def test_a_version_teaches_nothing_new_since_itself(session: Session, project: str) -> None:
    version = add_version(session, project)
    assert lineage.taught_since(session, version.id, ancestor_id=version.id) == frozenset()


def test_added_and_relabelled_rows_are_taught_and_tidied_ones_are_not(session: Session, project: str) -> None:
    version = add_version(session, project, 8)
    rows = rows_of(session, version)
    child, _ = repaired(
        session,
        project,
        version,
        [
            action(ActionKind.NORMALISE, [rows[0]], outputs=["A0 tidied"]),
            action(ActionKind.RELABEL, [rows[1]], outputs=["relabelled"]),
            action(ActionKind.DROP, [rows[2]]),
            action(ActionKind.MERGE, [rows[3], rows[4]], outputs=["A3 merged"]),
            action(ActionKind.REDACT, [rows[5]], outputs=["redacted"]),
            action(ActionKind.ADD, [], outputs=["added"]),
        ],
    )
    assert [r.output for r in rows_of(session, child)] == [
        "A0 tidied",
        "relabelled",
        "A3 merged",
        "redacted",
        "A6",
        "A7",
        "added",
    ]
    assert taught_outputs(session, child, version) == ["relabelled", "redacted", "added"]


def test_upsampled_copies_are_taught(session: Session, project: str) -> None:
    version = add_version(session, project)
    rows = rows_of(session, version)
    child, _ = repaired(session, project, version, [action(ActionKind.UPSAMPLE, [rows[0]], outputs=["A0"])])
    assert taught_outputs(session, child, version) == ["A0"]
    assert child.rows == 5


def test_copies_that_even_out_tasks_are_not_taught(session: Session, project: str) -> None:
    version = add_version(session, project)
    rows = rows_of(session, version)
    copied = dataclasses.replace(
        action(ActionKind.UPSAMPLE, [rows[0]], outputs=["A0"]), evidence={"rule": "balance", "by": "task"}
    )
    child, _ = repaired(session, project, version, [copied])
    assert taught_outputs(session, child, version) == []
    assert child.rows == 5


def test_two_generations_are_taught_together(session: Session, project: str) -> None:
    version = add_version(session, project, 6)
    rows = rows_of(session, version)
    repair = [
        action(ActionKind.RELABEL, [rows[0]], outputs=["relabelled"]),
        action(ActionKind.RELABEL, [rows[1]], outputs=["dropped later"]),
        action(ActionKind.NORMALISE, [rows[2]], outputs=["A2 tidied"]),
    ]
    child, diagnosis_id = repaired(session, project, version, repair)
    grown = augmented(session, child, "grown", "grown and dropped")
    now = {row.output: row for row in rows_of(session, grown)}
    later = add_plan(
        session,
        project,
        diagnosis_id,
        [
            action(ActionKind.NORMALISE, [now["relabelled"]], outputs=["relabelled, tidied"]),
            action(ActionKind.DROP, [now["dropped later"], now["grown and dropped"]]),
            action(ActionKind.RELABEL, [now["A2 tidied"]], outputs=["A2 tidied, relabelled"]),
            action(ActionKind.NORMALISE, [now["A3"]], outputs=["A3 tidied"]),
        ],
        version=grown,
    )
    last = applying.apply(session, project, later.id)
    # A taught row that is tidied later stays taught, under the id that it has now.
    assert taught_outputs(session, last, version) == ["relabelled, tidied", "A2 tidied, relabelled", "grown"]
    assert taught_outputs(session, last, child) == ["A2 tidied, relabelled", "grown"]
    assert taught_outputs(session, last, grown) == ["A2 tidied, relabelled"]


def test_a_row_that_is_relabelled_and_tidied_by_one_repair_is_taught(session: Session, project: str) -> None:
    version = add_version(session, project)
    row = rows_of(session, version)[0]
    spaced = dataclasses.replace(
        row,
        messages=(Message(role=Role.USER, content="Q0 "), Message(role=Role.ASSISTANT, content=row.output)),
    )
    tidied = dataclasses.replace(
        action(ActionKind.NORMALISE, [row]), before=(row.content(),), after=(spaced.content(),)
    )
    relabelled = action(ActionKind.RELABEL, [row], outputs=["relabelled"])
    child, _ = repaired(session, project, version, [tidied, relabelled])
    assert taught_outputs(session, child, version) == ["relabelled"]


def test_rows_of_a_version_that_is_no_descendant_count_from_its_own_beginning(
    session: Session, project: str
) -> None:
    version, stranger = add_version(session, project), add_version(session, project, name="other")
    child = augmented(session, version, "grown")
    assert taught_outputs(session, child, stranger) == ["grown"]
