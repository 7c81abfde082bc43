"""What the API takes and gives.

Written by ``scripts/generate.py``: change what it is written from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Given(BaseModel):
    """What the API gives; fields of a newer service are kept."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class Taken(BaseModel):
    """What the API takes; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


ActionKind = Literal["drop", "relabel", "merge", "normalise", "redact", "add", "upsample"]
"""What an action does to its rows."""


Agreement = Literal["expected", "model_output", "neither"]
"""Which side of a bad case a training row's output is on."""


Approval = Literal["policy", "manual"]
"""Who decides on the repair plan: the policy (actions it is confident of), or a person."""


BalanceBy = Literal["task", "language"]


CaseChange = Literal["new", "changed", "unchanged", "fixed", "gone"]


CaseField = Literal[
    "prompt",
    "system",
    "input",
    "model_output",
    "expected_output",
    "alternatives",
    "failure_type",
    "external_id",
    "model",
    "tags",
    "occurred_at",
]
"""What a record can say about a bad case. ``prompt`` is a text or a list of messages."""


Certainty = Literal["text", "quantity", "json", "tool_call", "final_answer", "alternative"]
"""By what two answers are the same."""


Curriculum = Literal["shuffled", "easy_to_hard", "general_first"]
"""``easy_to_hard`` trains short answers first (curriculum learning, Bengio et al. 2009).
``general_first`` trains the replay rows first and the targeted ones after them.
"""


Decision = Literal["proposed", "approved", "rejected", "applied"]
"""Where an action stands. ``applied`` is final."""


DeliveryState = Literal["received", "applied", "ignored", "failed"]
"""``received``: not understood yet. ``ignored``: well formed, and nothing in it was for us."""


DeliveryStatus = Literal["pending", "succeeded", "dead"]
"""``dead``: given up; somebody may ask for another round."""


DifferenceKind = Literal["number", "negation", "entity", "direction", "words"]


MixtureStrategy = Literal["full", "targeted_replay", "quick_check"]
"""``full``: every repaired row, targeted ones brought up to a share. ``targeted_replay``: the targeted
rows and a share of others (``replay_share``). ``quick_check``: five replay rows for each targeted
one, to see in minutes whether a fix takes.
"""


NewsType = Literal[
    "diagnosis.succeeded",
    "diagnosis.failed",
    "repair.awaiting_approval",
    "training_job.succeeded",
    "training_job.failed",
    "verification.succeeded",
    "verification.failed",
    "cycle.succeeded",
    "cycle.failed",
]


NormalisationRule = Literal[
    "encoding",
    "characters",
    "special_tokens",
    "width",
    "spaces",
    "punctuation",
    "punctuation_width",
    "chinese_spaces",
    "quotes",
    "layering",
    "templates",
    "roles",
    "system_prompts",
]
"""Each rule's actions carry ``normalise_<rule>`` as their evidence's rule."""


Order = Literal["desc", "asc"]
"""``desc``: the newest first."""


Origin = Literal["webhook", "upload", "pull", "push"]


Outcome = Literal["created", "updated", "unchanged", "rejected"]


Over = Literal["pairs", "inputs", "outputs"]
"""What has to be near: prompt and answer, the prompt whatever the answer, or the answer alone."""


PiiKind = Literal[
    "credential", "email", "iban", "id_card", "bank_card", "ssn", "phone", "ip", "address", "name"
]


PiiMode = Literal["redact", "replace", "off"]
"""``redact``: the kind in brackets stands in its place. ``replace``: an invented value of the same
shape, the same for the same value in all rows. ``off``: nothing is looked for.
"""


QualityComponent = Literal["relevance", "information", "format", "safety", "consistency"]


Questions = Literal["go_on", "wait"]
"""What a cycle does while its plan asks a person: go on without the rows in question, or wait."""


Reading = Literal["not_learned", "learned_wrong", "unstable", "prefers_expected", "unclear"]
"""What the signals of an adapter come down to.

``not_learned``: the near training rows cost more than others: the training did not reach them.
``learned_wrong``: the near rows are learnt, and the wrong answer is cheaper than the expected one.
``unstable``: asked again, the model answers otherwise. ``prefers_expected``: the expected answer is
the cheaper one: look at sampling and the request. ``unclear``: none of these.
"""


RepairPolicyApproval = Literal["all", "confident", "none"]
"""Which actions need no person: all that a rule decided, the confident ones, none."""


ReportFormat = Literal["json", "html", "md", "csv"]


ResolutionRule = Literal[
    "expected_output", "majority", "best_quality", "newest", "source_priority", "judge", "drop", "ask"
]
"""How a conflicting group is settled; the first rule of a policy that can decide does."""


Role = Literal["reader", "contributor", "maintainer", "admin"]
"""What a key may do; each role may do all that the ones before it may."""


RootCause = Literal["ood", "conflict", "hard", "serving_mismatch", "undetermined"]
"""Why a bad case fails. ``serving_mismatch`` is looked at first: then nothing in the data is wrong."""


Scheduler = Literal["linear", "cosine", "constant"]


Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


StrategyName = Literal["expected_answers", "surface_variants", "pool", "paraphrase", "chain_of_thought"]


Symptom = Literal[
    "gibberish",
    "repetition",
    "truncation",
    "format_violation",
    "refusal",
    "wrong_language",
    "missing_knowledge",
    "copied_training_output",
    "empty",
    "run_on",
    "forgetting",
]
"""What is visibly wrong with a model output."""


TrainingMethod = Literal["sft", "dpo"]
"""``dpo`` prefers a row's answer to its ``rejected`` one (Rafailov et al. 2023)."""


Trend = Literal["new", "growing", "steady", "shrinking", "fixed", "came_back"]


Uncertain = Literal["keep_out", "stop", "keep"]
"""What becomes of a row while nobody has said whether what it holds is personal data. ``keep_out``: it
is not trained on. ``stop``: nothing is, the cycle waits for the answer. ``keep``: it is trained on
as it is.
"""


Use = Literal["use", "review", "drop"]


Veto = Literal["secret", "toxic", "loop", "broken_json"]


class ActionCount(Given):
    actions: int
    decision: Decision
    kind: ActionKind
    reverted: int
    """Of these, how many were taken back."""
    rule: str


class Adapter(Given):
    base_model: str
    card: dict[str, Any]
    checkpoint_step: int | None
    """Set: not what its training came to, but its state after this step."""
    created_at: datetime
    gate: str | None
    id: str
    name: str
    object: Literal["adapter"] = "adapter"
    size_bytes: int
    training_job_id: str | None
    uri: str
    """Address in the artifact store."""


