"""Replace part of a row's text, such as a name or a number that should not be learnt.

**How it is decided.** A detector found personal data or a key in a prompt, an output or a rejected answer: e-mail
addresses, phone numbers by their numbering plan, ID and card numbers and accounts by their check digits, internet
and postal addresses, keys and tokens, names where the sentence says that one is a name. Kinds whose check digit is
right are certain, all others wait for a person. Reasons show kind and a masked form, never the value.

**What to do.** Look whether the value is somebody's. In its place stands the kind in brackets, or, if the policy
says "replace", an invented value that is the same in all rows of the data set, so that sentences stay whole. It is
derived from a secret (`CASEMEND_PII_SALT`): without that nobody can compute it from the value.
"""
