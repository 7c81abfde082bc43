"""All cut-offs of the domain in one place, each with its reason.

What tells one root cause from another is *not* here: it is learnt from the user's own training set
(``app.domain.diagnosis.calibration``). Here stand sizes, resolutions and definitions.
"""

from typing import Final

# --- text -------------------------------------------------------------------------------------------
TEXT_MAX_CHARACTERS: Final = 4000
"""Longer texts are compared by head and tail: sentence encoders read a few hundred words at most."""

INSTRUCTION_MIN_ROWS: Final = 2
"""One row's own wording is not a task instruction."""

INSTRUCTION_MIN_SHARE: Final = 0.02
"""Share of the prompts that must begin with the same first line before it counts as an instruction."""

# --- similarity -------------------------------------------------------------------------------------
MINHASH_PERMUTATIONS: Final = 128
"""Standard error of a Jaccard estimate: sqrt(J(1-J)/128), .044 at worst."""

SIGNATURE_CHUNK: Final = 2000

CHARACTER_NGRAM_LATIN: Final = 5
CHARACTER_NGRAM_CJK: Final = 2
"""A Chinese word is about two characters: five of them would be a clause."""

NEAR_DUPLICATE_JACCARD: Final = 0.7
"""Character n-gram Jaccard from which two texts count as the same text with small edits (Lee et al. 2022)."""

CLOSED_ANSWER_MAX_TOKENS: Final = 3
"""Answers this short (yes, 42, a name) are compared as labels: they have no wording to vary."""

FINAL_ANSWER_MAX_TOKENS: Final = 8
"""A last line longer than this is a sentence of the text, not its final answer."""

UNRELATED_QUANTILE: Final = 0.99
"""Random pairs of outputs are taken as unrelated; above this quantile of their cosines few are."""

SAME_MEANING_COSINE_WITHOUT_DATA: Final = 0.8
"""Only where there are no two outputs to learn the cut from."""

# --- diagnosis --------------------------------------------------------------------------------------
NEIGHBORS: Final = 24
"""Training rows looked at around a case; eight of them are shown."""

CALIBRATION_SAMPLE_ROWS: Final = 5000
"""Training rows that are looked around with themselves left out: enough for a .99 quantile by task."""

RELEVANCE_PAIRS_PER_ROW: Final = 12
RELEVANCE_MIN_PAIRS: Final = 40
RELEVANCE_COPY_SHARE: Final = 0.05
"""Share of made-up copies among the pairs: a set without near-duplicates teaches nothing about them."""

BASELINE_MIN_ROWS: Final = 40
"""Below this a task's own quantiles are noise."""

RANK_FLOOR: Final = -10.0
"""Log-odds at which far is far enough: 1 in 20,000."""

SIMULATED_CASES: Final = 1500
"""Simulated cases of each root cause."""

SIMULATED_COPIED_ANSWERS: Final = 0.7
"""Share of simulated wrong answers that a near row gives; the rest stand nowhere near."""

SIMULATED_OOD_ROUNDS: Final = 16
"""Times that something is taken out of the training set."""

UNDETERMINED_BELOW: Final = 0.42
"""Largest probability under which no cause is named; evenly split thirds would be .33."""

SHOWN_NEIGHBORS: Final = 8

# --- serving mismatch: probabilities that this alone explains the failure -----------------------------
SYSTEM_MISMATCH_STRENGTH: Final = 0.85
"""When every training row has one other system prompt: LoRA binds behaviour to it."""

SERVING_MIN_STRENGTH: Final = 0.1
"""Differences that some tenth of the training rows share say nothing."""

PROMPT_LOST_STRENGTH: Final = 0.95
"""The model cannot answer what it was not asked."""

FORMAT_RULE_SHARE: Final = 0.9
"""Share of the rows from which a habit of the training set is a rule."""

INSTRUCTION_LOST_STRENGTH: Final = 0.85
NO_TEMPLATE_STRENGTH: Final = 0.8
CUT_OFF_STRENGTH: Final = 0.9
CUT_OFF_WRONG_STRENGTH: Final = 0.3
"""The part that was given was wrong already: more tokens would not have helped."""

