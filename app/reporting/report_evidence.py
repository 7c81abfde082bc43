"""What the evidence of a finding says, in sentences and pairs; shared by the HTML and the Markdown report.

Evidence is JSON of any diagnosis, earlier or later than this code: what is known is told in words, what is not
stays in ``rest`` and is shown as it is. Nothing here trusts a key to be there, or a value to be of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.records import Evidence, RootCause
from app.reporting.evidence_facts import (
    Fact,
    conflict_facts,
    covered_facts,
    hard_facts,
    mappings_of,
    number_of,
    ood_facts,
    text_of,
)

NEAR_TIE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One side of a pair. ``example_id`` is ``None`` for the bad case itself."""

    input: str
    output: str
    example_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between the two prompts of a pair: a number, a negation, an entity ..."""

    kind: str
    left: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two near prompts whose answers contradict each other."""

    left: Row
    right: Row
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """A training row that taught the wrong answer; larger scores taught more."""

    example_id: str
    input: str
    output: str
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """``sides`` counts near rows that are on the side of the expected answer, of the wrong one, of neither."""

    pair: Pair | None = None
    sides: tuple[int, int, int] | None = None
    facts: tuple[tuple[str, tuple[Fact, ...]], ...] = ()
    symptoms: tuple[tuple[str, str, str | None], ...] = ()
    taught: tuple[Taught, ...] = ()
    judge: tuple[tuple[str, str], ...] = ()
    rest: tuple[tuple[str, Mapping[str, Any]], ...] = ()


def view(evidence: Evidence, cause: RootCause | None = None) -> EvidenceView:
    """The evidence in the order in which it convinces: contradiction, reasons, symptoms, then figures.

    ``cause``: the verdict; what speaks for it comes first.
    """
    conflict, ood, hard = dict(evidence.conflict), dict(evidence.ood), dict(evidence.hard)
    pair, sides = _pair(conflict), _sides(conflict)
    nearest = number_of(ood.get("nearest_percentile"))
    covered = covered_facts(sides, nearest) if cause is RootCause.HARD else []
    demands = hard_facts(hard)
    mixed = sides is not None and sides[1] + sides[2] > 0
    if cause is RootCause.HARD and not demands and not mixed:
        demands = [Fact(says="Nothing measured stands out: it asks for no more than its task's other rows")]
    facts = (
        ("ood", tuple(ood_facts(ood))),
        ("conflict", tuple(conflict_facts(conflict))),
        ("hard", (*covered, *demands)),
    )
    judge = {k: v for k, v in evidence.judge.items() if v is not None}
    rest = (
        ("serving_mismatch", evidence.serving_mismatch),
        ("ood", ood),
        ("conflict", conflict),
        ("hard", hard),
    )
    return EvidenceView(
        pair=pair,
        sides=sides,
        facts=tuple(
            (name, found) for name, found in sorted(facts, key=lambda fact: fact[0] != cause) if found
        ),
        symptoms=tuple(
            (
                text_of(s.get("symptom")),
                text_of(s.get("detail")),
                s.get("example_id") and text_of(s["example_id"]),
            )
            for s in mappings_of(evidence.symptoms)
        ),
        taught=tuple(
            Taught(
                example_id=text_of(t.get("example_id")),
                input=text_of(t.get("input")),
                output=text_of(t.get("output")),
                score=number_of(t.get("score")),
            )
            for t in mappings_of(evidence.attribution)
        ),
        judge=tuple((str(k), _said(v)) for k, v in judge.items()),
        rest=tuple((name, values) for name, values in rest if values),
    )


def runner_up(probabilities: Mapping[RootCause, float], said: RootCause) -> tuple[RootCause, float] | None:
    """The second likeliest cause, where it is likely enough (0..1) that a reader must be told."""
    others = [(p, cause) for cause, p in probabilities.items() if cause is not said]
    likely, cause = max(others, key=lambda other: other[0], default=(0.0, said))
    return (cause, likely) if likely >= NEAR_TIE else None


def _pair(conflict: dict[str, Any]) -> Pair | None:
    found = conflict.get("contradicting_pair")
    if not isinstance(found, Mapping):
        return None
    sides = [found.get("left"), found.get("right")]
    if not all(isinstance(side, Mapping) for side in sides):
        return None
    del conflict["contradicting_pair"]
    left, right = (
        Row(
            input=text_of(side.get("input")),
            output=text_of(side.get("output")),
            example_id=text_of(side["example_id"]) if side.get("example_id") else None,
        )
        for side in sides
        if isinstance(side, Mapping)
    )
    return Pair(
        left=left,
        right=right,
        differences=tuple(
            Difference(
                kind=text_of(d.get("kind")), left=text_of(d.get("left")), right=text_of(d.get("right"))
            )
            for d in mappings_of(found.get("differences"))
        ),
    )


def _sides(conflict: dict[str, Any]) -> tuple[int, int, int] | None:
    counts = conflict.get("counts")
    if not isinstance(counts, Mapping):
        return None
    numbers = [number_of(counts.get(side)) for side in ("expected", "model_output", "neither")]
    if all(n is None for n in numbers):
        return None
    del conflict["counts"]
    expected, wrong, neither = (max(0, round(n or 0)) for n in numbers)
    return expected, wrong, neither


def _said(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else text_of(value)
