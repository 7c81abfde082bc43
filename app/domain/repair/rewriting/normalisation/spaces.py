"""Spaces that a reader does not see: trailing, doubled, of other widths, between the characters of Chinese.

Does not touch layout: tables, indentation, and the gap that a question leaves to be filled in.
"""

from __future__ import annotations

import re

from app.domain.language import phrases
from app.domain.repair.rewriting.normalisation.text_rule import BLANKS, CJK, TextRule

# From the start of a run, without trying its parts: a row may be a megabyte of spaces.
_TRAILING = re.compile(r"(?<![ \t\u00a0\u3000])[ \t\u00a0\u3000]++(?=\n)")
_OTHER_WIDTHS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")
# One ideographic space between words; more of them, at a line's start or in brackets are layout or a gap.
_IDEOGRAPHIC = re.compile(r"(?<=[\w.,;:!?。，；：！？、])\u3000(?=\w)")
_DOUBLED = re.compile(r"(?<=[^\W\d_])  (?=[^\W\d_])|(?<=[^\W\d_][,;:.!?)\"'])  (?=[^\W_])")
# A digit in front of the stop may number a list, whose items stand at their own distance.
_AFTER_SENTENCE = re.compile(r"(?<=[^\W\d_][.!?])  (?=[^\W_])")
_LAYOUT_LINE = re.compile(r"\s|.*[|\t=]")
# Characters one by one: six at least, and words of grammar among them, since a list of single characters
# (the ten heavenly stems, names of notes) is spaced on purpose.
_SPACED = re.compile(rf"(?<![{CJK}])[\u4e00-\u9fff](?: [\u4e00-\u9fff，。！？、：；]){{5,}}(?![{CJK}])")
_GRAMMAR = re.compile(phrases.one_of("stop_words", "running_text"))


def _trailing(text: str) -> tuple[str, int]:
    removed = 0

    def shorten(match: re.Match[str]) -> str:
        nonlocal removed
        # Exactly two spaces in front of a line are Markdown's hard line break.
        if match.group() == "  ":
            return "  "
        removed += 1
        return ""

    return _TRAILING.sub(shorten, text), max(removed, 1)


def _other_widths(text: str) -> tuple[str, int]:
    cleaned, wide = _OTHER_WIDTHS.subn(" ", text)
    cleaned, ideographic = _IDEOGRAPHIC.subn(" ", cleaned)
    return cleaned, wide + ideographic


def _doubled(text: str) -> tuple[str, int]:
    if "  " not in text:
        return text, 0
    lines = text.split("\n")
    prose = [bool(line) and not _LAYOUT_LINE.match(line) for line in lines]
    # Gaps inside several lines are columns.
    gaps = sum(len(_DOUBLED.findall(_AFTER_SENTENCE.sub(" ", line))) > 0 for line in lines)
    pattern = _DOUBLED if gaps < 2 else _AFTER_SENTENCE
    count = 0
    for at, line in enumerate(lines):
        if prose[at]:
            lines[at], found = pattern.subn(" ", line)
            count += found
    return "\n".join(lines), count


def _spaced_chinese(text: str) -> tuple[str, int]:
    count = 0

    def join(match: re.Match[str]) -> str:
        nonlocal count
        run = match.group()
        if not _GRAMMAR.search(run):
            return run
        count += 1
        return run.replace(" ", "")

    return _SPACED.sub(join, text), count


def _edges(text: str) -> tuple[str, int]:
    # The first line's indentation may be code; in a text of one line it is a mistake.
    stripped = text.rstrip("\n" + BLANKS).lstrip("\n")
    return stripped if "\n" in stripped else stripped.lstrip(BLANKS), 1


RULE = TextRule(
    name="spaces",
    trigger=re.compile(
        rf"\A[\n{BLANKS}]|[\n{BLANKS}]\Z|[{BLANKS}]\n|  |{_OTHER_WIDTHS.pattern}|\u3000"
        "|[\u4e00-\u9fff] [\u4e00-\u9fff]"
    ),
    steps=(
        ("trailing spaces removed", _trailing),
        ("spaces of other widths unified", _other_widths),
        ("doubled spaces removed", _doubled),
        ("spaces between Chinese characters removed", _spaced_chinese),
    ),
    edge_steps=(("spaces at the edges removed", _edges),),
)
