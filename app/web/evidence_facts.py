"""Facts of evidence as sentences: what speaks for not covered, for contradictory data, for hard.

Each function takes what it tells out of the mapping; what it does not know stays there. Refuses to trust a key to
be there, or a value to be of its kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_ITEMS = 24


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
    if isinstance(novelty := ood.get("novelty"), Mapping):
        del ood["novelty"]
        ood.update({key: value for key, value in novelty.items() if key not in ood})
    if terms := _texts(ood.pop("unseen_terms", None)):
        facts.append(Fact(says="Words that no training row holds", words=terms))
    remarks = _texts(ood.pop("remarks", None))
    facts += [Fact(says=remark) for remark in remarks]
    # The remarks say what stands out of these: the figures are enough then.
    if not remarks:
        facts += _shape_facts(ood)
    if (share := number_of(ood.get("nearest_percentile"))) is not None:
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


def _shape_facts(ood: dict[str, Any]) -> list[Fact]:
    """Length, sentence pattern and language."""
    facts = []
    length = ood.get("length")
    if isinstance(length, Mapping) and (share := number_of(length.get("percentile"))) is not None:
        value = number_of(length.get("value", length.get("tokens")))
        del ood["length"]
        of = f"Length {value:,.0f}: longer" if value is not None else "Longer"
        facts.append(Fact(says=f"{of} than {_percent(share)} of the training rows", share=share))
    pattern = ood.get("pattern")
    if isinstance(pattern, Mapping) and (name := pattern.get("text") or pattern.get("name")):
        del ood["pattern"]
        seen = bool(pattern.get("seen", number_of(pattern.get("trained_share"))))
        says = "Its sentence pattern is known" if seen else "Its sentence pattern is in no training row"
        facts.append(Fact(says=says, words=(text_of(name),)))
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
                    says="Perhaps one label under several names",
                    words=_texts(group.get("labels")),
                    share=score,
                )
            )
    paraphrase = conflict.get("paraphrase")
    if isinstance(paraphrase, Mapping):
        del conflict["paraphrase"]
        share = number_of(paraphrase.get("probability"))
        if share is not None:
            facts.append(Fact(says="Probability that it asks the same as the contradicting row", share=share))
        if differs := _texts(paraphrase.get("differs")):
            facts.append(Fact(says="Differs from it in", words=differs))
    return facts


def hard_facts(hard: dict[str, Any]) -> list[Fact]:
    facts = []
    reasons = [r for r in mappings_of(hard.get("reasons")) if r.get("kind") or r.get("detail")]
    if reasons:
        del hard["reasons"]
        for reason in reasons:
            parts = (_words(text_of(reason.get("kind"))), text_of(reason.get("detail")))
            says = ": ".join(part for part in parts if part)
            facts.append(Fact(says=says, share=number_of(reason.get("percentile"))))
    confusable = hard.get("confusable")
    if isinstance(confusable, Mapping) and (labels := _texts(confusable.get("labels"))):
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
    return f"{100 * min(max(share, 0.0), 1.0):.1f}".rstrip("0").rstrip(".") + "%"
