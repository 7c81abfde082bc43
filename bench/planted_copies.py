"""Near-duplicates in real texts: planted copies, and pairs that people labelled.

Recall alone is cheap: whoever calls all near texts one finds every copy. So the same settings are asked about
pairs of questions that people call the same or different. Truth scores and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.language.text import negating_words, numbers
from app.domain.near_duplicates import grouping
from app.domain.near_duplicates.comparison import Comparison
from app.domain.repair.policy.repair_policy import NEAR_DUPLICATE_JACCARD
from bench import harness

EDITS = (0.05, 0.10, 0.20)
TARGETS = {0.05: 0.99, 0.10: 0.97, 0.20: 0.90}
PLANTED_SHARE = 0.1
MIN_CHARACTERS = 20
"""Of shorter texts one edit is more than five per cent."""


def edited(text: str, share: float, rng: np.random.Generator, *, anywhere: bool = False) -> str:
    """``text`` with ``share`` of its characters substituted, deleted or doubled by others from the same text.

    Digits, negations and their neighbours stay unless ``anywhere``: a copy with another number, or without its
    "not", is another question.
    """
    letters = [c for c in text if c.isalpha()]
    kept = set[int]() if anywhere else _meaning(text)
    places = [i for i in range(len(text)) if i not in kept]
    count = min(len(places), round(share * len(text)))
    if not letters or not count:
        return text
    made = list(text)
    for place in rng.choice(len(places), count, replace=False).tolist():
        at, letter = places[place], letters[int(rng.integers(len(letters)))]
        kind = int(rng.integers(3))
        made[at] = letter if kind == 0 else "" if kind == 1 else made[at] + letter
    return "".join(made)


def _meaning(text: str) -> set[int]:
    """Places of digits and negations, and those beside them."""
    spans = [(i, i + 1) for i, c in enumerate(text) if c.isdigit()]
    for word in set(negating_words(text)):
        spans.extend(m.span() for m in re.finditer(re.escape(word), text))
    return {i for start, end in spans for i in range(start - 1, end + 1)}


def rows_of(data: Path) -> dict[str, dict[str, str]]:
    """Distinct prompts and their answers by language: rows of the training set and of the sets of questions."""
    rows = harness.read_rows(data / "triage_dev_train.jsonl.gz")
    rows += harness.read_rows(data / "conflict_dev.jsonl.gz")
    whole: dict[str, str] = {}
    for row in rows:
        whole.setdefault(str(row["input"]), str(row["output"]))
    kept = [t for t in whole if MIN_CHARACTERS <= len(t) <= 2000 or (_is_cjk(t) and len(t) >= 10)]
    return {
        "en": {t: whole[t] for t in kept if not _is_cjk(t)},
        "zh": {t: whole[t] for t in kept if _is_cjk(t)},
    }


def _is_cjk(of: str) -> bool:
    return sum("\u4e00" <= c <= "\u9fff" for c in of) * 2 > sum(c.isascii() and c.isalpha() for c in of)


def planted(
    data: Path, seeds: Sequence[int] = (0, 1, 2), *, anywhere: bool = False, answered: bool = True
) -> dict[str, Any]:
    """Recall and precision on copies planted into all the real rows of a language, by share of edits.

    A copy has the answer of its original, as rows written twice have; ``answered`` False: prompts alone are
    compared, as ones that are answered differently are. Pairs without a planted row are left out: real rows hold
    real near-duplicates that nobody labelled. A copy counts as found, and a pair of it as right, where the other row
    is its original or one text with that by the same method, as a copy that happens to be equal to another version
    of its original is; ``..._of_the_original_alone`` counts the original only. An edit may still make another
    question of a copy, as a letter that is put in may be a "not": ``misses_of_another_meaning`` is the share of the
    misses with other numbers or negations than their original, ``recall_of_one_meaning`` the recall on the copies
    without. Recall itself is over all copies.
    """
    figures: dict[str, Any] = {}
    kind = "planted" if answered else "planted, prompts alone,"
    for language, rows in rows_of(data).items():
        for share in EDITS:
            runs = [_planted(rows, share, seed, anywhere=anywhere, answered=answered) for seed in seeds]
            mean = {k: round(float(np.mean([r[k] for r in runs])), 4) for k in runs[0]}
            mean["spread"] = round(float(np.std([r["recall"] for r in runs])), 4)
            figures[f"{language}_{share:.2f}"] = mean | {"target": TARGETS[share]}
            print(f"{kind} {language} {share:.0%}: {mean} target {TARGETS[share]}")
    return figures


def _planted(
    rows: Mapping[str, str], share: float, seed: int, *, anywhere: bool, answered: bool
) -> dict[str, float]:
    texts, answers = list(rows), list(rows.values())
    rng = np.random.default_rng(seed)
    chosen: list[int] = rng.choice(len(texts), round(PLANTED_SHARE * len(texts)), replace=False).tolist()
    copies = [edited(texts[i], share, rng, anywhere=anywhere) for i in chosen]
    found = grouping.same_prompts(
        [*texts, *copies],
        [""] * (len(texts) + len(copies)),
        NEAR_DUPLICATE_JACCARD,
        answers=[*answers, *(answers[i] for i in chosen)] if answered else None,
    )
    clean = len(texts)
    source = {clean + i: of for i, of in enumerate(chosen)}
    original_group = {row: set(g) for g in _clean_groups(found, clean) for row in g}
    turned = {row for row, copy in enumerate(copies, clean) if _meant(copy) != _meant(texts[source[row]])}
    hits, beside, right, wrong, right_beside = set[int](), set[int](), 0, 0, 0
    for a, b in found.jaccards:
        for copy, other in ((a, b), (b, a)):
            if copy not in source:
                continue
            of = source.get(other, other)
            if of == source[copy]:
                hits.add(copy)
                right += 1
            elif of in original_group.get(source[copy], ()):
                beside.add(copy)
                right_beside += 1
            else:
                wrong += 1
    reached = hits | beside
    return {
        "copies": len(copies),
        "recall": len(reached) / max(len(copies), 1),
        "recall_of_the_original_alone": len(hits) / max(len(copies), 1),
        "recall_of_one_meaning": len(reached - turned) / max(len(copies) - len(turned), 1),
        "misses_of_another_meaning": len(turned - reached) / max(len(copies) - len(reached), 1),
        "precision": (right + right_beside) / max(right + right_beside + wrong, 1),
        "precision_of_the_original_alone": right / max(right + right_beside + wrong, 1),
    }


def _meant(of: str) -> tuple[list[str], list[str]]:
    return sorted(numbers(of)), sorted(word.casefold() for word in negating_words(of))


def _clean_groups(found: grouping.PromptGroups, clean: int) -> tuple[tuple[int, ...], ...]:
    return grouping.connected(clean, [p for p in found.jaccards if max(p) < clean])


def labelled_pairs(data: Path) -> dict[str, Any]:
    """Of the pairs of neardup_dev that people call one question, and of those that they do not, the share that is one
    text written twice by the product's settings, and by ``lenient`` ones; by set.

    Most pairs of one question are other words for it, so that the first share is small by right; the second one
    counts mistakes, on pairs that were chosen for being hard.
    """
    rows = harness.read_rows(data / "neardup_dev.jsonl.gz")
    figures: dict[str, Any] = {}
    for name in sorted({str(r["subset"]) for r in rows}):
        some = [r for r in rows if r["subset"] == name]
        texts = [str(r[side]) for side in ("a", "b") for r in some]
        pairs = np.arange(len(texts), dtype=np.int64).reshape(2, -1).T
        same = np.array([int(r["label"]) for r in some], dtype=bool)
        for lenient in (False, True):
            compared = Comparison.of(texts, [""] * len(texts), NEAR_DUPLICATE_JACCARD, lenient=lenient)
            one = compared.alike(pairs) > 0
            figures[f"{name} lenient" if lenient else name] = {
                "pairs": len(some),
                "one_text_of_same": round(float(one[same].mean()), 4),
                "one_text_of_different": round(float(one[~same].mean()), 4),
            }
    for name, value in figures.items():
        print(f"labelled {name}: {value}")
    return figures