STOP_STRENGTH: Final = 0.95
STOP_POSSIBLE_STRENGTH: Final = 0.3
HOT_TEMPERATURE: Final = 1.0
HOT_MAX_STRENGTH: Final = 0.6

# --- symptoms ---------------------------------------------------------------------------------------
GIBBERISH_BROKEN_SHARE: Final = 0.02
"""Replacement characters: one in fifty is no typing error."""

GIBBERISH_MIN_BIGRAMS: Final = 15
GIBBERISH_MIN_KNOWN: Final = 250
GIBBERISH_UNSEEN_SHARE: Final = 0.5

REPETITION_NGRAM: Final = 4
REPETITION_SHARE: Final = 0.35
"""Human text repeats a few per cent of its 4-grams (Welleck et al. 2020); a loop nearly all."""

REPETITION_MARGIN: Final = 0.2

LANGUAGE_MIN_LETTERS: Final = 6
LANGUAGE_SHARE_GAP: Final = 0.6
"""Difference of the CJK shares of two texts' letters; names and terms stay well below."""

UNKNOWN_SHARE: Final = 0.5
UNKNOWN_MIN_VOCABULARY: Final = 200
"""Words a training set must hold before a word it lacks says anything."""

LABEL_TASK_SHARE: Final = 0.5
"""Share of rows whose output repeats from which a set is about labels."""

# --- judging ----------------------------------------------------------------------------------------
SIMULATED_MIN_CASES: Final = 12
"""Of each cause; below this nothing is learnt and the verdicts stay cautious."""

JUDGE_C: Final = 0.3
"""Inverse strength of the ridge penalty on standardised features."""

JUDGE_DOUBT: Final = 0.02
"""Share of the probability that is split evenly: simulated causes are cleaner than real ones."""

UNLEARNT_DOUBT: Final = 0.3
"""Share of the probability that is split evenly where nothing could be learnt."""

OVERRIDE_WEIGHT: Final = 25.0
"""A person's verdict on a real case weighs as much as this many simulated ones ..."""

OVERRIDE_MAX_SHARE: Final = 0.5
"""... but all of them together at most half of the simulated ones."""

NEITHER_SIDE_WEIGHT: Final = 0.5
"""A row with a third answer contradicts, but explains the wrong one less than a row that gives it."""

SHOWN_SUPPORTERS: Final = 2
"""Rows on the expected side that a conflict finding shows at least, so that both sides are seen."""

CREDIBLE_SHARE: Final = 0.6
"""A row is shown as one that contradicts, or supports, where it weighs this share of the weightiest."""

ASKS_THE_SAME: Final = 0.25
"""Relevance below which no row counts as one that should agree, however far the others are; where rows agree by
chance, the kappa."""

SPEAKS_FOR_CONFLICT: Final = 0.15
"""Probability of a conflict from which a finding shows the contradicting pair, whatever its verdict."""

SHOWN_DIFFERENCES: Final = 6
"""More is no difference but another text."""

# --- clusters ---------------------------------------------------------------------------------------
CLUSTER_MAX_CASES: Final = 10_000
"""More are assigned to the clusters of these: the search for dense regions is quadratic."""

