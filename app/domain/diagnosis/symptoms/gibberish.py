"""Characters that do not follow each other in any training text, or that a wrong decoding left.

**How it is decided.** Replacement characters, or the marks of UTF-8 read as Latin-1 ('Ã©', 'â€™'), in more
than one of fifty characters; or more than half of the pairs of neighbouring characters stand in no training
text, the prompt or the expected output; or Latin letters follow each other more as in random order than as in
the training texts. A small training set, and a language that it does not hold, are not judged by pairs.

**What to do.** See that tokenizer and adapter belong to the served base model and that sampling is not hot;
a training run that diverged (learning rate, half precision) shows the same.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from app.domain.diagnosis.symptoms import characters
from app.domain.diagnosis.symptoms.profile import OutputProfile
from app.domain.diagnosis.symptoms.quoting import listed, quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import scripts, text
from app.domain.records import BadCase, Symptom

_LETTER_PAIRS_MIN: Final = 40
"""Pairs of letters in an output before their chance says anything: about eight words."""

_LETTER_PAIRS_TRAINED: Final = 20_000
"""Pairs of letters in the training texts from which the chances of all 729 are known."""


_GIBBERISH_BROKEN_SHARE: Final = 0.02
"""Replacement characters: one in fifty is no typing error."""

_GIBBERISH_MIN_BIGRAMS: Final = 15
GIBBERISH_MIN_KNOWN: Final = 250
_GIBBERISH_UNSEEN_SHARE: Final = 0.5

_MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]|â€[\u0080-\u2122]?|ï¿½|ã€|å[\u0080-\u00bf]|ç[\u0080-\u00bf]")


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    said = text.clip(case.model_output)
    broken = said.count("\ufffd") + sum(0xD800 <= ord(c) <= 0xDFFF for c in said)
    if broken > _GIBBERISH_BROKEN_SHARE * max(1, len(said)):
        return _found(
            f"{broken} of {len(said)} characters are broken (U+FFFD or half a pair): {quoted(said)}"
        )
    misread = _MOJIBAKE.findall(said)
    expected = case.expected_output or ""
    if len(misread) > max(1, _GIBBERISH_BROKEN_SHARE * len(said)) and not _MOJIBAKE.search(expected):
        return _found(f"UTF-8 was read as Latin-1: {listed([quoted(m) for m in dict.fromkeys(misread)])}")
    return _unseen_pairs(case, said, trained) or _unlikely_letters(case, said, trained)


def _unlikely_letters(case: BadCase, said: str, trained: OutputProfile) -> SymptomFinding | None:
    """A large training set has seen most pairs of letters: then how often they follow each other counts.

    The output is read as a chain of letters (Shannon 1951). It is gibberish where it is nearer to what the
    same letters would give in random order than to the training texts.
    """
    counts = characters.letter_pairs([characters.folded(said)])
    enough = counts.sum() >= _LETTER_PAIRS_MIN
    if not enough or trained.letter_pairs.sum() < _LETTER_PAIRS_TRAINED:
        return None
    if scripts.latin_language(said) or scripts.writing(said) not in ("Latin", *scripts.LATIN_LANGUAGES):
        return None
    chance = trained.letter_pairs + 1.0
    likely = np.log2(chance / chance.sum(axis=1, keepdims=True))
    usual = float((trained.letter_pairs * likely).sum() / trained.letter_pairs.sum())
    single = trained.letter_pairs.sum(axis=1) / trained.letter_pairs.sum()
    pairs = np.outer(single, single)
    pairs[0, 0] = 0.0
    random = float((pairs * likely).sum() / pairs.sum())

    def bits(of: np.ndarray) -> float:
        return float((of * likely).sum() / of.sum())

    if bits(counts) >= (usual + random) / 2:
        return None
    expected = characters.letter_pairs([characters.folded(text.clip(case.expected_output or ""))])
    if expected.sum() >= _LETTER_PAIRS_MIN and bits(expected) < (usual + random) / 2:
        return None  # identifiers, another language: the right answer is as strange
    return _found(
        f"its letters follow each other as in random order: {-bits(counts):.1f} bits a letter, training texts "
        f"{-usual:.1f}, random order {-random:.1f}: {quoted(said)}"
    )


def _unseen_pairs(case: BadCase, said: str, trained: OutputProfile) -> SymptomFinding | None:
    plain = characters.folded(said)
    pairs = characters.pairs_of(plain)
    distinct = np.unique(pairs)
    # A small training set has not seen most of a language: then only broken characters count.
    enough = len(distinct) >= _GIBBERISH_MIN_BIGRAMS
    if not enough or len(trained.bigrams) < GIBBERISH_MIN_KNOWN:
        return None
    main = max(scripts.letters_by_script(plain).items(), key=lambda item: item[1], default=("", 0))[0]
    if main and trained.written.get(main, 0) < GIBBERISH_MIN_KNOWN:
        return None  # another language is its own symptom
    own = np.concatenate(
        [
            characters.pairs_of(characters.folded(text.clip(t)))
            for t in (case.prompt, case.expected_output or "")
        ]
    )
    unseen = ~characters.known(distinct, trained.bigrams) & ~np.isin(distinct, own)
    share = float(unseen.mean())
    if share <= _GIBBERISH_UNSEEN_SHARE:
        return None
    strange = np.isin(pairs, distinct[unseen])
    start, end = max(characters.runs(strange.tolist()), key=lambda run: (run[1] - run[0], -run[0]))
    return _found(
        f"{share:.0%} of the pairs of neighbouring characters stand in no training text, such as "
        f"{quoted(plain[start : end + 1])}"
    )


def _found(detail: str) -> SymptomFinding:
    return SymptomFinding(symptom=Symptom.GIBBERISH, detail=detail)
