from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.reporting.differences import MAX_TOKENS, mark_differences


def _marked(text: str, other: str) -> list[str]:
    return [s.text for s in mark_differences(text, other)[0] if s.differs]


texts = st.text(alphabet="ab 退货，30\n.", max_size=60)


@given(left=texts, right=texts)
def test_the_segments_join_to_the_texts(left: str, right: str) -> None:
    a, b = mark_differences(left, right)
    assert "".join(s.text for s in a) == left
    assert "".join(s.text for s in b) == right


@given(left=texts, right=texts)
def test_what_is_not_marked_stands_in_both_texts(left: str, right: str) -> None:
    a, b = mark_differences(left, right)
    if any(s.differs for s in (*a, *b)):
        assert "".join(s.text for s in a if not s.differs) == "".join(s.text for s in b if not s.differs)


def test_words_are_compared_as_wholes_and_chinese_by_character() -> None:
    assert _marked("free within 30 days", "free within 14 days") == ["30"]
    assert _marked("退货三十天", "退货十四天") == ["三"]


def test_equal_texts_and_texts_with_nothing_in_common_are_not_marked() -> None:
    assert _marked("the same", "the same") == []
    assert _marked("cards / freeze card", "Returns are free.") == []


def test_long_texts_are_not_compared() -> None:
    assert _marked("word " * (MAX_TOKENS + 1), "word " * MAX_TOKENS + "other") == []
