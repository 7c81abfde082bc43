"""Cut-offs of the augmentation."""

# A paraphrase keeps between a third and three times the characters: else something was lost or made up.
MIN_LENGTH_RATIO = 1 / 3
MAX_LENGTH_RATIO = 3.0

# Character n-gram Jaccard from which a new prompt adds nothing to one that is there.
NEAR_DUPLICATE_JACCARD = 0.8

# A model's answer is read up to this many lines and characters a line.
MAX_PARSED_LINES = 64
MAX_LINE_CHARACTERS = 8000

# A pool row must be nearer to a case than this quantile of random pairs of pool rows.
UNRELATED_QUANTILE = 0.99
