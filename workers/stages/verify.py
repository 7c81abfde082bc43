"""Is it fixed, and is nothing else broken? The same prompts, answered before and after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.db.models import AdapterRow, DiagnosisRow, MixtureRow, VerificationCaseRow, VerificationRow
from app.db.repositories import findings as finding_rows
from app.db.repositories.examples import messages
from app.domain.instructions import known_instructions
from app.domain.near_duplicates.leakage import targets_asked
from app.domain.offered_tools import OfferedTools
from app.domain.records import BadCase, Message, Role, RootCause, TrainingExample
from app.domain.verification.comparison import AnsweredPrompt, Comparison, Part, compare
from app.domain.verification.gate import GateSettings
from app.domain.verification.options import VerificationOptions
from app.domain.verification.slices import slice_names
from app.services.diagnoses import diagnoses
from app.services.versions import lineage, versions
from workers.context import StageContext
from workers.generation import Prompt, generate, prompt_of, tokens_for

RETENTION_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    cases: Sequence[tuple[BadCase, Part, RootCause]]
    not_judged: int
    retention: Sequence[TrainingExample]
    retention_source: str
    before: AdapterRow | None
    after: AdapterRow
    offered: OfferedTools
    settings: GateSettings
    max_new_tokens: int
    seed: int


def run(context: StageContext) -> None:
    inputs = load(context)
    comparison = compare(
        answer(context, inputs), settings=inputs.settings, rng=np.random.default_rng(inputs.seed)
    )
    save(context, inputs, comparison)


def load(context: StageContext) -> Inputs:
    with context.reading() as session:
        row = session.get_one(VerificationRow, context.claim.subject_id)
        findings = diagnoses.list_findings(session, row.diagnosis_id)
        diagnosis = session.get_one(DiagnosisRow, row.diagnosis_id)
        pairs = [(f, finding_rows.case_from_snapshot(f)) for f in findings]
        judged = [(f, c) for f, c in pairs if c.expected_output is not None]
        after = session.get_one(AdapterRow, row.adapter_id)
        trained = _rows_trained_on(context, session, after)
        held = [c.prompt for f, c in judged if f.held_back]
        # whatever the diagnosis meant to hold back: what this adapter was trained on was not held back
        unseen = set(held) - targets_asked([e.prompt for e in trained], held, known_instructions(trained))
        cases = [
            (
                c,
                Part.HELD_BACK if f.held_back and c.prompt in unseen else Part.CASE,
                finding_rows.effective_category(f),
            )
            for f, c in judged
        ]
        options = VerificationOptions.from_dict(row.options)
        if row.retention_version_id is not None:
            versions.require_alive(session, row.retention_version_id)
            # The answer of an undesired row is no measure of anything.
            retention = [e for e in versions.iter_examples(session, row.retention_version_id) if e.teaches]
            source = f"dataset version {row.retention_version_id}"
        else:
            trained_on = str(after.card.get("dataset_version_id", diagnosis.dataset_version_id))
            taught = lineage.taught_since(session, trained_on, ancestor_id=diagnosis.dataset_version_id)
            rows = [
                e for e in versions.iter_examples(session, trained_on) if e.id not in taught and e.teaches
            ]
            retention = _sample(rows, RETENTION_ROWS, np.random.default_rng(options.seed))
            source = "rows of the training set that the repair did not touch: seen in training"
        expected = [c.expected_output or "" for c, _, _ in cases] + [e.answer for e in retention]
        return Inputs(
            cases=cases,
            not_judged=len(pairs) - len(judged),
            retention=retention,
            retention_source=source,
            before=session.get(AdapterRow, row.before_adapter_id) if row.before_adapter_id else None,
            after=after,
            offered=OfferedTools.from_rows(trained),
            settings=options.gate,
            max_new_tokens=options.max_new_tokens or tokens_for(expected),
            seed=options.seed,
        )


def _rows_trained_on(
    context: StageContext, session: Session, adapter: AdapterRow
) -> Sequence[TrainingExample]:
    """The mixture that made the adapter (answers left out), or its whole dataset version."""
    mixture = session.get(MixtureRow, adapter.card.get("mixture_id") or "")
    if mixture is not None and mixture.rows_uri is not None:
        answer = Message(role=Role.ASSISTANT, content="")
        with context.store.open(mixture.rows_uri) as lines:
            return [
                TrainingExample(id="", messages=(*messages(row["prompt"]), answer), tools=row.get("tools"))
                for row in map(json.loads, lines)
            ]
    version_id = adapter.card.get("dataset_version_id")
    return list(versions.iter_examples(session, version_id)) if version_id else []


def _sample(
    rows: Sequence[TrainingExample], count: int, rng: np.random.Generator
) -> Sequence[TrainingExample]:
    if len(rows) <= count:
        return rows
    return [rows[i] for i in sorted(rng.choice(len(rows), size=count, replace=False))]


def answer(context: StageContext, inputs: Inputs) -> list[AnsweredPrompt]:
    """Both models answer every prompt, built as the training rows are: that is how it will be served."""
    prompts: list[Prompt] = [prompt_of(c.messages, inputs.offered.for_case(c)) for c, _, _ in inputs.cases]
    prompts += [prompt_of(example.prompt_messages, example.tools) for example in inputs.retention]

    def answers_of(adapter: AdapterRow | None, start: float, end: float) -> list[str]:
        return generate(
            context,
            base_model=inputs.after.base_model,
            adapter=adapter,
            prompts=prompts,
            max_new_tokens=inputs.max_new_tokens,
            progress=context.span(start, end),
        )

    context.progress(0.05, "answers before")
    before = answers_of(inputs.before, 0.05, 0.5)
    if inputs.before is None:
        # without the adapter that failed, what it said is what was recorded
        before[: len(inputs.cases)] = [case.model_output for case, _, _ in inputs.cases]
    context.progress(0.5, "answers after")
    after = answers_of(inputs.after, 0.5, 0.95)
    answered = [
        AnsweredPrompt(
            id=case.id,
            part=part,
            prompt=case.prompt,
            expected_output=case.expected_output or "",
            alternatives=case.alternatives,
            before_output=before[i],
            after_output=after[i],
        )
        for i, (case, part, _) in enumerate(inputs.cases)
    ]
    names = slice_names(inputs.retention)
    return answered + [
        AnsweredPrompt(
            id=example.id,
            part=Part.RETENTION,
            prompt=example.prompt,
            expected_output=example.output,
            before_output=before[i],
            after_output=after[i],
            slice_name=name,
        )
        for i, (example, name) in enumerate(
            zip(inputs.retention, names, strict=True), start=len(inputs.cases)
        )
    ]


def save(context: StageContext, inputs: Inputs, comparison: Comparison) -> None:
    causes = {case.id: cause.value for case, _, cause in inputs.cases}
    with context.saving() as (session, row):
        assert isinstance(row, VerificationRow)
        session.add_all(
            VerificationCaseRow(
                verification_id=row.id,
                ordinal=ordinal,
                split=compared.part.value,
                bad_case_id=compared.id if compared.part is not Part.RETENTION else None,
                example_id=compared.id if compared.part is Part.RETENTION else None,
                prompt=compared.prompt,
                expected_output=compared.expected_output,
                before_output=compared.before_output,
                after_output=compared.after_output,
                before_score=compared.before_score,
                after_score=compared.after_score,
                verdict=compared.verdict.value,
            )
            for ordinal, compared in enumerate(comparison.answers)
        )
        by_cause: dict[str, dict[str, int]] = {}
        for compared in comparison.answers:
            if compared.id in causes:
                counts = by_cause.setdefault(causes[compared.id], {})
                counts[compared.verdict.value] = counts.get(compared.verdict.value, 0) + 1
        row.result = {
            "fix_rate": asdict(comparison.fix_rate),
            "held_back_fix_rate": asdict(comparison.held_back_fix_rate),
            "retention": asdict(comparison.retention) if comparison.retention else None,
            "retention_source": inputs.retention_source,
            "gate": asdict(comparison.gate),
            "counts": comparison.counts,
            "by_cause": by_cause,
            "not_judged": inputs.not_judged,
        }