class AdapterEvidence(Given):
    """What the adapter itself makes of the case. Losses are mean negative log-likelihoods of an answer's
    tokens in nats, 0 = certain; null where there is no such answer.
    """

    expected_loss: float | None
    first_token_entropy: float | None
    """Nats; 0 = sure of the first tokens."""
    modal_answer: str | None
    """The most frequent of the samples."""
    modal_share: float | None
    near_rows_loss: float | None
    """Median of the nearest training rows."""
    reading: Reading
    samples: int
    """How often it was asked again."""
    says_the_recorded_output: bool | None
    """Whether that is the recorded wrong answer."""
    sentence: str
    """The reading in words."""
    training_rows_loss: float | None
    """Median of rows of the whole training set."""
    wrong_loss: float | None


class AddedActions(Given):
    added: int
    data: list[RepairAction]
    left_out: int
    """How many more rows it fits, beyond the limit."""
    modelled_on: str
    object: Literal["added_actions"] = "added_actions"
    repair_id: str
    revision: int
    """Of the repair, now."""


class AgreementRate(Given):
    agreed: int
    high: float
    low: float
    """Lower end of the 95 % interval (Wilson)."""
    n: int
    rate: float | None
    """agreed / n; null for n = 0."""


class Alias(Given):
    adapter_id: str
    created_at: datetime
    """Since when it does."""
    name: str
    object: Literal["alias"] = "alias"
    reason: str
    """Why it stands for this adapter: accepted by a cycle, set by a person ..."""


class Aliases(Given):
    data: list[Alias]
    object: Literal["list"] = "list"


class Answer(Given):
    correct: bool
    example_id: str
    expected_output: str
    id: str
    metadata: dict[str, Any]
    object: Literal["answer"] = "answer"
    output: str
    prompt: str
    prompt_messages: list[dict[str, Any]]
    """The prompt as a bad case's messages."""
    score: float
    source_id: str | None


class Augmentation(Given):
    attempts: int
    cancel_requested: bool
    created_at: datetime
    cycle_id: str | None
    dataset_version_id: str
    diagnosis_id: str
    error: dict[str, Any] | None
    finished_at: datetime | None
    id: str
    object: Literal["augmentation"] = "augmentation"
    options: dict[str, Any]
    progress: float
    result_version_id: str | None
    started_at: datetime | None
    status: Status
    summary: dict[str, Any] | None


class AugmentationOptions(Taken):
    """What is added for the cases that lack rows."""

    excluded_dataset_version_id: str | None = None
    """Version whose prompts are never added, such as an evaluation set."""
    llm_available: bool = True
    """False: no language model is asked, though one is configured."""
    paraphrases_per_case: int = 4
    pool_dataset_version_id: str | None = None
    """Version whose rows may be added."""
    pool_rows_per_case: int = 3
    seed: int = 0
    strategies: list[StrategyName] | None = None
    """Besides the expected answers, which are always added. Surface variants are left to those who ask for
    them: they teach robustness, not answers.
    """
    variants_per_case: int = 2


class BadCase(Given):
    adapter_id: str | None
    alternatives: list[str]
    created_at: datetime
    expected_output: str | None
    external_id: str | None
    id: str
    messages: list[dict[str, Any]]
    metadata: dict[str, Any]
    model: str | None
    model_output: str
    object: Literal["bad_case"] = "bad_case"
    occurred_at: datetime | None
    request: dict[str, Any] | None
    revision: int
    source: str | None
    tags: list[str]
    updated_at: datetime


class BadCaseInput(Taken):
    """``messages`` (the prompt's turns), or ``instruction`` with an optional ``input``.

    ``model_output`` may be missing, null or empty where the model said nothing or nobody wrote it down:
    the verdict then comes from the rest. An answer may be an object, a list or a number, such as the
    call of a tool: it is kept as its JSON text. An acceptable output that equals it makes the case
    ``rejected``.
    """

    adapter_id: str | None = None
    alternatives: list[str | bool | int | float | dict[str, Any] | list[Any]] | None = None
    expected_output: str | bool | int | float | dict[str, Any] | list[Any] | None = None
    external_id: str | None = None
    input: str | None = None
    instruction: str | None = None
    messages: list[Turn] | None = None
    metadata: dict[str, Any] | None = None
    model: str | None = None
    model_output: str | bool | int | float | dict[str, Any] | list[Any] | None = None
    occurred_at: datetime | None = None
    request: Serving | None = None
    source: str | None = None
    tags: list[str] | None = None


class BadCaseItems(Taken):
    """Items are checked one by one: what is wrong with one is said in its place of the answer."""

    items: list[Any]


class BadWhen(Taken):
    """Only records that say so are bad cases."""

    path: str
    values: list[str | bool | int | float]
    """The field, or one element of it, is one of these; case does not count."""


class BalancePolicy(Taken):
    """A group of n rows gets the share n^alpha / sum of all groups' n^alpha."""

    alpha: float = 0.6
    by: BalanceBy = "task"


class Bar(Taken):
    """What an action has to reach."""

    approve: RepairPolicyApproval = "confident"
    min_score: float = 0.8
    """Counts where ``approve`` is ``confident``."""


class CaseFilterInput(Taken):
    """Every given condition must hold; none given means all bad cases of the project."""

    adapter_id: str | None = None
    external_id: str | None = None
    has_expected: bool | None = None
    model: str | None = None
    source: str | None = None
    tag: str | None = None


class CategoryChange(Given):
    after: int
    before: int


class ChangeCounts(Given):
    added: int
    changed: int
    removed: int


class ChangedRow(Given):
    action_id: str | None
    after: dict[str, Any] | None
    before: dict[str, Any] | None
    """The row that was there: its turns, id and metadata."""
    example_id: str | None
    kind: Literal["added", "removed", "changed"]
    previous_example_id: str | None
    reason: str


class Cluster(Given):
    category_counts: dict[str, int]
    created_at: datetime
    diagnosis_id: str
    exemplar_ids: list[str]
    id: str
    keywords: list[str]
    label: str
    object: Literal["cluster"] = "cluster"
    size: int
    trend: dict[str, Any] | None
    """Against the dataset's diagnosis before: trend (new, growing, steady, shrinking, came_back),
    size_before, before_id, since. Null where there was none.
    """


class ClusterTrend(Given):
    """``cluster_id`` is of the later diagnosis; where the trend is fixed, of the earlier one."""

    before_id: str | None
    cluster_id: str
    label: str
    since: str | None
    """Came back: the diagnosis in which it was last seen."""
    size: int
    size_before: int
    trend: Trend


