"""Give rows that ask the same and contradict each other one answer, on one row.

**How it is decided.** A group of near-duplicate prompts whose answers contradict each other, where no expected
output and no majority says which is right; a person is always asked, whatever the policy.

**What to do.** The action proposes the answer of one of the rows. Approve it where that one is right, edit the
data where none is; the one row then stands for all of them.
"""
