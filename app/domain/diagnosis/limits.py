"""Cut-offs of what a finding shows beside its verdict: symptoms, serving, clusters, hardness, novelty.

Sizes and definitions, each with its reason; none tells one root cause from another.
"""

from typing import Final

# --- scripts and languages --------------------------------------------------------------------------
KANA_SHARE: Final = 0.1
"""Share of kana among the letters from which a text is Japanese; a brand name in Chinese text stays below."""

LATIN_MIN_WORDS: Final = 6
LATIN_STOP_WORD_SHARE: Final = 0.2
"""Running text of any of the seven languages has a third of such words; a list of names has none."""

LATIN_LEAD: Final = 2.0
LATIN_DIFFERENT_WORDS: Final = 3

# --- shapes of outputs ------------------------------------------------------------------------------
LABEL_MAX_CHARACTERS: Final = 80
"""A longer output that repeats is a canned answer, not a label."""

SHAPE_MIN_ROWS: Final = 20
"""A task of fewer rows has no habits of its own; those of the whole set count."""

USUAL_SCRIPT_SHARE: Final = 0.2
"""Share of the letters of a task's answers from which a script is one that they are written in."""

FORM_MIN_SHARE: Final = 0.05
"""Share of a task's rows whose answer is one option letter or number before that is a form of the task."""

# --- copies and unknown facts -----------------------------------------------------------------------
COPY_MAX_ROWS: Final = 3
"""What more rows say is a phrase of the training set, not one row's own."""

COPY_LONG_TOKENS: Final = 12
"""An answer this long that two or three rows share is a near-duplicate row, not a label."""

COPY_NEAR_MIN_CHARACTERS: Final = 80
COPY_MIN_PASSAGES: Final = 6
COPY_OWN_NUMBERS: Final = 0.5
COPY_RARE_SHARE: Final = 0.6
"""Share of an output's rare passages that the copied row has: an edit of one word touches many of them."""

COPY_CONTAINMENT: Final = 0.8
"""Share of the passages of an output that stand in one row from which it is a copy with small edits."""

UNKNOWN_FACTS: Final = 2
UNKNOWN_FACTS_SHARE: Final = 0.2

# --- serving: the request in detail -----------------------------------------------------------------
SERVING_SAMPLE_ROWS: Final = 2000
"""Outputs in which stop texts and special tokens are looked for."""

SIMILAR_SYSTEM: Final = 0.9
SIMILAR_SYSTEM_FACTOR: Final = 0.5
"""A system prompt with one word changed binds most of what the trained one binds."""

ANSWER_NOT_BEGUN_STRENGTH: Final = 0.3
"""Most tuned models write the assistant's header themselves."""

DOUBLE_BEGINNING_STRENGTH: Final = 0.4
SPECIAL_TOKEN_STRENGTH: Final = 0.4
RAN_ON_STRENGTH: Final = 0.5
LIMIT_REACHED: Final = 0.7
"""Token counts are estimated: an output of seven tenths of the limit may have reached it."""

STOP_TRAINED_SHARE: Final = 0.05
NARROW_TOP_P: Final = 0.1
"""The nucleus holds the likeliest token alone: as good as greedy."""

WARM_TEMPERATURE: Final = 0.7
WARM_LABELS_STRENGTH: Final = 0.2

# --- why hard ---------------------------------------------------------------------------------------
HARD_PERCENTILE: Final = 0.9
"""A case stands out in what nine of ten rows of its task ask less of."""

HARD_REASONS: Final = 5

# --- novelty ----------------------------------------------------------------------------------------
NOVEL_TERMS: Final = 8
NOVEL_TERM_CHARACTERS: Final = 40
NOVEL_LENGTH_TAIL: Final = 0.01
"""A prompt longer or shorter than ninety-nine of a hundred is out of range."""

NOVEL_SHARE: Final = 0.005
"""Share of the training prompts up to which a pattern or a language is new to the set."""

NOVEL_SURE_SHARE: Final = 0.05
"""Share of the Latin prompts whose language must be sure before it is told from another."""

LANGUAGE_SAMPLE_ROWS: Final = 3000
SLIP_MIN_LETTERS: Final = 5
SLIP_MAX_LETTERS: Final = 20

# --- clusters ---------------------------------------------------------------------------------------
CLUSTER_DENSITY_MIN_CASES: Final = 60
CLUSTER_DIMENSIONS: Final = 48
CLUSTER_MIN_SIZE: Final = 5
CLUSTER_SIZE_CASES: Final = 500
"""Cases for each further member that a cluster must have: 20 of 10,000."""

CLUSTER_MIN_MEMBERSHIP: Final = 0.4
"""Density of a case over its cluster's densest, 0..1; ordinary members have .6 and more."""

CLUSTER_EDGE: Final = 0.01
"""Quantile of the members' nearness to their centre from which a case outside belongs to it too."""

CLUSTER_WHOLE_TERM_SHARE: Final = 0.7

# --- gibberish --------------------------------------------------------------------------------------
LETTER_PAIRS_MIN: Final = 40
"""Pairs of letters in an output before their chance says anything: about eight words."""

LETTER_PAIRS_TRAINED: Final = 20_000
"""Pairs of letters in the training texts from which the chances of all 729 are known."""