class ComparedCase(Given):
    after: RootCause | None
    bad_case_id: str
    before: RootCause | None
    change: CaseChange
    """fixed: its output is right now; gone: it is not in the later diagnosis."""
    external_id: str | None


class Comparison(Given):
    """What became of cases and clusters between two diagnoses."""

    after_id: str
    before_id: str
    by_category: dict[str, CategoryChange]
    case_counts: dict[str, int]
    cases: list[ComparedCase]
    cluster_counts: dict[str, int]
    clusters: list[ClusterTrend]
    object: Literal["comparison"] = "comparison"


class ConflictEvidence(Given):
    """Which near rows contradict. What is optional here is left out unless a conflict is likely enough to
    show.
    """

    contradicting_pair: ContradictingPair | None = None
    counts: SideCounts | None = None
    label_groups: list[LabelGroup] | None = None
    most_relevant_contradiction: float = 0.0
    """Largest such probability of a row with another answer than the expected one."""
    on_neither_side: float = 0.0
    """Rows with a third answer."""
    on_the_expected_side: float = 0.0
    """Of these, rows with the expected answer."""
    on_the_model_output_side: float = 0.0
    """Rows with the model's wrong answer."""
    paraphrase: Paraphrase | None = None
    rows_that_should_agree: float = 0.0
    """Sum over all near rows, 0 or more."""


class ConfusableGroups(Given):
    """The two groups of answers nearest to the case."""

    closer_than: float | None
    """Share of the training rows with a larger margin."""
    labels: list[str]
    """The nearer one first."""
    margin: float
    """By how much the first is nearer, 0..2; 0 = not told apart."""
    similarities: list[float]
    """Of the nearest row of each."""


class ContradictingPair(Given):
    """Two near prompts whose answers exclude each other: the case and a training row."""

    differences: list[PairDifference] | None = None
    left: PairSide
    right: PairSide


class CreatedKey(Given):
    created_at: datetime
    hint: str
    """The first characters, to tell keys apart."""
    id: str
    name: str
    object: Literal["key"] = "key"
    role: Role
    secret: str
    """Shown this once; only its hash is kept."""


class Cycle(Given):
    adapter_id: str | None
    attempt: int
    attempts: int
    base_model: str
    before_adapter_id: str | None
    cancel_requested: bool
    cases: int
    created_at: datetime
    dataset_version_id: str
    error: dict[str, Any] | None
    finished_at: datetime | None
    id: str
    object: Literal["cycle"] = "cycle"
    policy: dict[str, Any]
    progress: float
    stage: str
    stages: list[CycleStage]
    started_at: datetime | None
    status: Status
    verdict: CycleVerdict | None


class CyclePolicy(Taken):
    """How a cycle is run."""

    approval: Approval = "policy"
    augmentation: AugmentationOptions | None = None
    before_adapter_id: str | None = None
    hold_back: float = 0.25
    """Share of each cluster's cases that is never trained on, so that the fix is measured on unseen cases."""
    max_attempts: int = 2
    """A further attempt is made while the fix rate is below ``target_fix_rate`` or the gate rejects the
    adapter.
    """
    mixture: MixtureRecipe | None = None
    pool_dataset_version_id: str | None = None
    questions: Questions = "go_on"
    """What happens while the repair plan asks a person: the rows in question are left out, or the cycle
    stands in the stage ``questions`` until every one is answered.
    """
    repair: RepairPolicy | None = None
    retention_dataset_version_id: str | None = None
    seed: int = 0
    target_fix_rate: float = 0.8
    training: Hyperparameters | None = None
    verification: VerificationOptions | None = None


class CycleStage(Given):
    finished_at: datetime | None
    name: str
    result_id: str | None
    started_at: datetime | None
    status: str


class CycleVerdict(Given):
    """Rates are 0..1, null where nothing could be judged. ``open_questions`` is null for cycles that ended
    before questions were counted.
    """

    fix_rate: float | None
    gate: Literal["accepted", "rejected", "inconclusive"]
    held_back_fix_rate: float | None
    open_questions: OpenQuestions | None = None
    reasons: list[str]
    retention: float | None


class Dataset(Given):
    created_at: datetime
    description: str | None
    id: str
    name: str
    object: Literal["dataset"] = "dataset"


class DatasetVersion(Given):
    content_hash: str
    """SHA-256 over the rows' record hashes in order."""
    created_at: datetime
    dataset_id: str
    id: str
    object: Literal["dataset_version"] = "dataset_version"
    parent_id: str | None
    recipe: dict[str, Any]
    rows: int
    statistics: dict[str, Any]


class Decided(Given):
    decided: int
    """How many actions were decided."""
    object: Literal["decisions"] = "decisions"
    repair_id: str
    revision: int
    """Of the repair, now."""


class DecisionPolicy(Taken):
    """Only proposed actions are decided, and only approved: what people decided stays, what is below stays
    proposed.

    An action that asks a person (``evidence["asks_person"]``) is only decided by its rule's own bar:
    who names the rule has read what it asks.
    """

    approve: RepairPolicyApproval = "confident"
    min_score: float = 0.8
    """Counts where ``approve`` is ``confident``."""
    rules: dict[str, Bar] | None = None
    """Rules that have a bar of their own."""


class DeliveredRow(Given):
    bad_case_id: str | None
    external_id: str | None
    reason: str | None
    record: str
    """Its key in the tool; empty where it could not be read."""
    status: str
    """created, updated, unchanged, withdrawn, rejected, skipped, outdated or unreadable."""


class Delivery(Given):
    """A message to a webhook. ``id`` is its `webhook-id`, the same on every attempt."""

    attempts: list[DeliveryAttempt]
    """The latest, oldest first."""
    created_at: datetime
    delivered_at: datetime | None
    id: str
    next_attempt_at: datetime | None
    object: Literal["webhook_delivery"] = "webhook_delivery"
    response_code: int | None
    """Of the last attempt."""
    status: DeliveryStatus
    subject_id: str
    """What the message is about."""
    type: NewsType
    webhook_id: str


class DeliveryAttempt(Given):
    at: datetime
    error: str | None
    milliseconds: int
    response_code: int | None
    """Null where no answer came."""


class Demand(Given):
    more_than: float | None = None
    """Share of the task's training rows with less."""
    value: int = 0
    """A count."""


