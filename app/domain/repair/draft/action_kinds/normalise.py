"""Write a row's text in one form: as a reader sees it, and as most of its set is written.

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
"""
