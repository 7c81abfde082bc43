"""Take a row out of the training set.

**How it is decided.** *Leakage*: the row repeats a held-back case or a row of the evaluation set, word for word or
with a Jaccard of character n-grams from .7; rows that only mean the same, and rows of templates, are proposed.

*Duplicates*: equal rows, and near-duplicates in prompt and answer (or in one of them, as the policy says).
Candidates are found by MinHash, in shingles of two characters for Chinese, Japanese and Korean and of three
elsewhere: 128 values in 64 bands of two, so that two texts with a Jaccard s meet with probability 1 - (1 - s^2)^64:
.47 at s = .1, .93 at .2, .998 at .3. Every candidate is then read in full: two texts are one where at most a
quarter of the characters differ and all that differs looks like slips of the pen, or where the exact Jaccard
reaches the policy's threshold; another number, negation or name makes another question. The best row of a group
stays. The plan's summary holds the curve.

*Contradictions*: rows in dispute that ask in the same words, settled by the policy's rules in their order; and rows
that contradict a bad case's expected output where no right answer can be put in their place.

*Noise*: empty, refused, truncated or copied outputs, another language, broken markup, inputs without what they
speak of, and outputs or labels that the row's neighbours speak against; one such statistic alone stays below the
confident score. *Quality*: relevance, information, format, safety and consistency weigh to less than the policy's
lower bound; a person decides.

**What to do.** Look at the row that is kept beside it. A dropped row stays in the old version of the data set, and
the difference between the versions says why it went.
"""
