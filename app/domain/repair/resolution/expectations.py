"""Which bad cases ask what training rows ask, and what they expect.

Knows rows and cases of one task. Does not say who is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.domain.answers import agreement
from app.domain.language import text
from app.domain.records import BadCase
from app.domain.repair.draft.draft import Draft, task_of
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.duplicates import semantic
from app.domain.repair.resolution import bad_case_conflicts
from app.domain.repair.resolution.dispute import Dispute
from app.domain.repair.rewriting.normalisation.templates import NEIGHBORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """``cases``: those that say what they expect. ``asked``: row -> the cases, by place, that ask the same."""

    cases: Sequence[BadCase] = ()
    asked: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def votes(self, dispute: Dispute) -> tuple[int, ...]:
        """The number of cases that ask what the dispute's rows ask and expect each side; each counts once."""
        asking = frozenset(case for row in dispute.rows for case in self.asked.get(row, ()))
        wanted = [{_key(o) for o in self.cases[case].acceptable_outputs} for case in sorted(asking)]
        return tuple(sum(_key(said) in outputs for outputs in wanted) for said in dispute.answers)


def of(draft: Draft, material: PlanInputs) -> Expectations:
    """The cases nearest to rows of their own task, where nothing that commits tells the two prompts apart."""
    cases = [i for i, case in enumerate(material.cases) if case.expected_output is not None]
    if not cases:
        return Expectations()
    tasks = np.array([text.stable_hash(task) for task in draft.tasks], dtype=np.int64)
    asked: defaultdict[int, set[int]] = defaultdict(set)
    # The plan's own generator is left alone: looking something up may not change what comes later.
    cut = bad_case_conflicts.same_question_cut(material.input_vectors, np.random.default_rng(0))
    by_task: defaultdict[str, list[int]] = defaultdict(list)
    for place, at in enumerate(cases):
        case = material.cases[at]
        by_task[task_of(case.system, case.prompt, draft.instructions)].append(place)
    for task, places in by_task.items():
        rows = np.flatnonzero(tasks == text.stable_hash(task))
        if not rows.size:
            continue
        vectors = material.case_vectors[[cases[place] for place in places]]
        near = agreement.nearest(vectors, material.input_vectors[rows], 3 * NEIGHBORS)
        for number, place in enumerate(places):
            prompt = text.focus(material.cases[cases[place]].prompt, draft.instructions)
            found: list[int] = near.indices[number].tolist()
            cosines: list[float] = near.similarities[number].tolist()
            for at, cosine in zip(found, cosines, strict=True):
                if at >= 0 and _asks_the_same(draft.prompts[int(rows[at])], prompt, cosine, cut):
                    asked[int(rows[at])].add(place)
    return Expectations(
        cases=[material.cases[at] for at in cases],
        asked={row: frozenset(of_row) for row, of_row in asked.items()},
    )


def _asks_the_same(prompt: str, case_prompt: str, cosine: float, cut: float) -> bool:
    same_words = text.normalised(prompt) == text.normalised(case_prompt)
    return same_words or (cosine >= cut and not semantic.commits(prompt, case_prompt))


def _key(output: str) -> str:
    return text.normalised(output) or output.strip()