class Diagnosis(Given):
    attempts: int
    calibration: dict[str, Any] | None
    """The thresholds, and how they were learnt."""
    cancel_requested: bool
    cases: int
    created_at: datetime
    cycle_id: str | None
    dataset_version_id: str
    error: dict[str, Any] | None
    finished_at: datetime | None
    id: str
    object: Literal["diagnosis"] = "diagnosis"
    options: dict[str, Any]
    progress: float
    started_at: datetime | None
    status: Status
    summary: dict[str, Any] | None
    """Once it has succeeded: by_category (counts) and roadmap (step, action, key_point, cost, gain)."""
    training_defaults: dict[str, Any] | None


class DiagnosisMap(Given):
    """Training rows and cases in two dimensions; near prompts lie near each other."""

    cases: PlacedCases
    dataset_version_id: str
    diagnosis_id: str
    examples: PlacedExamples
    groups: list[str]
    """Task instructions that training rows share."""
    object: Literal["map"] = "map"
    scale: int
    """x and y are whole numbers from 0 to this."""


class DiagnosisOptions(Taken):
    """``hold_back``: share of each cluster's cases that is never trained on. ``base_model``: the tuned
    model, whose chat template a request is compared with. ``adapter_id``: the adapter that failed; with
    it, findings say which rows taught the wrong answer and what the adapter itself makes of the case.
    ``judge``: whether the configured language model breaks near ties; it costs tokens.
    """

    adapter_id: str | None = None
    base_model: str | None = None
    hold_back: float | None = None
    judge: bool | None = None
    seed: int | None = None


class Diff(Given):
    added: list[ChangedRow]
    against: str | None
    changed: list[ChangedRow]
    counts: ChangeCounts
    """Over all pages."""
    dataset_version_id: str
    has_more: bool
    next_after: str | None
    object: Literal["diff"] = "diff"
    removed: list[ChangedRow]


class DryRun(Taken):
    """``sample``: the body as JSON, or as a text where it is CSV or JSON lines."""

    integration_id: str | None = None
    mapping: FieldMapping | None = None
    """Tried instead of the integration's."""
    sample: Any


class DuplicatePolicy(Taken):
    edit_share: float = 0.25
    """Share of the characters in which two writings of one text may differ; beyond half it is another
    text.
    """
    lenient: bool = False
    """Changed words need no other sign of a typo than that they are spread, whatever is answered."""
    meaning_cosine: float | None = None
    """Cosine of the vectors from which two rows say the same in other words; null: wording alone counts."""
    over: Over = "pairs"


class Evaluation(Given):
    adapter_id: str | None
    attempts: int
    base_model: str
    cancel_requested: bool
    created_at: datetime
    dataset_version_id: str
    error: dict[str, Any] | None
    finished_at: datetime | None
    id: str
    object: Literal["evaluation"] = "evaluation"
    options: dict[str, Any]
    progress: float
    started_at: datetime | None
    status: Status
    summary: dict[str, Any] | None


class EvaluationOptions(Taken):
    """How a model is asked."""

    max_new_tokens: int | None = None
    """Longest answer in tokens; null: from the longest expected answer."""


class Event(Given):
    created_at: datetime
    data: dict[str, Any]
    id: int
    object: Literal["event"] = "event"
    subject_id: str
    type: str


class Evidence(Given):
    """What a person checks a verdict by: neighbours first, then what speaks for each cause."""

    attribution: list[TaughtRow] | None = None
    """Rows that taught the wrong answer, most first; empty without an adapter."""
    conflict: ConflictEvidence | None = None
    hard: HardEvidence | None = None
    judge: JudgeEvidence | None = None
    """Left out where no language model was asked."""
    neighbors: list[Neighbor] | None = None
    """The training rows that decide."""
    ood: OodEvidence | None = None
    serving_mismatch: ServingEvidence | None = None
    symptoms: list[SymptomFinding] | None = None
    """What is visibly wrong."""


class Example(Given):
    content_hash: str
    desirable: bool | None
    """KTO: false where nobody should answer so; null where the row does not say."""
    id: str
    messages: list[dict[str, Any]]
    metadata: dict[str, Any]
    object: Literal["example"] = "example"
    position: int
    rejected: list[dict[str, Any]] | None
    source_id: str | None
    tools: Any = None


class FieldMapping(Taken):
    """Which field of the tool is which field of a bad case. What is left out is as the tool has it by
    default.
    """

    bad_when: BadWhen | None = None
    """Null: every record is a bad case (a model output that equals the expected one is refused all the
    same).
    """
    fields: dict[str, str | list[str]] | None = None
    """Of several paths, the first that holds something is taken."""
    tags: list[str] | None = None
    """Put on every case."""
    values: dict[str, dict[str, str]] | None = None
    """The tool's words for a field, and ours; what is not listed stays as it is."""


class Finding(Given):
    bad_case_id: str
    case: dict[str, Any]
    """The bad case as it was judged."""
    category: RootCause
    """The machine's verdict."""
    cluster_id: str | None
    confidence: float
    created_at: datetime
    diagnosis_id: str
    evidence: Evidence
    external_id: str | None
    held_back: bool
    """Kept out of every training, to measure the fix on."""
    id: str
    object: Literal["finding"] = "finding"
    overridden_at: datetime | None
    overridden_by: str | None
    override_category: RootCause | None
    """A person's verdict, kept beside the machine's."""
    override_note: str | None
    probabilities: dict[str, float]
    recommended_actions: list[dict[str, Any]]
    revision: int
    symptoms: list[str]


class FindingOverride(Taken):
    category: RootCause
    note: str | None = None


class GateSettings(Taken):
    """What an adapter must keep to be served."""

    max_degradation: float = 0.5
    """The share lost by the worst slice must be below it."""
    min_retention: float = 0.9
    """The retention mean must be above it."""


class HardEvidence(Given):
    """What makes a covered and consistent case hard, and whether its output is right after all."""

    adapter: AdapterEvidence | None = None
    answer_operators: Demand | None = None
    answer_steps: Demand | None = None
    answer_tokens: Demand | None = None
    confusable: ConfusableGroups | None = None
    """Null: the near rows agree."""
    looks_alike: bool = False
    """The output may say what the expected one says: a person is asked."""
    model_output_is_right: bool = False
    prompt_clauses: Demand | None = None
    prompt_constraints: Demand | None = None
    prompt_hops: Demand | None = None
    prompt_numbers: Demand | None = None
    prompt_options: Demand | None = None
    prompt_tokens: Demand | None = None
    reasons: list[HardReason] | None = None
    """Strongest first."""
    right_by: Certainty | Literal["judge"] | None = None
    """By what the output is right."""
    right_since: str | None = None
    """The same in words."""
    taught_by: list[str] = []
    """Ids of training rows that ask the very same and have the expected answer."""


