"""A question of another kind is answered in the style of the training set: a general ability was forgotten.

**How it is decided.** The output is a label or an answer of the training set; no training row asks anything like the
prompt (it carries none of the set's instructions and most of its words stand in no training row); and what was
expected has another form than the set's answers.

**What to do.** Mix general data into the training set (replay, 5 to 20 %), train fewer epochs at a lower rate, and
compare with the base model: what it still answers was not missing, it was overwritten. Route such requests to the
base model until then.
"""

from __future__ import annotations

from typing import Final

from app.domain import text, thresholds
from app.domain.diagnosis.symptoms import characters
from app.domain.diagnosis.symptoms.finding import SymptomFinding, quoted
from app.domain.diagnosis.symptoms.profile import OutputProfile, words_of
from app.domain.records import BadCase, Symptom

_MIN_ROWS: Final = 20
"""A smaller set has no style."""

_FOREIGN_SHARE: Final = 0.5
"""Share of a prompt's words, or pairs of characters, that no row holds from which it asks of other things."""

_SHORT_WORD: Final = 3
"""Words up to this length are grammar for the most part."""


def detect(case: BadCase, trained: OutputProfile) -> SymptomFinding | None:
    said = case.model_output
    if trained.rows < _MIN_ROWS or not _taught(said, trained):
        return None
    right = [output for output in case.acceptable_outputs if output.strip()]
    if any(_taught(output, trained) for output in right) or not _far(case, trained):
        return None
    if not (_without_frame(case, trained) or any(_longer(output, said) for output in right)):
        return None
    return SymptomFinding(
        symptom=Symptom.FORGETTING,
        detail="answered in the style of the training set: "
        f"{quoted(said)} is one of its answers, and no training row asks anything like {quoted(case.prompt)}",
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
            len(pairs) > 0 and 1.0 - float(characters.known(pairs, trained.bigrams).mean()) > _FOREIGN_SHARE
        )
    words = {word for word in words_of(asked) if len(word) > _SHORT_WORD and not word[0].isdigit()}
    return bool(words) and len(words - trained.vocabulary) > _FOREIGN_SHARE * len(words)


def _without_frame(case: BadCase, trained: OutputProfile) -> bool:  # noqa: ARG001
    """Whether nearly all training rows carry an instruction, which this prompt lacks."""
    bare = trained.tasks.get("")
    return (0 if bare is None else bare.rows) <= (1 - thresholds.FORMAT_RULE_SHARE) * trained.rows


def _longer(output: str, said: str) -> bool:
    """Whether the expected output is a text where a label was said."""
    return len(text.tokens(output)) > max(thresholds.CLOSED_ANSWER_MAX_TOKENS, 2 * len(text.tokens(said)))
