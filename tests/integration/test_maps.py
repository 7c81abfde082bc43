"""The map of a diagnosis and the comparison of two, from what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import BadCaseRow, DatasetVersionRow, DiagnosisRow
from app.domain.diagnosis.clusters import projection
from app.domain.diagnosis.clusters.projection import MAP_SCALE, Projection
from app.domain.diagnosis.clusters.trends import CaseChange, Trend
from app.domain.evidence import Evidence, Finding
from app.domain.job_status import Status
from app.domain.records import Cluster, RecommendedAction, RootCause, TrainingExample
from app.errors import InvalidInput, NotFound
from app.queue import Stage
from app.reporting.report_html import render_html
from app.services.diagnoses import comparisons, diagnoses, maps
from app.services.reports import map_section, reports
from app.services.versions import versions
from app.services.work import lifecycle, work
from tests.integration.builders import add_case, add_version, claim, example

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def version(session: Session, project: str) -> DatasetVersionRow:
    return add_version(session, project, 6)


def axis(number: int) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[number]


def diagnose(
    session: Session,
    store: ArtifactStore,
    project: str,
    version: DatasetVersionRow,
    groups: dict[int, list[BadCaseRow]],
    *,
    right: frozenset[str] = frozenset(),
    cause: RootCause = RootCause.OOD,
) -> DiagnosisRow:
    """A finished diagnosis: ``groups`` are clusters, each around the axis of its number."""
    cases = [case for members in groups.values() for case in members]
    row = diagnoses.create(session, project, dataset_version_id=version.id, case_ids=[c.id for c in cases])
    taken = claim(session, Stage.DIAGNOSE, row.id)
    of_case = [number for number, members in enumerate(groups.values()) for _ in members]
    action = RecommendedAction(action="close_case", reason="it is right", cost="low")
    findings = [
        Finding(
            bad_case_id=case.id,
            root_cause=RootCause.UNDETERMINED if case.id in right else cause,
            probabilities={cause: 1.0},
            confidence=0.9,
            evidence=Evidence(),
            recommended_actions=(action,) if case.id in right else (),
            cluster=of_case[i],
        )
        for i, case in enumerate(cases)
    ]
    clusters = [
        Cluster(
            label=f"topic {number}",
            keywords=(f"word{number}",),
            case_ids=tuple(c.id for c in members),
            exemplar_ids=(members[0].id,),
            category_counts={cause: len(members)},
        )
        for number, members in groups.items()
    ]
    case_vectors = np.stack([axis(number) for number, members in groups.items() for _ in members])
    examples = versions.load_examples(session, version.id)
    rng = np.random.default_rng(0)
    drawn = maps.draw(
        projection.project(rng.standard_normal((len(examples), 8)).astype(np.float32), case_vectors, rng=rng),
        examples=examples,
        case_vectors=case_vectors,
        cluster_of_case=of_case,
        clusters=len(clusters),
        embedder="test-embedder",
    )
    row.map_uri = maps.save(store, drawn)
    diagnoses.save(
        session,
        row,
        findings=findings,
        clusters=clusters,
        roadmap=[],
        calibration={},
        training_defaults={},
        cases=cases,
        held_back=frozenset(),
    )
    comparisons.record_trends(session, store, row)
    lifecycle.finish(session, work.held(session, taken, to_finish=True), Status.SUCCEEDED)
    return row


def add_cases(session: Session, project: str, first: int, count: int) -> list[BadCaseRow]:
    return [add_case(session, project, number) for number in range(first, first + count)]


def test_a_map_is_read_as_it_was_saved(store: ArtifactStore) -> None:
    rows = [example(f"Q{i}", "A") for i in range(3)]
    places = Projection(
        examples=np.array([[0, 0], [1, 1], [0.5, 0.25]], dtype=np.float32),
        cases=np.array([[0.1, 0.9]], dtype=np.float32),
    )
    made = maps.draw(
        places,
        examples=rows,
        case_vectors=axis(3)[None] * 2,
        cluster_of_case=[0],
        clusters=1,
        embedder="one",
    )
    uri = maps.save(store, made)
    read = maps.load(store, uri)
    assert read.examples.tolist() == [[0, 0], [MAP_SCALE, MAP_SCALE], [32768, 16384]]
    assert np.abs(read.cases / MAP_SCALE - places.cases).max() < 1e-4
    assert np.array_equal(read.centroids, axis(3)[None])
    assert (read.embedder, read.group_names, read.groups.tolist()) == ("one", (), [-1] * 3)
    assert maps.save(store, read) == uri


def test_rows_are_grouped_by_the_instruction_that_they_share() -> None:
    def under(instruction: str, asked: str) -> TrainingExample:
        return replace(example(f"{instruction}\n{asked}", "A"), instruction_length=len(instruction))

    rows = [
        under("Route it.", "a"),
        under("翻译成英文。", "b"),
        under("Route it.", "c"),
        under("Only once.", "d"),
    ]
    groups, names = maps._groups([*rows, example("free", "A"), under("翻译成英文。", "e")])
    assert names == ("Route it.", "翻译成英文。")
    assert groups.tolist() == [0, 1, 0, -1, -1, 1]


def test_a_point_of_the_map_leads_to_its_training_row(
    session: Session, store: ArtifactStore, project: str, version: DatasetVersionRow
) -> None:
    row = diagnose(session, store, project, version, {0: add_cases(session, project, 0, 2)})
    found = maps.rows_at(session, project, row.id, [4, 0])
    assert [(r.index, r.input, r.output) for r in found] == [(4, "Q4", "A4"), (0, "Q0", "A0")]
    assert found[0].example_id == versions.load_examples(session, version.id)[4].id
    with pytest.raises(InvalidInput, match="no training row 6"):
        maps.rows_at(session, project, row.id, [0, 6])


def test_rows_keep_their_places_on_the_next_map_of_the_same_version_and_embedder(
    session: Session, store: ArtifactStore, project: str, version: DatasetVersionRow
) -> None:
    assert maps.known_places(session, store, version.id, embedder="test-embedder") is None
    row = diagnose(session, store, project, version, {0: add_cases(session, project, 0, 2)})
    drawn, _ = maps.read(session, store, project, row.id)
    known = maps.known_places(session, store, version.id, embedder="test-embedder")
    assert known is not None
    assert np.array_equal(np.round(known * MAP_SCALE), drawn.examples)
    assert maps.known_places(session, store, version.id, embedder="another") is None
    elsewhere = add_version(session, project, 6, name="elsewhere")
    assert maps.known_places(session, store, elsewhere.id, embedder="test-embedder") is None


def test_a_case_that_was_deleted_leaves_the_others_their_places(
    session: Session, store: ArtifactStore, project: str, version: DatasetVersionRow
) -> None:
    cases = add_cases(session, project, 0, 3)
    row = diagnose(session, store, project, version, {0: cases[:2], 1: cases[2:]})
    before, findings = maps.read(session, store, project, row.id)
    assert [f.ordinal for f in findings] == [0, 1, 2]
    session.delete(cases[0])
    session.flush()
    session.expire_all()
    made = reports.build(session, project, row.id, now=NOW, store=store).map
    assert made is not None
    assert made.cases.tolist() == before.cases[[1, 2]].tolist()
    assert made.finding_ids == tuple(f.id for f in findings[1:])


def test_a_diagnosis_without_a_map_says_so_and_its_report_does_without(
    session: Session, store: ArtifactStore, project: str, version: DatasetVersionRow
) -> None:
    row = diagnose(session, store, project, version, {0: add_cases(session, project, 0, 2)})
    row.map_uri = None
    with pytest.raises(NotFound, match="no map"):
        maps.read(session, store, project, row.id)
    assert reports.build(session, project, row.id, now=NOW, store=store).map is None
    row.map_uri = "sha256:" + "0" * 64
    assert reports.build(session, project, row.id, now=NOW, store=store).map is None


def test_excerpts_grow_shorter_with_the_set_and_then_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [example("x" * 100, "A"), example("短", "A"), example("a\n  b", "A")]
    assert [len(t) for t in map_section.excerpts(rows)] == [60, 1, 3]
    monkeypatch.setattr(map_section, "EXCERPT_BYTES", 50)
    assert [len(t) for t in map_section.excerpts(rows)] == [40, 1, 3]
    monkeypatch.setattr(map_section, "EXCERPT_BYTES", 20)
    assert map_section.excerpts(rows) == ()


def test_clusters_know_how_they_stand_against_the_diagnosis_before(
    session: Session, store: ArtifactStore, project: str, version: DatasetVersionRow
) -> None:
    first = diagnose(
        session,
        store,
        project,
        version,
        {0: add_cases(session, project, 0, 2), 1: add_cases(session, project, 10, 3)},
    )
    assert [c.trend for c in diagnoses.list_clusters(session, first.id)] == [None, None]
    assert "fixed_clusters" not in (first.summary or {})
    second = diagnose(session, store, project, version, {0: add_cases(session, project, 20, 12)})
    third = diagnose(
        session,
        store,
        project,
        version,
        {
            1: add_cases(session, project, 40, 3),
            0: add_cases(session, project, 50, 12),
            2: add_cases(session, project, 70, 2),
        },
    )
    report = reports.build(session, project, second.id, now=NOW, store=store)
    assert [(c.trend, c.size_before) for c in report.clusters] == [(Trend.GROWING, 2)]
    assert [(c.label, c.size_before) for c in report.fixed_clusters] == [("topic 1", 3)]
    back, steady, new = diagnoses.list_clusters(session, third.id)
    assert back.trend is not None
    assert (back.trend["trend"], back.trend["since"]) == ("came_back", first.id)
    assert steady.trend is not None
    assert (steady.trend["trend"], steady.trend["size_before"]) == ("steady", 12)
    assert new.trend is not None
    assert new.trend["trend"] == "new"


def test_another_datasets_diagnoses_tell_nothing(
    session: Session, store: ArtifactStore, project: str, version: DatasetVersionRow
) -> None:
    diagnose(session, store, project, version, {0: add_cases(session, project, 0, 2)})
    elsewhere = add_version(session, project, 6, name="elsewhere")
    other = diagnose(session, store, project, elsewhere, {0: add_cases(session, project, 9, 2)})
    assert [c.trend for c in diagnoses.list_clusters(session, other.id)] == [None]


def test_a_report_tells_what_became_of_another_diagnosis(
    session: Session, store: ArtifactStore, project: str, version: DatasetVersionRow
) -> None:
    cases = add_cases(session, project, 0, 6)
    before = diagnose(session, store, project, version, {0: cases[:3], 1: cases[3:5]})
    after = diagnose(
        session,
        store,
        project,
        version,
        {0: [cases[0], cases[1], cases[5]]},
        right=frozenset({cases[1].id}),
        cause=RootCause.HARD,
    )
    report = reports.build(
        session, project, after.id, now=NOW, store=store, compared_with=before.id, with_texts=True
    )
    made = report.comparison
    assert made is not None
    assert made.case_counts == {
        CaseChange.NEW: 1,
        CaseChange.CHANGED: 1,
        CaseChange.UNCHANGED: 0,
        CaseChange.FIXED: 1,
        CaseChange.GONE: 3,
    }
    assert {c.prompt for c in made.changes} == {f"Where is order {i}?" for i in range(6)}
    assert [c.trend for c in made.clusters] == [Trend.STEADY, Trend.FIXED]
    assert report.map is not None
    assert report.map.texts == tuple(f"Q{i}" for i in range(6))
    page = render_html(report)
    assert all(f"Where is order {i}?" in page for i in range(6))
    with pytest.raises(NotFound):
        reports.build(session, project, after.id, now=NOW, store=store, compared_with="dg_none")
