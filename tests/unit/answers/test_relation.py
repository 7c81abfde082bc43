from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.answers.relation import Relation, relate, relate_answers, word_f1
from tests.effort import examples

LABELS = frozenset({"credit limit change", "report a lost card now please"})


@pytest.mark.parametrize(
    ("left", "right", "relation"),
    [
        ("Uber", "uber.", Relation.SAME),
        ("uber", "weather", Relation.CONTRADICTS),
        ("Credit limit change", "report a lost card now please", Relation.CONTRADICTS),
        ("You can return it within 14 days.", "You can return it within 30 days.", Relation.CONTRADICTS),
        ("3 + 4 = 7\nAnswer: 7", "First 4, then 3 more.\nAnswer: 7", Relation.SAME),
        ("3 + 4 = 8\nAnswer: 8", "First 4, then 3 more.\nAnswer: 7", Relation.CONTRADICTS),
        (
            "Yes, you can cancel the plan online",
            "No, you cannot cancel the plan online",
            Relation.CONTRADICTS,
        ),
        ("The bond pays one point nine percent", "The bond pays one point six percent", Relation.CONTRADICTS),
        ("The bond pays 1.9 percent a year", "The bond pays one point nine percent a year", Relation.SAME),
        ("Put the cream on before the bath", "Put the cream on after the bath", Relation.CONTRADICTS),
        ("The light at the door is green now", "The light at the door is orange now", Relation.UNCLEAR),
        ("The guest pays the host the deposit", "The host pays the guest the deposit", Relation.CONTRADICTS),
        ('{"city": "Bern", "guests": 6}', '{"guests": 6.0, "city": "Bern"}', Relation.SAME),
        ('{"city": "Bern", "guests": 6}', '{"city": "Basel", "guests": 6}', Relation.CONTRADICTS),
        ("def f(x):\n    return x + 1", "def f(x):\n    return 1 + x", Relation.UNCLEAR),
        ("C#", "C", Relation.UNCLEAR),
        (
            "You can cancel the plan online today",
            "You can not cancel the plan online today",
            Relation.CONTRADICTS,
        ),
        ("Paris is lovely in the spring time", "Try the museums and the river boats", Relation.UNCLEAR),
        ("先算 3+4\n答案：7", "7", Relation.SAME),
        ("七天内可以无理由退货", "七天内不可以无理由退货", Relation.CONTRADICTS),
        ("", "uber", Relation.UNCLEAR),
    ],
)
def test_only_what_commits_can_contradict(left: str, right: str, relation: Relation) -> None:
    assert relate(left, right, LABELS) is relation


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_relation_does_not_depend_on_the_side(left: str, right: str) -> None:
    assert relate(left, right) is relate(right, left)
    assert word_f1(left, right) == word_f1(right, left)
    assert 0 <= word_f1(left, right) <= 1


COUNTED, OPEN, PLAIN = (
    "How many days is the return window?",
    "Write a slogan for our shop",
    "Tell me about it",
)


@pytest.mark.parametrize(
    ("prompt", "left", "right", "relation"),
    [
        # two wordings of one answer
        (PLAIN, "The sky is blue since air scatters blue light.", "Air scatters blue light: a blue sky.", "unclear"),
        (PLAIN, "You can pay by card.", "you can pay by card", "same"),
        ("退货期限是几天？", "七天内可以退货。", "七天内可以退货", "same"),
        # both are fine
        ("Name a primary colour", "Red", "Red and blue", "unclear"),
        ("Who wrote it?", "Shakespeare", "William Shakespeare", "unclear"),
        ("作者是谁？", "鲁迅", "鲁迅先生", "unclear"),
        # closed answers
        ("Who wrote it?", "Shakespeare", "Marlowe", "contradicts"),
        ("作者是谁？", "鲁迅", "茅盾", "contradicts"),
        ("Which plan is it?", "credit limit change", "report a lost card now please", "contradicts"),
        # numbers, and their rounding
        (COUNTED, "30 days", "14 days", "contradicts"),
        (COUNTED, "30 to 30 days", "30 to 14 days", "contradicts"),
        (COUNTED, "30 days", "30 days, 45 in winter", "unclear"),
        (COUNTED, "The window is 30 days.", "The window is 14 days.", "contradicts"),
        ("What is 10 / 3?", "3.33", "3.3333", "unclear"),
        ("What is 10 / 3?", "3.33", "3.5", "contradicts"),
        ("10 除以 3 等于多少？", "3.33", "3.3333", "unclear"),
        ("一共几天？", "一共 30 天", "一共 14 天", "contradicts"),
        # yes and no
        ("Can I cancel it?", "Yes", "No", "contradicts"),
        ("可以取消吗？", "可以", "不", "contradicts"),
        ("Can I cancel it?", "You can cancel it online today", "You can not cancel it online today", "contradicts"),
        # one sentence with its opposite excludes it, one with another name may stand beside it
        (PLAIN, "Put the cream on before the bath", "Put the cream on after the bath", "contradicts"),
        (PLAIN, "饭前半小时服用这种药", "饭后半小时服用这种药", "contradicts"),
        (PLAIN, "A long river in the north is the Elbe", "A long river in the north is the Oder", "unclear"),
        # open prompts have many right answers
        (OPEN, "We sell for 5", "We sell for 9", "unclear"),
        (OPEN, "Shoes", "Boots", "unclear"),
        ("写一句广告语", "好鞋", "好靴", "unclear"),
        (PLAIN, "", "No", "unclear"),
    ],
)  # fmt: skip
def test_only_what_cannot_both_be_right_contradicts(
    prompt: str, left: str, right: str, relation: str
) -> None:
    assert relate_answers(prompt, left, right, LABELS) is Relation(relation)
    assert relate_answers(prompt, right, left, LABELS) is Relation(relation)


def test_labels_contradict_whatever_is_asked() -> None:
    both = ("Credit limit change", "report a lost card now please")
    assert relate_answers(OPEN, *both, LABELS) is Relation.CONTRADICTS


_SAID = st.lists(
    st.sampled_from(
        ["30", "14", "30.2", "days", "not", "yes", "no", "the", "answer:", "是", "不", "天", "七", "."]
    )
    | st.text(max_size=4),
    max_size=7,
).map(" ".join)


@settings(max_examples=examples(300))
@given(st.sampled_from([COUNTED, OPEN, PLAIN, "Is it red or blue?", "一共几天？", "Sort them"]), _SAID, _SAID)
def test_what_two_answers_are_to_each_other_does_not_depend_on_the_side(
    prompt: str, left: str, right: str
) -> None:
    assert relate_answers(prompt, left, right, LABELS) is relate_answers(prompt, right, left, LABELS)
    assert relate_answers(prompt, left, left, LABELS) in (Relation.SAME, Relation.UNCLEAR)