class HardReason(Given):
    """Something in which the case asks for more than most rows of its task."""

    detail: str
    """One sentence."""
    kind: str
    """One of the counted demands, or 'confusable'."""
    percentile: float
    """Share of the training rows that are easier in this respect."""


class Hyperparameters(Taken):
    """How a LoRA run is set up. What is left out: what the diagnosis suggests, else the default.

    The defaults were measured on SmolLM2-135M-Instruct (800 to 1,000 short rows).
    """

    alpha: int = 32
    """Where only the rank is set, twice the rank."""
    batch_size: int = 16
    bf16: bool | None = None
    """null: where the device has it."""
    checkpoint_every_steps: int = 50
    """0: never."""
    dpo_beta: float = 0.1
    dropout: float = 0.0
    epochs: float = 2.0
    gradient_accumulation: int = 1
    keep_checkpoints: int = 0
    """How many adapters of ends of epochs, the newest ones, are kept beside the result to be asked."""
    learning_rate: float = 0.0005
    max_grad_norm: float = 1.0
    max_length: int = 1024
    """Prompt and answer, in tokens."""
    max_steps: int | None = None
    """null: as many as ``epochs`` give."""
    method: TrainingMethod = "sft"
    rank: int = 16
    scheduler: Scheduler = "linear"
    seed: int = 0
    shuffle: bool = True
    """False: rows in the order of the mixture, for a curriculum."""
    target_modules: Literal["all-linear"] | list[str] = "all-linear"
    """"all-linear" or names of modules, such as "q_proj"."""
    warmup_steps: int = 10
    weight_decay: float = 0.0


class Import(Given):
    attempts: int
    cancel_requested: bool
    created_at: datetime
    dataset_id: str
    dataset_version_id: str | None
    encoding: str | None
    """Of the upload's text, where one was named."""
    error: dict[str, Any] | None
    errors: list[RowProblem]
    """The first 1,000 rejected rows."""
    finished_at: datetime | None
    format: str
    id: str
    object: Literal["import"] = "import"
    progress: float
    rows_accepted: int
    rows_rejected: int
    rows_total: int
    """Rows read: accepted + rejected; of a failed import, until it failed."""
    started_at: datetime | None
    status: Status
    strict: bool


class Integration(Given):
    created_at: datetime
    has_token: bool
    id: str
    mapping: dict[str, Any]
    """In use: what you set, over what the tool has by default."""
    name: str
    object: Literal["integration"] = "integration"
    source_project: str | None
    tool: str
    url: str | None
    webhook_path: str
    """Where the tool posts; with the secret in the header."""


class IntegrationChange(Taken):
    mapping: FieldMapping | None = None
    source_project: str | None = None
    token: str | None = None
    url: str | None = None


class IntegrationDelivery(Given):
    attempts: int
    cancel_requested: bool
    counts: dict[str, int]
    """How many records, and what became of them."""
    created_at: datetime
    error: dict[str, Any] | None
    finished_at: datetime | None
    headers: dict[str, str]
    id: str
    integration_id: str
    note: str | None
    """Why there was nothing to do."""
    object: Literal["integration_delivery"] = "integration_delivery"
    origin: Origin
    progress: float
    received_at: datetime
    replay_of: str | None
    rows: list[DeliveredRow]
    """The first hundred, what went wrong before the rest."""
    size_bytes: int
    started_at: datetime | None
    state: DeliveryState
    status: Status
    tool: str


class IntegrationWithSecret(Given):
    created_at: datetime
    has_token: bool
    id: str
    mapping: dict[str, Any]
    """In use: what you set, over what the tool has by default."""
    name: str
    object: Literal["integration"] = "integration"
    secret: str
    """Sent by the tool as `X-Casemend-Secret`, or as a bearer token; shown this once."""
    source_project: str | None
    tool: str
    url: str | None
    webhook_path: str
    """Where the tool posts; with the secret in the header."""


class ItemError(Given):
    code: str
    message: str
    pointer: str
    """JSON pointer into the item; empty for the item as a whole."""


class JudgeAgreement(Given):
    """How often people's verdicts equal the judge's."""

    agreed: int
    by_category: dict[str, AgreementRate]
    """By the person's verdict."""
    high: float
    low: float
    """Lower end of the 95 % interval (Wilson)."""
    n: int
    object: Literal["judge_agreement"] = "judge_agreement"
    rate: float | None
    """agreed / n; null for n = 0."""


class JudgeEvidence(Given):
    """What a language model said where the verdict was a near tie."""

    agrees: bool
    """Whether that was the likeliest cause as measured."""
    model: str
    quote: str
    """The words that it decided by."""
    reason: str
    says_right: bool = False
    """It takes the output for as good as the expected one."""
    verdict: RootCause


class Key(Given):
    created_at: datetime
    hint: str
    """The first characters, to tell keys apart."""
    id: str
    name: str
    object: Literal["key"] = "key"
    role: Role


class LabelGroup(Given):
    """Two labels that are taken for each other: perhaps two names for one."""

    first_taken_for_second: float
    """Share of the first label's rows."""
    labels: list[str]
    """The expected one, then the one that the model gave."""
    score: float
    """Geometric mean of the two shares."""
    second_taken_for_first: float


class MapExample(Given):
    """A training row by its number on the map."""

    example_id: str
    index: int
    input: str
    output: str


class MapExamples(Given):
    data: list[MapExample]
    object: Literal["list"] = "list"


class Merge(Given):
    adapter_id: str
    attempts: int
    cancel_requested: bool
    created_at: datetime
    error: dict[str, Any] | None
    finished_at: datetime | None
    id: str
    object: Literal["merge"] = "merge"
    progress: float
    size_bytes: int | None
    started_at: datetime | None
    status: Status


class Mismatch(Given):
    """One way in which the request differs from the training rows."""

    detail: str
    """One sentence."""
    kind: str
    sent: str = ""
    """Excerpt of the request; empty where it has nothing."""
    strength: float
    """Probability that it explains the failure."""
    trained: str = ""
    """What the training rows have in its place."""


class Mixture(Given):
    attempts: int
    cancel_requested: bool
    content_hash: str | None
    counts: dict[str, Any] | None
    created_at: datetime
    cycle_id: str | None
    dataset_version_id: str
    diagnosis_id: str | None
    error: dict[str, Any] | None
    finished_at: datetime | None
    id: str
    object: Literal["mixture"] = "mixture"
    progress: float
    recipe: dict[str, Any]
    rows: int | None
    started_at: datetime | None
    status: Status


