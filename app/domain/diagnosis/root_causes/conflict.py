"""Training rows near the case contradict its expected output, or each other: the model learnt the wrong side.

**How it is decided.** By which of the near rows agree with the expected output, which with the wrong one and
which with neither, and by whether what differs between the prompts matters (numbers, negation, names,
direction): a hard negative is close in words and rightly has another answer, and two wordings of one answer
are no conflict. What agreement is usual is learnt from the training set itself, by contradicting rows on
purpose. The finding shows the contradicting pair side by side with the differences marked.

**What to do.** Decide which side is right, relabel or drop the other, unify labels that mean the same, and
only then train again.
"""
