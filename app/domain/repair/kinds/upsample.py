"""Let a row count more than once in training.

**How it is decided.** For rows that teach the repaired behaviour and are few beside the rest. The plan of a
diagnosis proposes none by itself; the mixture weights targeted rows as well.

**What to do.** Keep the factor small: a row that is seen too often is recited.
"""
