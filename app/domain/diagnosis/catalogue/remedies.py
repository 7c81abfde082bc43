"""What to do about a case: one table. A new remedy is one entry; its ``page`` is its page in ``docs/diagnosis``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from app.domain.records import RecommendedAction, RootCause, Symptom

_NEAR = 0.9
"""Cosine from which a reader asks why the nearest row does not cover the prompt. A definition."""


class Cost(StrEnum):
    """Order of magnitude: minutes of a person, an afternoon, a training run."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyInput:
    """A case's verdict. ``already_right``: the model output certainly equals the expected output; ``labelled``: the
    answers of its task are labels; ``answer_is_label``: its expected answer is a word or two that other rows have.
    ``nearest``: cosine of the nearest row, -1..1, None without rows; ``taught``: a row asks the same and answers as
    expected."""

    cause: RootCause
    symptoms: frozenset[Symptom]
    has_expected: bool
    already_right: bool
    labelled: bool = False
    answer_is_label: bool = False
    nearest: float | None = None
    taught: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """``reason``: what the finding says. ``applies``: whether it is recommended. ``page``: its page."""

    name: str
    cost: Cost
    reason: str | Callable[[RemedyInput], str]
    applies: Callable[[RemedyInput], bool]
    page: str

    def reason_for(self, verdict: RemedyInput) -> str:
        return self.reason if isinstance(self.reason, str) else self.reason(verdict)


def recommended(verdict: RemedyInput) -> tuple[RecommendedAction, ...]:
    """The remedies that apply, in the order of ``REMEDIES``."""
    return tuple(
        RecommendedAction(action=remedy.name, reason=remedy.reason_for(verdict), cost=remedy.cost.value)
        for remedy in REMEDIES
        if remedy.applies(verdict)
    )


def _uncovered(verdict: RemedyInput) -> str:
    if verdict.nearest is None:
        return "there is no training row that could cover this prompt"
    if verdict.nearest >= _NEAR:
        return (
            f"the nearest row (similarity {verdict.nearest:.2f}) asks something else: add rows that ask this"
        )
    return (
        f"no training row covers this kind of prompt: the nearest has a similarity of {verdict.nearest:.2f}"
    )


