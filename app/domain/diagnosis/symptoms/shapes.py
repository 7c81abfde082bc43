"""The shape of an output, apart from what it says: JSON and its keys, markup, an option letter, a closing line.

Counts over the rows of one task; two halves of a training set add up to the whole.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from app.domain.answers.agreement import FINAL_ANSWER_MAX_TOKENS
from app.domain.language import scripts, text
from app.domain.language.text import TEXT_MAX_CHARACTERS

LABEL_MAX_CHARACTERS: Final = 80
"""A longer output that repeats is a canned answer, not a label."""


_OPTION = re.compile(r"[(（\[【]?([A-Ja-j])[)）\]】]?[.。、:：]?")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*")
_NUMBER_SIGNS = re.compile(r"[N\s$€£¥￥%％°/:.,()（）+*×^=-]+")
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]{0,40})(?:\s[^<>]{0,500})?(/?)>")
K = TypeVar("K")
_VOID_TAGS = frozenset(("br", "hr", "img", "input", "meta", "link", "area", "col", "source", "wbr"))


class Form(StrEnum):
    """What an answer is, taken as a whole."""

    OPTION = "option letter"
    NUMBER = "number"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputShape:
    """How the outputs of ``rows`` rows are built; every count is a number of rows.

    ``outputs``: short outputs, normalised; ``labels`` of them repeat, on ``labelled`` rows. ``styles``: option
    letters and numbers by how they are written ('(X)', 'X.', 'N%'). ``closings``: words before the colon of
    the last line, then what follows them; ``closing`` is the most common. ``types``: JSON type by top-level
    key. ``letters``: letters of the outputs by script.
    """

    rows: int
    outputs: Counter[str]
    labels: int
    labelled: int
    styles: Counter[str]
    closings: dict[str, Counter[Form]]
    closing: str
    objects: int
    arrays: int
    types: dict[str, Counter[str]]
    fenced: int
    tags: Counter[str]
    letters: Counter[str]

    def is_label(self, output: str) -> bool:
        """Whether a normalised output is one that repeats."""
        return self.outputs.get(output, 0) > 1

    @property
    def label_share(self) -> float:
        """Share 0..1 of the rows whose output is a label."""
        return self.labelled / max(1, self.rows)

    @property
    def json_share(self) -> float:
        return (self.objects + self.arrays) / max(1, self.rows)

    def written_share(self, script: str) -> float:
        """Share 0..1 of the outputs' letters that are of a script."""
        return self.letters[script] / max(1, self.letters.total())

    def form_share(self, form: Form) -> float:
        """Share 0..1 of the rows whose whole output is an option letter, or a number."""
        wanted = "X" if form is Form.OPTION else "N"
        return sum(n for style, n in self.styles.items() if wanted in style) / max(1, self.rows)


def shape(outputs: Sequence[str]) -> OutputShape:
    """Read the outputs of one task."""
    short: Counter[str] = Counter()
    styles: Counter[str] = Counter()
    closings: dict[str, Counter[Form]] = {}
    types: dict[str, Counter[str]] = {}
    tags: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    fenced = 0
    for output, rows in Counter(outputs).items():
        body = output.strip()
        if len(body) <= LABEL_MAX_CHARACTERS:
            short[text.normalised(body)] += rows
            if style := style_of(body):
                styles[style] += rows
        head, tail = closing_of(body)
        if head:
            closings.setdefault(head, Counter())[form_of(tail)] += rows
        value = json_of(body)
        if value is not None:
            kinds[json_type(value)] += rows
            for key, held in value.items() if isinstance(value, dict) else ():
                types.setdefault(key, Counter())[json_type(held)] += rows
        fenced += rows * ("```" in body)
        if "</" in body:
            for tag in set(closed_tags(body)):
                tags[tag] += rows
    short.pop("", None)
    return OutputShape(
        rows=len(outputs),
        outputs=short,
        labels=sum(1 for n in short.values() if n > 1),
        labelled=sum(n for n in short.values() if n > 1),
        styles=styles,
        closings=closings,
        closing=_most_common(closings),
        objects=kinds["object"],
        arrays=kinds["array"],
        types=types,
        fenced=fenced,
        tags=tags,
        letters=Counter(scripts.letters_by_script("".join(map(text.clip, outputs)))),
    )


