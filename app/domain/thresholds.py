"""All cut-offs of the domain in one place, each with its reason.

What tells one root cause from another is *not* here: it is learnt from the user's own training set
(``app.domain.diagnosis.calibration``). Here stand sizes, resolutions and definitions.
"""

from typing import Final

# --- text -------------------------------------------------------------------------------------------
TEXT_MAX_CHARACTERS: Final = 4000
"""Longer texts are compared by head and tail: sentence encoders read a few hundred words at most."""

INSTRUCTION_MIN_ROWS: Final = 2
"""One row's own wording is not a task instruction."""

INSTRUCTION_MIN_SHARE: Final = 0.02
"""Share of the prompts that must begin with the same first line before it counts as an instruction."""

# --- similarity -------------------------------------------------------------------------------------
MINHASH_PERMUTATIONS: Final = 128
"""Standard error of a Jaccard estimate: sqrt(J(1-J)/128), .044 at worst."""

CHARACTER_NGRAM_LATIN: Final = 5
CHARACTER_NGRAM_CJK: Final = 2
"""A Chinese word is about two characters: five of them would be a clause."""

NEAR_DUPLICATE_JACCARD: Final = 0.7
"""Character n-gram Jaccard from which two texts count as the same text with small edits (Lee et al. 2022)."""

CLOSED_ANSWER_MAX_TOKENS: Final = 3
"""Answers this short (yes, 42, a name) are compared as labels: they have no wording to vary."""

FINAL_ANSWER_MAX_TOKENS: Final = 8
"""A last line longer than this is a sentence of the text, not its final answer."""

UNRELATED_QUANTILE: Final = 0.99
"""Random pairs of outputs are taken as unrelated; above this quantile of their cosines few are."""

SAME_MEANING_COSINE_WITHOUT_DATA: Final = 0.8
"""Only where there are no two outputs to learn the cut from."""
