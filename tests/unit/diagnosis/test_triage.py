"""The whole triage on small sets whose defects are known."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.answers.certainty import Certainty
from app.domain.diagnosis import explain, triage
from app.domain.diagnosis.triage import Override
from app.domain.diagnosis.views import Vectors, texts_of
from app.domain.evidence import Evidence
from app.domain.records import Agreement, RootCause, ServingRequest, TrainingExample
from app.domain.vectors.half_precision import unit
from tests.effort import examples
from tests.unit.diagnosis.builders import (
    THINGS,
    case,
    diagnose,
    embed,
    example,
    fitted,
    intents,
    utterance,
    vectors_of,
)

DATA_CAUSES = {RootCause.OOD, RootCause.CONFLICT, RootCause.HARD, RootCause.SERVING_MISMATCH}


def _cases(label: str, wrong: str, count: int = 6, seed: int = 3) -> list:
    rng = np.random.default_rng(seed)
    return [case(f"{label}-{i}", utterance(THINGS[label], rng), wrong, label) for i in range(count)]


def _mixed() -> list[TrainingExample]:
    """Intents of which one is missing and one contradicts itself."""
    return intents(flipped=("warranty", "refund"), without=("coupon",))


def test_an_intent_missing_from_training_is_out_of_distribution() -> None:
    found = diagnose(_mixed(), _cases("coupon", "refund"))
    assert {f.root_cause for f in found.findings} == {RootCause.OOD}
    assert found.by_category[RootCause.OOD] == 6


def test_an_intent_whose_rows_contradict_each_other_is_a_conflict() -> None:
    found = diagnose(_mixed(), _cases("warranty", "refund"))
    assert [f.root_cause for f in found.findings].count(RootCause.CONFLICT) >= 5


def test_vectors_as_they_are_kept_give_the_same_findings_as_wide_ones() -> None:
    rows, cases = intents(10, flipped=("warranty", "refund")), _cases("warranty", "refund")
    texts = texts_of(rows, cases)
    table = embed(texts.unique()).astype(np.float16)
    kept, wide = (
        triage.triage(examples=rows, cases=cases, vectors=vectors, rng=np.random.default_rng(0))
        for vectors in (
            Vectors.from_halves(texts, texts.unique(), table),
            Vectors.from_lookup(texts, texts.unique(), unit(table)),
        )
    )
    assert kept == wide


def test_a_conflict_names_the_rows_that_say_what_the_model_said_first() -> None:
    found = diagnose(_mixed(), _cases("warranty", "refund"))
    conflicts = [f for f in found.findings if f.root_cause is RootCause.CONFLICT]
    for finding in conflicts:
        shown = finding.evidence.neighbors
        assert shown[0].agrees_with is Agreement.MODEL_OUTPUT
        assert shown[0].output == "refund"
        assert any(n.agrees_with is Agreement.EXPECTED for n in shown)
        assert len(shown) <= 8


def test_only_a_likely_contradiction_is_shown_as_a_pair() -> None:
    mixed = diagnose(_mixed(), _cases("warranty", "refund"))
    conflicts = [f.evidence for f in mixed.findings if f.root_cause is RootCause.CONFLICT]
    assert conflicts
    for evidence in conflicts:
        pair = evidence.conflict.contradicting_pair
        assert pair is not None
        assert pair.right.output == "refund"
        assert pair.right.example_id == evidence.neighbors[0].example_id
    sound = diagnose(intents(), _cases("delivery", "something else entirely"))
    assert all(f.evidence.conflict.contradicting_pair is None for f in sound.findings)


def test_a_row_that_need_not_agree_is_shown_as_a_contradiction_only_where_a_conflict_is_the_likeliest() -> (
    None
):
    cases = _cases("delivery", "refund", count=1)
    learnt = fitted(intents())
    looked = triage._look(
        cases, texts_of([], cases, learnt.instructions), vectors_of(intents(), cases), learnt
    )
    told = [
        explain.contradiction(
            learnt,
            cases[0],
            looked.near,
            looked.sides,
            looked.relevance,
            looked.features[0],
            0,
            int(looked.tasks[0]),
            chance,
        )
        for chance in (0.1, 0.3, 0.6)
    ]
    assert told[0].counts.expected > told[0].counts.model_output == 0
    assert [t.contradicting_pair is not None for t in told] == [False, False, True]


def test_a_label_that_was_never_taught_is_named_and_a_taught_one_is_not() -> None:
    found = diagnose(_mixed(), [*_cases("coupon", "refund"), *_cases("delivery", "refund")])
    told = [f.evidence.ood.unseen_label for f in found.findings]
    assert told == ["coupon"] * 6 + [None] * 6


def test_what_is_covered_and_consistent_is_hard() -> None:
    found = diagnose(intents(), _cases("delivery", "something else entirely"))
    assert {f.root_cause for f in found.findings} == {RootCause.HARD}


def test_a_hard_case_that_was_taught_names_the_rows_that_taught_it() -> None:
    rows = intents()
    taught = next(row for row in rows if row.output == "delivery")
    asked = [
        case("same", f"{taught.prompt}?", "something else", "delivery"),
        case("other", f"{taught.prompt} since tuesday", "something else", "delivery"),
    ]
    same, other = diagnose(rows, asked).findings
    assert taught.id in same.evidence.hard.taught_by
    assert other.evidence.hard.taught_by == ()
    assert next(a.action for a in same.recommended_actions) == "border_examples"


def test_agreement_that_chance_explains_is_no_side_taken() -> None:
    rng = np.random.default_rng(0)
    prompts = [
        f"Which letter is right for question {rng.integers(1e6)} of list {i % 40}?" for i in range(400)
    ]
    rows = [example(i, prompt, "ABCD"[rng.integers(4)]) for i, prompt in enumerate(prompts)]
    asked = [case("c", "Which letter is right for question 77 of list 3?", "B", "A")]
    vectors = vectors_of(rows, asked)
    learnt = fitted(rows)
    looked = triage._look(asked, texts_of([], asked, learnt.instructions), vectors, learnt)
    usual = float(learnt.known.relevance.task_agreement[0])
    assert not learnt.known.placed[0]
    assert usual == pytest.approx(0.25, abs=0.05)
    counted = [
        explain.contradiction(
            learnt,
            asked[0],
            looked.near,
            looked.sides,
            np.full_like(looked.relevance, relevance),
            looked.features[0],
            0,
            0,
        ).counts
        for relevance in (usual + 0.1, 0.9)
    ]
    assert [sum(counts.model_dump().values()) for counts in counted] == [0, looked.near.present[0].sum()]


def test_a_request_without_the_trained_system_prompt_is_a_serving_mismatch() -> None:
    rows = [example(i, e.prompt, e.output, system="You name the intent.") for i, e in enumerate(intents(10))]
    request = ServingRequest(system="You are a pirate.")
    rng = np.random.default_rng(1)
    asked = [case("c1", utterance(THINGS["coupon"], rng), "arr", "coupon", request=request)]
    assert diagnose(rows, asked).findings[0].root_cause is RootCause.SERVING_MISMATCH


def test_a_missing_request_says_nothing_about_serving() -> None:
    found = diagnose(intents(), _cases("delivery", "refund"))
    assert all(f.probabilities[RootCause.SERVING_MISMATCH] == 0.0 for f in found.findings)


def test_a_model_output_that_is_right_is_no_failure_to_explain() -> None:
    finding = diagnose(intents(), [case("c1", "parcel courier late", "Delivery.", "delivery")]).findings[0]
    assert finding.root_cause is RootCause.UNDETERMINED
    assert [a.action for a in finding.recommended_actions] == ["close_case"]
    assert finding.evidence.hard.model_output_is_right
    assert finding.evidence.hard.right_by is Certainty.TEXT


def test_verdicts_do_not_depend_on_the_order_or_company_of_the_cases() -> None:
    rows = _mixed()
    asked = [*_cases("warranty", "refund"), *_cases("coupon", "refund"), *_cases("delivery", "invoice")]
    straight = {f.bad_case_id: f for f in diagnose(rows, asked).findings}
    turned = diagnose(rows, asked[::-1])
    assert [f.bad_case_id for f in turned.findings] == [c.id for c in asked[::-1]]
    for finding in turned.findings:
        same = straight[finding.bad_case_id]
        assert finding.root_cause is same.root_cause
        assert finding.probabilities == pytest.approx(same.probabilities)
        assert finding.cluster == same.cluster
    alone = diagnose(rows, asked[:1]).findings[0]
    assert alone.probabilities == pytest.approx(straight[asked[0].id].probabilities)


def test_the_same_seed_gives_the_same_diagnosis() -> None:
    rows, asked = intents(), _cases("delivery", "invoice")
    again = triage.triage(
        examples=rows, cases=asked, vectors=vectors_of(rows, asked), rng=np.random.default_rng(0)
    )
    assert again == diagnose(rows, asked, seed=0)


def test_a_persons_verdicts_teach_the_next_diagnosis() -> None:
    rows = intents()
    asked = _cases("delivery", "invoice", count=8)
    before = diagnose(rows, asked).findings[-1]
    said = [Override(case=c, root_cause=RootCause.CONFLICT) for c in asked[:-1]]
    after = diagnose(rows, asked, overrides=said).findings[-1]
    assert after.probabilities[RootCause.CONFLICT] > before.probabilities[RootCause.CONFLICT]


def test_evidence_is_stored_as_json_and_read_back() -> None:
    found = diagnose(intents(flipped=("warranty", "refund")), _cases("warranty", "refund"))
    json.dumps([found.calibration, found.training_defaults])
    for evidence in (f.evidence for f in found.findings):
        stored = json.loads(json.dumps(evidence.model_dump(mode="json")))
        assert Evidence.model_validate(stored).model_dump(mode="json") == stored
        assert stored["ood"]["nearest_cosine"] == round(evidence.ood.nearest_cosine or 0.0, 4)
        assert stored["ood"]["unseen_label"] is None
        assert not {"right_by", "right_since", "adapter"} & stored["hard"].keys()
        assert "judge" not in stored
    assert [step.step for step in found.roadmap] == [1, 2, 3, 4, 5]
    assert found.training_defaults["alpha"] == 2 * found.training_defaults["rank"]


ODD_SETS = {
    "none": [],
    "one row": [("hello", "b")],
    "two that contradict": [("hello", "b"), ("hello", "a")],
    "all equal": [("hello", "b")] * 60,
    "equal prompts with other answers": [("hello", f"b{i}") for i in range(60)],
    "empty texts": [("", "")] * 30,
    "one label": [(f"question {i} now", "yes") for i in range(50)],
    "huge": [("y" * 1_000_000, "z" * 1_000_000)] * 2 + [("hello", "b")] * 20,
}


@pytest.mark.parametrize("rows", ODD_SETS.values(), ids=ODD_SETS.keys())
def test_odd_training_sets_get_a_verdict_for_every_case(rows: list[tuple[str, str]]) -> None:
    asked = [
        case("c1", "hello", "a", "b"),
        case("c2", "", "", "x"),
        case("c3", "hi", "", "y"),
        case("c4", "q", "a"),
        case("c5", "q", ""),
        case("c6", "x" * 1_000_000, "z" * 1_000_000, "w"),
        case("c7", "你好吗", "好", "不好"),
    ]
    found = diagnose([example(i, p, o) for i, (p, o) in enumerate(rows)], asked)
    assert len(found.findings) == len(asked)
    for finding in found.findings:
        assert sum(finding.probabilities.values()) == pytest.approx(1.0)
        assert set(finding.probabilities) == DATA_CAUSES


def test_without_training_rows_nothing_is_covered() -> None:
    assert diagnose([], [case("c1", "hello", "a", "b")]).findings[0].root_cause is RootCause.OOD


def test_without_cases_there_is_nothing_to_find() -> None:
    found = diagnose(intents(), [])
    assert found.findings == ()
    assert found.clusters == ()


_TEXTS = st.text(alphabet="ab 12不好.\n", max_size=12)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(_TEXTS, _TEXTS), max_size=30),
    asked=st.lists(st.tuples(_TEXTS, _TEXTS, st.none() | _TEXTS), min_size=1, max_size=4),
)
def test_probabilities_are_probabilities_whatever_comes(rows: list, asked: list) -> None:
    found = diagnose(
        [example(i, p, o) for i, (p, o) in enumerate(rows)],
        [case(f"c{i}", p, m, e) for i, (p, m, e) in enumerate(asked)],
    )
    for finding in found.findings:
        assert sum(finding.probabilities.values()) == pytest.approx(1.0)
        assert all(0.0 <= p <= 1.0 for p in finding.probabilities.values())
        assert 0.0 <= finding.confidence <= 1.0


def test_a_verdict_says_what_it_had_to_do_without() -> None:
    found = diagnose(
        intents(), [case("c1", "parcel courier late today", "refund"), case("c2", "parcel", "", "x")]
    )
    without_expected, without_output = (f.evidence.ood.remarks for f in found.findings)
    assert any("no expected output" in r for r in without_expected)
    assert any("no model output" in r for r in without_output)
    assert not any("no expected output" in r for r in without_output)


def test_what_is_learnt_once_serves_any_cases() -> None:
    asked = [*_cases("warranty", "refund"), *_cases("delivery", "invoice")]
    learnt = fitted(_mixed())
    whole = triage.diagnose(learnt, asked, vectors_of([], asked))
    for part in (asked[:3], asked[3:]):
        again = triage.diagnose(learnt, part, vectors_of([], part))
        for finding in again.findings:
            same = next(f for f in whole.findings if f.bad_case_id == finding.bad_case_id)
            assert finding.probabilities == pytest.approx(same.probabilities)
            assert finding.root_cause is same.root_cause
    assert learnt.summary()["expected_calibration_error"] is not None


def test_a_case_is_measured_against_the_task_that_its_instruction_names() -> None:
    rows = [
        *(example(i, e.prompt, e.output, instruction="Name the intent.") for i, e in enumerate(intents())),
        *(example(900 + i, f"{i} plus {i + 3} is", str(2 * i + 3), instruction="Add up.") for i in range(60)),
    ]
    learnt = fitted(rows)
    assert learnt.tasks == {"Add up.": 1, "Name the intent.": 2}
    assert learnt.known.placed.tolist()[1:] == [False, True]
    # near the sums in words, and still a message whose intent is asked for
    asked = case("c1", "Name the intent.\n4 plus 7 is", "refund", "delivery")
    found = diagnose(rows, [asked]).findings[0]
    assert found.evidence.hard.prompt_numbers.more_than == 1.0
