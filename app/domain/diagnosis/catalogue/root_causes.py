"""What each root cause means, how it is decided and what to do: its page in ``docs/diagnosis``."""

from __future__ import annotations

from typing import Final

from app.domain.records import RootCause

PAGES: Final[dict[RootCause, str]] = {
    RootCause.SERVING_MISMATCH: """ The request that failed was not built as the
training rows are: nothing in the data is wrong.

**How it is decided.** Looked at first, and only where the caller said how the request was built. Compared with what
the training rows render to: system prompt, chat template (family, role markers, where the answer begins),
instruction in front of the input, special tokens, stop texts, token limit, sampling. Each difference has a
probability that it alone explains the failure; independent ones add up (noisy-or), and the other causes share what
is left.

**What to do.** Build the request as the training rows are and ask again; the finding shows both sides of each
difference. Only if it still fails, diagnose the data.
""",
    RootCause.OOD: """
Out of distribution: no training row covers what the case asks, so the model guesses.

**How it is decided.** Eleven measures say how far the prompt is from the training rows: the cosine to the nearest
row, to the nearest five and to all near rows; shared wording; the Mahalanobis distance to its task as one cloud and
to the nearest group of answers in it; short and long letter sequences that no row has, and how unusual they are;
how well the best label fits; length. Each is read as a percentile against the rows of the same task, every row
measured as if it had been left out. Where outputs are labels, it counts most whether the expected label was ever
taught. What combination means uncovered is learnt from the training set itself: in six synthetic failure scenarios
made of it, labels, corners of a task and whole tasks are taken out, and their rows become cases whose cause is
known. A linear and a monotone model of trees are fitted to these, for labels and for free answers apart; their mean
is the probability. Cases just outside a covered region are the difficult ones. The finding shows the nearest rows,
the terms that no training prompt holds, a label that no row has, and by how many of the measures the case lies
further out than nine of ten rows.

**What to do.** Add rows of the kind, real ones first, and mix them with replay. Until then solved examples in the
prompt help at once. Where the answer needs facts that no row holds, retrieval is the place for them.
""",
    RootCause.CONFLICT: """
Training rows near the case contradict its expected output, or each other: the model learnt the wrong side.

**How it is decided.** A near row with another answer only contradicts where it should agree. How often rows as near
as this have the same answer is learnt from pairs of training rows: nearly always next to a paraphrase of a request,
hardly ever next to a sum with other numbers. What is counted is this relevance, over several rows: for the expected
output, for the model's, for neither; and whether the sides lie apart or are mixed. Where outputs are labels, a
model that is left out of each row in turn says whether the contradicting rows look more like the case's label than
like their own, and whether two labels are taken for each other everywhere, as two names for one thing are.
Scenarios made of the training set (synthetic failures) teach what that amounts to: near rows are turned to another
answer, labels are split under two names, contradicting copies are put beside a row; and, so that copies alone mean
nothing, right copies beside hard cases. A linear and a monotone model of trees decide it of what is covered. The
finding shows the pair that contradicts most with its differences marked, then only rows that weigh at least three
fifths of it, then those that support, and names two labels that are taken for each other.

**What to do.** Decide which side is right, relabel or drop the other, unify labels that mean the same, and only
then train again.
""",
    RootCause.HARD: """
Covered and consistent: near rows ask the same and support the expected output, and the model fails all the same.

**How it is decided.** What is neither out of distribution nor contradicted is hard. What that looks like is learnt
from training rows that are left as they were in scenarios made of the set: above all those that a model without the
row gets wrong, and the longest prompts of a task, some with right copies beside them. The finding says first why
the case counts as covered (how many rows are near enough to have the same answer and how many do; how near its
nearest row is) and then why it is hard, read against the rows of the same task: calculations, sentences and length
of the expected output, numbers, conditions and references in the prompt, two groups of answers that are nearly as
near. It lists what nine of ten rows ask less of, and says so where nothing stands out.

**What to do.** Teach the steps with worked answers, order the mixture from easy to hard and weight this kind more;
more rank or another epoch come last.
""",
    RootCause.UNDETERMINED: """
The evidence does not decide, or the output is not wrong: a person is asked.

**How it is decided.** No cause is probable enough, or the model output agrees with the expected output. A case
without an expected output is judged by the measures that need none; it often ends here, because whether near rows
support it cannot be seen. So it is in training sets that are too small to make every cause in them.

**What to do.** Give the expected output where it is missing, close the case where the output is right, and
otherwise look at the neighbours and say what the cause is: the next diagnosis of the case learns from it.
""",
}
