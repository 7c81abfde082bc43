"""A question of another kind is answered in the style of the training set: a general ability was forgotten.

**How it is decided.** The output is a label or an answer of the training set, or half of it is a passage of one; no
training row asks anything like the prompt (it carries none of the set's instructions and at least half of its words
stand in no training row); and where it is a label, what was expected is a text, or the set's instruction is missing.

**What to do.** Mix general data into the training set (replay, 5 to 20 %), train fewer epochs at a lower rate, and
compare with the base model: what it still answers was not missing, it was overwritten. Route such requests to the
base model until then.
"""

from __future__ import annotations

import itertools
from typing import Final

from app.domain.answers.labels import CLOSED_ANSWER_MAX_TOKENS, is_label
from app.domain.diagnosis.serving.training_format import FORMAT_RULE_SHARE
from app.domain.diagnosis.symptoms import characters, copied_training_output
from app.domain.diagnosis.symptoms.profile import OutputProfile, words_of
from app.domain.diagnosis.symptoms.quoting import quoted
from app.domain.evidence import SymptomFinding
from app.domain.language import text
from app.domain.records import BadCase, Symptom

_MIN_ROWS: Final = 20
"""A smaller set has no style."""

_FOREIGN_SHARE: Final = 0.5
"""Share of a prompt's words, or pairs of characters, that no row holds from which it asks of other things."""

_PASSAGE_WORDS: Final = 4
_PASSAGE_CHARACTERS: Final = 8
"""A shorter passage is a phrase of the language."""

_SEARCHED_ANSWERS: Final = 20_000
"""Answers in which passages are looked for: some milliseconds a case."""

_SHORT_WORD: Final = 3
"""Words up to this length are grammar for the most part."""


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    said = case.model_output
    right = [output for output in case.acceptable_outputs if output.strip()]
    if (
        trained.rows < _MIN_ROWS
        or any(_taught(output, trained) for output in right)
        or not _far(case, trained)
    ):
        return None
    if _taught(said, trained):
        if copied_training_output.computed(case):
            return None
        label = is_label(case.model_output)
        if label and not (_without_frame(trained) or any(_longer(output, said) for output in right)):
            return None
        how = f"{quoted(said)} is one of its answers"
    else:
        passage = _passage(said, case, trained)
        if passage is None:
            return None
        how = f"{quoted(passage)} stands in its answers"
    return SymptomFinding(
        symptom=Symptom.FORGETTING,
        detail=f"answered in the style of the training set (forgetting): {how}, and no training row asks anything "
        f"like {quoted(case.prompt)}",
    )


def _taught(output: str, trained: OutputProfile) -> bool:
    return (
        trained.whole.is_label(text.normalised(output))
        or characters.folded(text.clip(output)) in trained.answers
    )


def _far(case: BadCase, trained: OutputProfile) -> bool:
    if text.instruction_of(case.prompt, trained.instructions):
        return False
    asked = characters.folded(text.clip(case.prompt))
    if text.is_chinese(asked):
        pairs = characters.pairs_of(asked)
        return (
            len(pairs) > 0 and 1.0 - float(characters.known(pairs, trained.bigrams).mean()) >= _FOREIGN_SHARE
        )
    words = {word for word in words_of(asked) if len(word) > _SHORT_WORD and not word[0].isdigit()}
    return bool(words) and len(words - trained.vocabulary) >= _FOREIGN_SHARE * len(words)


def _passage(said: str, case: BadCase, trained: OutputProfile) -> str | None:
    """The first passage of at least half of the output that an answer of the set holds and the prompt does not;
    none with a number, as formulas agree by chance."""
    folded, asked = characters.folded(text.clip(said)), characters.folded(text.clip(case.prompt))
    chinese = text.is_chinese(folded)
    pieces = list(folded) if chinese else folded.split(" ")
    length = max(_PASSAGE_CHARACTERS if chinese else _PASSAGE_WORDS, -(-len(pieces) // 2))
    answers = "\n".join(itertools.islice(trained.answer_texts, _SEARCHED_ANSWERS))
    for start in range(len(pieces) - length + 1):
        passage = ("" if chinese else " ").join(pieces[start : start + length])
        if passage in answers and passage not in asked and not text.numbers(passage):
            return passage
    return None


def _without_frame(trained: OutputProfile) -> bool:
    """Whether nearly all training rows carry an instruction."""
    bare = trained.tasks.get("")
    return (0 if bare is None else bare.rows) <= (1 - FORMAT_RULE_SHARE) * trained.rows


def _longer(output: str, said: str) -> bool:
    """Whether the expected output is a text where a label was said."""
    return len(text.tokens(output)) > max(CLOSED_ANSWER_MAX_TOKENS, 2 * len(text.tokens(said)))
