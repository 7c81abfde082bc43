from __future__ import annotations

import json

import numpy as np
import pytest

from app.domain.records import TrainingExample
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.draft.open_questions import is_open, rows_kept_out
from app.domain.repair.draft.row_bands import Veto
from app.domain.repair.plan import Approval, Decision, RepairPolicy, plan_repair
from app.domain.repair.policy.pii import PiiMode, PiiPolicy
from app.domain.repair.row_quality import scores_step
from app.domain.repair.row_quality.reading import quality_scores
from app.domain.repair.row_quality.scores import QualityPolicy, QualityScores, Use
from app.domain.repair.row_quality.scores.consistency import supported_share
from tests.unit.repair.builders import example

ASK = "Answer from the passage."
PASSAGE = (
    "The museum in Lyon opened in {year} and was founded by Marie {name}, who gave {count} paintings to the city. "
    "It stands beside the river, is open every day but Monday, and a ticket for one visitor costs {price} euros."
)


def _rows(*odd: str) -> list[TrainingExample]:
    rows = []
    for i in range(40 + len(odd)):
        facts = {"year": 1900 + i, "name": f"Duval{chr(65 + i % 26)}", "count": 200 + i, "price": 5 + i % 7}
        output = (
            f"It opened in {1900 + i} and holds {200 + i} paintings that were given by Marie {facts['name']}."
        )
        rows.append(
            example(f"r{i}", PASSAGE.format(**facts), odd[i - 40] if i >= 40 else output, instruction=ASK)
        )
    return rows


