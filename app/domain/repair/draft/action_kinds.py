"""What each kind of repair action means, when it is proposed and what to look at: its page in ``docs/diagnosis``."""

from __future__ import annotations

from typing import Final

from app.domain.repair.draft.actions import ActionKind

PAGES: Final[dict[ActionKind, str]] = {
    ActionKind.DROP: """
Take a row out of the training set.

**How it is decided.** *Leakage*: the row repeats a held-back case or a row of the evaluation set, word for word or
with a Jaccard of character n-grams from .7; rows that only mean the same, and rows of templates, are proposed.

*Duplicates*: equal rows, and near-duplicates in prompt and answer (or in one of them, as the policy says).
Candidates are found by MinHash, in shingles of two characters for Chinese, Japanese and Korean and of three
elsewhere: 128 values in 64 bands of two, so that two texts with a Jaccard s meet with probability 1 - (1 - s^2)^64:
.47 at s = .1, .93 at .2, .998 at .3. Every candidate is then read in full: two texts are one where at most a
quarter of the characters differ and all that differs looks like typos, or where the exact Jaccard
reaches the policy's threshold; another number, negation or name makes another question. The best row of a group
stays. The plan's summary holds the curve.

*Contradictions*: rows in dispute that ask in the same words, settled by the policy's rules in their order; and rows
that contradict a bad case's expected output where no right answer can be put in their place.

*Noise*: empty, refused, truncated or copied outputs, another language, broken markup, inputs without what they
speak of, and outputs or labels that the row's neighbours speak against; one such statistic alone stays below the
confident score. *Quality*: relevance, information, format, safety and consistency weigh to less than the policy's
lower bound; a person decides.

**What to do.** Look at the row that is kept beside it. A dropped row stays in the old version of the data set, and
the difference between the versions says why it went.
""",
    ActionKind.RELABEL: """
Give a row another answer.

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
""",
    ActionKind.MERGE: """
Give rows that ask the same and contradict each other one answer, on one row.

**How it is decided.** A group of rows that ask the same in the same words, or in nearly the same where no model of
the task has compared them, whose answers cannot both be right. The policy's rules are tried in their order
(expected output, majority, best quality, newest, source priority, judge, drop); this kind is what the rule `ask`
proposes, and a person is always asked, whatever the policy. Two wordings of one answer are no contradiction.

**What to do.** The action proposes the answer of one of the rows; the evidence shows all sides with their rows.
Approve it where that one is right, edit the data where none is; the one row then stands for all of them.
""",
    ActionKind.NORMALISE: """
Write a row's text in one form: as a reader sees it, and as most of its set is written.

**How it is decided.** By rule, and `normalise_` with the rule's name stands beside the action. Sure are those that
a reader does not see: `encoding` (texts decoded with the wrong one), `characters` (control characters, halves of
characters, accents typed apart), `special_tokens` of chat templates, `width` (full-width letters and digits),
`spaces` and `punctuation` that was typed twice. Code, formulas and addresses of pages stay as they are, and no text
is ever emptied.

The others are uniformity: they follow what at least four fifths of the set do, after the redactions, and wait for a
person. `punctuation_width`, `chinese_spaces` and `quotes` are about signs; `layering` says where the instruction
stands, `templates` how the prompts of a task are laid out, `roles` who speaks in which turn, and `system_prompts`
makes several wordings of one system prompt one.

**What to do.** Approve by rule. For the sure ones what a tokenizer sees changes and nothing else; of the others
look at a few: what most of a set does need not be what was meant.
""",
    ActionKind.REDACT: """
Replace part of a row's text, such as a name or a number that should not be learnt.

**How it is decided.** A detector found personal data or a key in a prompt, an output or a rejected answer: e-mail
addresses, phone numbers by their numbering plan, ID and card numbers and accounts by their check digits, internet
and postal addresses, keys and tokens, names where the sentence says that one is a name. What a check digit or the
form alone proves (cards, accounts, ID numbers, e-mail addresses, keys with their issuer's mark, phone numbers of a
numbering plan that name their country or stand behind a word for it) is taken out without a person; all else waits,
and its row is kept out of training until then (`pii.uncertain`). So does a row whose answer may rest on the value.
A value goes from all texts of its row, tool calls and reasoning included. Reasons show kind and a masked form, never
the value.

**What to do.** Look whether the value is somebody's. In its place stands the kind in brackets, or, if the policy
says "replace", an invented value that is the same in all rows of the data set, so that sentences stay whole. It is
derived from a secret (`CASEMEND_PII_SALT`): without that nobody can compute it from the value.
""",
    ActionKind.ADD: """
Add rows to the training set.

**How it is decided.** The plan of a diagnosis proposes none by itself: new rows for what nothing covers come
from augmentation, which filters them for quality and variety. An approved action of this kind appends the rows
that it holds.

**What to do.** Read some of them: a wrong answer that is added is taught. Mix them with replay.
""",
    ActionKind.UPSAMPLE: """
Let a row count more than once in training.

**How it is decided.** Where the policy has a `balance` section: a task or a language of n rows is brought to the
share n^a / sum of all groups' n^a, a between 0.5 and 0.7, each row seen four times at most. A person decides,
whatever the policy approves; the plan's summary shows how rows and bad cases are spread.

**What to do.** Keep the factor small: a row that is seen too often is recited.
""",
}
