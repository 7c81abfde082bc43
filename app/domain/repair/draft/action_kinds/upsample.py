"""Let a row count more than once in training.

**How it is decided.** Where the policy has a `balance` section: a task or a language of n rows is brought to the
share n^a / sum of all groups' n^a, a between 0.5 and 0.7, each row seen four times at most. A person decides,
whatever the policy approves; the plan's summary shows how rows and bad cases are spread.

**What to do.** Keep the factor small: a row that is seen too often is recited.
"""
