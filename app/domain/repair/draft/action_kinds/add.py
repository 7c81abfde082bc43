"""Add rows to the training set.

**How it is decided.** The plan of a diagnosis proposes none by itself: new rows for what nothing covers come
from augmentation, which filters them for quality and variety. An approved action of this kind appends the rows
that it holds.

**What to do.** Read some of them: a wrong answer that is added is taught. Mix them with replay.
"""
