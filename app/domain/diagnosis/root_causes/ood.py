"""Out of distribution: no training row covers what the case asks, so the model guesses.

**How it is decided.** Eleven measures say how far the prompt is from the training rows: the cosine to the nearest
row, to the nearest five and to all near rows; shared wording; the Mahalanobis distance to its task as one cloud
and to the nearest group of answers in it; short and long letter sequences that no row has, and how unusual they
are; how well the best label fits; length. Each is read as a percentile against the rows of the same task, every
row measured as if it had been left out. Where outputs are labels, it counts most whether the expected label was
ever taught. What combination means uncovered is learnt from the training set itself: in six worlds made of it,
labels, corners of a task and whole tasks are taken out, and their rows become cases whose cause is known. A
linear and a monotone model of trees are fitted to these, for labels and for free answers apart; their mean is
the probability. Cases just outside a covered region are the difficult ones. The finding shows the nearest rows,
the terms that no training prompt holds, a label that no row has, and by how many of the measures the case lies
further out than nine of ten rows.

**What to do.** Add rows of the kind, real ones first, and mix them with replay. Until then solved examples in
the prompt help at once. Where the answer needs facts that no row holds, retrieval is the place for them.
"""
