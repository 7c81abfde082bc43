"""Disputes between rows, settled by the policy's rules in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.repair.draft import Draft, excerpt
from app.domain.repair.policy import ResolutionRule
from app.domain.repair.resolution import RULES, Dispute, Resolution, ResolutionContext


def dispute_of(draft: Draft, sides: Sequence[Sequence[int]]) -> Dispute:
    """The dispute of these sides, the largest first."""
    ordered = tuple(sorted((tuple(side) for side in sides), key=lambda side: (-len(side), side[0])))
    return Dispute(question=draft.prompts[ordered[0][0]], sides=ordered, examples=draft.examples)


def settle(
    draft: Draft,
    dispute: Dispute,
    context: ResolutionContext,
    *,
    same_prompt: bool,
    evidence: Mapping[str, Any] | None = None,
    learnt: Resolution | None = None,
) -> None:
    """Propose what the first rule that can decide says.

    ``same_prompt``: the rows ask in the same words, so that those in error can go; else they are given the right
    answer and stay, as another way to ask. ``learnt``: what the training set as a whole says about who is in
    error; it speaks in the place of a bare majority.
    """
    told = {**(evidence or {}), "sides": _told(draft, dispute)}
    for rule in draft.policy.conflict:
        if rule is ResolutionRule.EXPECTED_OUTPUT:
            continue
        if rule is ResolutionRule.DROP:
            score = 1 - 1 / len(dispute.sides)
            for row in dispute.rows:
                draft.drop(
                    row, f"{_about(dispute)}; the policy drops all of them", score, {**told, "rule": rule}
                )
            return
        if rule is ResolutionRule.ASK:
            leader = dispute.sides[learnt.keep if learnt else 0][0]
            score = learnt.score if learnt else len(dispute.sides[0]) / len(dispute.rows)
            reason = f"{_about(dispute)}; please choose one"
            if same_prompt:
                draft.ask(dispute.rows, leader, reason, score, {**told, "rule": rule})
            else:
                draft.ask_answer(dispute.rows, leader, reason, score, {**told, "rule": rule})
                draft.settled.update(dispute.rows)
            return
        found = learnt if learnt and rule is ResolutionRule.MAJORITY else RULES[rule](dispute, context)
        if found is not None:
            _mend(draft, dispute, found, {**told, "rule": rule}, same_prompt=same_prompt)
            return


def _mend(
    draft: Draft, dispute: Dispute, found: Resolution, evidence: dict[str, Any], *, same_prompt: bool
) -> None:
    right = draft.examples[dispute.sides[found.keep][0]]
    evidence |= {"of": right.id} | ({"quote": found.quote} if found.quote else {})
    for number, side in enumerate(dispute.sides):
        if number == found.keep:
            continue
        for row in side:
            reason = f"{_about(dispute)}; {found.because}"
            if same_prompt:
                draft.drop(row, reason, found.score, evidence, ask=found.ask)
            else:
                told = evidence | {"expected_output": right.output}
                draft.relabel(row, right.output, reason, found.score, told, ask=found.ask)


def _about(dispute: Dispute) -> str:
    asked = excerpt(dispute.question)
    return f'rows that ask "{asked}" answer in {len(dispute.sides)} ways that contradict'


def _told(draft: Draft, dispute: Dispute) -> list[dict[str, Any]]:
    return [
        {"output": excerpt(said), "example_ids": [draft.examples[row].id for row in side]}
        for side, said in zip(dispute.sides, dispute.answers, strict=True)
    ]
