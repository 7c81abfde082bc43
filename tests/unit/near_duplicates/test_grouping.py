from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from app.domain.near_duplicates.grouping import (
    DropReason,
    PromptGroups,
    connected,
    exact_duplicates,
    same_prompts,
    without_templates,
)

_PAIRS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40)


@given(_PAIRS, st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_the_pairs(
    pairs: list[tuple[int, int]], shuffler: random.Random
) -> None:
    shuffled = [tuple(shuffler.sample(pair, 2)) for pair in shuffler.sample(pairs, len(pairs))]
    assert connected(15, pairs) == connected(15, [(a, b) for a, b in shuffled])


@given(_PAIRS)
def test_every_pair_ends_in_one_group_and_no_row_in_two(pairs: list[tuple[int, int]]) -> None:
    groups = connected(15, pairs)
    members = [row for group in groups for row in group]
    assert len(members) == len(set(members))
    for a, b in pairs:
        assert a == b or any(a in group and b in group for group in groups)


@given(st.lists(st.sampled_from("abcdef"), max_size=30))
def test_of_exact_duplicates_the_first_stays(hashes: list[str]) -> None:
    dropped = exact_duplicates(hashes)
    gone = {d.row for d in dropped}
    assert [h for i, h in enumerate(hashes) if i not in gone] == list(dict.fromkeys(hashes))
    assert all(d.of < d.row and hashes[d.of] == hashes[d.row] for d in dropped)
    assert all(d.reason is DropReason.EXACT_DUPLICATE for d in dropped)


def test_prompts_with_small_edits_are_one_group() -> None:
    prompts = [
        "how do i freeze my debit card when i have lost it somewhere",
        "How do I freeze my debit card when I have lost it somewhere?",
        "how do i freeze my debit cards when i have lost it somewhere",
        "what is the interest rate on a savings account today",
    ]
    found = same_prompts(prompts, [""] * 4, 0.8)
    assert found.groups == ((0, 1, 2),)
    assert found.jaccards[(0, 1)] == 1.0


def test_another_number_negation_or_system_prompt_makes_another_question() -> None:
    prompt = "please book a table at the usual restaurant for friday the 5 of may"
    others = [prompt, prompt.replace("5", "6"), prompt.replace("please", "please do not"), prompt]
    assert same_prompts(others, ["", "", "", "be brief"], 0.7).groups == ()


def test_chinese_prompts_with_one_other_character_are_one_group() -> None:
    prompts = [
        "请问怎么样才能取消我上个月刚刚开通的会员自动续费呢",
        "请问怎么样才能取消我上个月刚刚开通的会员自动续费",
        "今天天气怎么样",
    ]
    assert same_prompts(prompts, [""] * 3, 0.8).groups == ((0, 1),)


def test_empty_prompts_are_no_duplicates() -> None:
    assert same_prompts(["", " ", ""], [""] * 3, 0.8).groups == ()


def test_a_template_filled_in_differently_is_no_group_but_equal_prompts_are() -> None:
    rows = 40
    jaccards = {(i, i + 1): 0.9 for i in range(rows - 1)} | {(0, 2): 1.0}
    groups = PromptGroups(groups=connected(rows, jaccards), jaccards=jaccards)
    alternating = ["true" if i % 2 else "false" for i in range(rows)]
    assert without_templates(groups, ["t"] * rows, alternating).groups == ((0, 2),)
    by_half = ["true" if i < rows // 2 else "false" for i in range(rows)]
    assert without_templates(groups, ["t"] * rows, by_half).groups == groups.groups
