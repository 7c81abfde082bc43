"""Cut-offs of the verification."""

# Expected outputs up to this many tokens are labels, numbers or canned replies: right means equal.
EXACT_MAX_TOKENS = 12

# Word F1 from which a longer free text counts as right, given equal numbers and negation.
CORRECT_F1 = 0.8

# Slices of the retention set below this size say nothing on their own and are pooled.
SLICE_MIN_ROWS = 5

# 97.5 % quantile of the normal distribution: two-sided 95 % intervals.
Z_95 = 1.959964

BOOTSTRAP_ROUNDS = 2000

# The gate's defaults: what the adapter must keep of the earlier scores, in all and in the worst slice.
MIN_RETENTION = 0.9
MAX_DEGRADATION = 0.5