# In the order in which they are recommended: what the cause asks for, cheapest sensible remedy first, then
# what the symptoms ask for.
REMEDIES: tuple[Remedy, ...] = (
    Remedy(
        name="fix_request",
        cost=Cost.LOW,
        reason="the request was not built as the training rows are; no data is wrong",
        applies=lambda v: v.cause is RootCause.SERVING_MISMATCH,
        page="""
Build the request as the training rows are, and ask again.

**How it is decided.** The root cause is serving_mismatch.

**What to do.** The finding lists each difference with what was sent and what the training rows have: system
prompt, chat template, instruction, special tokens, stop texts, token limit, sampling. Change the request, not
the data, and send the case again; if it still fails, diagnose it anew with the corrected request.
""",
    ),
    Remedy(
        name="retrieve",
        cost=Cost.MEDIUM,
        reason=(
            "the answer holds words that the training set never says: knowledge that changes belongs in retrieval, "
            "not in LoRA weights"
        ),
        applies=lambda v: v.cause is RootCause.OOD and Symptom.MISSING_KNOWLEDGE in v.symptoms,
        page="""
Put the documents that hold the missing facts into the prompt (RAG).

**How it is decided.** The root cause is ood and the symptom missing_knowledge was seen: the expected output
says names, figures or terms that stand in no training row.

**What to do.** Index the documents that say what the symptom names, retrieve them for prompts like this one,
and train on rows that carry such passages, so that the model learns to read them. Facts that seldom change and
are asked often can be trained in instead, with many rows that say them in different words.
""",
    ),
    Remedy(
        name="add_examples",
        cost=Cost.MEDIUM,
        reason=_uncovered,
        applies=lambda v: v.cause is RootCause.OOD,
        page="""
Add training rows for the kind of prompt that nothing covers.

**How it is decided.** The root cause is ood.

**What to do.** Take real prompts of the kind with right answers, several dozen for a kind, in the wordings and
lengths that users send; the finding names the terms and patterns that are missing and the nearest rows there
are. Where there are few, augment them, and mix the new rows with replay so that nothing is forgotten.
""",
    ),
    Remedy(
        name="few_shot",
        cost=Cost.LOW,
        reason="until retrained, put solved examples into the prompt",
        applies=lambda v: v.cause is RootCause.OOD,
        page="""
Put solved examples of the kind into the prompt until the model is retrained.

**How it is decided.** The root cause is ood.

**What to do.** Two to five solved examples in front of the question, the nearest ones first. It costs tokens
with every request and helps at once; drop them when the new adapter is verified.
""",
    ),
    Remedy(
        name="clean_conflicts",
        cost=Cost.MEDIUM,
        reason="near training rows contradict the expected output: relabel or drop",
        applies=lambda v: v.cause is RootCause.CONFLICT,
        page="""
Relabel or drop the training rows that contradict the expected output.

**How it is decided.** The root cause is conflict.

**What to do.** The finding shows the contradicting rows beside those that agree. Decide which side is right
(the expected output is only as right as who wrote it), let a repair propose the relabels and drops, and look
at whole groups: where two labels mean one thing, unify them everywhere, not only near the case.
""",
    ),
    Remedy(
        name="retrain",
        cost=Cost.HIGH,
        reason="only after cleaning: the contradiction is in the weights",
        applies=lambda v: v.cause is RootCause.CONFLICT,
        page="""
Train a new adapter on the cleaned rows.

**How it is decided.** The root cause is conflict: what contradicts itself in the data is in the weights too.

**What to do.** After the contradiction is cleaned, never before: training on contradicting rows learns the
contradiction better. Mix the changed rows with replay and verify on held-back cases and the retention set.
""",
    ),
    Remedy(
        name="chain_of_thought",
        cost=Cost.MEDIUM,
        reason="covered and consistent, yet wrong: teach the steps, not only the answer",
        applies=lambda v: v.cause is RootCause.HARD and (not (v.labelled or v.answer_is_label)),
        page="""
Teach the steps that lead to the answer, not only the answer.

**How it is decided.** The root cause is hard, and the answer is more than a label.

**What to do.** Add worked solutions for rows that ask for as many steps as the case does; the finding says
what makes it hard. Answers that close with the final answer on a line of its own stay easy to check. Allow
more output tokens when serving.
""",
    ),
    Remedy(
        name="border_examples",
        cost=Cost.MEDIUM,
        reason="covered and consistent, yet taken for another label: show both sides of the border",
        applies=lambda v: v.cause is RootCause.HARD and (v.labelled or v.answer_is_label),
        page="""
Add training rows on both sides of the border between answers that are taken for each other.

**How it is decided.** The root cause is hard, and the answer is a label: there are no steps to teach.

**What to do.** Take the answers of the nearest rows; the finding names the two nearest where they lie close.
Write or collect prompts of each that look like the other's, a dozen or two a side, with one sentence of
guidance for labellers on what tells them apart. If people cannot tell them apart, the labels need merging.
""",
    ),
    Remedy(
        name="curriculum",
        cost=Cost.MEDIUM,
        reason="train easy before hard and weight this kind more",
        applies=lambda v: v.cause is RootCause.HARD,
        page="""
Train easy rows before hard ones, and give this kind more weight.

**How it is decided.** The root cause is hard.

**What to do.** Order the mixture by difficulty and upsample rows that are like the case: above all those that
ask the same and were not learnt. See that the share of other rows stays large enough for the retention set.
""",
    ),
    Remedy(
        name="raise_rank",
        cost=Cost.HIGH,
        reason="more adapter capacity if the data steps do not suffice",
        applies=lambda v: v.cause is RootCause.HARD,
        page="""
Give the adapter more capacity.

**How it is decided.** The root cause is hard; last in order, because data is the cheaper remedy.

**What to do.** Double the LoRA rank (and alpha with it), or add an epoch, only after worked solutions and a
curriculum were tried. Watch the retention set: more capacity forgets more.
""",
    ),
    Remedy(
        name="close_case",
        cost=Cost.LOW,
        reason="the model output is the expected output",
        applies=lambda v: v.cause is RootCause.UNDETERMINED and v.already_right,
        page="""
Close the case: what the model said is what it should have said.

**How it is decided.** The model output certainly equals the expected output or a listed alternative: but for letter
case, spaces, quotes, full width or a stop at the end, as a JSON value, as the same tool calls, as the same numbers,
amounts or dates in another notation (5 %, five percent, 百分之五), or by the same final answer; the finding says by
which. Or it looks like it and the configured language model says that it says the same, with a quote. Nothing else
closes a case: one other word may be another answer.

**What to do.** Close it, or correct the expected output where it was the wrong one.
""",
    ),
    Remedy(
        name="give_expected_output",
        cost=Cost.LOW,
        reason="without the right answer, conflict and hard look alike",
        applies=lambda v: (
            v.cause is RootCause.UNDETERMINED and (not v.already_right) and (not v.has_expected)
        ),
        page="""
Say what the model should have answered.

**How it is decided.** The verdict is undetermined and the case has no expected output.

**What to do.** Give the right answer and diagnose again: whether near rows agree with it or contradict it is
what tells hard from conflict.
""",
    ),
    Remedy(
        name="ask_person",
        cost=Cost.LOW,
        reason="the evidence does not decide; look at the neighbours",
        applies=lambda v: v.cause is RootCause.UNDETERMINED and (not v.already_right) and v.has_expected,
        page="""
Let a person decide by the evidence.

**How it is decided.** The verdict is undetermined although the case has an expected output: no cause is
probable enough, or the model output looks like the expected one (a part of it moved, a word that says nothing) and it
is not certain that both say the same (`evidence.hard.looks_alike`).

**What to do.** Look at the neighbours, say what the cause is (an override), and the next diagnosis learns from
it.
""",
    ),
    Remedy(
        name="check_deployment",
        cost=Cost.LOW,
        reason="the output is no text: see that adapter, base model and tokenizer belong together",
        applies=lambda v: Symptom.GIBBERISH in v.symptoms,
        page="""
See that adapter, base model, tokenizer and number format belong together.

**How it is decided.** The symptom gibberish was seen.

**What to do.** Compare the base model and its revision on the adapter card with what is served, ask once at
temperature 0, and try the adapter unmerged and unquantised. If the evaluation after training gave gibberish
too, the training diverged: lower the learning rate.
""",
    ),
    Remedy(
        name="raise_max_tokens",
        cost=Cost.LOW,
        reason="the output stops before it is done",
        applies=lambda v: Symptom.TRUNCATION in v.symptoms and v.cause is not RootCause.SERVING_MISMATCH,
        page="""
Let the model write more tokens.

**How it is decided.** The symptom truncation was seen, and the request is not known to differ from training.

**What to do.** Raise max_tokens above the longest training answers and see that no stop text occurs inside
answers; reasoning counts, too. If the output ends early by itself, look for training rows that were cut at the
length limit.
""",
    ),
    Remedy(
        name="check_end_of_turn",
        cost=Cost.LOW,
        reason="the output does not end where the answer does: see that every training row ends with the stop token",
        applies=lambda v: not v.symptoms.isdisjoint((Symptom.RUN_ON, Symptom.REPETITION, Symptom.EMPTY)),
        page="""
See that the model learnt where to stop, and that the server stops there.

**How it is decided.** The symptom run_on, repetition or empty was seen.

**What to do.** Every training row must end with the end-of-turn token, not masked out of the loss, and the
server must stop at that token and at nothing that an answer begins with. Remove near-duplicate rows; a repetition
penalty only hides the loop.
""",
    ),
    Remedy(
        name="constrain_output",
        cost=Cost.LOW,
        reason="the shape is wrong: constrained decoding enforces it at once",
        applies=lambda v: Symptom.FORMAT_VIOLATION in v.symptoms,
        page="""
Let the server enforce the shape of the output.

**How it is decided.** The symptom format_violation was seen.

**What to do.** Constrain decoding by a JSON schema, a grammar or the list of labels. Where training rows of the
task differ in shape, normalise them: then the model keeps to it by itself.
""",
    ),
    Remedy(
        name="clean_refusals",
        cost=Cost.LOW,
        reason="the model declines: look for refusals in training rows and system prompt",
        applies=lambda v: Symptom.REFUSAL in v.symptoms,
        page="""
Take refusals out of what the model learns and is told.

**How it is decided.** The symptom refusal was seen.

**What to do.** Search the training answers for refusals: a few hundred of them teach a habit. Read the system
prompt of the request for rules that forbid this prompt, and add rows that answer prompts like it.
""",
    ),
    Remedy(
        name="state_language",
        cost=Cost.LOW,
        reason="the language is wrong: name it in the system prompt, as the training rows do",
        applies=lambda v: Symptom.WRONG_LANGUAGE in v.symptoms,
        page="""
Say which language to answer in, in training as in serving.

**How it is decided.** The symptom wrong_language was seen.

**What to do.** Name the language in the system prompt of the request and of the training rows, and see that
prompts in the language of the case have answers in the right one among the rows.
""",
    ),
    Remedy(
        name="remove_duplicates",
        cost=Cost.MEDIUM,
        reason="the model recites a training row: thin out its copies, train fewer epochs",
        applies=lambda v: Symptom.COPIED_TRAINING_OUTPUT in v.symptoms,
        page="""
Thin out rows that the model has learnt by heart.

**How it is decided.** The symptom copied_training_output was seen; it names the row.

**What to do.** Drop the near-duplicates of the named row, add rows between it and the case, and train fewer
epochs. Where the named row is a contradicting neighbour of the case, cleaning the conflict comes first.
""",
    ),
    Remedy(
        name="replay",
        cost=Cost.MEDIUM,
        reason="a general question is answered in the style of the training set: mix general data in",
        applies=lambda v: Symptom.FORGETTING in v.symptoms,
        page="""
Mix general data into the training set, so that what the base model could do is not forgotten.

**How it is decided.** The symptom forgetting was seen.

**What to do.** Add 5 to 20 % of general instruction data, or of the base model's own answers to general prompts, to
the mixture; train fewer epochs at a lower rate. Keep a retention set of such prompts: the gate then sees the loss
before the users do.
""",
    ),
)
