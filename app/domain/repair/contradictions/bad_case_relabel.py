"""The part of the plan that settles contradictions by what the bad cases expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

from app.domain.answer_writing import loses_reasoning
from app.domain.answers.labels import LABEL_MIN_ROWS, is_label
from app.domain.diagnosis.evidence.same_question import question_key, same_question
from app.domain.evidence import Finding
from app.domain.language import label_names, pair_differences, text
from app.domain.records import Agreement, BadCase, RootCause
from app.domain.repair.contradictions import label_errors
from app.domain.repair.contradictions.label_errors import LabelFix, LabelVerdict
from app.domain.repair.draft.draft import Draft, excerpt
from app.domain.repair.policy.repair_policy import ResolutionRule
from app.domain.repair.resolution import bad_case_conflicts

_REGION_COSINE = 0.55
"""Cosine to the nearest case that confuses the two labels, from which it speaks for a row that asks something else.
Chosen on the kinds of ``bench.real_kinds`` and on triage sets, one value for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """The bad cases whose expected outputs are trusted. ``prompts[i]`` is what varies in case i's
    prompt, ``tasks[i]`` what does not (system prompt and task instruction)."""

    cases: Sequence[BadCase]
    prompts: Sequence[str]
    tasks: Sequence[str]
    vectors: Float32[ndarray, "m d"]
    findings: Mapping[str, Finding]

    def in_conflict(self, case: BadCase) -> bool:
        finding = self.findings.get(case.id)
        return finding is not None and finding.root_cause is RootCause.CONFLICT

    def conflict_probability(self, case: BadCase) -> float:
        finding = self.findings.get(case.id)
        return float(finding.probabilities.get(RootCause.CONFLICT, 0.0)) if finding else 0.0

    def only(self, members: Int64[ndarray, " k"]) -> Anchors:
        """Those of the cases at these positions."""
        chosen: list[int] = members.tolist()
        return replace(
            self,
            cases=[self.cases[i] for i in chosen],
            prompts=[self.prompts[i] for i in chosen],
            tasks=[self.tasks[i] for i in chosen],
            vectors=self.vectors[members],
        )


def relabel_label_rows(draft: Draft, input_vectors: Float32[ndarray, "n d"], anchors: Anchors) -> None:
    """Relabel or drop the rows of label tasks that the cases contradict, over their whole region.

    A task is what one instruction asks: the same word under another instruction is another label.
    """
    row_tasks = np.array([text.stable_hash(t) for t in draft.tasks], dtype=np.int64)
    case_tasks = np.array([text.stable_hash(t) for t in anchors.tasks], dtype=np.int64)
    conflict = np.array([anchors.in_conflict(case) for case in anchors.cases], dtype=bool)
    for task in dict.fromkeys(case_tasks[conflict].tolist()):
        rows, members = np.flatnonzero(row_tasks == task), np.flatnonzero(case_tasks == task)
        _relabel_task(draft, rows, input_vectors[rows], anchors.only(members), conflict[members])


