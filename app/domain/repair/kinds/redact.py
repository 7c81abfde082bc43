"""Replace part of a row's text, such as a name or a number that should not be learnt.

**How it is decided.** The plan of a diagnosis proposes none by itself; an approved action of this kind replaces
the text of its rows by what it holds.

**What to do.** Say what stands in its place, the same in all rows, so that sentences stay whole.
"""