def _most_common(closings: Mapping[str, Counter[Form]]) -> str:
    return max(closings, key=lambda head: (closings[head].total(), head), default="")


def total(parts: Iterable[OutputShape]) -> OutputShape:
    """The shape of all parts together."""
    given = list(parts)
    outputs, styles, tags, letters = (Counter[str]() for _ in range(4))
    closings: dict[str, Counter[Form]] = {}
    types: dict[str, Counter[str]] = {}
    for part in given:
        outputs.update(part.outputs)
        styles.update(part.styles)
        tags.update(part.tags)
        letters.update(part.letters)
        _add(closings, part.closings)
        _add(types, part.types)
    return OutputShape(
        rows=sum(p.rows for p in given),
        outputs=outputs,
        labels=sum(1 for n in outputs.values() if n > 1),
        labelled=sum(n for n in outputs.values() if n > 1),
        styles=styles,
        closings=closings,
        closing=_most_common(closings),
        objects=sum(p.objects for p in given),
        arrays=sum(p.arrays for p in given),
        types=types,
        fenced=sum(p.fenced for p in given),
        tags=tags,
        letters=letters,
    )


def _add(to: dict[str, Counter[K]], more: Mapping[str, Counter[K]]) -> None:
    for key, counts in more.items():
        to.setdefault(key, Counter()).update(counts)


def style_of(output: str) -> str:
    """'(X)' of '(B)', 'N%' of '12.5%'; '' for words."""
    body = output.strip()
    if len(body) > LABEL_MAX_CHARACTERS:
        return ""
    if option := _OPTION.fullmatch(body):
        return body.replace(option.group(1), "X")
    numbered = _NUMBER.sub("N", body) if body[:1] not in "N" else ""
    return "".join(numbered.split()) if "N" in numbered and _NUMBER_SIGNS.fullmatch(numbered) else ""


def form_of(output: str) -> Form:
    style = style_of(output)
    return Form.OPTION if "X" in style else Form.NUMBER if style else Form.WORDS


def closing_of(output: str) -> tuple[str, str]:
    """('final answer', '42') of 'Final answer: 42' on the last line; ('', '') where it has no such head."""
    last = output.rstrip().rpartition("\n")[2]
    if len(last) > TEXT_MAX_CHARACTERS:
        return "", ""
    head, colon, tail = last.replace("：", ":").partition(":")
    if not colon or not tail.strip() or tail.startswith("//"):
        return "", ""
    short = len(text.tokens(head)) <= FINAL_ANSWER_MAX_TOKENS
    return (text.normalised(head), tail.strip()) if short else ("", "")


def json_of(output: str) -> dict[str, Any] | list[Any] | None:
    """The object or array that the text is; None for anything else."""
    body = output.strip()
    if not body or body[0] not in "{[" or body[-1] not in "}]":
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def json_type(value: object) -> str:
    match value:
        case dict():
            return "object"
        case list():
            return "array"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case _:
            return "null"


def closed_tags(output: str) -> tuple[str, ...]:
    """Names of the XML or HTML tags that are closed in the text, casefolded."""
    return tuple(name.casefold() for slash, name, _ in _TAG.findall(text.clip(output)) if slash)


def unbalanced_tag(output: str) -> str | None:
    """The first tag that is closed without being open, else the innermost that stays open; None = balanced."""
    open_: list[str] = []
    closed = set(closed_tags(output))
    for slash, name, itself in _TAG.findall(text.clip(output)):
        tag = name.casefold()
        if itself or tag in _VOID_TAGS:
            continue
        if not slash:
            open_.append(tag)
        elif open_ and open_[-1] == tag:
            open_.pop()
        elif tag in open_:
            while open_.pop() != tag:
                pass
        else:
            return f"</{name}>"
    # '<name>' in a sentence is a placeholder unless the text closes tags elsewhere.
    return f"<{open_[-1]}>" if open_ and closed else None
