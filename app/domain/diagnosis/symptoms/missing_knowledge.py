"""The expected output says facts, names or numbers that stand nowhere in the prompt or the training set.

**How it is decided.** Words of the expected output (Chinese: pairs of characters) that neither the prompt nor
any training text holds: more than half of what it adds to the prompt, or several names and figures. In a small
training set, which lacks many a word by chance, one name, figure or date that nothing holds is enough and words say
nothing. Word forms of known words are known; numbers that were computed from the prompt's are reasoning. A set of
labels and code are not judged.

**What to do.** Knowledge that changes belongs in retrieval (RAG): put the documents that hold the named facts
into the prompt, in training as in serving. LoRA learns a few stable facts only from many rows that say them.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain.answers.contradiction import LABEL_TASK_SHARE
from app.domain.diagnosis.symptoms import characters
from app.domain.diagnosis.symptoms.profile import OutputProfile, words_of
from app.domain.diagnosis.symptoms.quoting import listed, quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import code, text
from app.domain.records import BadCase, Symptom

_UNKNOWN_FACTS: Final = 2
_UNKNOWN_FACTS_SHARE: Final = 0.2

_UNKNOWN_SHARE: Final = 0.5
_UNKNOWN_MIN_VOCABULARY: Final = 200
"""Words a training set must hold before a word it lacks says anything."""


_SUFFIXES = ("'s", "’s", "ies", "ing", "ed", "es", "ly", "er", "s", "d", "n")
_NAME = re.compile(r"(?<![.!?:\n\"“(] )(?<!^)(?<!\n)\b[A-Z][\w'’-]+")
_CAPITALISED = re.compile(r"\b[A-Z][\w'’-]+")
_NAME_ALONE_TOKENS = 3
_COMMAND = re.compile(r"\\[A-Za-z]+")  # of TeX: layout, not knowledge
_CALCULATION = re.compile(r"\d\s*[-+*/×÷=^]\s*\(?\d")


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    expected = case.expected_output
    if not expected or not trained.rows or code.is_code(expected):
        return None
    if trained.shape_for(case).label_share >= LABEL_TASK_SHARE:
        return None  # a label that was never taught is a missing kind of row, not a missing fact
    answer = characters.folded(_COMMAND.sub(" ", text.clip(expected)))
    asked = characters.folded(text.clip(case.prompt))
    unknown, share = (_passages if text.is_chinese(expected) else _words)(answer, asked, trained)
    # Figures and Latin names in a Chinese text are words, whatever stands around them.
    spelt = _words(answer, asked, trained)[0] if text.is_chinese(expected) else []
    facts = _facts(expected, [*unknown, *spelt], asked)
    known_units = len(trained.bigrams) if text.is_chinese(expected) else len(trained.vocabulary)
    if known_units < _UNKNOWN_MIN_VOCABULARY:
        if not facts:
            return None
        unknown = []
    elif share <= _UNKNOWN_SHARE and not (len(facts) >= _UNKNOWN_FACTS and share > _UNKNOWN_FACTS_SHARE):
        return None
    shown = list(dict.fromkeys((*facts, *unknown)))
    return SymptomFinding(
        symptom=Symptom.MISSING_KNOWLEDGE,
        detail="no training row and not the prompt says "
        f"{listed([quoted(u, 30) for u in shown])}, which the expected output holds",
    )


def _words(answer: str, asked: str, trained: OutputProfile) -> tuple[list[str], float]:
    """Unknown words in order, and their share 0..1 of the words that the expected output adds."""
    given = set(words_of(asked))
    added = [w for w in dict.fromkeys(words_of(answer)) if w not in given]
    computed = _CALCULATION.search(answer) is not None or any(w[0].isdigit() for w in given)
    words = [w for w in added if not w[0].isdigit() or not computed]
    unknown = [w for w in words if not _known(w, given, trained.vocabulary)]
    spelt = [w for w in words if not w[0].isdigit()]
    return unknown, sum(not w[0].isdigit() for w in unknown) / len(spelt) if spelt else float(bool(unknown))


def _known(word: str, given: set[str], vocabulary: frozenset[str]) -> bool:
    if word in vocabulary:
        return True
    stems = [word.removesuffix(s) for s in _SUFFIXES if word.endswith(s) and len(word) > len(s) + 2]
    return any(form in vocabulary or form in given for s in stems for form in (s, f"{s}e", f"{s}y"))


def _passages(answer: str, asked: str, trained: OutputProfile) -> tuple[list[str], float]:
    """Runs of characters that follow each other nowhere, and the share 0..1 of the pairs in them.

    Single characters are nearly all known; what is new is how they stand together.
    """
    given = set(characters.pairs_of(asked).tolist())
    pairs = characters.pairs_of(answer)
    spelt = [text.is_chinese(answer[i : i + 2]) and answer[i : i + 2].isalpha() for i in range(len(pairs))]
    known = characters.known(pairs, trained.bigrams)
    new = [
        s and not k and p not in given for s, k, p in zip(spelt, known.tolist(), pairs.tolist(), strict=True)
    ]
    total = len({p for p, s in zip(pairs.tolist(), spelt, strict=True) if s and p not in given})
    different = len({p for p, n in zip(pairs.tolist(), new, strict=True) if n})
    unknown = [answer[start : end + 1] for start, end in characters.runs(new)]
    return list(dict.fromkeys(unknown)), different / total if total else 0.0


def _facts(expected: str, unknown: list[str], asked: str) -> list[str]:
    """The unknown ones that are names or figures, as they are written."""
    names = {n.casefold(): n for n in _NAME.findall(text.clip(expected))}
    if len(text.tokens(expected)) <= _NAME_ALONE_TOKENS:
        # "Marta Oduya" alone: what begins a short answer in a capital is a name.
        names |= {w.casefold(): w for w in _CAPITALISED.findall(expected)}
    latin = text.is_chinese(expected)  # there a Latin word is a name, in capitals or not
    return [
        names.get(u, u)
        for u in unknown
        if u in names or (u not in asked and (u[0].isdigit() or (latin and u.isascii())))
    ]
