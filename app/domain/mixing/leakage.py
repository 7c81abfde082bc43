"""Held-back prompts stay out of training: equal when normalised, or near-duplicates in characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from app.domain import text
from app.domain.mixing import thresholds
from app.domain.repair.near_duplicates import exact_jaccard
from app.domain.thresholds import CHARACTER_NGRAM_CJK, CHARACTER_NGRAM_LATIN


def leaked(
    prompts: Sequence[str], held_back: Collection[str], instructions: frozenset[str]
) -> dict[int, str]:
    """Which prompts must not be trained on: {index: the held-back prompt that it repeats}.

    Compared is what varies in a prompt, without a known task instruction. The Jaccard is exact and every
    pair is looked at, through an inverted index of n-grams: a sketch may miss one, and none may be missed.
    """
    targets = [(prompt, text.focus(prompt, instructions)) for prompt in dict.fromkeys(held_back)]
    whole = {text.normalised(focus): prompt for prompt, focus in reversed(targets) if text.normalised(focus)}
    index: defaultdict[str, list[int]] = defaultdict(list)
    for number, (_, focus) in enumerate(targets):
        for gram in _grams(focus):
            index[gram].append(number)
    found: dict[int, str] = {}
    for i, prompt in enumerate(prompts):
        focus = text.focus(prompt, instructions)
        twin = whole.get(text.normalised(focus))
        if twin is None:
            twin = _near(focus, targets, index)
        if twin is not None:
            found[i] = twin
    return found


def _near(focus: str, targets: Sequence[tuple[str, str]], index: defaultdict[str, list[int]]) -> str | None:
    grams = _grams(focus)
    shared: defaultdict[int, int] = defaultdict(int)
    for gram in grams:
        for number in index.get(gram, ()):
            shared[number] += 1
    # |A and B| / |A| bounds the Jaccard from above: most targets fall away before they are measured.
    close = [n for n, count in shared.items() if count >= thresholds.LEAKAGE_JACCARD * len(grams)]
    for number in sorted(close, key=lambda n: (-shared[n], n)):
        if exact_jaccard(focus, targets[number][1]) >= thresholds.LEAKAGE_JACCARD:
            return targets[number][0]
    return None


def _grams(of: str) -> frozenset[str]:
    return text.character_ngrams(of, CHARACTER_NGRAM_CJK if text.is_chinese(of) else CHARACTER_NGRAM_LATIN)
