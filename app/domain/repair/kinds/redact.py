"""Replace part of a row's text, such as a name or a number that should not be learnt.

**How it is decided.** A detector found personal data or a key: e-mail addresses, phone numbers, ID and card
numbers, accounts, internet and postal addresses, keys and tokens, names where the sentence says so. Kinds whose
check digit is right are certain, all others wait for a person. Reasons show kind and a masked form, never the
value.

**What to do.** Look whether the value is somebody's. In its place stands the kind in brackets, or, if the policy
says "replace", an invented value that is the same in all rows, so that sentences stay whole.
"""
