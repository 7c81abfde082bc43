"""Write a row's text as a reader sees it: one form of each character, no stray control or special tokens.

**How it is decided.** The text differs from its normal form in Unicode composition, control characters, line
ends, trailing spaces or special tokens of chat templates. Code stays as it is.

**What to do.** Approve it; what a reader sees does not change, what a tokenizer sees does.
"""
