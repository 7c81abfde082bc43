"""The evidence does not decide, or the output is not wrong: a person is asked.

**How it is decided.** No cause is probable enough, or the model output agrees with the expected output. A case
without an expected output is judged by the measures that need none; it often ends here, because whether near
rows support it cannot be seen. So it is in training sets that are too small to make every cause in them.

**What to do.** Give the expected output where it is missing, close the case where the output is right, and
otherwise look at the neighbours and say what the cause is: the next diagnosis of the case learns from it.
"""
