"""Write a row's text in one form: as a reader sees it, and as most of its set is written.

**How it is decided.** By rule, and the rule stands beside the action. Sure are those that a reader does not see:
wrong encodings, invisible characters, special tokens of chat templates, full-width letters and digits, doubled
spaces and punctuation. The others follow what most rows do and wait for a person: where the instruction stands,
templates, mixed-up roles, system prompts in several wordings, punctuation and quotes. Code, formulas and
addresses of pages stay as they are, and no text is ever emptied.

**What to do.** Approve by rule. For the sure ones what a tokenizer sees changes and nothing else; of the others
look at a few: what most of a set does need not be what was meant.
"""
