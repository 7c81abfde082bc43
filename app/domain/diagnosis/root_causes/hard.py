"""Covered and consistent: near rows ask the same and support the expected output, and the model fails all the same.

**How it is decided.** What is neither out of distribution nor contradicted is hard. What that looks like is learnt
from training rows that are left as they were in worlds made of the set: above all those that a model without the
row gets wrong, and the longest prompts of a task, some with right copies beside them. The finding says first why
the case counts as covered (how many rows are near enough to have the same answer and how many do; how near its
nearest row is) and then why it is hard, read against the rows of the same task: calculations, sentences and
length of the expected output, numbers, conditions and references in the prompt, two groups of answers that are
nearly as near. It lists what nine of ten rows ask less of, and says so where nothing stands out.

**What to do.** Teach the steps with worked answers, order the mixture from easy to hard and weight this kind
more; more rank or another epoch come last.
"""
