"""System prompts that differ only in wording's small change, where nearly all rows share one.

Does not call two prompts equal that differ in a word of their own each: "answer in English" and "answer in
French" are two tasks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from rapidfuzz import fuzz, process

from app.domain.language import text
from app.domain.records import Role
from app.domain.repair.rewriting.normalisation.set_rule import SetView, Suggestion

_SAME_WORDS_SCORE: Final = 0.75
_SYSTEM_SCORE: Final = 0.6
# Two system prompts are one from this similarity (percent, Indel), with at most so many words left out, where
# the commoner one has this many times the rows; a word is a misspelling of another from MISSPELT_MIN_RATIO.
_SYSTEM_MIN_RATIO: Final = 85

_SYSTEM_MAX_WORDS: Final = 2
_SYSTEM_MIN_RATE: Final = 3
_SYSTEM_MAX_PROMPTS: Final = 2_000
_MISSPELT_MIN_RATIO: Final = 88


def find(view: SetView) -> Iterator[Suggestion]:
    counts = Counter(system for e in view.examples if (system := e.system) and system.strip())
    targets = _targets([prompt for prompt, _ in counts.most_common(_SYSTEM_MAX_PROMPTS)], counts)
    for row, example in enumerate(view.examples):
        system = example.system or ""
        if system not in targets:
            continue
        wanted, same_words = targets[system]
        share = counts[wanted] / (counts[wanted] + counts[system])
        how = "written differently" if same_words else "worded a little differently"
        yield Suggestion(
            row=row,
            messages=tuple(
                replace(m, content=wanted) if m.role is Role.SYSTEM and m.content == system else m
                for m in example.messages
            ),
            rejected=example.rejected,
            reason=f"the system prompt of {counts[wanted]} rows, {how}",
            score=(_SAME_WORDS_SCORE if same_words else _SYSTEM_SCORE) * share,
            evidence={"rows": counts[system], "most_rows": counts[wanted], "same_words": same_words},
        )


def _targets(prompts: list[str], counts: Counter[str]) -> dict[str, tuple[str, bool]]:
    """For each prompt that is a variant: the prompt it is one of, and whether only signs differ."""
    found: dict[str, tuple[str, bool]] = {}
    kept: list[str] = []
    words = {prompt: text.tokens(prompt) for prompt in prompts}
    # By frequency: a variant's target is never a variant itself.
    for prompt in prompts:
        near = process.extract(prompt, kept, scorer=fuzz.ratio, score_cutoff=_SYSTEM_MIN_RATIO, limit=8)
        for other, _, _ in near:
            if counts[other] < _SYSTEM_MIN_RATE * counts[prompt]:
                continue
            if words[other] == words[prompt]:
                found[prompt] = (other, True)
            elif _same_meaning(prompt, other, Counter(words[prompt]), Counter(words[other])):
                found[prompt] = (other, False)
            else:
                continue
            break
        else:
            kept.append(prompt)
    return found


def _same_meaning(left: str, right: str, mine: Counter[str], theirs: Counter[str]) -> bool:
    """Whether at most a few words are left out on one side, or misspelt; numbers and negations agree."""
    if text.numbers(left) != text.numbers(right) or text.negating_words(left) != text.negating_words(right):
        return False
    only_mine, only_theirs = list((mine - theirs).elements()), list((theirs - mine).elements())
    for word in list(only_mine):
        twin = next((w for w in only_theirs if _misspelt(word, w)), None)
        if twin is not None:
            only_mine.remove(word)
            only_theirs.remove(twin)
    if only_mine and only_theirs:
        return False
    return len(only_mine) + len(only_theirs) <= _SYSTEM_MAX_WORDS


def _misspelt(word: str, other: str) -> bool:
    return min(len(word), len(other)) >= 5 and fuzz.ratio(word, other) >= _MISSPELT_MIN_RATIO
