"""Replace part of a row's text, such as a name or a number that should not be learnt.

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
"""
