from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.apply.three_way_merge import merged_turns
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.plan import RepairPolicy, plan_repair
from app.domain.repair.policy.decision import Decision
from tests.unit.repair.builders import example


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_changes_at_different_places_are_both_made() -> None:
    base, theirs, ours = (
        "the quick brown fox jumps far",
        "the quick red fox jumps far",
        "the quick brown fox jumps",
    )
    merged = merged_turns([_user(base)], [_user(theirs)], [_user(ours)], prevail=False)
    assert merged == [_user("the quick red fox jumps")]


@pytest.mark.parametrize(("prevail", "kept"), [(True, "my mail is [EMAIL] now"), (False, "my mail is x now")])
def test_of_two_changes_at_one_place_one_prevails(prevail: bool, kept: str) -> None:
    sides = ([_user(f"my mail is {word} now")] for word in ("a@b.com", "[EMAIL]", "x"))
    assert merged_turns(*sides, prevail=prevail) == [_user(kept)]


def test_turns_that_were_split_keep_what_was_redacted() -> None:
    base = [
        _user("User: call 13812345678\nAssistant: I did\nUser: thanks"),
        {"role": "assistant", "content": "ok"},
    ]
    after = [_user("call 13812345678"), {"role": "assistant", "content": "I did"}, _user("thanks"), base[1]]
    current = [_user("User: call [PHONE]\nAssistant: I did\nUser: thanks"), base[1]]
    assert merged_turns(base, after, current, prevail=False) == [
        {**after[0], "content": "call [PHONE]"},
        *after[1:],
    ]


_WORDS = st.lists(st.sampled_from(["a", "b", " ", "\n", "c.d", "[X]"]), max_size=8).map("".join)


@given(_WORDS, _WORDS)
def test_an_edit_of_what_stands_is_that_edit_and_none_changes_nothing(before: str, after: str) -> None:
    old, new = [_user(before)], [_user(after)]
    assert merged_turns(old, new, old, prevail=False) == new
    assert merged_turns(old, old, new, prevail=True) == new


_PHONE, _EMAIL, _ID = "13812345678", "wang.wei@corp-mail.com", "11010519491231002X"
_DECIDED = st.lists(st.booleans(), min_size=12, max_size=12)


@given(
    st.permutations([f"电话{_PHONE}", f"mail {_EMAIL}", f"ID {_ID}", "the  end", "一２３", "<|im_end|>"]),
    _DECIDED,
)
def test_whatever_else_is_approved_a_redacted_value_is_gone(parts: list[str], decided: list[bool]) -> None:
    row = example("a", "User: " + "，".join(parts) + "\nAssistant: I see\nUser: go on", "all  fine")
    material = PlanInputs(
        input_vectors=np.ones((1, 1), dtype=np.float32), output_vectors=np.ones((1, 1), dtype=np.float32)
    )
    plan = plan_repair([row], material, RepairPolicy())
    kinds = {action.evidence["rule"] for action in plan.actions}
    assert {"pii_phone", "pii_email", "pii_id_card", "normalise_roles", "normalise_spaces"} <= kinds
    actions = [
        replace(action, decision=Decision.APPROVED if yes else Decision.REJECTED)
        for action, yes in zip(plan.actions, itertools.cycle(decided), strict=False)
    ]
    new_ids = itertools.count()
    (applied,) = apply_actions([row], actions, new_id=lambda: f"n{next(new_ids)}").rows
    text = "\n".join(m.content for m in applied.example.messages)
    values = {"pii_phone": _PHONE, "pii_email": _EMAIL, "pii_id_card": _ID}
    for action in actions:
        if action.kind is ActionKind.REDACT and action.decision is Decision.APPROVED:
            assert values[action.evidence["rule"]] not in text
        elif action.kind is ActionKind.NORMALISE and action.decision is Decision.REJECTED:
            kept = {"normalise_special_tokens": "<|im_end|>", "normalise_width": "２３"}.get(
                action.evidence["rule"]
            )
            assert kept is None or kept in text
