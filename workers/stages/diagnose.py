"""Why does each case fail? Rows and vectors in, findings and clusters out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from app.db.models import BadCaseRow, DiagnosisRow
from app.db.repositories import bad_cases as case_rows
from app.domain.diagnosis.triage import Diagnosis, Override, TriageOptions, triage
from app.domain.diagnosis.views import Vectors, ViewTexts, texts_of
from app.domain.records import BadCase, TrainingExample
from app.domain.verification.held_back import choose_held_back
from app.errors import StageError
from app.services import diagnoses, vectors, versions
from workers.models.base_models import BaseModelError, resolve
from workers.models.chat import template_source
from workers.run_stage import StageContext
from workers.scaleout import embedder_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    examples: Sequence[TrainingExample]
    case_rows: Sequence[BadCaseRow]
    cases: Sequence[BadCase]
    overrides: Sequence[Override]
    hold_back: float
    seed: int
    base_model: str | None


def run(context: StageContext) -> None:
    inputs = load(context)
    view_vectors = embed_views(context, texts_of(inputs.examples, inputs.cases), context.span(0.1, 0.7))
    context.progress(0.7, "triage")
    result = triage(
        examples=inputs.examples,
        cases=inputs.cases,
        vectors=view_vectors,
        overrides=inputs.overrides,
        options=TriageOptions(chat_template=chat_template(context, inputs.base_model)),
        rng=np.random.default_rng(inputs.seed),
        progress=context.span(0.7, 0.95),
    )
    save(context, inputs, result)


def load(context: StageContext) -> Inputs:
    with context.reading() as session:
        row = session.get_one(DiagnosisRow, context.claim.subject_id)
        versions.require_alive(session, row.dataset_version_id)
        rows = case_rows.by_ids(session, row.project_id, row.case_ids)
        if not rows:
            raise StageError("all bad cases of this diagnosis have been deleted", type="no-cases")
        examples = list(versions.iter_examples(session, row.dataset_version_id))
        known = diagnoses.earlier_overrides(session, row.project_id, [r.id for r in rows])
        return Inputs(
            examples=examples,
            case_rows=rows,
            cases=[case_rows.to_record(r) for r in rows],
            overrides=[Override(bad_case_id=i, root_cause=c) for i, c in known.items()],
            hold_back=float(row.options.get("hold_back", 0.0)),
            seed=int(row.options.get("seed", 0)),
            base_model=row.options.get("base_model"),
        )


def chat_template(context: StageContext, base_model: str | None) -> str | None:
    """The template of the tuned model, where it is known: a request with another one gives itself away."""
    if base_model is None:
        return None
    try:
        return template_source(resolve(base_model, context.settings.model_cache_dir).path)
    except BaseModelError:
        return None  # training will say what is wrong with it; the diagnosis does without


def embed_views(context: StageContext, texts: ViewTexts, progress: Callable[[float], None]) -> Vectors:
    """Every view's texts through the cache in one pass."""
    embedder = embedder_for(context.settings.embedder)
    names = [f.name for f in fields(texts)]
    parts = [list(getattr(texts, name)) for name in names]
    flat = [text for part in parts for text in part]
    table = vectors.vectors_for(
        context.sessions,
        context.store,
        embedder,
        flat,
        progress=progress,
    )
    bounds = np.cumsum([0, *(len(part) for part in parts)])
    return Vectors(**{name: table[bounds[i] : bounds[i + 1]] for i, name in enumerate(names)})


def save(context: StageContext, inputs: Inputs, result: Diagnosis) -> None:
    held_back = choose_held_back(
        inputs.cases,
        result.findings,
        training_prompts={e.prompt for e in inputs.examples},
        share=inputs.hold_back,
        rng=np.random.default_rng(inputs.seed),
    )
    with context.saving() as (session, row):
        assert isinstance(row, DiagnosisRow)
        versions.require_alive(session, row.dataset_version_id)
        diagnoses.save(
            session,
            row,
            findings=result.findings,
            clusters=result.clusters,
            roadmap=result.roadmap,
            calibration=result.calibration,
            training_defaults=result.training_defaults,
            cases=inputs.case_rows,
            held_back=held_back,
        )
