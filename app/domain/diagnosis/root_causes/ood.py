"""Out of distribution: no training row covers what the case asks, so the model guesses.

**How it is decided.** By how far the prompt is from the training rows in several views, relative to how far
rows of the same task are from each other, by new terms, length and sentence pattern, and by whether near rows
support the expected output. What counts as far is learnt from the training set itself: regions of it are left
out and looked at as if they were cases. Cases just outside a covered region are the difficult ones; the
finding shows the nearest rows, the percentile of the distance and the terms that no training prompt holds.

**What to do.** Add rows of the kind, real ones first, and mix them with replay. Until then solved examples in
the prompt help at once. Where the answer needs facts that no row holds, retrieval is the place for them.
"""
