"""The output goes round in circles.

**How it is decided.** More than a third of its four-token passages occurred before (rep-4, Welleck et al.
2020), clearly more than in the expected output; or one short piece stands eight times and more in a row.

**What to do.** See that every training row ends with the end-of-turn token that the server stops at, and
that it is not masked out of the loss; near-duplicates in training and greedy decoding of a small model make
loops too. A repetition penalty hides them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import text
from app.domain.records import BadCase, Symptom

_REPETITION_NGRAM: Final = 4
_REPETITION_SHARE: Final = 0.35
"""Human text repeats a few per cent of its 4-grams (Welleck et al. 2020); a loop nearly all."""

_REPETITION_MARGIN: Final = 0.2

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
# A piece of at most 12 characters, eight times and more. Rules of dashes and dots are layout, and a number
# with many zeros is a number.
_IN_A_ROW = re.compile(r"(?P<piece>[^\W_][^\n]{0,11}?)(?P=piece){7,}")


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:  # noqa: ARG001
    said, expected = text.clip(case.model_output), text.clip(case.expected_output or "")
    in_a_row = _IN_A_ROW.search(said)
    if in_a_row and not in_a_row.group().isdigit() and not _IN_A_ROW.search(expected):
        piece = in_a_row["piece"]
        times = len(in_a_row.group()) // len(piece)
        more = " and more" if len(said) < len(case.model_output) else ""
        return _found(f"{quoted(piece)} stands {times} times{more} in a row")
    share = repeated_share(said)
    if share <= max(_REPETITION_SHARE, repeated_share(expected) + _REPETITION_MARGIN):
        return None
    unit, times = _unit(said)
    return _found(
        f"{share:.0%} of the output repeats what it said before: {quoted(unit)} stands {times} times"
    )


def _found(detail: str) -> SymptomFinding:
    return SymptomFinding(symptom=Symptom.REPETITION, detail=detail)


def stands_in_a_row(said: str, beside: str) -> bool:
    """Whether a short piece stands eight times and more in a row, and does not so in ``beside``, too."""
    found = _IN_A_ROW.search(text.clip(said))
    return found is not None and not found.group().isdigit() and not _IN_A_ROW.search(text.clip(beside))


def repeated_share(output: str) -> float:
    """Share 0..1 of the token 4-grams that occurred before; 0 for texts too short to loop."""
    words = text.tokens(text.clip(output))
    n = _REPETITION_NGRAM
    grams = Counter(words[i : i + n] for i in range(len(words) - n + 1))
    total = grams.total()
    return 1.0 - len(grams) / total if total >= 2 * n else 0.0


def _unit(said: str) -> tuple[str, int]:
    """What repeats and how often: a sentence where one does, else the longest passage that does as often."""
    sentences = Counter(s.strip() for s in _SENTENCE.findall(said) if len(text.tokens(s)) > 2)
    if sentences:
        sentence, times = sentences.most_common(1)[0]
        if times > 2:
            return sentence, times
    words = text.tokens(said)
    n = _REPETITION_NGRAM
    best = Counter(words[i : i + n] for i in range(len(words) - n + 1)).most_common(1)[0]
    start = next(i for i in range(len(words)) if words[i : i + n] == best[0])
    # The period: until the passage begins again.
    again = next((i for i in range(start + 1, len(words)) if words[i : i + n] == best[0]), start + n)
    unit = words[start : max(again, start + 1)][: 3 * n] if again - start > 0 else best[0]
    joined = "" if text.is_chinese("".join(unit)) else " "
    return joined.join(unit), best[1]
