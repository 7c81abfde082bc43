"""The map and the comparison of a report, from what is stored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from app.artifacts import ArtifactStore
from app.db.models import DatasetRow, DatasetVersionRow, DiagnosisRow
from app.db.repositories import findings as finding_rows
from app.domain.diagnosis.clusters.trends import CaseChange
from app.domain.records import TrainingExample
from app.domain.reports.map import ReportComparison, ReportedChange, ReportMap
from app.domain.reports.report import FixedCluster, ReportFinding
from app.services.diagnoses import comparisons, diagnoses, maps
from app.services.versions import versions

MAX_POINTS = 60_000
"""Training rows on the map of a report; of more, this many are drawn at random."""

EXCERPT_CHARACTERS = (60, 40, 24)
EXCERPT_BYTES = 2_000_000
"""Beginnings of training rows may take so much of a report; the longest ones that fit are taken."""

CHANGES_SHOWN = 500


def map_of(
    session: Session,
    store: ArtifactStore,
    diagnosis: DiagnosisRow,
    findings: Sequence[ReportFinding],
    ordinals: Sequence[int],
    *,
    with_texts: bool,
) -> ReportMap | None:
    """``ordinals`` are the findings' places among the map's cases."""
    drawn = maps.of_diagnosis(store, diagnosis)
    if drawn is None:
        return None
    total = len(drawn.examples)
    shown = np.arange(total)
    if total > MAX_POINTS:
        shown = np.sort(np.random.default_rng(0).choice(total, MAX_POINTS, replace=False))
    placed = [(f, o) for f, o in zip(findings, ordinals, strict=True) if o < len(drawn.cases)]
    texts: tuple[str, ...] = ()
    if with_texts and total <= MAX_POINTS:
        texts = excerpts(versions.load_examples(session, diagnosis.dataset_version_id))
    return ReportMap(
        examples=drawn.examples[shown],
        cases=drawn.cases[[o for _, o in placed]],
        finding_ids=tuple(f.id for f, _ in placed),
        groups=drawn.groups[shown],
        group_names=drawn.group_names,
        total_examples=total,
        texts=texts if len(texts) == len(shown) else (),
    )


def excerpts(examples: Sequence[TrainingExample]) -> tuple[str, ...]:
    """The beginning of each row's input, all equally long at most, or nothing where they take too much room."""
    for length in EXCERPT_CHARACTERS:
        texts = tuple(_excerpt(e, length) for e in examples)
        if sum(len(t.encode("utf-8", "replace")) for t in texts) <= EXCERPT_BYTES:
            return texts
    return ()


def _excerpt(example: TrainingExample, length: int) -> str:
    prompt = example.prompt
    asked = prompt[example.instruction_length :] if example.instruction else prompt
    line = " ".join((asked[: 4 * length].strip() or prompt[: 4 * length]).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def comparison_of(
    session: Session,
    store: ArtifactStore,
    diagnosis: DiagnosisRow,
    with_id: str,
    findings: Sequence[ReportFinding],
) -> ReportComparison:
    """This diagnosis against another. Raises NotFound, and InvalidInput while either runs."""
    made = comparisons.between(session, store, diagnosis.project_id, diagnosis.id, with_id)
    other = diagnoses.get(session, diagnosis.project_id, with_id)
    version = session.get_one(DatasetVersionRow, other.dataset_version_id)
    here = {f.bad_case_id: f for f in findings}
    changed = [c for c in made.cases if c.change is not CaseChange.UNCHANGED]
    gone = {
        f.bad_case_id: finding_rows.case_from_snapshot(f).prompt
        for f in diagnoses.list_findings(session, with_id)
    }
    return ReportComparison(
        before_id=other.id,
        before_title=f"{session.get_one(DatasetRow, version.dataset_id).name}, {other.cases} cases, "
        f"{other.created_at:%Y-%m-%d %H:%M} UTC",
        by_category=made.by_category,
        case_counts=made.case_counts,
        clusters=made.clusters,
        changes=tuple(
            ReportedChange(
                bad_case_id=c.bad_case_id,
                external_id=c.external_id,
                change=c.change,
                before=c.before,
                after=c.after,
                prompt=here[c.bad_case_id].prompt if c.bad_case_id in here else gone.get(c.bad_case_id, ""),
                finding_id=here[c.bad_case_id].id if c.bad_case_id in here else None,
            )
            for c in changed[:CHANGES_SHOWN]
        ),
        total_changes=len(changed),
    )


def fixed_clusters(diagnosis: DiagnosisRow) -> tuple[FixedCluster, ...]:
    """Clusters of the diagnosis before that are gone."""
    stored = (diagnosis.summary or {}).get("fixed_clusters", ())
    return tuple(FixedCluster(label=c["label"], size_before=c["size_before"]) for c in stored)
