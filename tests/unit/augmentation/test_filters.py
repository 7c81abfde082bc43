from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.augmentation.diversity import diversity, select_diverse
from app.domain.augmentation.filters import Rejection, filter_paraphrases
from app.domain.augmentation.surface import holds_code, surface_variants
from app.domain.language import text

ORIGINAL = "How do I return 2 pairs of shoes?"


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        ("", Rejection.EMPTY),
        ("2 shoes", Rejection.LENGTH),
        ("怎么退回两双鞋子呢怎么退回2双鞋", Rejection.LANGUAGE),
        ("What must I do to send back 3 pairs of shoes?", Rejection.NUMBERS),
        ("how do i return 2 pairs of shoes", Rejection.NEAR_DUPLICATE),
        ("Which form sends 2 pairs of boots back?", Rejection.HELD_BACK),
    ],
)
def test_each_unfit_candidate_is_dropped_with_its_reason(candidate: str, reason: Rejection) -> None:
    result = filter_paraphrases(
        [candidate], original=ORIGINAL, held_back=["which form sends 2 pairs of boots back"]
    )
    assert result.kept == ()
    assert result.rejected[0].reason is reason


def test_a_fit_candidate_is_kept_once() -> None:
    good = "I would like to send 2 pairs of shoes back, what now?"
    result = filter_paraphrases([good, good + " "], original=ORIGINAL)
    assert result.kept == (good,)
    assert result.rejected[0].of == good


@given(st.lists(st.text("abcdef ", min_size=1, max_size=15), max_size=8), st.integers(0, 8))
def test_selection_takes_different_candidates_and_no_more_than_asked(
    candidates: list[str], count: int
) -> None:
    chosen = select_diverse(candidates, count)
    assert len(chosen) == min(count, len(set(candidates)))
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(candidates)


def test_selection_prefers_what_is_least_alike() -> None:
    alike = ["where is my parcel now", "where is my parcel today", "cancel the subscription please"]
    assert select_diverse(alike, 2) == (alike[0], alike[2])
    assert diversity(["a b c d e f", "a b c d e f"]) == 0.0


@pytest.mark.parametrize(
    "prompt", ["print(`x`)", "def f(x):", 'say "hello"', "怎么翻译“你好”", "a line\nanother"]
)
def test_code_quotations_and_several_lines_are_left_alone(prompt: str) -> None:
    assert surface_variants(prompt, 5, np.random.default_rng(0)) == ()


@pytest.mark.parametrize("prompt", ["where is my parcel?", "Cancel my plan", "怎么退款", "我要退款。", "?"])
def test_variants_differ_from_the_prompt_and_keep_its_words(prompt: str) -> None:
    variants = surface_variants(prompt, 4, np.random.default_rng(0))
    assert prompt not in variants
    assert len(set(variants)) == len(variants)
    core = text.normalised(prompt)
    assert all(core in text.normalised(v) for v in variants)
    assert not holds_code(prompt)
