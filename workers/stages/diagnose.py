"""Why does each case fail? Rows and vectors in, findings, clusters and a map out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from app.db.models import AdapterRow, BadCaseRow, DiagnosisRow
from app.db.repositories import bad_cases as case_rows
from app.domain.diagnosis.clusters.projection import project
from app.domain.diagnosis.fit import FittedTrainingSet, fit_training_set
from app.domain.diagnosis.triage import Diagnosis, Override, TriageOptions, diagnose
from app.domain.diagnosis.views import texts_of
from app.domain.records import BadCase
from app.domain.verification.held_back import choose_held_back
from app.embedding import DEFAULT_EMBEDDER
from app.errors import StageError
from app.services import vectors
from app.services.diagnoses import comparisons, diagnoses, maps, overrides
from app.services.versions import versions
from workers.context import StageContext
from workers.diagnosis.fitted_sets import FittedSets, Key
from workers.diagnosis.options import with_options
from workers.embedding import embed_views, kept_views
from workers.models.base_models import BaseModelError, resolve
from workers.models.chat import template_source
from workers.scaleout import embedder_for, read_texts

LEARNT = FittedSets()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    version_id: str
    case_rows: Sequence[BadCaseRow]
    cases: Sequence[BadCase]
    overrides: Sequence[Override]
    options: Mapping[str, Any]

    @property
    def seed(self) -> int:
        return int(self.options.get("seed", 0))


def run(context: StageContext) -> None:
    inputs = load(context)
    fitted = fitted_set(context, inputs)
    context.progress(0.7, "triage")
    asked = [*inputs.cases, *(o.case for o in inputs.overrides)]
    looked_up = embed_views(context, texts_of([], asked, fitted.instructions), context.span(0.7, 0.75))
    result = diagnose(
        fitted,
        inputs.cases,
        looked_up,
        overrides=inputs.overrides,
        options=triage_options(context),
        progress=context.span(0.75, 0.88),
    )
    case_vectors = looked_up.case_inputs[: len(inputs.cases)]
    result = with_options(
        context,
        result,
        inputs.options,
        examples=fitted.examples,
        cases=inputs.cases,
        case_vectors=case_vectors,
        example_vectors=fitted.known.training.prompts.vectors,
        progress=context.span(0.88, 0.95),
    )
    map_uri = maps.save(context.store, draw_map(context, inputs, fitted, result, case_vectors))
    context.progress(0.98)
    save(context, inputs, fitted, result, map_uri)


def load(context: StageContext) -> Inputs:
    with context.reading() as session:
        row = session.get_one(DiagnosisRow, context.claim.subject_id)
        versions.require_alive(session, row.dataset_version_id)
        rows = case_rows.by_ids(session, row.project_id, row.case_ids)
        if not rows:
            raise StageError("all bad cases of this diagnosis have been deleted", type="no-cases")
        said = overrides.for_teaching(session, row.project_id, row.dataset_version_id)
        return Inputs(
            version_id=row.dataset_version_id,
            case_rows=rows,
            cases=[case_rows.to_record(r) for r in rows],
            overrides=[Override(case=case, root_cause=cause) for case, cause in said],
            options={"base_model": _base_model(session, rows), **_set(row.options)},
        )


def _set(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _base_model(session: Session, rows: Sequence[BadCaseRow]) -> str | None:
    """The base model of the adapter that all cases name; None where they name none or several."""
    named = {row.adapter_id for row in rows if row.adapter_id}
    adapter = session.get(AdapterRow, named.pop()) if len(named) == 1 else None
    return None if adapter is None or adapter.project_id != rows[0].project_id else adapter.base_model


def fitted_set(context: StageContext, inputs: Inputs) -> FittedTrainingSet:
    """The training set as it is learnt: from memory where this worker has diagnosed it before."""
    template = chat_template(context, inputs.options.get("base_model"))
    key = Key(
        dataset_version_id=inputs.version_id,
        embedder=vectors.cache_key(embedder_for(context.settings.embedder)),
        chat_template=template,
        seed=inputs.seed,
    )

    def from_rows() -> FittedTrainingSet:
        with context.reading() as session:
            examples = [
                step for row in versions.iter_examples(session, inputs.version_id) for step in row.steps()
            ]
        looked_up = kept_views(context, texts_of(examples, []), context.span(0.05, 0.5))
        return fit_training_set(
            examples,
            looked_up,
            np.random.default_rng(inputs.seed),
            chat_template=template,
            reader=read_texts,
            progress=context.span(0.5, 0.7),
        )

    return LEARNT.get(key, from_rows)


def triage_options(context: StageContext) -> TriageOptions:
    """What other embedders than the default one can read is not known."""
    if context.settings.embedder == DEFAULT_EMBEDDER:
        return TriageOptions()
    return TriageOptions(known_scripts=None)


def draw_map(
    context: StageContext,
    inputs: Inputs,
    fitted: FittedTrainingSet,
    result: Diagnosis,
    case_vectors: np.ndarray,
) -> maps.DiagnosisMap:
    """Rows stay where they lay on the last map of their version; new cases join them."""
    embedder = embedder_for(context.settings.embedder).name
    with context.reading() as session:
        known = maps.known_places(session, context.store, inputs.version_id, embedder=embedder)
    return maps.draw(
        project(
            fitted.known.training.prompts.vectors,
            case_vectors,
            rng=np.random.default_rng(inputs.seed),
            known=known,
        ),
        examples=fitted.examples,
        case_vectors=case_vectors,
        cluster_of_case=[f.cluster for f in result.findings],
        clusters=len(result.clusters),
        embedder=embedder,
    )


def chat_template(context: StageContext, base_model: str | None) -> str | None:
    """The template of the tuned model, where it is known: a request with another one gives itself away."""
    if base_model is None:
        return None
    try:
        return template_source(resolve(base_model, context.settings.model_cache_dir).path)
    except BaseModelError:
        return None  # training will say what is wrong with it; the diagnosis does without


def save(
    context: StageContext, inputs: Inputs, fitted: FittedTrainingSet, result: Diagnosis, map_uri: str
) -> None:
    held_back = choose_held_back(
        inputs.cases,
        result.findings,
        training_prompts={e.prompt for e in fitted.examples},
        share=float(inputs.options.get("hold_back", 0.0)),
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
        row.map_uri = map_uri
        comparisons.record_trends(session, context.store, row)
