"""Give a row another answer.

**How it is decided.** *Bad cases*: a case's expected output says what the answer should be. For label tasks a model
of the label noise, anchored by the cases, judges every row of the contradicting region; where labels are seldom
mixed up, a row is judged that carries the very answer that a case close by names as wrong. Labels that negate each
other are left alone unless the inputs tell them apart, and so are the letters of multiple-choice questions and
templates.

*Contradictions*: over every task of sixty rows and more, a model learnt from the set itself says which rows that
mean the same answer differently, and which of them is in error; free answers to one question contradict each other
only in what can be pointed at, a number, a choice, an order, yes against no. The row in error gets the answer of
the others, by the first of the policy's rules that can decide; where nothing says who is in error, a person is
asked.

*Labels with two names*: where the rows of two labels are one population, one name is proposed, the one that bad
cases expect or else the commoner. A person decides, and may choose the other name or a third (`answer` beside the
decision). The same for two answers to one question. Labels that cases expect in each other's place are two labels.
Tasks of sixteen rows and more are searched for them.

**What to do.** Check a few by hand: a wrong expected output relabels right rows. Actions below the confident score
wait for a person.
"""
