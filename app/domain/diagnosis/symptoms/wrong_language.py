"""The output is written in another language than the expected output, or than the prompt where none is known.

**How it is decided.** By the script of the letters (Han, kana, Hangul, Latin, Cyrillic, Arabic and others);
among languages in Latin letters by stop words, and only where both sides are sure. Without an expected
output, a label of the training set, and a language that the task's answers are usually in, are right.

**What to do.** See that the system prompt of the request names the language as the training rows' does; add
rows in the language of the case.
"""

from __future__ import annotations

from typing import Final

from app.domain.diagnosis.symptoms.gibberish import GIBBERISH_MIN_KNOWN
from app.domain.diagnosis.symptoms.profile import LANGUAGE_MIN_LETTERS, OutputProfile
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import scripts, text
from app.domain.records import BadCase, Symptom

_USUAL_SCRIPT_SHARE: Final = 0.2
"""Share of the letters of a task's answers from which a script is one that they are written in."""


_LANGUAGE_SHARE_GAP: Final = 0.6
"""Difference of the CJK shares of two texts' letters; names and terms stay well below."""


_SCRIPTS = {"Chinese": "Han", "Japanese": "Kana", "Korean": "Hangul"}
_LATIN = frozenset((*scripts.LATIN_LANGUAGES, "Latin"))


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    model = case.expected_output or case.prompt
    wanted, said = scripts.writing(model), scripts.writing(case.model_output)
    if not wanted or not said or wanted == said:
        return None
    if min(scripts.letters(model), scripts.letters(case.model_output)) < LANGUAGE_MIN_LETTERS:
        return None
    if not case.expected_output and _usual(case, wanted, said, trained):
        return None
    if {wanted, said} <= _LATIN:
        sure = "Latin" not in (wanted, said)
    else:
        gap = _gap(scripts.shares(model), scripts.shares(case.model_output))
        sure = gap > _LANGUAGE_SHARE_GAP or "Japanese" in (wanted, said)
    if not sure:
        return None
    source = "the expected output" if case.expected_output else "the prompt"
    return SymptomFinding(
        symptom=Symptom.WRONG_LANGUAGE,
        detail=f"the output is in {_named(said)}, {source} in {_named(wanted)}: {quoted(case.model_output)}",
    )


def _usual(case: BadCase, wanted: str, said: str, trained: OutputProfile) -> bool:
    """Labels are often English whatever the prompt; some tasks translate."""
    shape = trained.shape_for(case)
    if shape.is_label(text.normalised(case.model_output)):
        return True
    asked, answered = _script(wanted), _script(said)
    # Only where prompts are in the one script and answers in the other: an English set says nothing about
    # what to answer to Chinese.
    return (
        trained.written.get(asked, 0) >= GIBBERISH_MIN_KNOWN
        and shape.written_share(asked) < _USUAL_SCRIPT_SHARE
        and shape.written_share(answered) >= _USUAL_SCRIPT_SHARE
    )


def _script(writing: str) -> str:
    return "Latin" if writing in _LATIN else _SCRIPTS.get(writing, writing)


def _gap(wanted: dict[str, float], said: dict[str, float]) -> float:
    """Largest share of the output's letters in a script by which it exceeds the wanted text's."""
    return max(share - wanted.get(script, 0.0) for script, share in said.items())


def _named(writing: str) -> str:
    return "Latin letters" if writing == "Latin" else writing
