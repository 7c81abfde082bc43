"""System prompts that differ only in wording's small change, where nearly all rows share one.

Refuses to call two prompts equal that differ in a word of their own each: "answer in English" and "answer in
French" are two tasks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from rapidfuzz import fuzz, process

from app.domain import text
from app.domain.records import Role
from app.domain.repair import thresholds
from app.domain.repair.normalisation.set_rule import SetView, Suggestion


def find(view: SetView) -> Iterator[Suggestion]:
    counts = Counter(system for e in view.examples if (system := e.system) and system.strip())
    targets = _targets([prompt for prompt, _ in counts.most_common(thresholds.SYSTEM_MAX_PROMPTS)], counts)
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
            score=(thresholds.SAME_WORDS_SCORE if same_words else thresholds.SYSTEM_SCORE) * share,
            evidence={"rows": counts[system], "most_rows": counts[wanted], "same_words": same_words},
        )


def _targets(prompts: list[str], counts: Counter[str]) -> dict[str, tuple[str, bool]]:
    """For each prompt that is a variant: the prompt it is one of, and whether only signs differ."""
    found: dict[str, tuple[str, bool]] = {}
    kept: list[str] = []
    words = {prompt: text.tokens(prompt) for prompt in prompts}
    # By frequency: a variant's target is never a variant itself.
    for prompt in prompts:
        near = process.extract(
            prompt, kept, scorer=fuzz.ratio, score_cutoff=thresholds.SYSTEM_MIN_RATIO, limit=8
        )
        for other, _, _ in near:
            if counts[other] < thresholds.SYSTEM_MIN_RATE * counts[prompt]:
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
    return len(only_mine) + len(only_theirs) <= thresholds.SYSTEM_MAX_WORDS


def _misspelt(word: str, other: str) -> bool:
    return min(len(word), len(other)) >= 5 and fuzz.ratio(word, other) >= thresholds.MISSPELT_MIN_RATIO
