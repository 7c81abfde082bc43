"""The part of the plan that settles contradictions: by the bad cases, by majority, or by asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.domain import text
from app.domain.records import Agreement, BadCase, Finding, RootCause
from app.domain.repair import conflicts, label_conflicts, near_duplicates, thresholds
from app.domain.repair.actions import ResolutionRule
from app.domain.repair.draft import Draft, excerpt
from app.domain.repair.label_conflicts import LabelMend


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """The bad cases whose expected outputs are trusted. ``prompts[i]`` is what varies in case i's prompt."""

    cases: Sequence[BadCase]
    prompts: Sequence[str]
    vectors: Float32[ndarray, "m d"]
    findings: Mapping[str, Finding]

    def in_conflict(self, case: BadCase) -> bool:
        finding = self.findings.get(case.id)
        return finding is not None and finding.root_cause is RootCause.CONFLICT


def mend_labels(draft: Draft, input_vectors: Float32[ndarray, "n d"], anchors: Anchors) -> None:
    """Relabel or drop the rows of label tasks that the cases contradict, over their whole region."""
    cases = anchors.cases
    outputs = [text.normalised(output) for output in draft.outputs()]
    conflict = np.array([anchors.in_conflict(case) for case in cases], dtype=bool)
    expected = [text.normalised(case.expected_output or "") for case in cases]
    # A right answer that no row carries yet is a label too, where at least two cases in conflict expect it.
    wanted = Counter(label for label, blamed in zip(expected, conflict, strict=True) if blamed and label)
    numbers = label_conflicts.number_labels(
        outputs, thresholds.LABEL_MIN_ROWS, [label for label, count in wanted.items() if count > 1]
    )
    if not numbers or not conflict.any():
        return
    given = np.array([numbers.get(output, -1) for output in outputs], dtype=np.int64)
    given[[*draft.gone, *(i for i, e in enumerate(draft.examples) if e.rejected)]] = -1
    verdicts = label_conflicts.find_wrong_labels(
        vectors=input_vectors,
        given=given,
        anchor_vectors=anchors.vectors,
        anchor_labels=np.array([numbers.get(label, -1) for label in expected], dtype=np.int64),
        anchor_wrong=np.array(
            [numbers.get(text.normalised(c.model_output), -1) for c in cases], dtype=np.int64
        ),
        in_conflict=conflict,
    )
    spelling = _spellings(draft, cases)
    names = {number: spelling[label] for label, number in numbers.items()}
    for verdict in verdicts:
        example, right = draft.examples[verdict.row], names[verdict.label]
        nearest = [
            {"bad_case_id": cases[a].id, "similarity": round(cosine, 3), "prompt": excerpt(cases[a].prompt)}
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
            f'labelled "{excerpt(example.output)}", but bad cases{because} expect "{excerpt(right)}" here '
            f'(in this region {verdict.noise_rate:.0%} of "{excerpt(right)}" carry the other label)'
        )
        match verdict.mend:
            case LabelMend.RELABEL:
                draft.relabel(verdict.row, right, said, verdict.score, evidence)
            case LabelMend.DROP:
                draft.drop(verdict.row, f"{said}; which label is right stays open", verdict.score, evidence)
    # Every row that took part as a label has been judged over its whole region.
    draft.settled.update(np.flatnonzero(given >= 0).tolist() if verdicts else ())


def mend_anchored(
    draft: Draft, input_vectors: Float32[ndarray, "n d"], anchors: Anchors, rng: np.random.Generator
) -> None:
    """Drop or rewrite single rows that ask what a case asks and contradict its expected output."""
    blamed = [i for i, case in enumerate(anchors.cases) if case.expected_output and anchors.in_conflict(case)]
    usable = [anchors.cases[i] for i in blamed]
    agreements: dict[tuple[int, str], Agreement] = {
        (number, neighbor.example_id): neighbor.agrees_with
        for number, case in enumerate(usable)
        for neighbor in anchors.findings[case.id].evidence.neighbors
    }
    found = conflicts.anchored_conflicts(
        prompts=draft.prompts,
        outputs=draft.outputs(),
        input_vectors=input_vectors,
        cases=usable,
        case_prompts=[anchors.prompts[i] for i in blamed],
        case_vectors=anchors.vectors[blamed],
        agreements=agreements,
        example_ids=[example.id for example in draft.examples],
        labels=draft.labels(),
        judged=draft.settled | draft.gone,
        same_question_cosine=conflicts.same_question_cut(input_vectors, rng),
    )
    for conflict in found:
        case, example = usable[conflict.case], draft.examples[conflict.row]
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
            f'answers "{excerpt(example.output)}" where bad case {case.id} ("{excerpt(case.prompt)}") '
            f'expects "{excerpt(expected)}"'
        )
        if conflict.same_prompt and conflict.supported_by < 0 and not example.rejected:
            draft.relabel(conflict.row, expected, said, conflict.score, evidence)
        else:
            draft.drop(conflict.row, said, conflict.score, evidence)


def mend_groups(draft: Draft, groups: near_duplicates.PromptGroups) -> None:
    """Settle what contradicts itself among near-duplicates and no bad case has settled."""
    labels, outputs = draft.labels(), draft.outputs()
    for group in groups.groups:
        if any(row in draft.settled for row in group):
            continue
        majority = conflicts.sides([row for row in group if row not in draft.gone], outputs, labels)
        if majority is not None:
            _settle(draft, majority)


def _settle(draft: Draft, majority: conflicts.Majority) -> None:
    keep, others = majority.sides[0], majority.sides[1:]
    losing = tuple(row for side in others for row in side)
    answers = [
        {
            "output": excerpt(draft.examples[side[0]].output),
            "example_ids": [draft.examples[r].id for r in side],
        }
        for side in majority.sides
    ]
    first = draft.examples[keep[0]]
    about = (
        f'near-duplicates of "{excerpt(first.prompt)}" answer in {len(majority.sides)} ways that contradict'
    )
    for rule in draft.policy.conflict:
        evidence = {"rule": rule.value, "sides": answers}
        match rule:
            case ResolutionRule.EXPECTED_OUTPUT:
                continue
            case ResolutionRule.MAJORITY:
                if len(keep) < 2 or majority.share < thresholds.MAJORITY_SHARE:
                    continue
                rows = len(keep) + len(losing)
                for row in losing:
                    reason = f'{about}; {len(keep)} of {rows} say "{excerpt(first.output)}"'
                    draft.drop(row, reason, majority.score, {**evidence, "of": first.id})
                return
            case ResolutionRule.DROP:
                for row in (*keep, *losing):
                    draft.drop(row, f"{about}; the policy drops all of them", 1 - 1 / len(answers), evidence)
                return
            case ResolutionRule.ASK:
                draft.ask((*keep, *losing), keep[0], f"{about}; please choose one", majority.score, evidence)
                return


def _spellings(draft: Draft, cases: Sequence[BadCase]) -> dict[str, str]:
    """How each normalised output is written most often: in the rows, else in the cases."""
    written: dict[str, Counter[str]] = {}
    for output in _all_outputs(draft, cases):
        written.setdefault(text.normalised(output), Counter())[output.strip()] += 1
    return {label: spellings.most_common(1)[0][0] for label, spellings in written.items()}


def _all_outputs(draft: Draft, cases: Sequence[BadCase]) -> Iterator[str]:
    yield from draft.outputs()
    yield from (case.expected_output for case in cases if case.expected_output)
