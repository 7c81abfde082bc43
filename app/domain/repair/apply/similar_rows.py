"""Fix all like this: the change of one action, proposed for every row that it fits.

Knows the action that a person has looked at, and rows that might be in the same state. Does not approve
anything: what it proposes is read before it is applied.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never

from app.domain.answer_writing import with_answer
from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS
from app.domain.instructions import known_instructions
from app.domain.language import text, text_diff
from app.domain.near_duplicates.grouping import exact_jaccard
from app.domain.records import Message, TrainingExample
from app.domain.repair.draft.actions import ActionKind, ProposedAction, needs_answer
from app.domain.repair.draft.draft import task_of
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import NEAR_DUPLICATE_JACCARD
from app.domain.repair.rewriting.normalisation import TEXT_RULES, normalise_example
from app.domain.repair.rewriting.normalisation.text_rule import TextRule

# Cosine of prompts' idf-weighted words from which two rows with one label ask alike: half of what the
# prompts say, by weight, is shared.
_SIMILAR_PROMPT_COSINE: Final = 0.5

# A replaced text shorter than this is a syllable: it stands in other rows for other reasons.
_REPLACED_MIN_CHARACTERS: Final = 4


_DUPLICATE_RULES = frozenset({"exact_duplicate", "near_duplicate"})
_TEXT_RULES = {f"normalise_{rule.name}": rule for rule in TEXT_RULES}
_COUNT = re.compile(r" \(\d+\)\Z")


@dataclass(frozen=True, slots=True)
class _Fit:
    """The row as the change leaves it (None = dropped), and how well it fits, 0..1."""

    after: TrainingExample | None
    similarity: float


_Fits = Callable[[TrainingExample], _Fit | None]


def propose_similar(
    action: ProposedAction,
    action_id: str,
    model: TrainingExample,
    candidates: Sequence[TrainingExample],
    *,
    limit: int,
) -> tuple[list[ProposedAction], int]:
    """Actions like ``action`` (whose first row is ``model``) for the candidates that it fits, best fit first.

    A relabel or a drop fits rows of the same task with the same answer: near in words where the answer is a
    label, all of them where it is a longer text. A duplicate's drop fits near-duplicates of the kept row.
    Normalising fits rows with the same defects, a replacement rows that hold what is replaced. At most
    ``limit`` are given; the number says how many more there were. Raises ValueError for a kind of action
    that says nothing about other rows.
    """
    fits = _fits(action, model, candidates)
    kept_by_model = action.evidence.get("of")
    found = [
        (fit, candidate)
        for candidate in candidates
        if candidate.id not in (model.id, kept_by_model) and (fit := fits(candidate)) is not None
    ]
    found.sort(key=lambda pair: -pair[0].similarity)
    made = [_proposed(action, action_id, candidate, fit) for fit, candidate in found[:limit]]
    return made, max(0, len(found) - limit)


def replaced_texts(action: ProposedAction) -> tuple[str, ...]:
    """The texts that a normalise or redact action takes out; () where it only adds or follows a rule."""
    if _text_rule(action) is not None:
        return ()
    return tuple(old for old, _ in _substitutions(action))


def _fits(action: ProposedAction, model: TrainingExample, candidates: Sequence[TrainingExample]) -> _Fits:
    match action.kind:
        case ActionKind.RELABEL:
            return _relabel(action, model, candidates)
        case ActionKind.DROP:
            return _drop(action, model, candidates)
        case ActionKind.NORMALISE | ActionKind.REDACT:
            rule = _text_rule(action)
            return _same_texts(action) if rule is None else _same_defects(action, rule)
        case ActionKind.MERGE | ActionKind.ADD | ActionKind.UPSAMPLE:
            raise ValueError(
                f"a {action.kind.value} is about its own rows only; choose a relabel, drop, normalise or redact"
            )
        case _:
            assert_never(action.kind)


def _relabel(action: ProposedAction, model: TrainingExample, candidates: Sequence[TrainingExample]) -> _Fits:
    if needs_answer(action.kind, action.after):
        raise ValueError(
            "this question has no answer yet: give it one first, then others can be answered like it"
        )
    answer = TrainingExample.from_content(action.after[0]).output
    near = _same_case(model, candidates)

    def fits(candidate: TrainingExample) -> _Fit | None:
        similarity = near(candidate)
        if similarity is None or candidate.output == answer:
            return None
        return _Fit(with_answer(candidate, answer), similarity)

    return fits


def _drop(action: ProposedAction, model: TrainingExample, candidates: Sequence[TrainingExample]) -> _Fits:
    near = _same_case(model, candidates)
    is_duplicate = action.evidence.get("rule") in _DUPLICATE_RULES
    numbers = text.numbers(model.prompt)

    def fits(candidate: TrainingExample) -> _Fit | None:
        if is_duplicate:
            if text.numbers(candidate.prompt) != numbers or _said(candidate) != _said(model):
                return None
            jaccard = exact_jaccard(model.prompt, candidate.prompt)
            return _Fit(None, jaccard) if jaccard >= NEAR_DUPLICATE_JACCARD else None
        similarity = near(candidate)
        return None if similarity is None else _Fit(None, similarity)

    return fits


def _said(example: TrainingExample) -> str:
    return text.normalised(example.output) or example.output.strip()


def _same_case(
    model: TrainingExample, candidates: Sequence[TrainingExample]
) -> Callable[[TrainingExample], float | None]:
    """How near a row of the same task and answer is to the model, 0..1; None for any other row."""
    instructions = known_instructions([model, *candidates])

    def task(example: TrainingExample) -> str:
        return task_of(example.system, example.prompt, instructions)

    def words(example: TrainingExample) -> Counter[str]:
        return Counter(text.tokens(text.clip(text.focus(example.prompt, instructions))))

    said, asked_of = _said(model), task(model)
    is_label = bool(said) and len(text.tokens(model.output)) <= CLOSED_ANSWER_MAX_TOKENS
    weights = _idf(words(example) for example in [model, *candidates]) if is_label else {}
    asked = words(model)

    def near(candidate: TrainingExample) -> float | None:
        if _said(candidate) != said or task(candidate) != asked_of:
            return None
        if not is_label:
            # A refusal, an empty or a canned answer is wrong whatever was asked.
            return 1.0
        cosine = _cosine(asked, words(candidate), weights)
        return cosine if cosine >= _SIMILAR_PROMPT_COSINE else None

    return near


def _idf(bags: Iterable[Counter[str]]) -> dict[str, float]:
    """Smoothed inverse document frequency of each word (Sparck Jones 1972)."""
    rows, seen = 0, Counter[str]()
    for bag in bags:
        rows += 1
        seen.update(bag.keys())
    return {word: math.log((1 + rows) / (1 + count)) + 1 for word, count in seen.items()}


def _cosine(left: Counter[str], right: Counter[str], weights: dict[str, float]) -> float:
    def norm(bag: Counter[str]) -> float:
        return math.sqrt(sum((count * weights[word]) ** 2 for word, count in bag.items()))

    shared = sum(left[word] * right[word] * weights[word] ** 2 for word in left.keys() & right.keys())
    return shared / (norm(left) * norm(right)) if shared else 0.0


def _text_rule(action: ProposedAction) -> TextRule | None:
    """The rule that cleans one row without looking at others; None for any other action."""
    return _TEXT_RULES.get(str(action.evidence.get("rule")))


def _same_defects(action: ProposedAction, rule: TextRule) -> _Fits:
    wanted = {_COUNT.sub("", change) for change in action.evidence.get("changes", ())}

    def fits(candidate: TrainingExample) -> _Fit | None:
        found = normalise_example(candidate, [rule])
        if found is None or not {_COUNT.sub("", change) for change in found.changes} <= wanted:
            return None
        return _Fit(replace(candidate, messages=found.messages, rejected=found.rejected), 1.0)

    return fits


def _same_texts(action: ProposedAction) -> _Fits:
    patterns = [(_whole(old), new) for old, new in _substitutions(action)]

    def change(message: Message) -> Message:
        content = message.content
        for pattern, new in patterns:
            content = pattern.sub(lambda _, new=new: new, content)
        return message if content == message.content else replace(message, content=content)

    def fits(candidate: TrainingExample) -> _Fit | None:
        after = replace(
            candidate,
            messages=tuple(map(change, candidate.messages)),
            rejected=tuple(map(change, candidate.rejected)),
        )
        return _Fit(after, 1.0) if after != candidate else None

    return fits


def _substitutions(action: ProposedAction) -> list[tuple[str, str]]:
    """(what was taken out, what stands there now) of every turn, the longest first."""
    found: dict[str, str] = {}
    for before, after in zip(action.before, action.after, strict=False):
        turns = zip(_turns(before), _turns(after), strict=False)
        for old, new in turns:
            if old != new:
                found |= {was: now for was, now in _replaced(old, new) if was not in found}
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def _turns(content: dict[str, object]) -> list[str]:
    turns = [*_listed(content.get("messages")), *_listed(content.get("rejected"))]
    return [str(turn["content"]) for turn in turns]


def _listed(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []


def _replaced(old: str, new: str) -> list[tuple[str, str]]:
    a, b = text_diff.pieces(old), text_diff.pieces(new)
    if not text_diff.is_comparable(a, b):
        return []
    pairs = (
        _core("".join(a[change.start : change.end]), "".join(b[change.new_start : change.new_end]))
        for change in text_diff.changes(a, b)
    )
    return [(was, now) for was, now in pairs if len(was) >= _REPLACED_MIN_CHARACTERS]


def _core(was: str, now: str) -> tuple[str, str]:
    """Both without the punctuation and spaces that they share at their ends."""
    while was and now and was[-1] == now[-1] and not was[-1].isalnum():
        was, now = was[:-1], now[:-1]
    while was and now and was[0] == now[0] and not was[0].isalnum():
        was, now = was[1:], now[1:]
    return was, now


def _whole(old: str) -> re.Pattern[str]:
    """The text where it is no part of a longer word or number."""
    left = r"(?<![A-Za-z0-9])" if old[0].isascii() and old[0].isalnum() else ""
    right = r"(?![A-Za-z0-9])" if old[-1].isascii() and old[-1].isalnum() else ""
    return re.compile(f"{left}{re.escape(old)}{right}")


def _proposed(
    action: ProposedAction, action_id: str, candidate: TrainingExample, fit: _Fit
) -> ProposedAction:
    rule = str(action.evidence.get("rule") or action.kind.value)
    return ProposedAction(
        kind=action.kind,
        example_ids=(candidate.id,),
        before=(candidate.content(),),
        after=() if fit.after is None else (fit.after.content(),),
        reason=f"like action {action_id} ({action.reason})",
        score=round(action.score * fit.similarity, 4),
        evidence={"rule": rule, "modelled_on": action_id, "similarity": round(fit.similarity, 4)},
        decision=Decision.PROPOSED,
    )


def spoken_for(action: ProposedAction, others: Iterable[ProposedAction]) -> frozenset[str]:
    """Rows that ``others`` leave nothing to do on for one like ``action``: they are gone, settled, or a
    person has judged this kind of change of them already."""
    return frozenset(
        example_id
        for other in others
        if _excludes(other.kind, other.decision, action.kind)
        for example_id in other.example_ids
    )


def _excludes(kind: ActionKind, decision: Decision, wanted: ActionKind) -> bool:
    if kind is wanted:
        return True
    if decision is Decision.REJECTED:
        return False
    settles: Collection[ActionKind] = (ActionKind.DROP, ActionKind.MERGE)
    if wanted in (ActionKind.DROP, ActionKind.RELABEL):
        settles = (*settles, ActionKind.RELABEL)
    return kind in settles