class MixtureRecipe(Taken):
    """How a mixture is made."""

    max_repeats: int = 4
    """A targeted row is seen at most this often."""
    order: Curriculum = "shuffled"
    parity: bool = True
    """In ``full``, an answer that the targeted rows bring in anew is seen as often as the median repeated
    answer is, as far as ``max_repeats`` allows.
    """
    replay_exponent: float = 0.6
    """1 keeps the sizes of the replay groups, 0 makes them equal."""
    replay_share: float = 0.3
    """Share of the rows of ``targeted_replay`` that are drawn from the rest."""
    seed: int = 0
    strategy: MixtureStrategy = "full"
    targeted_share: float = 0.08
    """Share of the rows as trained (repeats counted) that ``full`` brings the targeted rows up to, and
    ``parity`` new answers beyond.
    """
    targeted_weight: float = 1.0
    """Loss weight of a targeted row."""


class Neighbor(Given):
    """A training row near a bad case."""

    agrees_with: Agreement
    """Whose answer the row gives."""
    example_id: str
    input: str
    """The whole prompt."""
    output: str
    same_question: bool = False
    """For certain it asks what the case asks."""
    similarity: float
    """Cosine of the two prompts, -1..1."""


class NewAugmentation(Taken):
    dataset_version_id: str | None = None
    """The diagnosed version when left out."""
    diagnosis_id: str
    options: AugmentationOptions | None = None


class NewCycle(Taken):
    bad_case_ids: list[str] | None = None
    base_model: str
    dataset_version_id: str
    filter: CaseFilterInput | None = None
    policy: CyclePolicy | None = None


class NewDataset(Taken):
    description: str | None = None
    name: str


class NewDecision(Taken):
    answer: str | None = None
    """What the rows shall say instead of what is proposed: one of the answers in dispute or another. Only
    of a relabel or a merge, and only with the decision approved or proposed. Needed to approve an
    action with needs_answer.
    """
    decision: Decision


class NewDecisions(Taken):
    """Every action that meets all given conditions is decided: as ``decision`` says, or by ``policy``."""

    action_ids: list[str] | None = None
    current: Decision | None = None
    """Only actions that are decided like this now."""
    decision: Decision | None = None
    example_ids: list[str] | None = None
    """Only actions on these rows."""
    kind: ActionKind | None = None
    max_score: float | None = None
    min_score: float | None = None
    policy: DecisionPolicy | None = None
    reason: str | None = None
    """Only actions whose reason holds this text, whatever its case."""
    rule: str | None = None


class NewDiagnosis(Taken):
    bad_case_ids: list[str] | None = None
    dataset_version_id: str
    filter: CaseFilterInput | None = None
    options: DiagnosisOptions | None = None


class NewEvaluation(Taken):
    adapter_id: str | None = None
    """The bare base model answers when left out."""
    base_model: str
    dataset_version_id: str
    options: EvaluationOptions | None = None


class NewIntegration(Taken):
    mapping: FieldMapping | None = None
    name: str = "default"
    source_project: str | None = None
    token: str | None = None
    tool: str
    url: str | None = None


class NewKey(Taken):
    name: str
    role: Role


class NewMixture(Taken):
    dataset_version_id: str
    diagnosis_id: str | None = None
    recipe: MixtureRecipe | None = None


class NewRepair(Taken):
    """Of a diagnosis, or of a dataset version alone, which is audited without bad cases."""

    dataset_version_id: str | None = None
    diagnosis_id: str | None = None
    evaluation_dataset_version_id: str | None = None
    """Rows that repeat one of this dataset version are planned to be dropped."""
    policy: RepairPolicy | None = None


class NewRevert(Taken):
    """All of the repair by default."""

    action_ids: list[str] | None = None
    dataset_version_id: str | None = None
    """Where to undo it: the repaired version or one that comes from it; the newest by default."""


class NewSimilar(Taken):
    limit: int = 1000
    """At most this many, the best fits first."""


class NewTarget(Taken):
    adapter_id: str


class NewTrainingJob(Taken):
    """Trains on a mixture, or on a whole dataset version."""

    base_model: str
    dataset_version_id: str | None = None
    hyperparameters: Hyperparameters | None = None
    init_adapter_id: str | None = None
    mixture_id: str | None = None
    validation_version_id: str | None = None
    """Rows whose loss is measured while the training runs, and which are not learnt."""


class NewVerification(Taken):
    adapter_id: str
    before_adapter_id: str | None = None
    diagnosis_id: str
    options: VerificationOptions | None = None
    retention_version_id: str | None = None


class NewWebhook(Taken):
    types: list[NewsType]
    url: str
    """Called with POST; no redirect is followed."""


class NormalisationPolicy(Taken):
    """true: every rule, false: none, or ``{"rules": [...]}``."""

    rules: list[NormalisationRule] | None = None


class OodEvidence(Given):
    """What is new about the prompt, and how far from the training rows it lies."""

    language: PromptLanguage | None = None
    language_known: bool = True
    """False: the embedder does not know the language."""
    length: PromptLength | None = None
    mean_of_five_cosine: float | None = None
    """Mean of the five nearest rows."""
    mean_of_five_percentile: float | None = None
    """By the five nearest rows."""
    methods: dict[str, float] | None = None
    """Percentile by distance measure; larger = less covered."""
    nearest_cosine: float | None = None
    """Null without any row."""
    nearest_percentile: float | None = None
    """By distance to the nearest row."""
    pattern: SentencePattern | None = None
    remarks: list[str] = []
    """What stands out, and what the verdict had to do without; a sentence each."""
    training_rows_with_expected_output: int = 0
    """Rows with that very answer."""
    unseen_label: str | None = None
    """The expected label, where no training row of a labelled task has it."""
    unseen_share: float = 0.0
    """Their share of the prompt, rare terms counting for more."""
    unseen_terms: list[str] = []
    """Terms that no training prompt holds."""


class OpenQuestions(Given):
    """What the repair plan asks a person. The rows in question are in the version and not in the mixture;
    ``example_ids`` names the first of them, by their ids in the version that the plan is of.
    """

    count: int
    example_ids: list[str]
    repair_id: str
    rows_kept_out: int
    url: str
    """Lists the open questions; answer them there."""


class PairDifference(Given):
    """Something that is not the same in the two prompts; empty where a side lacks it."""

    kind: DifferenceKind
    left: str
    right: str


