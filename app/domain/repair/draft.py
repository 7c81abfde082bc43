"""A repair plan while it is written: the rows as they will stand, and which are already spoken for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain import text
from app.domain.records import TrainingExample
from app.domain.repair import thresholds
from app.domain.repair.actions import ActionKind, Decision, ProposedAction
from app.domain.repair.near_duplicates import PromptGroups
from app.domain.repair.policy import RepairPolicy


@dataclass(slots=True, kw_only=True)
class Draft:
    """``examples`` are cleaned, ``originals`` as they came; ``prompts`` is the part of each
    that varies, ``tasks`` the part that does not.

    ``gone`` rows are dropped, ``settled`` ones were judged: later methods leave both alone.
    """

    examples: list[TrainingExample]
    originals: Sequence[TrainingExample]
    policy: RepairPolicy
    instructions: frozenset[str] = frozenset()
    prompts: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    actions: list[ProposedAction] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)
    groups: PromptGroups = field(default_factory=lambda: PromptGroups(groups=(), jaccards={}))
    notes: dict[str, Any] = field(default_factory=dict)
    """What the summary says besides the counts, by step."""
    score: Callable[[TrainingExample], float] | None = None
    """Quality of a row, larger = better, where a step has made one."""

    @classmethod
    def of(cls, examples: Sequence[TrainingExample], policy: RepairPolicy) -> Draft:
        made = cls(examples=list(examples), originals=examples, policy=policy)
        made.read()
        return made

    def read(self) -> None:
        """Tell the parts of the prompts apart, as the rows stand now."""
        self.instructions = text.known_instructions(self.examples)
        self.prompts = [text.focus(example.prompt, self.instructions) for example in self.examples]
        self.tasks = [task_of(e.system, e.prompt, self.instructions) for e in self.examples]

    def outputs(self) -> list[str]:
        return [example.output for example in self.examples]

    def labels(self) -> frozenset[str]:
        """Normalised outputs that stand on enough rows to be labels."""
        counts = Counter(text.normalised(output) for output in self.outputs())
        return frozenset(output for output, rows in counts.items() if rows >= thresholds.LABEL_MIN_ROWS)

    def drop(
        self, row: int, reason: str, score: float, evidence: Mapping[str, Any], *, ask: bool = False
    ) -> None:
        self._add(ActionKind.DROP, (row,), (), reason, score, evidence, ask=ask)
        # A drop that is not sure may be rejected: then the row still has to be right.
        if score >= thresholds.CONFIDENT_SCORE:
            self.gone.add(row)

    def relabel(self, row: int, output: str, reason: str, score: float, evidence: Mapping[str, Any]) -> None:
        self._add(
            ActionKind.RELABEL, (row,), (_with_output(self.examples[row], output),), reason, score, evidence
        )
        self.settled.add(row)

    def ask(
        self, rows: tuple[int, ...], keep: int, reason: str, score: float, evidence: Mapping[str, Any]
    ) -> None:
        """Propose one answer for rows that contradict each other; a person decides, whatever the policy."""
        ordered = (keep, *(row for row in rows if row != keep))
        after = (self.examples[keep].content(),)
        self._add(ActionKind.MERGE, ordered, after, reason, score, evidence, ask=True)
        self.settled.update(rows)

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
                before=tuple(self.originals[row].content() for row in rows),
                after=after,
                reason=reason,
                score=score,
                evidence=dict(evidence),
                decision=Decision.PROPOSED if ask else self.policy.decision_for(score),
            )
        )

    def normalised(self, row: int, after: TrainingExample, changes: Sequence[str]) -> None:
        self.examples[row] = after
        reason = f"format: {', '.join(changes)}"
        self._add(
            ActionKind.NORMALISE,
            (row,),
            (after.content(),),
            reason,
            0.99,
            {"rule": "normalise", "changes": list(changes)},
        )


def task_of(system: str | None, prompt: str, instructions: frozenset[str]) -> str:
    """What one instruction under one system prompt asks for: the part of a prompt that does not vary."""
    return f"{system or ''}\0{text.instruction_of(prompt, instructions)}"


def _with_output(example: TrainingExample, output: str) -> dict[str, Any]:
    answer = replace(example.messages[-1], content=output)
    return replace(example, messages=(*example.messages[:-1], answer)).content()


def excerpt(of: str) -> str:
    """The beginning of a text on one line, for a reason that a person reads."""
    line = " ".join(of[: 4 * thresholds.EXCERPT_CHARACTERS].split())
    limit = thresholds.EXCERPT_CHARACTERS
    return line if len(line) <= limit and len(of) <= 4 * limit else f"{line[:limit].rstrip()}…"
