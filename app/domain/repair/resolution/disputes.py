"""Disputes between rows, settled by the policy's rules in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.repair.draft.draft import Draft, excerpt
from app.domain.repair.duplicates import certain_copies, semantic
from app.domain.repair.policy.repair_policy import ResolutionRule
from app.domain.repair.resolution import RULES, Dispute, Resolution, ResolutionContext

OF_CONTRADICTION = "that the rows contradict each other"
"""What the score of a question is the probability of, where no answer is proposed."""

CONTRADICTS = 0.5
"""Rows that near-duplicates' answers put in dispute contradict each other or ask two things: nobody has measured."""

_SHOWN_SIDES = 6
_COMPARED_ROWS = 20
"""Rows of a side whose questions are compared with that of a row in error."""


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
    from_model: Resolution | None = None,
) -> None:
    """Propose what the first rule that can decide says.

    ``same_prompt``: the rows ask in the same words, so that those in error can go; else they are given the right
    answer and stay, as another way to ask. ``from_model``: what the training set as a whole says about who is in
    error; it speaks in the place of a bare majority.
    """
    evidence = {**(evidence or {}), "sides": _sides(draft, dispute, context)}
    for rule in draft.policy.conflict:
        if rule is ResolutionRule.DROP:
            score = 1 - 1 / len(dispute.sides)
            for row in dispute.rows:
                draft.drop(
                    row, f"{_about(dispute)}; the policy drops all of them", score, {**evidence, "rule": rule}
                )
            return
        if rule is ResolutionRule.ASK:
            _ask(draft, dispute, from_model, {**evidence, "rule": rule}, same_prompt=same_prompt)
            return
        found = (
            from_model if from_model and rule is ResolutionRule.MAJORITY else RULES[rule](dispute, context)
        )
        if found is not None:
            _propose(draft, dispute, found, {**evidence, "rule": rule}, same_prompt=same_prompt)
            return


def _ask(
    draft: Draft,
    dispute: Dispute,
    from_model: Resolution | None,
    evidence: dict[str, Any],
    *,
    same_prompt: bool,
) -> None:
    """A side is proposed only where something speaks for it, and the reason says what; else both are shown."""
    ways = "; ".join(
        f'"{excerpt(said)}" ({len(side)})'
        for side, said in zip(dispute.sides[:_SHOWN_SIDES], dispute.answers, strict=False)
    )
    reason = f"{_about(dispute)}: {ways}; please choose one"
    if from_model:
        reason, leader, score = (
            f"{reason}; {from_model.because}",
            dispute.sides[from_model.keep][0],
            from_model.score,
        )
    else:
        reason, leader = f"{reason}: nothing speaks for one of them", None
        score = float(evidence.get("in_conflict", CONTRADICTS))
        evidence |= {"score_of": OF_CONTRADICTION}
    if same_prompt and all(_same_words(draft, row, dispute.rows[:1]) for row in dispute.rows):
        draft.ask(dispute.rows, leader, reason, score, evidence)
    else:
        draft.ask_answer(dispute.rows, leader, reason, score, evidence)
        draft.resolved.update(dispute.rows)


def _propose(
    draft: Draft, dispute: Dispute, found: Resolution, evidence: dict[str, Any], *, same_prompt: bool
) -> None:
    followed = dispute.sides[found.keep]
    right = draft.examples[followed[0]]
    evidence |= {"of": right.id} | ({"quote": found.quote} if found.quote else {})
    for number, side in enumerate(dispute.sides):
        if number == found.keep:
            continue
        for row in side:
            reason = f"{_about(dispute)}; {found.because}"
            same_words = _same_words(draft, row, followed)
            ask = found.ask or not (same_words or (found.judged_words and not _commits(draft, row, followed)))
            if ask and not found.ask:
                reason += "; please confirm that both ask the same"
            if same_prompt and same_words:
                draft.drop(row, reason, found.score, evidence, ask=ask)
            else:
                relabelled = evidence | {"expected_output": right.output}
                draft.relabel(row, right.output, reason, found.score, relabelled, ask=ask)


def _same_words(draft: Draft, row: int, others: Sequence[int]) -> bool:
    """Whether the row asks certainly what one of the others asks."""
    asked = draft.prompts[row]
    return any(certain_copies.same_question(asked, draft.prompts[o]) for o in others[:_COMPARED_ROWS])


def _commits(draft: Draft, row: int, others: Sequence[int]) -> bool:
    """Whether a number, a name or the like tells the row's question from those of all the others."""
    asked = draft.prompts[row]
    return all(semantic.commits(asked, draft.prompts[o]) for o in others[:_COMPARED_ROWS])


def _about(dispute: Dispute) -> str:
    asked = excerpt(dispute.question)
    return f'rows that ask "{asked}" answer in {len(dispute.sides)} ways that contradict'


def _sides(draft: Draft, dispute: Dispute, context: ResolutionContext) -> list[dict[str, Any]]:
    """Each side with its rows and the number of bad cases that expect it."""
    votes = context.votes(dispute)
    return [
        {"output": excerpt(said), "example_ids": [draft.examples[row].id for row in side], "cases": cases}
        for side, said, cases in zip(dispute.sides, dispute.answers, votes, strict=True)
    ]
