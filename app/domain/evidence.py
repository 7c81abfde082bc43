"""The verdict on a bad case and the evidence behind it, as typed records.

Knows fields, units and ranges: what is made here is what is stored, served and reported. Does not know how a figure
is measured. A field that is left out where there is nothing to say is marked ``exclude_if``; every other one is
always written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import not_
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from app.domain.answers.certainty import Certainty
from app.domain.language.pair_differences import DifferenceKind
from app.domain.records import Agreement, RecommendedAction, RootCause, Symptom

# Ranges are documented and not enforced: the last bit of a float must not stop a diagnosis.
Figure = Annotated[float, PlainSerializer(lambda value: round(value, 4))]
Share = Annotated[Figure, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Cosine = Annotated[Figure, WithJsonSchema({"type": "number", "minimum": -1, "maximum": 1})]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Neighbor(Record):
    """A training row near a bad case."""

    example_id: str
    similarity: float = Field(description="Cosine of the two prompts, -1..1.")
    input: str = Field(description="The whole prompt.")
    output: str
    agrees_with: Agreement = Field(description="Whose answer the row gives.")
    same_question: bool = Field(default=False, description="For certain it asks what the case asks.")


class PromptLength(Record):
    value: int = Field(default=0, description="Tokens: words, and characters of scripts without spaces.")
    percentile: Share = Field(
        default=0.5, description="Share of the training prompts that are shorter, equal ones half."
    )


class SentencePattern(Record):
    text: str = Field(default="", description="How the prompt is built.")
    seen: bool = Field(default=False, description="Whether any training prompt is built so.")
    trained_share: Share = Field(default=0.0, description="Share of the training prompts that are built so.")


class PromptLanguage(Record):
    name: str = Field(default="", description="Language or script; empty where there is none.")
    trained_share: Share = Field(default=0.0, description="Share of the training prompts in it.")


class CoverageFigures(Record):
    """How near the training rows are. A percentile is the share of the task's training rows, each left out itself,
    that are better covered than the case."""

    nearest_cosine: Cosine | None = Field(default=None, description="Null without any row.")
    mean_of_five_cosine: Cosine | None = Field(default=None, description="Mean of the five nearest rows.")
    nearest_percentile: Share | None = Field(default=None, description="By distance to the nearest row.")
    mean_of_five_percentile: Share | None = Field(default=None, description="By the five nearest rows.")
    training_rows_with_expected_output: int = Field(default=0, description="Rows with that very answer.")
    methods: dict[str, Share] = Field(
        default_factory=dict, description="Percentile by distance measure; larger = less covered."
    )


class OodEvidence(CoverageFigures):
    """What is new about the prompt, and how far from the training rows it lies."""

    unseen_label: str | None = Field(
        default=None, description="The expected label, where no training row of a labelled task has it."
    )
    unseen_terms: tuple[str, ...] = Field(default=(), description="Terms that no training prompt holds.")
    unseen_share: Share = Field(
        default=0.0, description="Their share of the prompt, rare terms counting for more."
    )
    length: PromptLength = PromptLength()
    pattern: SentencePattern = SentencePattern()
    language: PromptLanguage = PromptLanguage()
    language_known: bool = Field(default=True, description="False: the embedder does not know the language.")
    remarks: tuple[str, ...] = Field(
        default=(), description="What stands out, and what the verdict had to do without; a sentence each."
    )


class SideCounts(Record):
    """Near rows that should have the case's answer, by the answer that they have."""

    expected: int = 0
    model_output: int = 0
    neither: int = 0

    @property
    def against(self) -> int:
        return self.model_output + self.neither


class PairSide(Record):
    example_id: str | None = Field(description="Null: the bad case itself.")
    input: str = Field(description="The whole prompt.")
    output: str = Field(description="The row's answer; of the case the expected one.")


class PairDifference(Record):
    """Something that is not the same in the two prompts; empty where a side lacks it."""

    kind: DifferenceKind
    left: str
    right: str


class ContradictingPair(Record):
    """Two near prompts whose answers exclude each other: the case and a training row."""

    left: PairSide
    right: PairSide
    differences: tuple[PairDifference, ...] = ()


