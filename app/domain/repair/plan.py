"""The repair plan: every change that a diagnosis justifies, each with reason, score and evidence.

Knows rows, vectors, bad cases that may be used, and findings. Refuses to know storage and held-back
cases: those are never passed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.domain import text
from app.domain.records import BadCase, Finding, TrainingExample, canonical_json
from app.domain.repair import near_duplicates, plan_conflicts
from app.domain.repair.actions import (
    ActionKind,
    Approval,
    Decision,
    ProposedAction,
    RepairPolicy,
    ResolutionRule,
    decide,
)
from app.domain.repair.draft import Draft, excerpt
from app.domain.repair.near_duplicates import Dropped, DropReason
from app.domain.repair.normalise import normalise_example

__all__ = [
    "ActionKind",
    "Approval",
    "Decision",
    "ProposedAction",
    "RepairPlan",
    "RepairPolicy",
    "ResolutionRule",
    "decide",
    "plan_repair",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """``actions`` in the order in which they compose; ``summary`` counts them, JSON-ready."""

    actions: tuple[ProposedAction, ...]
    summary: dict[str, Any]


def plan_repair(
    *,
    examples: Sequence[TrainingExample],
    input_vectors: Float32[ndarray, "n d"],
    output_vectors: Float32[ndarray, "n o"],
    cases: Sequence[BadCase],
    case_input_vectors: Float32[ndarray, "m d"],
    findings: Sequence[Finding],
    policy: RepairPolicy,
    rng: np.random.Generator,
    progress: Callable[[float], None] = lambda _: None,
) -> RepairPlan:
    """Plan the repair of a training set.

    ``cases`` may be trained on; ``case_input_vectors[i]`` is case i's prompt, ``input_vectors[i]`` and
    ``output_vectors[i]`` row i's prompt and output, unit rows. A finding of a case that is not among
    ``cases`` is ignored. Two runs with equal arguments and generator state give equal plans.
    """
    _check_shapes(examples, input_vectors, output_vectors, cases, case_input_vectors)
    draft = _normalise(examples, policy)
    progress(0.1)
    instructions = text.known_instructions(draft.examples)
    draft.prompts = [text.focus(example.prompt, instructions) for example in draft.examples]
    draft.tasks = [_task(example.system, example.prompt, instructions) for example in draft.examples]
    _drop_exact_duplicates(draft)
    groups = _prompt_groups(draft)
    _drop_near_duplicates(draft, groups)
    progress(0.4)

    if ResolutionRule.EXPECTED_OUTPUT in policy.conflict:
        anchors = plan_conflicts.Anchors(
            cases=cases,
            prompts=[text.focus(case.prompt, instructions) for case in cases],
            tasks=[_task(case.system, case.prompt, instructions) for case in cases],
            vectors=case_input_vectors,
            findings={finding.bad_case_id: finding for finding in findings},
        )
        plan_conflicts.mend_labels(draft, input_vectors, anchors)
        progress(0.7)
        plan_conflicts.mend_anchored(draft, input_vectors, anchors, rng)
    progress(0.9)
    plan_conflicts.mend_groups(draft, groups)
    progress(1.0)
    return RepairPlan(actions=tuple(draft.actions), summary=_summary(draft))


def _normalise(examples: Sequence[TrainingExample], policy: RepairPolicy) -> Draft:
    draft = Draft(examples=examples, originals=examples, policy=policy)
    if not policy.normalise:
        return draft
    cleaned = list(examples)
    draft.examples = cleaned
    for row, example in enumerate(examples):
        found = normalise_example(example)
        if found is not None:
            cleaned[row] = replace(example, messages=found.messages, rejected=found.rejected)
            draft.normalised(row, cleaned[row], found.changes)
    return draft


def _task(system: str | None, prompt: str, instructions: frozenset[str]) -> str:
    return f"{system or ''}\0{text.instruction_of(prompt, instructions)}"


def _drop_exact_duplicates(draft: Draft) -> None:
    hashes = [example.content_hash for example in draft.examples]
    for dropped in near_duplicates.exact_duplicates(hashes):
        _drop_duplicate(draft, dropped)


def _prompt_groups(draft: Draft) -> near_duplicates.PromptGroups:
    # Without a threshold only prompts that are equal when normalised ask the same.
    threshold = draft.policy.near_duplicate_threshold
    # Preference pairs are compared by both answers: two pairs on one prompt are no duplicates.
    standing = [i for i, e in enumerate(draft.examples) if i not in draft.gone and not e.rejected]
    found = near_duplicates.same_prompts(
        [draft.prompts[i] for i in standing],
        [f"{draft.tasks[i]}\0{canonical_json(draft.examples[i].tools)}" for i in standing],
        1.0 if threshold is None else threshold,
    )
    pairs = {(standing[a], standing[b]): value for (a, b), value in found.jaccards.items()}
    return near_duplicates.without_templates(
        near_duplicates.PromptGroups(
            groups=near_duplicates.connected(len(draft.examples), pairs), jaccards=pairs
        ),
        draft.tasks,
        [text.normalised(output) for output in draft.outputs()],
    )


def _drop_near_duplicates(draft: Draft, groups: near_duplicates.PromptGroups) -> None:
    if draft.policy.near_duplicate_threshold is None:
        return
    same_answer = {
        pair: jaccard
        for pair, jaccard in groups.jaccards.items()
        if text.normalised(draft.examples[pair[0]].output) == text.normalised(draft.examples[pair[1]].output)
    }
    # Ascending: a row goes only for the sake of an earlier row that itself stays.
    for (first, second), jaccard in sorted(same_answer.items()):
        if first not in draft.gone and second not in draft.gone:
            _drop_duplicate(
                draft, Dropped(row=second, reason=DropReason.NEAR_DUPLICATE, of=first, jaccard=jaccard)
            )


def _drop_duplicate(draft: Draft, dropped: Dropped) -> None:
    kept = draft.examples[dropped.of]
    how = "exact duplicate" if dropped.reason is DropReason.EXACT_DUPLICATE else "near-duplicate"
    draft.drop(
        dropped.row,
        f'{how} of {kept.id} ("{excerpt(draft.prompts[dropped.of])}"), which stays',
        # Half of the way to equal is half sure: only the nearest pairs go without a person.
        2 * dropped.jaccard - 1,
        {"rule": dropped.reason.value, "of": kept.id, "jaccard": round(dropped.jaccard, 3)},
    )


def _summary(draft: Draft) -> dict[str, Any]:
    relabelled = Counter(
        (
            text.normalised(a.before[0]["messages"][-1]["content"]),
            text.normalised(a.evidence["expected_output"]),
        )
        for a in draft.actions
        if a.kind is ActionKind.RELABEL
    )
    return {
        "rows": len(draft.examples),
        "actions": len(draft.actions),
        "by_kind": dict(Counter(a.kind.value for a in draft.actions)),
        "by_rule": dict(Counter(str(a.evidence["rule"]) for a in draft.actions)),
        "by_decision": dict(Counter(a.decision.value for a in draft.actions)),
        "relabelled": [
            {"from": wrong, "to": right, "rows": rows} for (wrong, right), rows in relabelled.most_common()
        ],
        "policy": draft.policy.as_dict(),
    }


def _check_shapes(
    examples: Sequence[TrainingExample],
    input_vectors: Float32[ndarray, "n d"],
    output_vectors: Float32[ndarray, "n o"],
    cases: Sequence[BadCase],
    case_input_vectors: Float32[ndarray, "m d"],
) -> None:
    for name, rows, vectors in (
        ("input_vectors", len(examples), input_vectors),
        ("output_vectors", len(examples), output_vectors),
        ("case_input_vectors", len(cases), case_input_vectors),
    ):
        if len(vectors) != rows:
            raise ValueError(f"{name} has {len(vectors)} rows for {rows} texts; give one vector for each")
