"""What the adapter that failed says of its cases: evidence beside the neighbours, where it is at hand."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from app.db.models import AdapterRow, DiagnosisRow
from app.domain.diagnosis.evidence import adapter_signals, gradient_attribution
from app.domain.diagnosis.evidence.adapter_signals import AdapterSignals
from app.domain.evidence import AdapterEvidence, Finding, TaughtRow
from app.domain.offered_tools import OfferedTools
from app.domain.records import BadCase, TrainingExample
from workers.context import StageContext

if TYPE_CHECKING:
    from workers.models.tuned import AnswerTokens, TunedModel

NEAREST_ROWS = gradient_attribution.NEAREST_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterAnswers:
    """By position of the case. ``notes``: what could not be had, and why."""

    signals: Mapping[int, AdapterEvidence] = field(default_factory=dict)
    attribution: Mapping[int, tuple[TaughtRow, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def look_at_adapter(
    context: StageContext,
    adapter_id: str | None,
    *,
    examples: Sequence[TrainingExample],
    cases: Sequence[BadCase],
    findings: Sequence[Finding],
    nearest: Int64[ndarray, "q k"],
    seed: int,
    progress: Callable[[float], None],
) -> AdapterAnswers:
    """Ask the adapter. ``nearest``: each case's ``NEAREST_ROWS`` nearest training rows, -1 = none.

    An adapter that is gone or cannot be loaded is said in the notes: the diagnosis stands without it.
    """
    if adapter_id is None:
        return AdapterAnswers()
    with context.reading() as session:
        project_id = session.get_one(DiagnosisRow, context.claim.subject_id).project_id
        adapter = session.get(AdapterRow, adapter_id)
        if adapter is None or adapter.project_id != project_id:
            return AdapterAnswers(notes=(f"the adapter {adapter_id} is gone; it was not asked",))
    from workers.models.base_models import BaseModelError

    try:
        tuned = _load(context, adapter)
        progress(0.1)
        signals = signals_of(
            tuned,
            examples,
            cases,
            findings,
            nearest,
            seed=seed,
            progress=lambda share: progress(0.1 + 0.5 * share),
        )
        taught = attribution_of(
            tuned,
            examples,
            cases,
            findings,
            nearest,
            seed=seed,
            progress=lambda share: progress(0.6 + 0.4 * share),
        )
    except BaseModelError as error:
        return AdapterAnswers(notes=(f"the adapter {adapter_id} was not asked: {error}",))
    finally:
        tuned = None
        gc.collect()  # a worker keeps running: the model's memory must come back
    return AdapterAnswers(signals=signals, attribution=taught)


def with_adapter_evidence(findings: Sequence[Finding], found: AdapterAnswers) -> tuple[Finding, ...]:
    """The findings with what the adapter said in their evidence; their probabilities stay."""
    return tuple(
        replace(
            finding,
            evidence=finding.evidence.model_copy(
                update={
                    "hard": finding.evidence.hard.model_copy(update={"adapter": found.signals.get(i)}),
                    "attribution": found.attribution.get(i, ()),
                }
            ),
        )
        for i, finding in enumerate(findings)
    )


def _load(context: StageContext, adapter: AdapterRow) -> TunedModel:
    from workers.models.base_models import resolve
    from workers.models.tuned import TunedModel

    model = resolve(adapter.base_model, context.settings.model_cache_dir)
    return TunedModel.load(model, context.adapter_folder(adapter))


def attribution_of(
    tuned: TunedModel,
    examples: Sequence[TrainingExample],
    cases: Sequence[BadCase],
    findings: Sequence[Finding],
    nearest: Int64[ndarray, "q k"],
    *,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> dict[int, tuple[TaughtRow, ...]]:
    """By case, the rows that taught its wrong answer."""
    from workers.models.attribution import answer_gradients

    chosen = gradient_attribution.choose_candidates(cases, findings, nearest)
    own = len(chosen.cases)
    offered = OfferedTools.from_rows(examples)
    pairs = [_said(tuned, cases[i], offered) for i in chosen.cases]
    pairs += [_expected(tuned, cases[i], offered) for i in chosen.cases]
    pairs += [_taught(tuned, examples[i]) for i in chosen.rows]
    gradients = answer_gradients(tuned, pairs, seed=seed, progress=progress)
    strongest = gradient_attribution.strongest(
        gradients[:own], gradients[own : 2 * own], gradients[2 * own :], chosen
    )
    return {case: gradient_attribution.evidence(taught, examples) for case, taught in strongest.items()}


def signals_of(
    tuned: TunedModel,
    examples: Sequence[TrainingExample],
    cases: Sequence[BadCase],
    findings: Sequence[Finding],
    nearest: Int64[ndarray, "q k"],
    *,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> dict[int, AdapterEvidence]:
    """By case, what the adapter makes of it."""
    from workers.models.adapter_signals import answer_costs

    asked = adapter_signals.choose_cases(findings)
    offered = OfferedTools.from_rows(examples)
    near = [[int(row) for row in nearest[i, : adapter_signals.NEAR_ROWS] if row >= 0] for i in asked]
    drawn = _reference_rows(len(examples), seed)
    rows = sorted({row for own in near for row in own} | set(drawn))
    said = [_said(tuned, cases[i], offered) for i in asked]
    expected = [_expected(tuned, cases[i], offered) for i in asked]
    costs = answer_costs(
        tuned,
        [*said, *expected, *(_taught(tuned, examples[row]) for row in rows)],
        first_tokens=adapter_signals.FIRST_TOKENS,
        progress=lambda share: progress(0.5 * share),
    )
    of_row = {row: cost.loss for row, cost in zip(rows, costs[2 * len(asked) :], strict=True) if cost}
    reference = np.array([of_row[row] for row in drawn if row in of_row], dtype=np.float64)
    answers = _samples(
        tuned, cases, asked, said, expected, offered, seed, lambda share: progress(0.5 + 0.5 * share)
    )
    found: dict[int, AdapterEvidence] = {}
    for place, i in enumerate(asked):
        wrong, right = costs[place], costs[len(asked) + place]
        first = wrong or right
        said_most, share = adapter_signals.modal(answers[place])
        signals = AdapterSignals(
            expected_loss=right.loss if right else None,
            wrong_loss=wrong.loss if wrong else None,
            first_token_entropy=first.first_token_entropy if first else None,
            samples=len(answers[place]),
            modal_answer=said_most,
            modal_share=share,
            near_losses=tuple(of_row[row] for row in near[place] if row in of_row),
        )
        found[i] = adapter_signals.evidence(cases[i], signals, reference)
    return found


def _reference_rows(rows: int, seed: int) -> list[int]:
    count = min(rows, adapter_signals.REFERENCE_ROWS)
    return sorted(np.random.default_rng(seed).choice(rows, size=count, replace=False).tolist())


def _samples(
    tuned: TunedModel,
    cases: Sequence[BadCase],
    asked: Sequence[int],
    said: Sequence[AnswerTokens],
    expected: Sequence[AnswerTokens],
    offered: OfferedTools,
    seed: int,
    progress: Callable[[float], None],
) -> list[list[str]]:
    from workers.models.adapter_signals import sampled_answers

    longest = [max(len(s.answer), len(e.answer)) for s, e in zip(said, expected, strict=True)]
    short = [0 < tokens <= adapter_signals.SAMPLED_TOKENS for tokens in longest]
    room = min(
        adapter_signals.SAMPLED_TOKENS,
        8 + max((n for n, s in zip(longest, short, strict=True) if s), default=0),
    )
    prompts = [
        tuned.prompt([m.as_dict() for m in cases[i].messages], room=room, tools=offered.for_case(cases[i]))
        if short[place]
        else ()
        for place, i in enumerate(asked)
    ]
    return sampled_answers(
        tuned,
        prompts,
        samples=adapter_signals.SAMPLES,
        temperature=adapter_signals.SAMPLE_TEMPERATURE,
        max_new_tokens=room,
        seed=seed,
        progress=progress,
    )


def _said(tuned: TunedModel, case: BadCase, offered: OfferedTools) -> AnswerTokens:
    return _pair(tuned, case, case.model_output, offered)


def _expected(tuned: TunedModel, case: BadCase, offered: OfferedTools) -> AnswerTokens:
    return _pair(tuned, case, case.expected_output or "", offered)


def _pair(tuned: TunedModel, case: BadCase, answer: str, offered: OfferedTools) -> AnswerTokens:
    from workers.models.tuned import AnswerTokens

    if not answer.strip():
        return AnswerTokens(prompt=(), answer=())
    turn = offered.turn(answer).as_dict()
    return tuned.pair([m.as_dict() for m in case.messages], turn, tools=offered.for_case(case))


def _taught(tuned: TunedModel, example: TrainingExample) -> AnswerTokens:
    turns = [m.as_dict() for m in example.messages[: example.answer_at + 1]]
    return tuned.pair(turns[:-1], turns[-1], tools=example.tools)
