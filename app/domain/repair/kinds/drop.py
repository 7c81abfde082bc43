"""Take a row out of the training set.

**How it is decided.** Exact duplicates, near-duplicates whose answers agree, and rows that contradict a trusted
answer or the majority of their group without a right answer that could be put in their place. Rows that repeat
a held-back case or a row of the evaluation set; those that only mean the same are proposed.

**What to do.** Look at the row that is kept beside it. A dropped row stays in the old version of the data set,
and the difference between the versions says why it went.
"""
