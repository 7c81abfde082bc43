"""Two edits of one conversation as one: what an action changes, carried over to turns that changed meanwhile.

Knows turns as ``Message.as_dict`` gives them. A three-way merge of words (diff3, Khanna et al. 2007): a person
may then approve one rewriting of a row and reject another, in any combination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.language import text_diff
from app.domain.records import canonical_json

# A changed place and the next one are one change when at most this many words and signs lie between them.
_MERGE_GAP_TOKENS: Final = 2

Turns = Sequence[Mapping[str, Any]]

# A turn's head as a token of its own: no word can hold a lone NUL.
_HEAD = "\0"
_CLASH: Any = object()


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Tokens ``start`` to ``end`` of the base become ``new``."""

    start: int
    end: int
    new: tuple[str, ...]


def merged_turns(before: Turns, after: Turns, current: Turns, *, prevail: bool) -> list[dict[str, Any]]:
    """``current`` with what ``after`` changes in ``before``.

    Where both changed the same words, an action that is to ``prevail`` has its way there; another one then
    changes nothing at all: half of a rewriting would be neither text. Turns that would no longer be those of
    either side, or are too long to compare word by word, are taken whole from the side that prevails.
    """
    whole = [dict(turn) for turn in (after if prevail else current)]
    if [t["role"] for t in before] == [t["role"] for t in after] == [t["role"] for t in current]:
        return _merged_in_place(before, after, current, prevail=prevail)
    return _merged_contents(before, after, current, whole, prevail=prevail)


def _merged_in_place(before: Turns, after: Turns, current: Turns, *, prevail: bool) -> list[dict[str, Any]]:
    """Turns that are the same ones on all sides: what they carry beside their text is merged value by value."""
    whole = [dict(turn) for turn in (after if prevail else current)]
    carried: list[dict[str, Any]] = []
    for b, a, c in zip(before, after, current, strict=True):
        made = _merged_value(_carried(b), _carried(a), _carried(c), prevail=prevail)
        if made is _CLASH:
            return whole
        carried.append(made)
    b, a, c = ([_bare(turn) for turn in turns] for turns in (before, after, current))
    texts = _merged_contents(b, a, c, a if prevail else c, prevail=prevail)
    return [{**text, **rest} for text, rest in zip(texts, carried, strict=True)]


def _bare(turn: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": turn["role"], "content": turn["content"]}


def _carried(turn: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in turn.items() if key not in ("role", "content")}


def _merged_value(before: Any, after: Any, current: Any, *, prevail: bool) -> Any:
    """Three versions of one value as one; ``_CLASH`` where both changed the same place and neither prevails."""
    if after in (before, current):
        return current
    if before == current:
        return after
    if isinstance(before, dict) and isinstance(after, dict) and isinstance(current, dict):
        keys = list(dict.fromkeys((*current, *after)))
        sides = [[of.get(key, _CLASH) for key in keys] for of in (before, after, current)]
        items = [_merged_value(b, a, c, prevail=prevail) for b, a, c in zip(*sides, strict=True)]
        return _CLASH if _CLASH in items else dict(zip(keys, items, strict=True))
    lists = isinstance(before, list) and isinstance(after, list) and isinstance(current, list)
    if lists and len(before) == len(after) == len(current):
        items = [
            _merged_value(b, a, c, prevail=prevail) for b, a, c in zip(before, after, current, strict=True)
        ]
        return _CLASH if _CLASH in items else items
    if isinstance(before, str) and isinstance(after, str) and isinstance(current, str):
        b, a, c = ([{"role": "", "content": said}] for said in (before, after, current))
        merged = _merged_contents(b, a, c, a if prevail else c, prevail=prevail)
        if prevail or merged != c:
            return merged[0]["content"]
    return after if prevail else _CLASH


def _merged_contents(
    before: Turns, after: Turns, current: Turns, whole: Sequence[dict[str, Any]], *, prevail: bool
) -> list[dict[str, Any]]:
    whole = [dict(turn) for turn in whole]
    heads: dict[str, dict[str, Any]] = {}
    base, theirs, ours = (_tokens(turns, heads) for turns in (before, after, current))
    if not (text_diff.is_comparable(base, theirs) and text_diff.is_comparable(base, ours)):
        return whole
    wanted = _hunks(base, theirs, close=_MERGE_GAP_TOKENS)
    standing = _hunks(base, ours, close=0)
    free = [hunk for hunk in standing if not any(_clash(hunk, other) for other in wanted)]
    if not prevail and len(free) < len(standing):
        return whole
    made = _turns(_merged(base, [*wanted, *free]), heads)
    shape = [turn["role"] for turn in made or ()]
    if made is None or shape not in ([t["role"] for t in after], [t["role"] for t in current]):
        return whole
    return made


def _tokens(turns: Turns, heads: dict[str, dict[str, Any]]) -> list[str]:
    made: list[str] = []
    for turn in turns:
        rest = {key: value for key, value in turn.items() if key != "content"}
        head = _HEAD + canonical_json(rest)
        heads[head] = rest
        made.append(head)
        made.extend(text_diff.words(turn["content"]))
    return made


def _turns(tokens: Sequence[str], heads: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]] | None:
    made: list[tuple[dict[str, Any], list[str]]] = []
    for token in tokens:
        if token in heads:
            made.append((heads[token], []))
        elif not made:
            return None
        else:
            made[-1][1].append(token)
    return [{**_role_first(rest), "content": "".join(words)} for rest, words in made]


def _role_first(rest: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": rest["role"], **rest}


def _hunks(base: Sequence[str], changed: Sequence[str], *, close: int) -> list[_Hunk]:
    """What differs, in order: the longest common subsequence stays.

    Changes with at most ``close`` equal tokens between them are one.
    """

    def over(tokens: Sequence[str]) -> bool:
        return len(tokens) <= close and not any(token.startswith(_HEAD) for token in tokens)

    found = text_diff.joined(text_diff.changes(base, changed), base, changed, over=over)
    return [_Hunk(c.start, c.end, tuple(changed[c.new_start : c.new_end])) for c in found]


def _merged(base: Sequence[str], hunks: Sequence[_Hunk]) -> list[str]:
    result: list[str] = []
    at = 0
    for hunk in sorted(hunks, key=lambda h: (h.start, h.end)):
        result.extend(base[at : hunk.start])
        result.extend(hunk.new)
        at = hunk.end
    result.extend(base[at:])
    return result


def _clash(one: _Hunk, other: _Hunk) -> bool:
    if one.start == one.end == other.start == other.end:
        return True
    return one.start < other.end and other.start < one.end
