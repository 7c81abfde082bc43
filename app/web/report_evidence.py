"""What the evidence of a finding says, in sentences and pairs; shared by the HTML and the Markdown report.

Evidence is JSON of any diagnosis, earlier or later than this code: what is known is told in words, what is not
stays in ``rest`` and is shown as it is. Nothing here trusts a key to be there, or a value to be of its kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.records import Evidence

MAX_ITEMS = 24


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
class Fact:
    """One line of evidence. ``words`` are texts that belong to it; ``share`` 0..1 is drawn as a meter."""

    says: str
    words: tuple[str, ...] = ()
    share: float | None = None

    @property
    def shown_share(self) -> str:
        """The share in figures, where the words do not say it already."""
        return "" if self.share is None or "%" in self.says else _percent(self.share)


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


def view(evidence: Evidence) -> EvidenceView:
    """The evidence in the order in which it convinces: contradiction, reasons, symptoms, then figures."""
    conflict, ood, hard = dict(evidence.conflict), dict(evidence.ood), dict(evidence.hard)
    pair, sides = _pair(conflict), _sides(conflict)
    facts = (
        ("ood", tuple(_ood_facts(ood))),
        ("conflict", tuple(_conflict_facts(conflict))),
        ("hard", tuple(_hard_facts(hard))),
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
        facts=tuple((name, found) for name, found in facts if found),
        symptoms=tuple(
            (
                text_of(s.get("symptom")),
                text_of(s.get("detail")),
                s.get("example_id") and text_of(s["example_id"]),
            )
            for s in _mappings(evidence.symptoms)
        ),
        taught=tuple(
            Taught(
                example_id=text_of(t.get("example_id")),
                input=text_of(t.get("input")),
                output=text_of(t.get("output")),
                score=_number(t.get("score")),
            )
            for t in _mappings(evidence.attribution)
        ),
        judge=tuple((str(k), _said(v)) for k, v in judge.items()),
        rest=tuple((name, values) for name, values in rest if values),
    )


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
            for d in _mappings(found.get("differences"))
        ),
    )


def _sides(conflict: dict[str, Any]) -> tuple[int, int, int] | None:
    counts = conflict.get("counts")
    if not isinstance(counts, Mapping):
        return None
    numbers = [_number(counts.get(side)) for side in ("expected", "model_output", "neither")]
    if all(n is None for n in numbers):
        return None
    del conflict["counts"]
    expected, wrong, neither = (max(0, round(n or 0)) for n in numbers)
    return expected, wrong, neither


def _ood_facts(ood: dict[str, Any]) -> list[Fact]:
    facts = []
    if terms := _texts(ood.pop("unseen_terms", None)):
        facts.append(Fact(says="Words that no training row holds", words=terms))
    length = ood.get("length")
    if isinstance(length, Mapping) and (share := _number(length.get("percentile"))) is not None:
        value = _number(ood.pop("length").get("value"))
        of = f"Length {value:,.0f}: longer" if value is not None else "Longer"
        facts.append(Fact(says=f"{of} than {_percent(share)} of the training rows", share=share))
    pattern = ood.get("pattern")
    if isinstance(pattern, Mapping) and pattern.get("text"):
        seen = bool(ood.pop("pattern").get("seen"))
        says = "Its sentence pattern is known" if seen else "Its sentence pattern is in no training row"
        facts.append(Fact(says=says, words=(text_of(pattern["text"]),)))
    if (share := _number(ood.get("nearest_percentile"))) is not None:
        del ood["nearest_percentile"]
        says = f"Further from its nearest row than {_percent(share)} of the training rows from theirs"
        facts.append(Fact(says=says, share=share))
    methods = ood.get("methods")
    if isinstance(methods, Mapping) and (known := _numbers(methods)):
        del ood["methods"]
        each = tuple(f"{name.replace('_', ' ')} {_percent(share)}" for name, share in known[:MAX_ITEMS])
        facts.append(Fact(says="Further out than this share of the training rows, by method", words=each))
    if ood.get("language_known") is False:
        del ood["language_known"]
        facts.append(Fact(says="The embedder does not know this language: nearness says little here"))
    if isinstance(note := ood.get("note"), str) and note.strip():
        del ood["note"]
        facts.append(Fact(says=note))
    return facts


def _conflict_facts(conflict: dict[str, Any]) -> list[Fact]:
    facts = []
    if groups := _mappings(conflict.get("label_groups")):
        del conflict["label_groups"]
        for group in groups:
            score = _number(group.get("score"))
            facts.append(
                Fact(
                    says="Perhaps one label under several names",
                    words=_texts(group.get("labels")),
                    share=score,
                )
            )
    paraphrase = conflict.get("paraphrase")
    if isinstance(paraphrase, Mapping):
        del conflict["paraphrase"]
        share = _number(paraphrase.get("probability"))
        if share is not None:
            facts.append(Fact(says="Probability that it asks the same as the contradicting row", share=share))
        if differs := _texts(paraphrase.get("differs")):
            facts.append(Fact(says="Differs from it in", words=differs))
    return facts


def _hard_facts(hard: dict[str, Any]) -> list[Fact]:
    facts = []
    reasons = [r for r in _mappings(hard.get("reasons")) if r.get("kind") or r.get("detail")]
    if reasons:
        del hard["reasons"]
        for reason in reasons:
            parts = (_words(text_of(reason.get("kind"))), text_of(reason.get("detail")))
            says = ": ".join(part for part in parts if part)
            facts.append(Fact(says=says, share=_number(reason.get("percentile"))))
    confusable = hard.get("confusable")
    if isinstance(confusable, Mapping) and (labels := _texts(confusable.get("labels"))):
        margin = _number(hard.pop("confusable").get("margin"))
        between = f" by a margin of {margin:.2f}" if margin is not None else ""
        facts.append(Fact(says=f"Lies between two groups{between}", words=labels))
    adapter = hard.get("adapter")
    if isinstance(adapter, Mapping) and (known := _numbers(adapter)):
        del hard["adapter"]
        says = ", ".join(f"{_words(name).lower()} {value:.3g}" for name, value in known[:MAX_ITEMS])
        facts.append(Fact(says=f"What the adapter shows: {says}"))
    return facts


def text_of(value: Any) -> str:
    """A value as text; ``None`` is empty."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def _said(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else text_of(value)


def _number(value: Any) -> float | None:
    sound = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if sound else None


def _numbers(values: Mapping[Any, Any]) -> list[tuple[str, float]]:
    """The figures of a mapping, or nothing where it holds anything else: then it is shown as it is."""
    known = [(text_of(k), _number(v)) for k, v in values.items() if v is not None]
    return [(k, n) for k, n in known if n is not None] if all(n is not None for _, n in known) else []


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Mapping)][:MAX_ITEMS]


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    return tuple(text_of(item) for item in value if item is not None)[:MAX_ITEMS]


def _words(name: str) -> str:
    spaced = name.replace("_", " ").strip()
    return spaced[:1].upper() + spaced[1:]


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.1f}".rstrip("0").rstrip(".") + "%"