def _relabel_task(
    draft: Draft,
    rows: Int64[ndarray, " r"],
    vectors: Float32[ndarray, "r d"],
    anchors: Anchors,
    conflict: Bool[ndarray, " m"],
) -> None:
    cases = anchors.cases
    outputs = [_label(draft.examples[row].output) for row in rows.tolist()]
    expected = [_label(case.wanted) for case in cases]
    # A right answer that no row carries yet is a label too, where at least two cases in conflict expect it.
    wanted = Counter(label for label, blamed in zip(expected, conflict, strict=True) if blamed and label)
    numbers = label_errors.number_labels(
        outputs, LABEL_MIN_ROWS, [label for label, count in wanted.items() if count > 1]
    )
    given = np.array(
        [
            -1 if not output or row in draft.dropped or not draft.answers(row) else numbers.get(output, -1)
            for row, output in zip(rows.tolist(), outputs, strict=True)
        ],
        dtype=np.int64,
    )
    judgement = label_errors.find_wrong_labels(
        vectors=vectors,
        given=given,
        anchor_vectors=anchors.vectors,
        anchor_labels=np.array([numbers.get(label, -1) for label in expected], dtype=np.int64),
        anchor_wrong=np.array([numbers.get(text.normalised(c.said), -1) for c in cases], dtype=np.int64),
        in_conflict=conflict,
        conflict_probability=np.array([anchors.conflict_probability(case) for case in cases]),
        opposed=_opposed(list(numbers)),
    )
    spelling = _spellings([draft.examples[row].output for row in rows.tolist()], cases)
    names = {number: spelling[label] for label, number in numbers.items()}
    confused = Counter(
        (numbers.get(_label(case.said), -1), numbers.get(label, -1))
        for case, label, blamed in zip(cases, expected, conflict, strict=True)
        if blamed
    )
    for verdict in judgement.wrong:
        pair = (int(given[verdict.row]), verdict.label)
        nearest = max((cosine for _, cosine in verdict.anchors), default=-1.0)
        spoken_for = bool(confused[pair]) and nearest >= _REGION_COSINE
        row = int(rows[verdict.row])
        alone = not spoken_for and not _asked_by(draft, row, verdict, anchors)
        _mend_label(draft, row, verdict, names[verdict.label], anchors, ask=verdict.asks or alone)
    draft.resolved.update(rows[sorted(judgement.judged)].tolist())


def _label(output: str) -> str:
    return text.normalised(output) if is_label(output) else ""


def _asked_by(draft: Draft, row: int, verdict: LabelVerdict, anchors: Anchors) -> bool:
    """Whether one of the nearest cases asks what the row asks, for certain."""
    asked = draft.prompts[row]
    return any(
        question_key(asked) == question_key(other) and same_question(asked, other)
        for other in (anchors.prompts[a] for a, _ in verdict.anchors)
    )


def _mend_label(
    draft: Draft, row: int, verdict: LabelVerdict, right: str, anchors: Anchors, *, ask: bool
) -> None:
    nearest = [
        {
            "bad_case_id": anchors.cases[a].id,
            "similarity": round(cosine, 3),
            "prompt": excerpt(anchors.prompts[a]),
        }
        for a, cosine in verdict.anchors
    ]
    evidence = {
        "rule": ResolutionRule.EXPECTED_OUTPUT.value,
        "expected_output": right,
        "anchors": nearest,
        "noise_rate": round(verdict.noise_rate, 3),
    }
    because = f' like "{nearest[0]["prompt"]}"' if nearest else ""
    said = (
        f'labelled "{excerpt(draft.examples[row].output)}", but bad cases{because} expect "{excerpt(right)}" '
        f'here (in this region {verdict.noise_rate:.0%} of "{excerpt(right)}" carry the other label)'
    )
    if verdict.asks:
        said += "; most rows of that label would change: please say whether both are one thing"
    match verdict.fix:
        case LabelFix.RELABEL if loses_reasoning(draft.examples[row], right):
            draft.drop(row, f"{said}; its reasoning leads to the other", verdict.score, evidence, ask=ask)
        case LabelFix.RELABEL:
            draft.relabel(row, right, said, verdict.score, evidence, ask=ask)
        case LabelFix.DROP:
            reason = f"{said}; which label is right stays open"
            draft.drop(row, reason, verdict.score, evidence, ask=ask)


