"""Training rows near the case contradict its expected output, or each other: the model learnt the wrong side.

**How it is decided.** A near row with another answer only contradicts where it should agree. How often rows as
near as this have the same answer is learnt from pairs of training rows: nearly always next to a paraphrase of a
request, hardly ever next to a sum with other numbers. What is counted is this relevance, over several rows: for
the expected output, for the model's, for neither; and whether the sides lie apart or are mixed. Where outputs are
labels, a model that is left out of each row in turn says whether the contradicting rows look more like the case's
label than like their own, and whether two labels are taken for each other everywhere, as two names for one thing
are. Worlds made of the training set teach what that amounts to: near rows are turned to another answer, labels
are split under two names, contradicting copies are put beside a row; and, so that copies alone mean nothing,
right copies beside hard cases. A linear and a monotone model of trees decide it of what is covered. The finding
shows the pair that contradicts most with its differences marked, then only rows that weigh at least three fifths
of it, then those that support, and names two labels that are taken for each other.

**What to do.** Decide which side is right, relabel or drop the other, unify labels that mean the same, and
only then train again.
"""
