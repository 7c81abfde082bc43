"""Facts of evidence as sentences: what speaks for not covered, for contradictory data, for hard."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.evidence import ConflictEvidence, HardEvidence, OodEvidence, SideCounts
from app.domain.language.pair_differences import DifferenceKind

FAR_OUT = 0.9
LENGTH_TAIL = 0.05
SHOWN_MEASURES = 6
MEASURE_NAMES = {
    "mean_of_five": "distance to its five nearest rows",
    "text_overlap": "wording that no near row shares",
    "task_distance": "distance to its task as a whole",
    "label_distance": "distance to the nearest group of answers",
    "label_angle": "direction away from every group of answers",
    "unseen_short_grams": "new short letter sequences",
    "unseen_long_grams": "new long letter sequences",
    "surprisal": "unusual letter sequences",
    "label_fit": "fits no answer well",
    "label_neighbors": "distance to rows of the answer it resembles most",
    "label_share": "that answer is rare among its near rows",
    "label_words": "its words are unlike that answer's rows",
    "label_short_grams": "short letter sequences new to that answer",
    "label_long_grams": "long letter sequences new to that answer",
}


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


def ood_facts(ood: OodEvidence) -> list[Fact]:
    facts = []
    if ood.unseen_label:
        facts.append(Fact(says="No training row has the expected answer", words=(ood.unseen_label,)))
    if ood.unseen_terms:
        facts.append(Fact(says="Words that no training row holds", words=ood.unseen_terms))
    facts += [Fact(says=remark) for remark in ood.remarks]
    share = ood.length.percentile
    # The remarks say it where it stands out most.
    if not ood.remarks and not LENGTH_TAIL < share < 1.0 - LENGTH_TAIL:
        than = f"longer than {_percent(share)}" if share > 0.5 else f"shorter than {_percent(1.0 - share)}"
        facts.append(Fact(says=f"Length {ood.length.value:,}: {than} of the training rows"))
    if (share := ood.nearest_percentile) is not None:
        says = f"Further from its nearest row than {_percent(share)} of the task's training rows from theirs"
        facts.append(Fact(says=says, share=share))
    return [*facts, *_methods_facts(ood.methods)]


def _methods_facts(methods: Mapping[str, float]) -> list[Fact]:
    """By how many measures the case lies outside, if by any; those that put it furthest out are named, the
    others stay with the scores."""
    ranks = dict(methods)
    if ranks.get("task_distance") == ranks.get("label_distance"):
        ranks.pop("label_distance", None)
    outside = sum(share >= FAR_OUT for share in ranks.values())
    if not outside:
        return []
    each = sorted(ranks.items(), key=lambda rank: -rank[1])[: min(outside, SHOWN_MEASURES)]
    return [
        Fact(
            says=f"Unusual on {outside} of {len(ranks)} distance measures "
            f"(beyond the {round(100 * FAR_OUT)}th percentile)",
            words=tuple(f"{MEASURE_NAMES.get(name, name)} {_percent(share)}" for name, share in each),
        )
    ]


def sides_sentence(counts: SideCounts) -> str:
    """How many rows that should agree with the case have which answer: the expected, the wrong, another."""
    if not counts.expected + counts.against:
        return "No training row is so near that it should have the same answer"
    says = f"Rows near enough to have the same answer: {counts.expected} with the expected one"
    return f"{says}, {counts.model_output} with the wrong one, {counts.neither} with another"


def covered_facts(counts: SideCounts, nearest_percentile: float | None) -> list[Fact]:
    """Why a hard case counts as covered and consistent. ``nearest_percentile``: share 0..1 of the task's rows
    that lie nearer to their nearest row than the case to its."""
    facts = []
    if counts.expected + counts.against:
        facts.append(Fact(says=sides_sentence(counts)))
        if counts.against:
            facts.append(Fact(says="It lies where several answers meet"))
    else:
        facts.append(Fact(says="No row asks exactly this, so none contradicts the expected answer"))
    if nearest_percentile is not None and nearest_percentile < FAR_OUT:
        share = _percent(1.0 - nearest_percentile)
        covered = (
            "Its kind is covered" if nearest_percentile < 0.5 else "It lies within its task's ordinary range"
        )
        facts.append(Fact(says=f"{covered}: {share} of the task's rows are further from their nearest"))
    return facts


def conflict_facts(conflict: ConflictEvidence) -> list[Fact]:
    named = "Perhaps one label under several names: rows of each are taken for the other"
    facts = [Fact(says=named, words=group.labels, share=group.score) for group in conflict.label_groups]
    if (alike := conflict.paraphrase) is None:
        return facts
    if not alike.differs:
        facts.append(Fact(says="The contradicting row asks the same, word for word"))
    says = f"Of training rows as much alike as these two, {_percent(alike.probability)} have the same answer"
    if alike.usual < alike.probability / 2:
        says += f" (of near rows of the task in general {_percent(alike.usual)})"
    facts.append(Fact(says=says, share=alike.probability))
    if set(alike.differs) - {DifferenceKind.WORDS}:
        facts.append(Fact(says="Differs from it in", words=alike.differs))
    return facts


def hard_facts(hard: HardEvidence) -> list[Fact]:
    facts = []
    if hard.taught_by:
        rows, have = (
            ("a training row asks", "has")
            if len(hard.taught_by) == 1
            else (f"{len(hard.taught_by)} training rows ask", "have")
        )
        says = f"Taught, and not learnt: {rows} the very same and {have} the expected answer"
        facts.append(Fact(says=says, words=hard.taught_by))
    facts += [Fact(says=r.detail[:1].upper() + r.detail[1:], share=r.percentile) for r in hard.reasons]
    groups = hard.confusable
    told = any(reason.kind == "confusable" for reason in hard.reasons)
    # Told apart better than most: no reason.
    if groups is not None and not told and (groups.closer_than is None or groups.closer_than >= 0.5):
        says = f"Lies between two groups by a margin of {groups.margin:.2f}"
        facts.append(Fact(says=says, words=groups.labels))
    if hard.adapter is not None:
        facts.append(Fact(says=hard.adapter.sentence))
    return facts


def _percent(share: float) -> str:
    """Rounded down: 99.97 % are not all."""
    tenths = math.floor(round(1000 * min(max(share, 0.0), 1.0), 4))
    return f"{tenths / 10:.1f}".rstrip("0").rstrip(".") + "%"