class PairSide(Given):
    example_id: str | None
    """Null: the bad case itself."""
    input: str
    """The whole prompt."""
    output: str
    """The row's answer; of the case the expected one."""


class Paraphrase(Given):
    """Whether the contradicting row asks the same."""

    differs: list[DifferenceKind]
    """What differs; empty: word for word the same."""
    probability: float
    """Share of the pairs of rows as much alike that have one answer."""
    usual: float
    """The same share among near rows of the task in general."""


class PastOverride(Given):
    category: RootCause
    created_at: datetime
    finding_id: str
    id: str
    note: str | None
    object: Literal["finding_override"] = "finding_override"
    overridden_by: str | None
    revision: int
    """The finding's revision that this verdict made."""


class PiiPolicy(Taken):
    """What is certain is taken out without a person (``mode``)."""

    kinds: list[PiiKind] | None = None
    mode: PiiMode = "redact"
    uncertain: Uncertain = "keep_out"
    """What becomes of a row while nobody has said whether what it holds is personal data."""


class PlacedCases(Given):
    """One entry of each list for a finding that has a place."""

    bad_case_id: list[str]
    category: list[RootCause]
    """A person's verdict where there is one."""
    finding_id: list[str]
    text: list[str]
    """The beginning of the prompt."""
    x: list[int]
    y: list[int]


class PlacedExamples(Given):
    """One entry of each list for a training row, in the order of the dataset version."""

    group: list[int]
    """Index into groups; -1 = none of them."""
    x: list[int]
    y: list[int]


class Preview(Given):
    counts: dict[str, int]
    fields: list[str]
    """Paths that the sample has, for a mapping to name."""
    mapping: dict[str, Any]
    """The mapping in use."""
    note: str | None
    object: Literal["integration_preview"] = "integration_preview"
    rows: list[PreviewRow]


class PreviewRow(Given):
    case: dict[str, Any] | None
    """As `POST /v1/bad-cases` would take it."""
    external_id: str | None
    reason: str | None
    record: str
    status: str
    """case, withdrawn, rejected, skipped or unreadable."""


class Problem(Given):
    """What went wrong and how to fix it (RFC 9457)."""

    detail: str
    errors: list[ProblemError] | None = None
    instance: str | None = None
    request_id: str | None = None
    status: int
    title: str
    type: str


class ProblemError(Given):
    """One thing that is wrong with the input."""

    message: str
    pointer: str
    """JSON pointer into the body, or the name of the parameter."""


class Project(Given):
    created_at: datetime
    id: str
    name: str
    object: Literal["project"] = "project"


class PromptLanguage(Given):
    name: str = ""
    """Language or script; empty where there is none."""
    trained_share: float = 0.0
    """Share of the training prompts in it."""


class PromptLength(Given):
    percentile: float = 0.5
    """Share of the training prompts that are shorter, equal ones half."""
    value: int = 0
    """Tokens: words, and characters of scripts without spaces."""


class PromptfooSuite(Given):
    default_test: dict[str, Any] = Field(alias="defaultTest")
    description: str
    prompts: list[str]
    tests: list[PromptfooTest]


class PromptfooTest(Given):
    assert_: list[dict[str, Any]] = Field(alias="assert")
    description: str
    metadata: dict[str, str]
    vars: dict[str, Any]
    """`messages` of the prompt, and the `accepted` answers."""


class PushRequest(Taken):
    """One of the two: the findings of a diagnosis, or the open questions of a plan."""

    diagnosis_id: str | None = None
    repair_id: str | None = None
    source_project: str | None = None
    """Another project than the integration's."""


class QualityPolicy(Taken):
    """A row above ``use_above`` is used, one below ``drop_below`` is proposed to be dropped, what lies
    between is for review.
    """

    drop_below: float = 0.6
    use_above: float = 0.8
    weights: dict[str, float] | None = None
    """Weight of each component; their ratios count, and one that is left out keeps its default."""


class Receipt(Given):
    """What a tool hears: the body is stored; whether it could be read, the delivery tells."""

    id: str
    object: Literal["integration_delivery"] = "integration_delivery"
    state: DeliveryState


class Repair(Given):
    applied_at: datetime | None
    attempts: int
    cancel_requested: bool
    created_at: datetime
    cycle_id: str | None
    dataset_version_id: str
    diagnosis_id: str | None
    """null: the version was audited without bad cases."""
    error: dict[str, Any] | None
    evaluation_dataset_version_id: str | None
    finished_at: datetime | None
    id: str
    object: Literal["repair"] = "repair"
    policy: dict[str, Any]
    progress: float
    result_version_id: str | None
    """The dataset version that applying it made."""
    reverted_version_id: str | None
    """The newest version that took some of it back."""
    revision: int
    """Grows with every decision; the ETag."""
    started_at: datetime | None
    status: Status
    summary: dict[str, Any] | None


class RepairAction(Given):
    after: list[Any]
    before: list[Any]
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision: Decision
    evidence: dict[str, Any]
    example_ids: list[str]
    id: str
    kind: ActionKind
    needs_answer: bool
    """It asks which answer is right and proposes none: approve it with an answer."""
    object: Literal["repair_action"] = "repair_action"
    reason: str
    repair_id: str
    reverted_at: datetime | None
    reverted_in_version_id: str | None
    revision: int
    rule: str
    """The rule that proposed it."""
    score: float
    """Probability 0..1 that the change is right, or of what evidence.score_of says."""


class RepairInFull(Given):
    applied_at: datetime | None
    attempts: int
    cancel_requested: bool
    counts: list[ActionCount]
    """The plan's actions by kind, rule and decision."""
    created_at: datetime
    cycle_id: str | None
    dataset_version_id: str
    diagnosis_id: str | None
    """null: the version was audited without bad cases."""
    error: dict[str, Any] | None
    evaluation_dataset_version_id: str | None
    finished_at: datetime | None
    id: str
    object: Literal["repair"] = "repair"
    policy: dict[str, Any]
    progress: float
    result_version_id: str | None
    """The dataset version that applying it made."""
    reverted_version_id: str | None
    """The newest version that took some of it back."""
    revision: int
    """Grows with every decision; the ETag."""
    run: RepairRun | None
    """The last time a worker was asked to apply or revert it."""
    started_at: datetime | None
    status: Status
    summary: dict[str, Any] | None


