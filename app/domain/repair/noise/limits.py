"""Cut-offs of the row detectors and of the quality score.

They follow from what they mean, but for two: ``SWAPPED_NEAR`` and ``TAIL_SHARES`` were chosen among five settings by
what they did to development sets whose wrong rows are known (docs/experiments.md, "Repair"). So figures on those sets
flatter the statistical detectors; a set that took no part says what they are worth.
"""

from typing import Final

CERTAIN: Final = 0.97
"""An empty output teaches to say nothing; three in a hundred may be meant."""

PLAIN_SIGN: Final = 0.7
"""A sign in the text that is nearly always a defect, and sometimes what somebody wanted: a person decides."""

FAINT_SIGN: Final = 0.55
"""A little more likely bad than not."""

HINT: Final = 0.4
"""Counts only beside another sign."""

SLOPPY_SHARE: Final = 0.08
"""Up to this share of a task's rows a trait may be sloppy work and counts in full ..."""

HABIT_SHARE: Final = 0.25
"""... from here on it is what the task is like, and no defect at all."""

TASK_PSEUDO_ROWS: Final = 20
"""Rows of the whole set that are added to a task's own before its share of a trait is read."""

PROPOSED_FROM: Final = 0.5
"""A row is proposed when it is more likely bad than not."""

STATISTICAL_CEILING: Final = 0.75
"""What one statistic can say at most: below the score that is approved without a person."""

AGREEMENT_SCORE: Final = 0.82
"""Words, vectors and neighbours, each of them near its ceiling on one row."""

AGREEING_FROM: Final = 0.7
AGREEING_DETECTORS: Final = 3

GROUP_MIN_ROWS: Final = 200
"""Tasks of fewer rows are judged together: a ranking of six measures is not learnt from less."""

OVERLAP_BUCKETS: Final = 2**18
"""Hash table of words for the overlap of inputs and outputs."""

NEIGHBORS: Final = 32
"""Rows around a row that its output is compared with; of the Shapley value the rest is below 1/32."""

SHAPLEY_K: Final = 10
"""The k of the k-nearest-neighbour vote that the Shapley value divides (Jia et al. 2019 use 1 to 10)."""

SHAPLEY_PRIOR_ROWS: Final = 5.0
"""Votes worth nothing that are added to a row's: one row that disagrees is no proof."""

OUTPUT_NEIGHBORS: Final = 5

EXACT_ROWS: Final = 20_000
"""Beyond, neighbours are looked up in inverted lists: all pairs of 100,000 rows are minutes on one core."""

MOST_BAD: Final = 0.2
"""Where swapped rows look like the others no bound holds; more bad rows than this are no noise but another task."""

FOLDS: Final = 3
TAIL_SHARES: Final = (0.5, 0.6, 0.7, 0.8)
"""Shares of the swapped rows at which the share of bad rows is bounded from above; the least bound counts. The
farthest half is left out: there stand outputs of other topics, which real mistakes seldom are."""

SWAPPED_NEAR: Final = 0.5
"""Share of the swapped outputs that come from a near row: real mistakes are seldom far off."""

JUDGE_C: Final = 0.3

COPY_MIN_TOKENS: Final = 4
COPY_LONG_TOKENS: Final = 8
COPY_F1: Final = 0.9
"""Word F1 from which an output is its input again."""

SHOWN_MAX_TOKENS: Final = 60
"""A longer input tells a story in which a picture may occur."""

SENTENCE_MIN_TOKENS: Final = 8
"""Shorter outputs need no full stop."""

SENTENCE_HABIT: Final = 0.9
"""Share of a task's long outputs that end in a sentence's end from which that is its rule."""

PREFIX_MIN_CHARACTERS: Final = 3

LONG_CONTEXT_TOKENS: Final = 40
"""A prompt of so many words beyond its instruction may be a passage that the answer is drawn from."""

CONTEXT_COVER: Final = 0.7
"""Share of an output's rare words that the passage holds from which the task answers from the passage."""

SPECIFIC_DEVIATIONS: Final = 3.0
"""Robust deviations below the task's median at which half of a component is gone."""

ORDINARY_FLOOR: Final = 0.8
"""The component of the lowest ordinary row of a task: what is usual is no defect."""
