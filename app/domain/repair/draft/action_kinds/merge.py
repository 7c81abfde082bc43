"""Give rows that ask the same and contradict each other one answer, on one row.

**How it is decided.** A group of rows that ask the same in the same words, or in nearly the same where no model of
the task has compared them, whose answers cannot both be right. The policy's rules are tried in their order
(expected output, majority, best quality, newest, source priority, judge, drop); this kind is what the rule `ask`
proposes, and a person is always asked, whatever the policy. Two wordings of one answer are no contradiction.

**What to do.** The action proposes the answer of one of the rows; the evidence shows all sides with their rows.
Approve it where that one is right, edit the data where none is; the one row then stands for all of them.
"""
