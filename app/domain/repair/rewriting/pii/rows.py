"""Personal data of a whole row: every text that a model may see or say, one stand-in for one value in all of them.

A value that is found in one place is taken out wherever it stands: in prompt and answer, in arguments of tool calls,
in reasoning, in rejected answers; a number with or without its country code, a name in full or a part of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.language import phrases
from app.domain.records import ANSWER_ROLES, Message, Role, TrainingExample
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii import find_pii
from app.domain.repair.rewriting.pii.surrogates import identity
from app.domain.repair.rewriting.texts import with_turns

StandIn = Callable[[PiiKind, str, int | None], str]
"""What stands for a value; the number tells the values of a kind apart, None where the row holds one."""

# Keys of a turn that hold no text: who calls what, and how much a turn counts.
_NO_TEXT = frozenset(("id", "type", "tool_call_id", "index", "weight", "loss", "train"))
_BETWEEN_DIGITS = r"[ .()（）-]{0,3}"
_SHORTEST_PART = 4
"""Characters of a part of a value that tell it: the last digits of a card, the local part of an address."""


@dataclass(slots=True, kw_only=True)
class PersonalValue:
    """One value of a row in all its spellings. ``score``: of the least sure place; ``certain``: a place proves it."""

    kind: PiiKind
    spellings: list[str] = field(default_factory=list)
    score: float = 1.0
    certain: bool = False
    places: int = 0


def personal_values(example: TrainingExample, kinds: AbstractSet[PiiKind]) -> list[PersonalValue]:
    """What a row tells of persons, in the order of its texts."""
    found: dict[tuple[PiiKind, str], PersonalValue] = {}
    for text in texts_of(example):
        for match in find_pii(text, kinds):
            spelling = text[match.start : match.end]
            value = found.setdefault(
                (match.kind, identity(match.kind, spelling)), PersonalValue(kind=match.kind)
            )
            value.spellings.append(spelling)
            value.score = min(value.score, match.score)
            value.certain |= match.certain
            value.places += 1
    return list(found.values())


def without_values(
    example: TrainingExample, values: Sequence[PersonalValue], numbers: Mapping[int, int], stand_in: StandIn
) -> TrainingExample:
    """The row with a stand-in for every place of ``values``. ``numbers``: {id(value): its number among its kind}."""
    rewrites = [
        (pattern, value)
        for value in sorted(values, key=lambda v: -max(map(len, v.spellings)))
        for pattern in _patterns(value)
    ]

    def clean(text: str) -> str:
        for pattern, value in rewrites:
            text = pattern.sub(lambda m, v=value: _standing(m, v, numbers.get(id(v)), stand_in), text)
        return text

    return with_texts(example, clean)


def texts_of(example: TrainingExample) -> Iterator[str]:
    """Every text of a row: contents, reasoning, arguments of calls; decoded where they are JSON."""
    texts: list[str] = []

    def read(text: str) -> str:
        texts.append(text)
        return text

    with_texts(example, read)
    return iter(texts)


def with_texts(example: TrainingExample, rewrite: Callable[[str], str]) -> TrainingExample:
    """The row with every text rewritten; what ``rewrite`` leaves is left byte for byte."""
    turns = [_rewritten(turn, rewrite) for turn in (*example.messages, *example.rejected)]
    if all(new is old for new, old in zip(turns, (*example.messages, *example.rejected), strict=True)):
        return example
    cut = len(example.messages)
    return with_turns(example, tuple(turns[:cut]), tuple(turns[cut:]))


def is_about_values(example: TrainingExample, values: Sequence[PersonalValue]) -> bool:
    """Whether the answer may rest on the value itself: then another one could make the row wrong.

    The task speaks of formats, digits, domains and the like, or the answer holds a part of a value and not the whole.
    """
    asked = "\n".join(m.content for m in example.prompt_messages if m.role in (Role.SYSTEM, Role.USER))
    if phrases.pattern("personal_data", "about").search(asked):
        return True
    said = "\n".join(m.content for m in example.messages if m.role in ANSWER_ROLES).casefold()
    for value in values:
        for spelling in value.spellings:
            said = said.replace(spelling.casefold(), "")
    return any(part.casefold() in said for value in values for part in _telling_parts(value))


def _telling_parts(value: PersonalValue) -> Iterator[str]:
    for spelling in value.spellings:
        match value.kind:
            case PiiKind.EMAIL:
                yield from (p for p in spelling.split("@") if len(p) >= _SHORTEST_PART)
            case PiiKind.BANK_CARD | PiiKind.IBAN | PiiKind.ID_CARD | PiiKind.PHONE | PiiKind.SSN:
                yield re.sub(r"\W", "", spelling)[-_SHORTEST_PART:]
            case _:
                pass


def _patterns(value: PersonalValue) -> list[re.Pattern[str]]:
    """What finds every place of a value, the whole before its parts."""
    if value.kind is PiiKind.PHONE:
        digits = _BETWEEN_DIGITS.join(identity(value.kind, value.spellings[0]))
        code = rf"(?:(?:\+|00)\d{{1,3}}{_BETWEEN_DIGITS}(?:\(?0\)?{_BETWEEN_DIGITS})?|\(?0|86[ -]?|1[ .-]?)?"
        written = "|".join(map(re.escape, sorted(set(value.spellings), key=len, reverse=True)))
        return [re.compile(rf"(?<![A-Za-z0-9+])(?:{written}|{code}\(?{digits})(?!\d)")]
    written = "|".join(map(re.escape, sorted(set(value.spellings), key=len, reverse=True)))
    flags = re.IGNORECASE if value.kind is PiiKind.EMAIL else 0
    whole = re.compile(rf"(?<![A-Za-z0-9])(?:{written})(?![A-Za-z0-9])", flags)
    return [whole, *_name_parts(value)] if value.kind is PiiKind.NAME else [whole]


def _name_parts(value: PersonalValue) -> Iterator[re.Pattern[str]]:
    for name in dict.fromkeys(value.spellings):
        if name.isascii():
            words = [w for w in name.split() if len(w) > 1 and not w.endswith(".")]
            yield from (re.compile(rf"(?<![\w'’-])(?P<part>{re.escape(word)})(?![\w-])") for word in words)
        else:
            yield re.compile(
                rf"(?P<part>{re.escape(name[:1])})(?={phrases.one_of('personal_data', 'title')})"
            )


def _standing(match: re.Match[str], value: PersonalValue, number: int | None, stand_in: StandIn) -> str:
    part = match.groupdict().get("part")
    if part is None:
        return stand_in(
            value.kind, value.spellings[0] if value.kind is PiiKind.NAME else match.group(), number
        )
    whole = stand_in(value.kind, value.spellings[0], number)
    if whole.startswith("["):
        return whole
    if not part.isascii():
        return whole[:1]
    invented = whole.split()
    return invented[-1] if value.spellings[0].endswith(part) else invented[0]


def _rewritten(turn: Message, rewrite: Callable[[str], str]) -> Message:
    content = rewrite(turn.content)
    extra = _rewritten_value(turn.extra, rewrite) if turn.extra else turn.extra
    return (
        turn
        if content == turn.content and extra == turn.extra
        else replace(turn, content=content, extra=extra)
    )


def _rewritten_value(value: Any, rewrite: Callable[[str], str], key: str = "") -> Any:
    match value:
        case str() if key == "arguments":
            return _rewritten_json(value, rewrite)
        case str():
            return rewrite(value)
        case Mapping():
            return {k: v if k in _NO_TEXT else _rewritten_value(v, rewrite, k) for k, v in value.items()}
        case list():
            return [_rewritten_value(item, rewrite, key) for item in value]
        case _:
            return value


def _rewritten_json(text: str, rewrite: Callable[[str], str]) -> str:
    """JSON text with its strings rewritten; a text that is none as it is."""
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return rewrite(text)
    changed = _rewritten_value(decoded, rewrite)
    return text if changed == decoded else json.dumps(changed, ensure_ascii=False)