def relabel_contradicted_rows(
    draft: Draft, input_vectors: Float32[ndarray, "n d"], anchors: Anchors, rng: np.random.Generator
) -> None:
    """Drop or rewrite single rows that ask what a case asks and contradict its expected output."""
    blamed = [i for i, case in enumerate(anchors.cases) if case.expected_output and anchors.in_conflict(case)]
    usable = [anchors.cases[i] for i in blamed]
    # Of a row with several answers the diagnosis shows the one that asks the same, perhaps an earlier one.
    answers = {example.id: example.output for example in draft.originals}
    neighbors = [
        [n for n in anchors.findings[case.id].evidence.neighbors if answers.get(n.example_id) == n.output]
        for case in usable
    ]
    agreements: dict[tuple[int, str], Agreement] = {
        (number, neighbor.example_id): neighbor.agrees_with
        for number, near in enumerate(neighbors)
        for neighbor in near
    }
    undesired = {
        (question_key(draft.prompts[row]), text.normalised(draft.examples[row].output))
        for row in draft.unwanted
    }
    found = bad_case_conflicts.anchored_conflicts(
        prompts=draft.prompts,
        outputs=["" if row in draft.unwanted else output for row, output in enumerate(draft.outputs())],
        input_vectors=input_vectors,
        cases=usable,
        case_prompts=[anchors.prompts[i] for i in blamed],
        case_vectors=anchors.vectors[blamed],
        agreements=agreements,
        example_ids=[example.id for example in draft.examples],
        systems=[example.system or "" for example in draft.examples],
        shown=[frozenset(n.example_id for n in near if n.same_question) for near in neighbors],
        labels=draft.labels(),
        judged=draft.resolved | draft.dropped | draft.unwanted,
        same_question_cosine=bad_case_conflicts.same_question_cut(input_vectors, rng),
        templates={row for row, task in enumerate(draft.tasks) if task in draft.templates},
    )
    for conflict in found:
        case, example = usable[conflict.case], draft.examples[conflict.row]
        asked = excerpt(anchors.prompts[blamed[conflict.case]])
        expected = case.expected_output or ""
        evidence = {
            "rule": ResolutionRule.EXPECTED_OUTPUT.value,
            "bad_case_id": case.id,
            "similarity": round(conflict.cosine, 3),
            "expected_output": expected,
        }
        if conflict.supported_by >= 0:
            evidence["of"] = draft.examples[conflict.supported_by].id
        said = (
            f'answers "{excerpt(example.output)}" where bad case {case.id} ("{asked}") '
            f'expects "{excerpt(expected)}"'
        )
        # The same words with the right answer stand there already: a second such row would be a copy.
        copied = conflict.same_prompt and conflict.supported_by >= 0
        # What two free answers to questions in other words say of each other, a person reads.
        ask = not conflict.certain
        if (question_key(draft.prompts[conflict.row]), text.normalised(case.wanted)) in undesired:
            said, ask = f"{said}, which a row of the same question marks as undesired", True
        rewritten = (conflict.same_answer or conflict.same_prompt) and not copied
        if rewritten and not example.rejected and not loses_reasoning(example, expected):
            draft.relabel(conflict.row, expected, said, conflict.score, evidence, ask=ask)
        else:
            draft.drop(conflict.row, said, conflict.score, evidence, ask=ask)


def _opposed(names: Sequence[str]) -> Bool[ndarray, "l l"]:
    """Labels whose names negate each other: yes and no, valid and invalid, on and off."""
    made = np.zeros((len(names), len(names)), dtype=bool)
    first, second = np.triu_indices(len(names), 1)
    if len(first):
        readings = pair_differences.read([label_names.spoken(name) or name for name in names])
        found = pair_differences.compare(readings, first.astype(np.int64), second.astype(np.int64))
        columns = [pair_differences.COLUMNS.index(f"{kind}_differs") for kind in ("negation", "direction")]
        made[first, second] = (found[:, columns] > 0).any(axis=1)
    return made | made.T


def _spellings(outputs: Sequence[str], cases: Sequence[BadCase]) -> dict[str, str]:
    """How each normalised output is written most often: in the rows and the expected answers."""
    written: dict[str, Counter[str]] = {}
    for output in (*outputs, *(case.wanted for case in cases if case.wanted)):
        written.setdefault(text.normalised(output), Counter())[output.strip()] += 1
    return {label: spellings.most_common(1)[0][0] for label, spellings in written.items()}
