"""Near-duplicates: planted copies found, signatures and whole jobs beside their peers, and growth to a million rows.

Every function prints what it measured and returns it JSON-ready; ``bench.repair`` calls them. Truth scores and
nothing else: what is compared with which settings is the product's default, but for the peers' thresholds,
which are chosen in their favour.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.repair import near_duplicates, thresholds
from bench import harness

EDITS = (0.05, 0.10, 0.20)
TARGETS = {0.05: 0.99, 0.10: 0.97, 0.20: 0.90}
PLANTED_SHARE = 0.1
MIN_CHARACTERS = 20
"""Of shorter texts one edit is more than five per cent."""


def edited(text: str, share: float, rng: np.random.Generator, *, digits: bool = False) -> str:
    """``text`` with ``share`` of its characters substituted, deleted or doubled by others from the same text.

    Digits and their neighbours stay unless ``digits``: a copy with another number is another question.
    """
    letters = [c for c in text if c.isalpha()]
    places = [
        i for i in range(len(text)) if digits or not any(c.isdigit() for c in text[max(0, i - 1) : i + 2])
    ]
    count = min(len(places), round(share * len(text)))
    if not letters or not count:
        return text
    made = list(text)
    for place in rng.choice(len(places), count, replace=False).tolist():
        at, letter = places[place], letters[int(rng.integers(len(letters)))]
        kind = int(rng.integers(3))
        made[at] = letter if kind == 0 else "" if kind == 1 else made[at] + letter
    return "".join(made)


def texts_of(data: Path) -> dict[str, list[str]]:
    """Distinct prompts by language: rows of the training set and of the sets of questions."""
    rows = harness.read_rows(data / "triage_dev_train.jsonl.gz")
    rows += harness.read_rows(data / "conflict_dev.jsonl.gz")
    whole = dict.fromkeys(str(r["input"]) for r in rows)
    kept = [t for t in whole if MIN_CHARACTERS <= len(t) <= 2000 or (_is_cjk(t) and len(t) >= 10)]
    return {"en": [t for t in kept if not _is_cjk(t)], "zh": [t for t in kept if _is_cjk(t)]}


def _is_cjk(of: str) -> bool:
    return sum("\u4e00" <= c <= "\u9fff" for c in of) * 2 > sum(c.isascii() and c.isalpha() for c in of)


def planted(
    data: Path, seeds: Sequence[int] = (0, 1, 2), *, digits: bool = False, lenient: bool = False
) -> dict[str, Any]:
    """Recall and precision on copies planted into all the real rows of a language, by share of edits.

    Pairs without a planted row are left out: real rows hold real near-duplicates that nobody labelled. A
    pair of a copy and another row than its original counts as wrong unless that row is one text with the original
    by the same method.
    """
    figures: dict[str, Any] = {}
    for language, texts in texts_of(data).items():
        for share in EDITS:
            runs = [_planted(texts, share, seed, digits=digits, lenient=lenient) for seed in seeds]
            mean = {k: round(float(np.mean([r[k] for r in runs])), 4) for k in runs[0]}
            mean["spread"] = round(float(np.std([r["recall"] for r in runs])), 4)
            figures[f"{language}_{share:.2f}"] = mean | {"target": TARGETS[share]}
            print(f"planted {language} {share:.0%}: {mean} target {TARGETS[share]}")
    return figures


def _planted(
    texts: Sequence[str], share: float, seed: int, *, digits: bool, lenient: bool
) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(texts), round(PLANTED_SHARE * len(texts)), replace=False).tolist()
    copies = [edited(texts[i], share, rng, digits=digits) for i in chosen]
    found = near_duplicates.same_prompts(
        [*texts, *copies],
        [""] * (len(texts) + len(copies)),
        thresholds.NEAR_DUPLICATE_JACCARD,
        lenient=lenient,
    )
    clean = len(texts)
    source = {clean + i: of for i, of in enumerate(chosen)}
    original_group = {row: set(g) for g in _clean_groups(found, clean) for row in g}
    hits, right, wrong, strict = set[int](), 0, 0, 0
    for a, b in found.jaccards:
        for copy, other in ((a, b), (b, a)):
            if copy not in source:
                continue
            of = source.get(other, other)
            if of == source[copy]:
                hits.add(copy)
                right += 1
            elif of in original_group.get(source[copy], ()):
                strict += 1
            else:
                wrong += 1
    return {
        "copies": len(copies),
        "recall": len(hits) / max(len(copies), 1),
        "precision": (right + strict) / max(right + strict + wrong, 1),
        "precision_against_the_original_alone": right / max(right + strict + wrong, 1),
    }


def _clean_groups(found: near_duplicates.PromptGroups, clean: int) -> tuple[tuple[int, ...], ...]:
    return near_duplicates.connected(clean, [p for p in found.jaccards if max(p) < clean])