CLUSTER_CUT_QUANTILES: Final = (0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Quantiles of the pairwise distances tried as the cut; the best silhouette wins."""

SAME_VECTOR_DISTANCE: Final = 1e-4
CLUSTER_EXEMPLARS: Final = 3
CLUSTER_KEYWORDS: Final = 8
STOP_WORDS: Final = frozenset(
    (  # noqa: SIM905
        "the and for that this with you your are was were have has had can could would will what when where "
        "which who how why not but from into its our out about please tell does did they them their there been "
        "any all get got want need some just like make many much than then also "
        "怎么 什么 可以 我的 多少 一个 一下 请问 哪里 怎样 如何 没有 已经 这个 那个 还是 不能 我想 为什 么时"
    ).split(" ")
)
"""Function words of English and Chinese (as bigrams): they name no cluster."""

# --- training defaults ------------------------------------------------------------------------------
HARD_SHARE_FOR_RANK: Final = 0.4
RANK: Final = 16
RANK_HARD: Final = 32
EPOCHS: Final = 2
EPOCHS_HARD: Final = 3
LEARNING_RATE: Final = 5e-4
LEARNING_RATE_LARGE_SET: Final = 2e-4
LARGE_TRAINING_SET_ROWS: Final = 20_000

# --- interleaving -----------------------------------------------------------------------------------
INTERLEAVING_NEIGHBORS: Final = 3
INTERLEAVING_PRIOR: Final = 1.0
"""Crossings added to what chance gives: one stray row of a side is no mixture."""

INTERLEAVED: Final = 0.6
"""From here two sides stand among each other rather than apart (1 = as at random)."""

INTERLEAVING_CHUNK: Final = 256

# --- simulation -------------------------------------------------------------------------------------
SIMULATED_MAX_WEIGHT: Final = 5.0
COVERED_ABOVE: Final = -4.6
"""Log-odds of the five-neighbour percentile (.01): rows below are outliers of the set, covered by nothing. Of a
larger share left out, the judge would learn that whatever has few near rows is uncovered."""

UNCOVERED_BELOW: Final = -2.2
"""Log-odds (.1): a corner whose rows stay better covered than a tenth of the set is not out."""

SIMULATED_HARD_WITH_COPIES: Final = 0.3
SIMULATED_WRONG_COPIES: Final = 0.6
SIMULATED_SIDED: Final = 0.8
"""Share of simulated conflicts in which the contradicting rows say what the model said."""

TURNABLE_SUPPORTERS: Final = 2


# --- references ---------------------------------------------------------------------------------------
SPARE_NEIGHBORS: Final = 64
"""Looked up once for every sampled row: in a simulated world some of them are left out."""

SKETCH_ORDER: Final = 3
SKETCH_BINS: Final = 128
"""A power of two. Standard error of a Jaccard estimate as with so many permutations, .044 at worst."""

NOVELTY_ORDERS: Final = (3, 5)
"""A Chinese word is about two characters, an English stem about five."""

LEXICON_BUCKETS: Final = 2**22
"""Hash table of n-gram frequencies: a million distinct n-grams collide one time in four at most."""

LABEL_RIDGE: Final = 1.0
"""Ridge of the label model in units of one row: the vectors have norm 1."""

LABEL_TEMPERATURES: Final = (0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2, 0.4, 1.0)
LABEL_CHUNK: Final = 2048
CONFUSION_ROWS: Final = 20_000
"""Rows that tell which labels are taken for each other: as many as worlds are made of; rows of one label repeat
what its first hundreds say."""

LABEL_CHANCE_FLOOR: Final = 1e-3
LABEL_ODDS_LIMIT: Final = 5.0
CONFUSION_FLOOR: Final = 1e-3
MAX_LEVERAGE: Final = 0.999
"""A row that alone holds up its own prediction says nothing about itself."""

COVARIANCE_SHRINKAGE: Final = 0.01
CLOUD_MIN_ROWS: Final = 40

WORLDS: Final = 6
MOST_WORLDS: Final = 24
WORLD_ROWS: Final = 6000
"""Rows of all worlds together that are enough for small sets."""

WORLD_SAMPLE_ROWS: Final = 2500
"""Rows of a world whose own measures say what is normal in it."""

SPLIT_MIN_ROWS: Final = 12
SPLIT_SHARE: Final = 0.08
SPLIT_CASES: Final = 10
"""A third of a label's rows at most. Compared with 6 in docs/experiments.md, "Small sets"."""

TURNED_SUPPORTERS: Final = 8
MAX_COPIES: Final = 4
SIMULATED_TAKEN_FOR: Final = 0.5
"""Share of labelled cases whose wrong output is what a label model would say, as a trained model does."""

JUDGE_TREES: Final = 80
OPPOSING_ODDS_BELOW: Final = -0.5
"""Log-odds from which a near row looks as much like the case's label as like its own: no plain hard case."""

EDIT_MIN_JACCARD: Final = 0.5
"""Texts that overlap less are no copies of each other, whatever differs."""

EDIT_MAX_TOKENS: Final = 400

PLACED_KAPPA: Final = 0.2
"""Agreement beyond chance of the label model, left out, from which a task's labels have a place."""

SIMULATION_ROWS: Final = 20_000
"""Of larger sets a random part is simulated in: what the causes look like does not need more."""

INDEXED_ROWS: Final = 400_000
"""From so many training rows on they are searched by an index: at 150,000 building and asking it took twice as long
as to look around all sampled rows exactly."""

GRAM_CHUNK: Final = 5_000
TURNED_SHARE: Final = 0.06
"""Share of a task's rows that are turned in one world: the rest must stay what it is."""
# --- pairs ------------------------------------------------------------------------------------------
DIFFERENCE_MAX_CHARACTERS: Final = 1000
"""What differs is named word by word: past a paragraph that is no evidence but an edit script."""

PAIR_CHUNK: Final = 20_000

NAME_MAX_SHARE: Final = 0.5
"""Where more than half of the words are capitalised, capitals mark a headline and no names."""

DENSITY_NEIGHBORS: Final = 10
"""Near texts whose mean cosine says how crowded a text's surroundings are (Conneau et al. 2018, CSLS)."""

MIXTURE_MIN_PAIRS: Final = 200
"""Fewer pairs show no two humps: then the cut is the one between unrelated and equal."""

DIFFERENCE_WEIGHT: Final = 0.3
"""Standard deviations of closeness that a telling difference (number, negation, name, direction) is worth."""

MEANING_TREES: Final = 50
MEANING_LEAVES: Final = 8
MEANING_LEAF_PAIRS: Final = 20
"""Small trees: what is learnt is a smooth ranking of near pairs, and it is learnt from some hundred positives."""

MEANING_BINS: Final = 96

MEANING_MAX_PAIRS: Final = 10_000
"""Pairs a model is fitted on; a ranking of some twenty columns is settled long before."""

OPPOSING_PER_ROW: Final = 6
COMPANY_SLOTS: Final = 3
"""Rows with a row's own output that speak for it: the nearest, then any others."""

MOVED_SHARE: Final = 0.05
MOVED_ROUNDS: Final = 8
"""Rows whose output is swapped with another row's, to see what a contradiction looks like in this set."""

MOVED_MAX_ROWS: Final = 400
"""A round; more teach nothing new about what a contradiction looks like."""

REPEAT_CONTRADICTS: Final = 0.95
"""The same text under two labels: rarely, both are right."""

CONFLICT_FOLDS: Final = 3
CONFLICT_STEPS: Final = 3
CONFLICT_MIN_ROWS: Final = 60
"""Below this nothing is learnt about a set's contradictions."""

LABEL_MIN_ROWS: Final = 8
"""Of fewer rows, one stray is a share that looks like a mixture."""
LABEL_SAMPLE_ROWS: Final = 60
"""Rows of a label that are compared one by one with another label's."""

LABEL_PARTNERS: Final = 12
SAME_LABEL_SCORE: Final = 0.5
"""Halfway between two populations apart (0) and mixed as at random (1)."""

ONE_QUESTION_WORDS: Final = 0.8
"""Rarity-weighted share of words from which two prompts with the same numbers ask one thing."""

CHOICE_MAX_TOKENS: Final = 4
ROUNDING: Final = 0.02
"""Relative difference that two people's rounding explains."""

ANSWERS_CONTRADICT: Final = 0.9
"""Probability that two free answers with another final number, choice or order contradict each other."""

SHOWN_OPPOSITION: Final = 0.1
"""Probability from which a row is shown as one that contradicts another."""

SAME_LABEL_CONFUSION: Final = 0.05
"""Share of a label's rows that are taken for another one, both ways, from which the two are named as a group."""

# --- label words --------------------------------------------------------------------------------------
LABEL_WORD_BUCKETS: Final = 2**20
"""Hash table of the n-grams of labelled prompts; these are few thousand kinds of short texts."""

LABEL_WORD_PRIOR: Final = 20.0
"""Rows of the whole set that are added to each label's own before its n-grams are read as likelihoods."""

JUDGE_APART_C: Final = 0.003
"""Like ``JUDGE_C``, of what weights of measures of one thing have beyond a common weight."""

JUDGE_LINEAR_SHARES: Final = (2 / 3, 1 / 3)
"""Say of the linear opinion, the trees have the rest: on whether a case is covered, where many measures of one
thing are best averaged, and on whether it is contradicted, where one strong sign is enough."""