class Paraphrase(Record):
    """Whether the contradicting row asks the same."""

    probability: Share = Field(description="Share of the pairs of rows as much alike that have one answer.")
    usual: Share = Field(description="The same share among near rows of the task in general.")
    differs: tuple[DifferenceKind, ...] = Field(description="What differs; empty: word for word the same.")


class LabelGroup(Record):
    """Two labels that are taken for each other: perhaps two names for one."""

    labels: tuple[str, ...] = Field(description="The expected one, then the one that the model gave.")
    score: Share = Field(description="Geometric mean of the two shares.")
    first_taken_for_second: Share = Field(description="Share of the first label's rows.")
    second_taken_for_first: Share


class ConflictFigures(Record):
    """Near rows by side. Each row counts with its probability, 0..1, to need the case's answer."""

    rows_that_should_agree: float = Field(default=0.0, description="Sum over all near rows, 0 or more.")
    on_the_expected_side: float = Field(default=0.0, description="Of these, rows with the expected answer.")
    on_the_model_output_side: float = Field(default=0.0, description="Rows with the model's wrong answer.")
    on_neither_side: float = Field(default=0.0, description="Rows with a third answer.")
    most_relevant_contradiction: float = Field(
        default=0.0,
        description="Largest such probability of a row with another answer than the expected one.",
    )


class ConflictEvidence(ConflictFigures):
    """Which near rows contradict. What is optional here is left out unless a conflict is likely enough to show."""

    counts: SideCounts = SideCounts()
    contradicting_pair: ContradictingPair | None = Field(default=None, exclude_if=not_)
    paraphrase: Paraphrase | None = Field(default=None, exclude_if=not_)
    label_groups: tuple[LabelGroup, ...] = Field(default=(), exclude_if=not_)


class Demand(Record):
    value: int = Field(default=0, description="A count.")
    more_than: Share | None = Field(default=None, description="Share of the task's training rows with less.")


class DemandFigures(Record):
    """How much the case asks for, as counts."""

    prompt_tokens: Demand = Demand()
    prompt_numbers: Demand = Demand()
    prompt_clauses: Demand = Demand()
    prompt_constraints: Demand = Demand()
    prompt_hops: Demand = Demand()
    prompt_options: Demand = Demand()
    answer_tokens: Demand = Demand()
    answer_steps: Demand = Demand()
    answer_operators: Demand = Demand()


class HardReason(Record):
    """Something in which the case asks for more than most rows of its task."""

    kind: str = Field(description="One of the counted demands, or 'confusable'.")
    detail: str = Field(description="One sentence.")
    percentile: Share = Field(description="Share of the training rows that are easier in this respect.")


class ConfusableGroups(Record):
    """The two groups of answers nearest to the case."""

    labels: tuple[str, ...] = Field(description="The nearer one first.")
    similarities: tuple[Cosine, ...] = Field(description="Of the nearest row of each.")
    margin: Figure = Field(description="By how much the first is nearer, 0..2; 0 = not told apart.")
    closer_than: Share | None = Field(description="Share of the training rows with a larger margin.")


class Reading(StrEnum):
    """What the signals of an adapter come down to.

    ``not_learned``: the near training rows cost more than others: the training did not reach them.
    ``learned_wrong``: the near rows are learnt, and the wrong answer is cheaper than the expected one.
    ``unstable``: asked again, the model answers otherwise.
    ``prefers_expected``: the expected answer is the cheaper one: look at sampling and the request.
    ``unclear``: none of these.
    """

    NOT_LEARNED = "not_learned"
    LEARNED_WRONG = "learned_wrong"
    UNSTABLE = "unstable"
    PREFERS_EXPECTED = "prefers_expected"
    UNCLEAR = "unclear"


class AdapterEvidence(Record):
    """What the adapter itself makes of the case. Losses are mean negative log-likelihoods of an answer's tokens in
    nats, 0 = certain; null where there is no such answer."""

    reading: Reading
    sentence: str = Field(description="The reading in words.")
    expected_loss: Figure | None
    wrong_loss: Figure | None
    first_token_entropy: Figure | None = Field(description="Nats; 0 = sure of the first tokens.")
    samples: int = Field(description="How often it was asked again.")
    modal_answer: str | None = Field(description="The most frequent of the samples.")
    modal_share: Share | None
    says_the_recorded_output: bool | None = Field(description="Whether that is the recorded wrong answer.")
    near_rows_loss: Figure | None = Field(description="Median of the nearest training rows.")
    training_rows_loss: Figure | None = Field(description="Median of rows of the whole training set.")


