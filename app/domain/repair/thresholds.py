"""Cut-offs of the repair plan. Each says what it trades; none was fitted to a benchmark's labels."""

# Jaccard of character n-grams from which two prompts are one prompt written twice. Below 0.8 a short
# question with one other word ("weather in Rome", "weather in Oslo") would count.
NEAR_DUPLICATE_JACCARD = 0.8

# An action that is right with at least this probability is approved without a person ("confident").
CONFIDENT_SCORE = 0.8

# A majority decides a conflicting group when it holds at least this share of the group's rows.
MAJORITY_SHARE = 2 / 3

# An output that stands on this many rows is a label (or a canned answer), not a text of its own.
LABEL_MIN_ROWS = 3

# Rows looked at around a bad case or a row: enough to see a 50 % mixture, few enough to stay local.
NEIGHBORS = 8

# A label counts as contradicting a bad case from this many of its near rows, or when the model said it.
CONTRADICTING_NEIGHBORS = 2

# A person's expected answer weighs as much as this many rows of the training set.
ANCHOR_WEIGHT = 3.0

# Ridge penalty on unit vectors: one row's worth of every direction.
RIDGE_PENALTY = 1.0

# Rounds of expectation-maximisation; measured to settle in three.
EM_ROUNDS = 8

# A suspicious row still speaks a little for its own label: so a label that no bad case expects keeps
# its region.
SUSPECT_MIN_WEIGHT = 0.02

# A confusion rate below this is what clean labels at the border of two classes show, no defect.
NOISE_RATE_FLOOR = 0.05

# Word F1 by which a free text must be nearer to the wrong output than to the expected one.
SIDE_MARGIN = 0.2

# Cosine of prompts from which two free-text rows ask the same question in other words.
SAME_QUESTION_COSINE = 0.85

# How much of a prompt, an output or a neighbour goes into a reason.
EXCERPT_CHARACTERS = 80

# Rows around a bad case whose labels take part in the estimate.
REGION_NEIGHBORS = 50

# How often an anchor is found in its label's region when that region is the label's own.
ANCHOR_HIT_RATE = 0.9

# How much the diagnosis' own probability counts before the first anchor: even odds at least, and never
# so much that a single anchor cannot speak against it.
PRIOR_FLOOR = 0.5
PRIOR_CEILING = 0.95

# A label loses the most of its rows, and not about half of them, when chance would do so less often than this.
CEASING_BY_CHANCE = 0.05

# Agreement with the neighbours' labels, beyond chance, from which a label follows from the input. Two
# labels mixed half and half in one region reach about 0.45, the letters of multiple-choice tests about 0.
REGIONAL_KAPPA = 0.25

# Near-duplicate prompts of a task that differ in their answers at least this often, relative to any two
# of its prompts, are a template filled in twice; judged from this many pairs.
TEMPLATE_DISAGREEMENT = 0.6
TEMPLATE_MIN_PAIRS = 10

# How sure a rule is that the policy names (the newest row, the most trusted source): that it was chosen makes it
# confident, but dates and sources are right about documents, not about single rows.
RULE_SCORE = 0.85

# How far apart the qualities of two answers must be for the better one to be proposed.
QUALITY_MARGIN = 0.1

# A judge's word without a person's: more likely right than not, never confident.
JUDGE_SCORE = 0.7
JUDGED_SIDES = 4
JUDGED_CHARACTERS = 2000
JUDGED_DISPUTES = 200

# A task is searched for contradictions from this many rows on: two labels of the fewest rows that say where a
# label lies. What single rows contradict is learnt in larger tasks only.
CONTRADICTION_MIN_ROWS = 16

# From this probability on a row is called wrong, or in conflict.
CALLED_WRONG = 0.5

# Two rewritings of a row are merged word by word up to this many cells (words times words, a 64th of that
# in time: under a second); a changed place and the next one are one change when at most this many words and
# signs lie between them.
MERGE_MAX_CELLS = 400_000_000
MERGE_GAP_TOKENS = 2

