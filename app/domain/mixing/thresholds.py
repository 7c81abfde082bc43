"""Cut-offs of the mixture."""

# Share of the targeted rows in a "full" mixture: enough to be learnt, little enough to forget nothing.
TARGETED_SHARE = 0.08

# A targeted row is seen at most this often: more is learnt by heart.
MAX_REPEATS = 4

# Exponent of temperature sampling over replay groups: 1 keeps their sizes, 0 makes them equal
# (mT5, Xue et al. 2021, samples languages with 0.3; XLM-R with 0.3; multilingual BERT with 0.7).
REPLAY_EXPONENT = 0.6

# Replay rows per targeted row.
TARGETED_REPLAY_RATIO = 30 / 70
QUICK_CHECK_RATIO = 5.0

# An answer is compared with its peers when it stands on this many rows.
PARITY_MIN_ROWS = 5
