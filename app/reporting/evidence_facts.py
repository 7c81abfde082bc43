"""Facts of evidence as sentences: what speaks for not covered, for contradictory data, for hard.

Each function takes what it tells out of the mapping; what it does not know stays there. Does not trust a key to
be there, or a value to be of its kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_ITEMS = 24
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


def ood_facts(ood: dict[str, Any]) -> list[Fact]:
    facts = []
    if (label := text_of(ood.pop("unseen_label", None))).strip():
        facts.append(Fact(says="No training row has the expected answer", words=(label,)))
    if isinstance(novelty := ood.get("novelty"), Mapping):
        del ood["novelty"]
        ood.update({key: value for key, value in novelty.items() if key not in ood})
    if terms := _texts(ood.pop("unseen_terms", None)):
        facts.append(Fact(says="Words that no training row holds", words=terms))
    # Diagnoses made earlier tell the words a second time.
    remarks = [r for r in _texts(ood.pop("remarks", None)) if not r.startswith("no training prompt says ")]
    facts += [Fact(says=remark) for remark in remarks]
    # The remarks say what stands out of these: the figures are enough then.
    facts += [] if remarks else _shape_facts(ood)
    if (share := number_of(ood.get("nearest_percentile"))) is not None:
        del ood["nearest_percentile"]
        says = f"Further from its nearest row than {_percent(share)} of the task's training rows from theirs"
        facts.append(Fact(says=says, share=share))
    methods = ood.get("methods")
    if isinstance(methods, Mapping):
        facts += _methods_facts(_numbers(methods)[:MAX_ITEMS])
    if ood.get("language_known") is False:
        del ood["language_known"]
        facts.append(Fact(says="The embedder does not know this language: nearness says little here"))
    if isinstance(note := ood.get("note"), str) and note.strip():
        del ood["note"]
        facts.append(Fact(says=note))
    return facts


def _methods_facts(known: Sequence[tuple[str, float]]) -> list[Fact]:
    """By how many measures the case lies outside, if by any; those that put it furthest out are named, the
    others stay with the scores."""
    ranks = dict(known)
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
            words=tuple(
                f"{MEASURE_NAMES.get(name, _words(name).lower())} {_percent(share)}" for name, share in each
            ),
        )
    ]


def sides_sentence(sides: tuple[int, int, int]) -> str:
    """How many rows that should agree with the case have which answer: the expected, the wrong, another."""
    if not any(sides):
        return "No training row is so near that it should have the same answer"
    expected, wrong, neither = sides
    says = f"Rows near enough to have the same answer: {expected} with the expected one"
    return f"{says}, {wrong} with the wrong one, {neither} with another"


def covered_facts(sides: tuple[int, int, int] | None, nearest_percentile: float | None) -> list[Fact]:
    """Why a hard case counts as covered and consistent. ``nearest_percentile``: share 0..1 of the task's rows
    that lie nearer to their nearest row than the case to its."""
    facts = []
    if sides is not None and any(sides):
        facts.append(Fact(says=sides_sentence(sides)))
        if sides[1] + sides[2]:
            facts.append(Fact(says="It lies where several answers meet"))
    elif sides is not None:
        facts.append(Fact(says="No row asks exactly this, so none contradicts the expected answer"))
    if nearest_percentile is not None and nearest_percentile < FAR_OUT:
        share = _percent(1.0 - nearest_percentile)
        covered = (
            "Its kind is covered" if nearest_percentile < 0.5 else "It lies within its task's ordinary range"
        )
        facts.append(Fact(says=f"{covered}: {share} of the task's rows are further from their nearest"))
    return facts


def _shape_facts(ood: dict[str, Any]) -> list[Fact]:
    """Length, sentence pattern and language, where they are out of range; else the figures are enough."""
    facts = []
    length = ood.get("length")
    share = number_of(length.get("percentile")) if isinstance(length, Mapping) else None
    if isinstance(length, Mapping) and share is not None and not LENGTH_TAIL < share < 1.0 - LENGTH_TAIL:
        value = number_of(length.get("value", length.get("tokens")))
        del ood["length"]
        of = f"Length {value:,.0f}: " if value is not None else "Its length: "
        than = f"longer than {_percent(share)}" if share > 0.5 else f"shorter than {_percent(1.0 - share)}"
        facts.append(Fact(says=f"{of}{than} of the training rows"))
    pattern = ood.get("pattern")
    seen = isinstance(pattern, Mapping) and pattern.get("seen", number_of(pattern.get("trained_share")))
    if isinstance(pattern, Mapping) and not seen and (name := pattern.get("text") or pattern.get("name")):
        del ood["pattern"]
        facts.append(Fact(says="Its sentence pattern is in no training row", words=(text_of(name),)))
    language = ood.get("language")
    if isinstance(language, Mapping) and language.get("embedder_knows") is False:
        del ood["language"]
        ood["language_known"] = False
    return facts


def conflict_facts(conflict: dict[str, Any]) -> list[Fact]:
    facts = []
    if groups := mappings_of(conflict.get("label_groups")):
        del conflict["label_groups"]
        for group in groups:
            score = number_of(group.get("score"))
            facts.append(
                Fact(
                    says="Perhaps one label under several names: rows of each are taken for the other",
                    words=_texts(group.get("labels")),
                    share=score,
                )
            )
    paraphrase = conflict.get("paraphrase")
    if isinstance(paraphrase, Mapping):
        del conflict["paraphrase"]
        share = number_of(paraphrase.get("probability"))
        differs = _texts(paraphrase.get("differs"))
        if not differs and "differs" in paraphrase:
            facts.append(Fact(says="The contradicting row asks the same, word for word"))
        if share is not None:
            says = f"Of training rows as much alike as these two, {_percent(share)} have the same answer"
            usual = number_of(paraphrase.get("usual"))
            against = (
                f" (of near rows of the task in general {_percent(usual)})"
                if usual is not None and usual < share / 2
                else ""
            )
            facts.append(Fact(says=says + against, share=share))
        if any(kind != "words" for kind in differs):
            facts.append(Fact(says="Differs from it in", words=differs))
    return facts


def hard_facts(hard: dict[str, Any]) -> list[Fact]:
    facts = []
    if taught := _texts(hard.pop("taught_by", None)):
        rows = "a training row asks" if len(taught) == 1 else f"{len(taught)} training rows ask"
        have = "has" if len(taught) == 1 else "have"
        says = f"Taught, and not learnt: {rows} the very same and {have} the expected answer"
        facts.append(Fact(says=says, words=taught))
    reasons = [r for r in mappings_of(hard.get("reasons")) if r.get("kind") or r.get("detail")]
    if reasons:
        del hard["reasons"]
        for reason in reasons:
            kind, detail = text_of(reason.get("kind")), text_of(reason.get("detail"))
            # The sentence says what is measured: the measure's own name adds nothing.
            named = not (detail and kind.startswith(("prompt_", "answer_", "confusable")))
            says = ": ".join(part for part in (_words(kind) if named else "", detail) if part)
            says = says[:1].upper() + says[1:]
            facts.append(Fact(says=says, share=number_of(reason.get("percentile"))))
    confusable = hard.get("confusable")
    rank = number_of(confusable.get("closer_than")) if isinstance(confusable, Mapping) else None
    clear = rank is not None and rank < 0.5
    told = any(reason.get("kind") == "confusable" for reason in reasons)
    if told or clear:
        # Told already, or told apart better than most: no reason.
        hard.pop("confusable", None)
    elif isinstance(confusable, Mapping) and (labels := _texts(confusable.get("labels"))):
        margin = number_of(hard.pop("confusable").get("margin"))
        between = f" by a margin of {margin:.2f}" if margin is not None else ""
        facts.append(Fact(says=f"Lies between two groups{between}", words=labels))
    adapter = hard.get("adapter")
    if isinstance(adapter, Mapping) and isinstance(sentence := adapter.get("sentence"), str) and sentence:
        hard["adapter"] = adapter = {key: value for key, value in adapter.items() if key != "sentence"}
        facts.append(Fact(says=sentence))
    if isinstance(adapter, Mapping) and (known := _numbers(adapter)):
        del hard["adapter"]
        says = ", ".join(f"{_words(name).lower()} {value:.3g}" for name, value in known[:MAX_ITEMS])
        facts.append(Fact(says=f"What the adapter shows: {says}"))
    return facts


def text_of(value: Any) -> str:
    """A value as text; ``None`` is empty."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def number_of(value: Any) -> float | None:
    sound = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if sound else None


def _numbers(values: Mapping[Any, Any]) -> list[tuple[str, float]]:
    """The figures of a mapping, or nothing where it holds anything else: then it is shown as it is."""
    known = [(text_of(k), number_of(v)) for k, v in values.items() if v is not None]
    return [(k, n) for k, n in known if n is not None] if all(n is not None for _, n in known) else []


def mappings_of(value: Any) -> list[Mapping[str, Any]]:
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
    """Rounded down: 99.97 % are not all."""
    tenths = math.floor(round(1000 * min(max(share, 0.0), 1.0), 4))
    return f"{tenths / 10:.1f}".rstrip("0").rstrip(".") + "%"
