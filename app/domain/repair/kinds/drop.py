"""Take a row out of the training set.

**How it is decided.** Exact duplicates, near-duplicates whose answers agree, and rows that contradict a trusted
answer or the majority of their group without a right answer that could be put in their place.

**What to do.** Look at the row that is kept beside it. A dropped row stays in the old version of the data set,
and the difference between the versions says why it went.
"""