class HardEvidence(DemandFigures):
    """What makes a covered and consistent case hard, and whether its output is right after all."""

    taught_by: tuple[str, ...] = Field(
        default=(), description="Ids of training rows that ask the very same and have the expected answer."
    )
    reasons: tuple[HardReason, ...] = Field(default=(), description="Strongest first.")
    confusable: ConfusableGroups | None = Field(default=None, description="Null: the near rows agree.")
    model_output_is_right: bool = False
    looks_alike: bool = Field(
        default=False, description="The output may say what the expected one says: a person is asked."
    )
    right_by: Certainty | Literal["judge"] | None = Field(
        default=None, exclude_if=not_, description="By what the output is right."
    )
    right_since: str | None = Field(default=None, exclude_if=not_, description="The same in words.")
    adapter: AdapterEvidence | None = Field(default=None, exclude_if=not_)


class Mismatch(Record):
    """One way in which the request differs from the training rows."""

    kind: str
    detail: str = Field(description="One sentence.")
    strength: Share = Field(description="Probability that it explains the failure.")
    sent: str = Field(default="", description="Excerpt of the request; empty where it has nothing.")
    trained: str = Field(default="", description="What the training rows have in its place.")


class ServingEvidence(Record):
    """Whether the request was built as the training rows are."""

    said: bool = Field(default=False, description="Whether it is known how the request was built.")
    mismatches: tuple[Mismatch, ...] = Field(default=(), description="Strongest first.")


class SymptomFinding(Record):
    """What a detector saw in the output."""

    symptom: Symptom
    detail: str = Field(description="The proof, one sentence that a person can check.")
    example_id: str | None = Field(default=None, exclude_if=not_, description="The row that it names.")


class TaughtRow(Record):
    """A training row whose gradient points where the wrong answer's does."""

    example_id: str
    score: Figure = Field(description="towards_wrong less towards_expected, -2..2; larger = taught more.")
    towards_wrong: Cosine = Field(description="Of the row's gradient with the wrong answer's.")
    towards_expected: Cosine | None = Field(description="Null without an expected answer.")
    input: str
    output: str


class JudgeEvidence(Record):
    """What a language model said where the verdict was a near tie."""

    verdict: RootCause
    quote: str = Field(description="The words that it decided by.")
    reason: str
    model: str
    agrees: bool = Field(description="Whether that was the likeliest cause as measured.")
    says_right: bool = Field(
        default=False, exclude_if=not_, description="It takes the output for as good as the expected one."
    )


class Evidence(Record):
    """What a person checks a verdict by: neighbours first, then what speaks for each cause."""

    neighbors: tuple[Neighbor, ...] = Field(default=(), description="The training rows that decide.")
    ood: OodEvidence = OodEvidence()
    conflict: ConflictEvidence = ConflictEvidence()
    hard: HardEvidence = HardEvidence()
    serving_mismatch: ServingEvidence = ServingEvidence()
    symptoms: tuple[SymptomFinding, ...] = Field(default=(), description="What is visibly wrong.")
    attribution: tuple[TaughtRow, ...] = Field(
        default=(), description="Rows that taught the wrong answer, most first; empty without an adapter."
    )
    judge: JudgeEvidence | None = Field(
        default=None, exclude_if=not_, description="Left out where no language model was asked."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The verdict on one bad case.

    ``probabilities`` are over ood, conflict, hard and serving_mismatch and sum to 1; ``confidence`` is
    that of ``root_cause`` (the largest one where the verdict is undetermined). ``cluster`` indexes the
    diagnosis' clusters, -1 = none.
    """

    bad_case_id: str
    root_cause: RootCause
    probabilities: Mapping[RootCause, float]
    confidence: float
    evidence: Evidence
    symptoms: tuple[Symptom, ...] = ()
    recommended_actions: tuple[RecommendedAction, ...] = ()
    cluster: int = -1