# Rows whose text is the same to a reader after a rewriting: what is left are texts about encodings and spaces.
NORMALISE_SCORE = 0.99

# What most of a set does is proposed for the rest from this share of at least so many places (or rows).
STYLE_MAJORITY = 0.8
STYLE_MIN_PLACES = 20
# Guesses at what a set's authors meant, times how much of the set agrees: below CONFIDENT_SCORE, always.
STYLE_SCORE = 0.75
LAYERING_SCORE = 0.7
ROLE_SCORE = 0.6
SAME_WORDS_SCORE = 0.75
SYSTEM_SCORE = 0.6

# Chinese counts as segmented with a space for every four characters, looked at from twelve characters.
SEGMENTED_MIN_CHARACTERS = 12
SEGMENTED_CHARACTERS_A_SPACE = 4

# An instruction shorter than this may be a word of the input; the commonest ones are looked for, each judged
# from this many rows.
LAYERING_MIN_CHARACTERS = 12
LAYERING_MAX_INSTRUCTIONS = 2_000
LAYERING_MIN_ROWS = 5

# Rows of a task from which its template is told; a row that stands among rows of its own template is another
# task. Rows compared at most.
TEMPLATE_MIN_ROWS = 10
TEMPLATE_NEIGHBOUR_SHARE = 0.5
TEMPLATE_SAMPLE = 4_000

# An output as long as this, found as another row's prompt, is no label.
SWAPPED_MIN_CHARACTERS = 12

# Two system prompts are one from this similarity (percent, Indel), with at most so many words left out, where
# the commoner one has this many times the rows; a word is a misspelling of another from MISSPELT_MIN_RATIO.
SYSTEM_MIN_RATIO = 85
SYSTEM_MAX_WORDS = 2
SYSTEM_MIN_RATE = 3
SYSTEM_MAX_PROMPTS = 2_000
MISSPELT_MIN_RATIO = 88

# How many masked values a reason shows.
PII_MASKED_SHOWN = 3

# Character n-gram Jaccard from which a row is the same prompt as a protected one. Lower than for
# near-duplicates: a row lost costs little, a held-back prompt that is trained on makes the fix rate a lie.
LEAKAGE_JACCARD = 0.7

# Where more of the training rows than this repeat the evaluation set, that set was most likely drawn from
# them: dropping them all is a person's decision.
LEAKAGE_MAX_SHARE = 0.5

# Protected prompts looked at around a row: the nearest one may differ in a number, the next one not.
LEAKAGE_NEIGHBORS = 4

# Rows near one protected prompt whose answers are compared, all with all: a template shows with a few.
LEAKAGE_TEMPLATE_ROWS = 12

# A row is seen at most this often after balancing: more is learnt by heart.
BALANCE_MAX_REPEATS = 4

# A group of fewer rows is an accident, not a task or a language that somebody taught.
BALANCE_MIN_ROWS = 5

# Copies in one action: a page of actions has to stay readable, for a person and for a browser.
BALANCE_ACTION_COPIES = 500

# Groups that a distribution names; the rest is "other".
BALANCE_SHOWN_GROUPS = 20

# Cosine of prompts' idf-weighted words from which two rows with one label ask alike: half of what the
# prompts say, by weight, is shared.
SIMILAR_PROMPT_COSINE = 0.5

# A replaced text shorter than this is a syllable: it stands in other rows for other reasons.
REPLACED_MIN_CHARACTERS = 4
# --- near-duplicates at scale ---
# Bins of a one-permutation MinHash, a power of two: the standard error of a Jaccard is .044 at worst.
SKETCH_BINS = 128

# Draws before an empty bin takes its neighbour's value: of a text that fills a third, one bin in eight is left.
SKETCH_DRAWS = 4

