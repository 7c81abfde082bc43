"""A repair plan while it is written: the rows as they will stand, and which are already spoken for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.domain.answer_writing import with_answer
from app.domain.answers.labels import LABEL_MIN_ROWS
from app.domain.instructions import known_instructions
from app.domain.language import text
from app.domain.near_duplicates.grouping import PromptGroups
from app.domain.records import TrainingExample
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.draft.judge_log import JudgeLog
from app.domain.repair.draft.row_bands import RowQuality
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import CONFIDENT_SCORE, RepairPolicy

# How much of a prompt, an output or a neighbour goes into a reason.
_EXCERPT_CHARACTERS: Final = 80


CUT = "…"
"""Ends an excerpt that is not the whole text."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """``examples`` are cleaned, ``originals`` as they came; ``prompts`` is the part of each
    that varies, ``tasks`` the part that does not.

    Later methods leave ``dropped`` and ``resolved`` rows alone. ``compared`` rows were looked at by a model of what
    contradicts what in their task. ``templates``: tasks whose prompts are one template filled in again and again.
    ``unwanted``: rows whose answer nobody should give (KTO, weight 0); never compared as right and never
    relabelled. ``notes`` is what methods have to say beside their actions, JSON-ready: it goes into the plan's
    summary by name. ``memo``: what one step read of the rows as they stand, for later ones. ``judge_log``: what a
    language model was asked about disputes.
    """

    examples: list[TrainingExample]
    originals: Sequence[TrainingExample]
    policy: RepairPolicy
    instructions: frozenset[str] = frozenset()
    prompts: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    actions: list[ProposedAction] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)
    resolved: set[int] = field(default_factory=set)
    compared: set[int] = field(default_factory=set)
    groups: PromptGroups = field(default_factory=lambda: PromptGroups(groups=(), jaccards={}))
    templates: frozenset[str] = frozenset()
    unwanted: frozenset[int] = frozenset()
    memo: dict[str, Any] = field(default_factory=dict)
    row_quality: tuple[RowQuality, ...] = ()
    judge_log: JudgeLog = field(default_factory=JudgeLog)
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, examples: Sequence[TrainingExample], policy: RepairPolicy) -> Draft:
        made = cls(examples=list(examples), originals=examples, policy=policy)
        made.read()
        return made

    def read(self) -> None:
        """Tell the parts of the prompts apart, as the rows stand now."""
        self.instructions = known_instructions(self.examples)
        self.prompts = [text.focus(example.prompt, self.instructions) for example in self.examples]
        self.tasks = [task_of(e.system, e.prompt, self.instructions) for e in self.examples]
        self.unwanted = frozenset(row for row, e in enumerate(self.examples) if not e.teaches)
        self.memo.clear()

    def answers(self, row: int) -> bool:
        """Whether the row says what is right and nothing else: preferences and undesired answers do not."""
        example = self.examples[row]
        return example.teaches and not example.rejected

    def outputs(self) -> list[str]:
        return [example.output for example in self.examples]

    def labels(self) -> frozenset[str]:
        """Normalised outputs that stand on enough rows to be labels."""
        counts = Counter(text.normalised(output) for output in self.outputs())
        return frozenset(output for output, rows in counts.items() if rows >= LABEL_MIN_ROWS)

    def drop(
        self, row: int, reason: str, score: float, evidence: Mapping[str, Any], *, ask: bool = False
    ) -> None:
        self._add(ActionKind.DROP, (row,), (), reason, score, evidence, ask=ask)
        # A drop that is not sure may be rejected: then the row still has to be right.
        if score >= CONFIDENT_SCORE and not ask:
            self.dropped.add(row)

    def relabel(
        self,
        row: int,
        output: str,
        reason: str,
        score: float,
        evidence: Mapping[str, Any],
        *,
        ask: bool = False,
    ) -> None:
        after = (with_answer(self.examples[row], output).content(),)
        self._add(ActionKind.RELABEL, (row,), after, reason, score, evidence, ask=ask)
        self.resolved.add(row)

    def ask_answer(
        self,
        rows: tuple[int, ...],
        keep: int | None,
        reason: str,
        score: float,
        evidence: Mapping[str, Any],
    ) -> None:
        """Ask which answer is right for rows that ask the same in other words; a person decides.

        ``keep``: the row whose answer is proposed for the others; None = nothing speaks for any of them, so the
        action has no ``after`` until a person gives the answer.
        """
        if keep is None:
            self._add(ActionKind.RELABEL, rows, (), reason, score, evidence, ask=True)
            return
        output = self.examples[keep].output
        said = text.normalised(output)
        others = tuple(row for row in rows if text.normalised(self.examples[row].output) != said)
        after = tuple(with_answer(self.examples[row], output).content() for row in others)
        evidence = {**evidence, "expected_output": output, "of": self.examples[keep].id}
        self._add(ActionKind.RELABEL, others, after, reason, score, evidence, ask=True)

    def ask(
        self,
        rows: tuple[int, ...],
        keep: int | None,
        reason: str,
        score: float,
        evidence: Mapping[str, Any],
    ) -> None:
        """The same for rows that ask in the same words: they become one row."""
        ordered = rows if keep is None else (keep, *(row for row in rows if row != keep))
        after = () if keep is None else (self.examples[keep].content(),)
        self._add(ActionKind.MERGE, ordered, after, reason, score, evidence, ask=True)
        self.resolved.update(rows)

    def upsample(self, rows: Sequence[int], reason: str, score: float, evidence: Mapping[str, Any]) -> None:
        """Propose one more copy of each of ``rows``; a row that is named twice gets two. A person decides."""
        after = tuple(self.examples[row].content() for row in rows)
        self._add(ActionKind.UPSAMPLE, tuple(rows), after, reason, score, evidence, ask=True)

    def _add(
        self,
        kind: ActionKind,
        rows: tuple[int, ...],
        after: tuple[dict[str, Any], ...],
        reason: str,
        score: float,
        evidence: Mapping[str, Any],
        *,
        ask: bool = False,
    ) -> None:
        score = round(float(min(1.0, max(0.0, score))), 4)
        self.actions.append(
            ProposedAction(
                kind=kind,
                example_ids=tuple(self.examples[row].id for row in rows),
                # As the earlier steps leave them: an action holds its own change and no other.
                before=tuple(self.examples[row].content() for row in rows),
                after=after,
                reason=reason,
                score=score,
                evidence={**evidence, "asks_person": True} if ask else dict(evidence),
                decision=Decision.PROPOSED if ask else self.policy.decision_for(score),
            )
        )

    def rewrite(
        self,
        row: int,
        kind: ActionKind,
        after: TrainingExample,
        reason: str,
        score: float,
        evidence: Mapping[str, Any],
        *,
        ask: bool = False,
    ) -> None:
        """Propose other words for a row. Where that is sure, later steps see the row rewritten."""
        self._add(kind, (row,), (after.content(),), reason, score, evidence, ask=ask)
        if score >= CONFIDENT_SCORE and not ask:
            self.examples[row] = after


def task_of(system: str | None, prompt: str, instructions: frozenset[str]) -> str:
    """What one instruction under one system prompt asks for: the part of a prompt that does not vary."""
    return f"{system or ''}\0{text.instruction_of(prompt, instructions)}"


def excerpt(of: str) -> str:
    """The beginning of a text on one line, for a reason that a person reads."""
    line = " ".join(of[: 4 * _EXCERPT_CHARACTERS].split())
    limit = _EXCERPT_CHARACTERS
    return line if len(line) <= limit and len(of) <= 4 * limit else f"{line[:limit].rstrip()}{CUT}"
