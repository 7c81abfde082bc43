"""What to do about a case."""

import itertools

import pytest

from app.domain.diagnosis.catalogue import remedies
from app.domain.diagnosis.catalogue.remedies import RemedyInput
from app.domain.diagnosis.evidence import findings
from app.domain.records import RootCause, Symptom


def _names(
    cause: RootCause, *seen: Symptom, has_expected: bool = True, already_right: bool = False
) -> list[str]:
    made = findings.recommended_actions(cause, seen, has_expected=has_expected, already_right=already_right)
    return [a.action for a in made]


@pytest.mark.parametrize(
    ("cause", "actions"),
    [
        (RootCause.SERVING_MISMATCH, ["fix_request"]),
        (RootCause.OOD, ["add_examples", "few_shot"]),
        (RootCause.CONFLICT, ["clean_conflicts", "retrain"]),
        (RootCause.HARD, ["chain_of_thought", "curriculum", "raise_rank"]),
        (RootCause.UNDETERMINED, ["ask_person"]),
    ],
)
def test_each_cause_has_its_remedies_in_their_order(cause: RootCause, actions: list[str]) -> None:
    assert _names(cause) == actions


@pytest.mark.parametrize(
    ("symptom", "action"),
    [
        (Symptom.GIBBERISH, "check_deployment"),
        (Symptom.REPETITION, "check_end_of_turn"),
        (Symptom.TRUNCATION, "raise_max_tokens"),
        (Symptom.FORMAT_VIOLATION, "constrain_output"),
        (Symptom.REFUSAL, "clean_refusals"),
        (Symptom.WRONG_LANGUAGE, "state_language"),
        (Symptom.COPIED_TRAINING_OUTPUT, "remove_duplicates"),
    ],
)
def test_a_symptom_adds_its_remedy_after_those_of_the_cause(symptom: Symptom, action: str) -> None:
    assert _names(RootCause.HARD, symptom) == [*_names(RootCause.HARD), action]


def test_what_is_hard_among_labels_needs_rows_at_the_border_and_no_steps() -> None:
    made = findings.recommended_actions(
        RootCause.HARD, (), has_expected=True, already_right=False, labelled=True
    )
    assert [a.action for a in made] == ["border_examples", "curriculum", "raise_rank"]


def test_missing_knowledge_points_to_retrieval_first_and_a_cut_off_request_is_mended_in_the_request() -> None:
    assert _names(RootCause.OOD, Symptom.MISSING_KNOWLEDGE)[0] == "retrieve"
    assert "raise_max_tokens" not in _names(RootCause.SERVING_MISMATCH, Symptom.TRUNCATION)


def test_an_undetermined_case_asks_for_what_is_missing() -> None:
    assert _names(RootCause.UNDETERMINED, already_right=True) == ["close_case"]
    assert _names(RootCause.UNDETERMINED, has_expected=False) == ["give_expected_output"]


def test_every_remedy_is_recommended_for_some_verdict_and_every_verdict_has_a_remedy() -> None:
    verdicts = [
        RemedyInput(
            cause=cause,
            symptoms=frozenset(seen),
            has_expected=expected,
            already_right=right,
            labelled=labelled,
        )
        for cause in RootCause
        for seen in itertools.chain([()], ((s,) for s in Symptom))
        for expected, right in ((True, True), (True, False), (False, False))
        for labelled in (False, True)
    ]
    recommended = [remedies.recommended(verdict) for verdict in verdicts]
    assert all(recommended)
    used = {a.action for actions in recommended for a in actions}
    assert used == {remedy.name for remedy in remedies.REMEDIES}