def _material(rows: int) -> PlanInputs:
    vectors = np.random.default_rng(0).normal(size=(rows, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return PlanInputs(input_vectors=vectors, output_vectors=vectors)


def _scores(examples: list[TrainingExample], policy: QualityPolicy | None = None) -> QualityScores:
    return quality_scores(Draft.of(examples, RepairPolicy()), _material(len(examples)), policy)


def test_ordinary_rows_are_used_and_an_empty_one_is_dropped() -> None:
    found = _scores(_rows(""))
    assert {found.use(row) for row in range(40)} == {Use.USE}
    assert found.use(40) is Use.DROP
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


@pytest.mark.parametrize(
    ("component", "output"),
    [
        ("consistency", "It opened in 1788 and holds 9999 paintings that were given by Marie Curie."),
        ("format", "It opened in 1940 and holds 240 paintings that were given by the"),
        ("safety", "It opened in 1940, and the key of the door is AKIAABCDEFGHIJKLMNOP for all."),
        ("information", "I'm sorry, but I can't help with that request."),
        ("relevance", "I'm sorry, but I can't help with that request."),
    ],
)
def test_each_component_sees_its_own_defect(component: str, output: str) -> None:
    found = _scores(_rows(output))
    shown = found.shown(40)[component]
    assert shown is not None
    assert shown < 0.5
    assert found.use(40) is not Use.USE
    json.dumps(found.shown(40))


def test_what_makes_no_sense_is_left_out_and_the_rest_is_renormalised() -> None:
    rows = [
        example(f"r{i}", f"message {i}", ("yes", "no")[i % 2], instruction="Is it spam?") for i in range(40)
    ]
    found = _scores(rows)
    assert found.shown(0)["information"] is None
    assert found.shown(0)["safety"] is None
    assert found.shown(0)["consistency"] is None
    assert found.scores.min() > 0.8


def test_only_the_ratio_of_weights_counts() -> None:
    rows = _rows("It opened in 1788 and holds 9999 paintings that were given by Marie Curie.")
    weights = {"relevance": 1, "information": 1, "format": 1, "safety": 1, "consistency": 3}
    a = _scores(rows, QualityPolicy.from_dict({"weights": weights}))
    b = _scores(rows, QualityPolicy.from_dict({"weights": {k: 10 * w for k, w in weights.items()}}))
    assert a.scores == pytest.approx(b.scores)
    assert a.scores[40] < _scores(rows).scores[40]


def test_a_low_score_is_proposed_and_never_approved_without_a_person() -> None:
    # The policy may approve everything: a weighed score is still no rule.
    rows = _rows("I'm sorry, but I can't help with that request.")
    policy = RepairPolicy.from_dict({"approve": "all", "noise": False})
    plan = plan_repair(rows, _material(len(rows)), policy)
    actions = [a for a in plan.actions if a.evidence["rule"] == "quality"]
    assert [a.example_ids for a in actions] == [("r40",)]
    assert actions[0].decision is Decision.PROPOSED
    assert set(actions[0].evidence["components"]) == {
        "relevance",
        "information",
        "format",
        "safety",
        "consistency",
    }
    assert "relevance" in actions[0].reason


def test_a_row_that_noise_proposes_is_not_proposed_twice() -> None:
    rows = _rows("I'm sorry, but I can't help with that request.")
    plan = plan_repair(rows, _material(len(rows)), RepairPolicy())
    assert [a.evidence["rule"] for a in plan.actions] == ["noise"]


def test_only_outputs_with_facts_beside_a_passage_are_checked_against_it() -> None:
    passage = PASSAGE.format(year=1950, name="Duval", count=30, price=7)
    assert supported_share(passage, passage, "It costs 7 euros.") == 1.0
    assert supported_share(passage, passage, "It costs 8 euros.") == 0.0
    assert supported_share("2 + 2?", "2 + 2?", "4") is None
    assert supported_share(passage, passage, "nothing of that") is None


@pytest.mark.parametrize(
    ("raw", "fact"),
    [
        ("high", "policy.quality"),
        ({"weight": {}}, "no field 'weight'"),
        ({"weights": {"beauty": 1}}, "beauty"),
        ({"weights": {"format": -1}}, "policy.quality.weights.format"),
        ({"weights": {"format": float("nan")}}, "policy.quality.weights.format"),
        (
            {"weights": dict.fromkeys(("relevance", "information", "format", "safety", "consistency"), 0)},
            "all 0",
        ),
        ({"use_above": 1.2}, "policy.quality.use_above"),
        ({"use_above": 0.5, "drop_below": 0.7}, "drop_below"),
    ],
)
def test_a_section_that_nobody_can_mean_is_refused_by_name(raw: object, fact: str) -> None:
    with pytest.raises(ValueError, match=fact.replace(".", r"\.")):
        RepairPolicy.from_dict({"quality": raw})


def test_the_section_survives_storage() -> None:
    policy = RepairPolicy.from_dict(
        {"noise": False, "quality": {"weights": {"format": 2}, "drop_below": 0.4}}
    )
    assert RepairPolicy.from_dict(json.loads(json.dumps(policy.as_dict()))) == policy
    assert RepairPolicy.from_dict({"quality": None}).quality is None


_KEY = "AKIA" + "Q7WERTY3ASDF5GHJ"


@pytest.mark.parametrize(
    ("output", "veto"),
    [
        (f"It opened in 1940 and the key of the archive is {_KEY}, as everybody knows.", Veto.SECRET),
        ("It opened in 1940, and you are an idiot if you did not know that.", Veto.TOXIC),
        ("开馆是1940年，你去死吧。", Veto.TOXIC),
        ("It opened in 1940. " + "The museum is in Lyon by the river. " * 12, Veto.LOOP),
        ("ha" * 40, Veto.LOOP),
        ('{"opened": 1940, "paintings": 240, "donor": "Marie', Veto.BROKEN_JSON),
        ('[{"opened": 1940,, "paintings": 240}]', Veto.BROKEN_JSON),
    ],
)
def test_no_average_outvotes_a_veto(output: str, veto: Veto) -> None:
    rows = _rows(output)
    # Even the weights cannot: everything but the other components counts nothing here.
    lenient = QualityPolicy(use_above=0.1, drop_below=0.0)
    found = _scores(rows, lenient)
    assert veto in found.vetoes[40]
    assert found.use(40) is Use.DROP
    draft = Draft.of(
        rows, RepairPolicy(quality=lenient, pii=PiiPolicy(mode=PiiMode.OFF), approve=Approval.ALL)
    )
    scores_step.propose(draft, _material(len(rows)))
    (action,) = [a for a in draft.actions if a.example_ids == ("r40",)]
    assert is_open(action.kind, action.decision, action.evidence)
    assert rows_kept_out(action.kind, action.example_ids, action.evidence) == ("r40",)


@pytest.mark.parametrize(
    "output",
    [
        "aws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE is how documentation writes a key.",
        '{"opened": 1940, "paintings": 240, "donor": "Marie Duval"}',
        '{"opened": 1940}\n{"opened": 1941}',
        "It opened in 1940. It opened late. It opened in spring.",
        "0000000000000000000000000000000000000000",
    ],
)
def test_what_only_resembles_is_not_vetoed(output: str) -> None:
    assert _scores(_rows(output)).vetoes[40] == ()


def test_abuse_that_the_prompt_brings_is_the_tasks() -> None:
    row = example("a", "Translate: you are an idiot", "你是个白痴: you are an idiot")
    assert _scores([row]).vetoes == ((),)


def test_every_row_has_a_score_and_a_band_and_both_bounds_count() -> None:
    rows = _rows("", "It opened in 1788 and holds 9999 paintings that were given by Marie Curie.")
    bands = {}
    for use_above in (0.8, 0.999):
        draft = Draft.of(rows, RepairPolicy(quality=QualityPolicy(use_above=use_above)))
        scores_step.propose(draft, _material(len(rows)))
        assert [q.example_id for q in draft.row_quality] == [r.id for r in rows]
        assert sum(draft.notes["quality"]["bands"].values()) == len(rows)
        bands[use_above] = draft.notes["quality"]["bands"]
    assert bands[0.999]["review"] > bands[0.8]["review"]
    assert bands[0.999]["drop"] == bands[0.8]["drop"]


def test_a_score_alone_keeps_no_row_out() -> None:
    rows = _rows("")
    draft = Draft.of(rows, RepairPolicy())
    scores_step.propose(draft, _material(len(rows)))
    (action,) = draft.actions
    assert rows_kept_out(action.kind, action.example_ids, action.evidence) == ()
