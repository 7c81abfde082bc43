"""Give a row another answer.

**How it is decided.** A bad case's expected output, or a clear majority among rows that ask the same, says what
the answer should be; for label tasks a model of the label noise, anchored by the bad cases, judges every row of
the contradicting region.

**What to do.** Check a few by hand: a wrong expected output relabels right rows. Actions below the confident
score wait for a person.
"""