SKETCH_PART_ROWS = 5_000
# What is done with so many characters stays in a core's cache.
SKETCH_BATCH_CHARACTERS = 1 << 16

# Hash table of word counts: some hundred thousand words of a large set collide one time in ten.
WORD_BUCKETS = 1 << 22

# Bands of two values, as many as 128 bins give: a text with a fifth of its characters changed keeps a
# Jaccard of about .3 in shingles of three, and meets its original in a band 99.8 times of 100.
BAND_ROWS = 2

# Rows that follow in a band's order and are looked at, however large a bucket.
BAND_NEIGHBORS = 4

# Of a template in a thousand versions more rows are near: those up to here are looked at, too.
FAR_BAND_NEIGHBORS = 16

# Of 16 values of the signatures so many have to agree before all are compared; of those further off more. Rows of a
# Jaccard of .3 pass nine times of ten, of .1 every second time (and every fourth).
NEAR_AGREEING = 3
FAR_AGREEING = 4

# Candidates that each row is compared with in full, the most alike first.
CANDIDATES_PER_ROW = 8

# Share of a Jaccard threshold that the estimate has to reach: it errs by a few hundredths, and in shingles of three
# texts look more alike than in those of five.
ESTIMATE_MARGIN = 0.9

# Estimated Jaccard below which nothing is compared: two standard errors under what a fifth of edits leaves.
CANDIDATE_JACCARD = 0.15

# Share of the characters in which two writings of one text may differ when every difference is a slip.
EDIT_SHARE = 0.25

# More than half of the characters in another form is another text.
MAX_EDIT_SHARE = 0.5

# Chance below which edits that hit one place so often were no slips but another word.
CONCENTRATED = 0.05

# Similarity 0..1 from which two words may be one word with a slip: "of" and "xf" have .5, "Rome" and "Oslo" .25.
SLIP_SIMILARITY = 0.5

# Words as short as this turn into each other by one slip ("the", "he"); longer ones seldom.
CHANCE_WORD_CHARACTERS = 3

# A word that stands this many times as often as its better-known twin is a slip of it, even where it repeats.
SLIP_RARITY = 0.05

# Share of the longer text that words without a counterpart may make up ("please", "thanks").
ADDED_SHARE = 0.05

# Words (or CJK characters) between one that is left out and one that is put in, where both may be one change: a name
# of three that lost its first and gained a last.
REPLACED_MAX_GAP = 2

# Answers of fewer characters are labels: near is not the same there.
FREE_ANSWER_CHARACTERS = 24

# Shares of running words: a word that is well known (one in a million), and one that is used now and then.
WELL_KNOWN_FREQUENCY = 1e-6
LISTED_FREQUENCY = 1e-7

# Share of a known word's frequency up to which what looks like it is a misspelling: "wether" has .003 of "whether".
MISSPELLING_RARITY = 0.01

# How much likelier (natural logarithm, 20 times) a text has to be with one Chinese character than with another in its
# place, or without it, so that it is a slip whatever the set knows.
LIKELIER = 3.0

# What a Chinese character costs a text in likelihood (natural logarithm) at most, where the text without it has half
# a word: a word more costs about 8.
LOST_COST = 2.0

# How many times as often as the word that it is part of a character stands alone that is meant so.
ALONE = 10

# Chinese characters on either side of a difference that are read with it.
READ_AROUND = 4

# Share of the different slips up to which small differences that would make another question are slips too: of a text
# with five misspelt words a sixth that happens to be another one.
CHANCE_SHARE = 0.2

# Letters (one character of Chinese) in which such a chance word differs at most.
CHANCE_LETTERS = 2

# Two rows of one answer are copies, and no two of a template, where at most this share of their letters differs, or
# where a letter or so differs in more places than a template is filled in.
FEW_LETTERS = 1 / 8
TEMPLATE_PLACES = 2

# Rows of one answer that a garbled row may stand for: itself, and a copy of that.
GARBLED_PARTNERS = 2