class RepairPolicy(Taken):
    """What a repair may do on its own."""

    approve: RepairPolicyApproval = "confident"
    balance: BalancePolicy | None = None
    """null only shows how the rows are spread; else copies are proposed, never approved here."""
    conflict: list[ResolutionRule] | None = None
    """Rules that settle a contradiction, in the order in which they are tried."""
    contradictions: bool = True
    """Look for rows that contradict each other, and for labels with two names, where no bad case points."""
    duplicates: DuplicatePolicy | None = None
    min_score: float = 0.8
    """The score from which ``approve: confident`` approves."""
    near_duplicate_threshold: float | None = 0.8
    """Jaccard of character n-grams; null leaves near-duplicates alone."""
    noise: bool = True
    normalise: NormalisationPolicy | None = None
    pii: PiiPolicy | None = None
    quality: QualityPolicy | None = None
    """null: no row is scored."""
    source_priority: list[str] = []
    """Names of sources, the most trusted first, for the rule of that name."""


class RepairPreview(Given):
    """What applying would make; nothing is written."""

    actions: int
    """How many approved actions there are."""
    changes: list[ChangedRow]
    """The first of them."""
    content_hash: str
    counts: ChangeCounts
    """Over all changes."""
    object: Literal["repair_preview"] = "repair_preview"
    parent_id: str
    repair_id: str
    rows: int


class RepairRun(Given):
    """A worker that applies or reverts a large repair."""

    attempts: int
    cancel_requested: bool
    created_at: datetime
    error: dict[str, Any] | None
    finished_at: datetime | None
    id: str
    kind: Literal["apply", "revert"]
    object: Literal["repair_run"] = "repair_run"
    progress: float
    repair_id: str
    result_version_id: str | None
    started_at: datetime | None
    status: Status


class RowProblem(Given):
    code: str
    line: int
    """Line of the upload, or the element of its array, from 1."""
    message: str


class RowQuality(Given):
    band: Use
    """By the policy's use_above and drop_below; a vetoed row is in 'drop' whatever its score."""
    components: dict[str, float | None]
    """0..1 each; null where it says nothing of the row."""
    id: str
    """The id of the row."""
    object: Literal["row_quality"] = "row_quality"
    repair_id: str
    score: float
    """0..1, larger = better: the weighted mean of the components."""
    vetoes: list[Veto]


class SentencePattern(Given):
    seen: bool = False
    """Whether any training prompt is built so."""
    text: str = ""
    """How the prompt is built."""
    trained_share: float = 0.0
    """Share of the training prompts that are built so."""


class Serving(Taken):
    """How the request that failed was built; leave out what is not known."""

    finish_reason: str | None = None
    max_tokens: int | None = None
    prompt_text: str | None = None
    stop: str | list[str] | None = None
    system: str | None = None
    temperature: float | None = None
    top_p: float | None = None


class ServingEvidence(Given):
    """Whether the request was built as the training rows are."""

    mismatches: list[Mismatch] | None = None
    """Strongest first."""
    said: bool = False
    """Whether it is known how the request was built."""


class SideCounts(Given):
    """Near rows that should have the case's answer, by the answer that they have."""

    expected: int = 0
    model_output: int = 0
    neither: int = 0


class SubmittedCase(Given):
    error: ItemError | None = None
    external_id: str | None
    id: str | None
    status: Outcome


class SubmittedCases(Given):
    data: list[SubmittedCase]
    object: Literal["list"] = "list"


class SymptomFinding(Given):
    """What a detector saw in the output."""

    detail: str
    """The proof, one sentence that a person can check."""
    example_id: str | None = None
    """The row that it names."""
    symptom: Symptom


class TaughtRow(Given):
    """A training row whose gradient points where the wrong answer's does."""

    example_id: str
    input: str
    output: str
    score: float
    """towards_wrong less towards_expected, -2..2; larger = taught more."""
    towards_expected: float | None
    """Null without an expected answer."""
    towards_wrong: float
    """Of the row's gradient with the wrong answer's."""


class TrainingJob(Given):
    adapter_id: str | None
    attempts: int
    base_model: str
    cancel_requested: bool
    created_at: datetime
    cycle_id: str | None
    dataset_version_id: str | None
    error: dict[str, Any] | None
    finished_at: datetime | None
    hyperparameters: dict[str, Any]
    id: str
    init_adapter_id: str | None
    metrics: list[dict[str, Any]]
    mixture_id: str | None
    object: Literal["training_job"] = "training_job"
    pause_requested: bool
    paused_at: datetime | None
    """Since when it is parked: queued, without a worker, until it is resumed."""
    progress: float
    started_at: datetime | None
    status: Status
    summary: dict[str, Any] | None
    validation_version_id: str | None


class Turn(Given):
    content: str | bool | int | float | list[Any] | dict[str, Any] | None = None
    role: str


class Verification(Given):
    adapter_id: str
    attempts: int
    before_adapter_id: str | None
    cancel_requested: bool
    created_at: datetime
    cycle_id: str | None
    diagnosis_id: str
    error: dict[str, Any] | None
    finished_at: datetime | None
    id: str
    object: Literal["verification"] = "verification"
    options: dict[str, Any]
    progress: float
    result: dict[str, Any] | None
    retention_version_id: str | None
    started_at: datetime | None
    status: Status


class VerificationCase(Given):
    after_output: str
    after_score: float
    bad_case_id: str | None
    before_output: str
    before_score: float
    example_id: str | None
    expected_output: str | None
    id: str
    object: Literal["verification_case"] = "verification_case"
    prompt: str
    split: str
    verdict: str


class VerificationOptions(Taken):
    """How the models are asked, and what the gate allows."""

    gate: GateSettings | None = None
    max_new_tokens: int | None = None
    """Longest answer in tokens; null: from the longest expected answer."""
    seed: int = 0


class Webhook(Given):
    created_at: datetime
    disabled_reason: str | None
    """Why this service stopped calling it."""
    enabled: bool
    id: str
    object: Literal["webhook"] = "webhook"
    previous_until: datetime | None
    """Until then messages are also signed with the secret before the last rotation."""
    types: list[NewsType]
    url: str


class WebhookChange(Taken):
    enabled: bool | None = None
    types: list[NewsType] | None = None
    url: str | None = None


class WebhookWithSecret(Given):
    created_at: datetime
    disabled_reason: str | None
    """Why this service stopped calling it."""
    enabled: bool
    id: str
    object: Literal["webhook"] = "webhook"
    previous_until: datetime | None
    """Until then messages are also signed with the secret before the last rotation."""
    secret: str
    """`whsec_` and base64; shown this once. Verify messages with it."""
    types: list[NewsType]
    url: str
