from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.domain.records import TrainingExample
from app.domain.repair.apply.similar_rows import propose_similar, replaced_texts, spoken_for
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.repair_policy import RepairPolicy
from app.domain.repair.rewriting import normalisation_step
from tests.unit.repair.builders import example


def _to(row: TrainingExample, output: str) -> dict[str, Any]:
    return replace(row, messages=(*row.messages[:-1], replace(row.messages[-1], content=output))).content()


def _action(
    kind: ActionKind, row: TrainingExample, after: dict[str, Any] | None = None, **evidence: object
) -> ProposedAction:
    return ProposedAction(
        kind=kind,
        example_ids=(row.id,),
        before=(row.content(),),
        after=() if after is None else (after,),
        reason="looks wrong",
        score=0.9,
        evidence=evidence,
        decision=Decision.APPROVED,
    )


def _ids(found: tuple[list[ProposedAction], int]) -> list[str]:
    return [action.example_ids[0] for action in found[0]]


CARDS = [
    example("ex_0", "my new card has not arrived yet", "loans"),
    example("ex_1", "the new card has still not arrived", "loans"),
    example("ex_2", "what is the interest on a mortgage", "loans"),
    example("ex_3", "my new card has not arrived", "cards"),
    example("ex_4", "我的新卡还没有寄到", "loans"),
    example("ex_5", "我的新卡怎么还没有寄到呢", "loans"),
]


def test_a_relabel_spreads_to_rows_of_the_label_that_ask_alike() -> None:
    action = _action(ActionKind.RELABEL, CARDS[0], _to(CARDS[0], "cards"), rule="expected_output")
    actions, left_out = propose_similar(action, "ra_1", CARDS[0], CARDS, limit=10)
    assert [a.example_ids for a in actions] == [("ex_1",)]
    assert left_out == 0
    (made,) = actions
    assert made.after[0]["messages"][-1]["content"] == "cards"
    assert made.decision is Decision.PROPOSED
    assert "ra_1" in made.reason
    assert made.evidence["rule"] == "expected_output"
    assert made.evidence["modelled_on"] == "ra_1"
    assert 0 < made.score < action.score


def test_a_relabel_spreads_in_chinese() -> None:
    action = _action(ActionKind.RELABEL, CARDS[4], _to(CARDS[4], "cards"))
    assert _ids(propose_similar(action, "ra_1", CARDS[4], CARDS, limit=10)) == ["ex_5"]


def test_another_task_is_left_alone() -> None:
    other = example("ex_9", "the new card has not arrived yet", "loans", system="Name the mood.")
    action = _action(ActionKind.RELABEL, CARDS[0], _to(CARDS[0], "cards"))
    assert _ids(propose_similar(action, "ra_1", CARDS[0], [CARDS[0], other], limit=10)) == []


@pytest.mark.parametrize(
    "answer", ["", "I am sorry, but I cannot help with that request as I am a language model."]
)
def test_a_dropped_canned_answer_is_dropped_whatever_was_asked(answer: str) -> None:
    rows = [example("ex_0", "write a poem", answer), example("ex_1", "sum 4 and 5", answer)]
    rows.append(example("ex_2", "write a poem", "Roses are red."))
    action = _action(ActionKind.DROP, rows[0], rule="refusal")
    actions, _ = propose_similar(action, "ra_1", rows[0], rows, limit=10)
    assert [(a.kind, a.example_ids, a.after) for a in actions] == [(ActionKind.DROP, ("ex_1",), ())]


def test_a_duplicates_drop_takes_the_near_duplicates_and_never_the_row_that_stays() -> None:
    said = "Take the second street on the left and then go on to the river."
    rows = [
        example("ex_kept", "how do I get to the river from the town hall", said),
        example("ex_0", "how do I get to the river from the town hall?", said),
        example("ex_1", "how do I get to the river from the town hall!", said),
        example("ex_2", "how do I get to the river from gate 7", said),
    ]
    action = _action(ActionKind.DROP, rows[1], rule="near_duplicate", of="ex_kept")
    assert _ids(propose_similar(action, "ra_1", rows[1], rows, limit=10)) == ["ex_1"]


def test_a_redaction_finds_the_same_text_in_other_rows_only_as_a_whole() -> None:
    rows = [
        example("ex_0", "call 13800138000, please", "I call 13800138000."),
        example("ex_1", "who has 13800138000?", "Ann."),
        example("ex_2", "who has 913800138000?", "Bob."),
        example("ex_3", "请拨打13800138000", "好的"),
    ]
    after = example("ex_0", "call <PHONE>, please", "I call <PHONE>.").content()
    action = _action(ActionKind.REDACT, rows[0], after, rule="pii")
    assert replaced_texts(action) == ("13800138000",)
    actions, _ = propose_similar(action, "ra_1", rows[0], rows, limit=10)
    assert [a.after[0]["messages"][0]["content"] for a in actions] == ["who has <PHONE>?", "请拨打<PHONE>"]


def test_a_normalisation_fits_rows_with_the_same_defects_and_no_others() -> None:
    rows = [
        example("ex_0", "Hi  you<|im_end|>", "there"),
        example("ex_1", "<|im_end|>Ho", "there"),
        example("ex_2", "two  spaces", "there"),
        example("ex_3", "clean", "there"),
    ]
    draft = Draft.of(rows, RepairPolicy())
    vectors = np.ones((len(rows), 1), dtype=np.float32)
    normalisation_step.propose(draft, PlanInputs(input_vectors=vectors, output_vectors=vectors))
    planned = {(a.example_ids[0], a.evidence["rule"]): a for a in draft.actions}
    action = planned["ex_0", "normalise_special_tokens"]
    # a marker of four characters and spaces alike: the rule looks for its defect, not for the text taken out
    assert replaced_texts(action) == ()
    fitting, _ = propose_similar(action, "ra_1", rows[0], rows, limit=10)
    assert [(a.example_ids, a.after[0]["messages"][0]["content"]) for a in fitting] == [(("ex_1",), "Ho")]


def test_no_more_than_asked_for_and_the_rest_is_counted() -> None:
    rows = [example(f"ex_{i}", f"question {i}", "") for i in range(10)]
    found = propose_similar(_action(ActionKind.DROP, rows[0]), "ra_1", rows[0], rows, limit=4)
    assert (len(found[0]), found[1]) == (4, 5)


@pytest.mark.parametrize("kind", [ActionKind.MERGE, ActionKind.ADD, ActionKind.UPSAMPLE])
def test_actions_about_their_own_rows_fit_no_others(kind: ActionKind) -> None:
    action = _action(kind, CARDS[0], CARDS[0].content())
    with pytest.raises(ValueError, match="choose"):
        propose_similar(action, "ra_1", CARDS[0], CARDS, limit=10)


def test_rows_that_are_judged_or_gone_are_spoken_for() -> None:
    rows = {kind: example(f"ex_{kind}", "q", "a") for kind in ActionKind}
    others = [_action(kind, row, row.content()) for kind, row in rows.items()]
    rejected = [replace(a, decision=Decision.REJECTED) for a in others]
    relabel, redact = others[1], next(a for a in others if a.kind is ActionKind.REDACT)
    assert spoken_for(relabel, others) == {"ex_relabel", "ex_drop", "ex_merge"}
    assert spoken_for(relabel, rejected) == {"ex_relabel"}
    assert spoken_for(redact, others) == {"ex_redact", "ex_drop", "ex_merge"}
