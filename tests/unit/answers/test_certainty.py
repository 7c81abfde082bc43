"""Two answers are the same only where that is certain."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.answers.certainty import Certainty, certainly_equal


def call(**arguments: object) -> str:
    return json.dumps({"name": "book_table", "arguments": arguments})


@pytest.mark.parametrize(
    ("said", "wanted", "how"),
    [
        ("Refund", "refund.", Certainty.TEXT),
        ("  The shop  opens late. ", "the shop opens late", Certainty.TEXT),
        ("(B)", "B.", Certainty.TEXT),
        ("“Lisbon”", "Lisbon", Certainty.TEXT),
        ("**Lisbon**", "Lisbon", Certainty.TEXT),
        ("Ｌｉｓｂｏｎ", "Lisbon", Certainty.TEXT),
        ("退款 申请", "退款申请。", Certainty.TEXT),
        ("<think>\n\n</think>\n\nLisbon", "Lisbon", Certainty.TEXT),
        ("def f(x):\n    return x  \n", "def f(x):\n    return x", Certainty.TEXT),
        ("The fee is 5 %.", "The fee is five percent.", Certainty.QUANTITY),
        ("手续费是5%", "手续费是百分之五。", Certainty.QUANTITY),
        ("It takes 2 hours", "It takes 120 minutes.", Certainty.QUANTITY),
        ("It ends on 7 March 2024", "it ends on 2024-03-07.", Certainty.QUANTITY),
        ("$5", "5 dollars", Certainty.QUANTITY),
        ('{"city": "Bern", "guests": 6.0}', '{"guests":6,"city":"Bern"}', Certainty.JSON),
        ("```json\n[1, 2]\n```", "```json\n[1,2]\n```", Certainty.JSON),
        (call(city="Bern", guests=6), call(guests=6.0, city="Bern"), Certainty.TOOL_CALL),
        (f"<tool_call>\n{call(city='Bern')}\n</tool_call>", call(city="Bern"), Certainty.TOOL_CALL),
        ("Two bags of 12.\nFinal answer: 24", "24", Certainty.FINAL_ANSWER),
        ("12 + 12\n#### 24", "Twice 12.\nAnswer: 24", Certainty.FINAL_ANSWER),
    ],
)
def test_what_is_certainly_the_same_says_by_what(said: str, wanted: str, how: Certainty) -> None:
    assert certainly_equal(said, wanted) is how
    assert certainly_equal(wanted, said) is how


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("The bond pays one point nine percent.", "The bond pays one point six percent."),
        ("Put the cream on before the bath.", "Put the cream on after the bath."),
        ("The valve lowers the pressure.", "The valve raises the pressure."),
        ("See https://a.example/terms", "See https://a.example/terms-eu"),
        ("https://a.example/Terms", "https://a.example/terms"),
        ("The guest pays the host.", "The host pays the guest."),
        ("We open at ten every day.", "Every day we open at ten."),
        ("Ask Ms Meier", "Ask Ms Maier"),
        ("x > 3", "x >= 3"),
        ("5 mg twice a day", "5 g twice a day"),
        ("at 9 am", "at 9 pm"),
        ("on Monday", "on Tuesday"),
        ("on 2024-03-07", "on 2024-07-03"),
        ("C#", "C"),
        (".NET", "NET"),
        ("userName", "username"),
        ("MAX_SIZE", "max_size"),
        ("SELECT A FROM t", "select a from t"),
        ("return x", "return X"),
        ("    return x + 1", "return x + 1"),
        ("10²", "102"),
        ("3.10", "3.1"),
        ("-4", "4"),
        ("4!", "4"),
        ("合同三年后到期", "合同五年后到期"),
        ("饭前服用", "饭后服用"),
        ('{"a": 1}', '{"a": true}'),
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": "Bern"}', '{"a": "bern"}'),
        ('{"a": 1, "a": 2}', '{"a": 2}'),
        ("[1, 2]", "[2, 1]"),
        (call(city="Bern"), call(city="Basel")),
        (call(city="Bern"), "I book a table in Bern."),
        ("name: Ann\nage: 5", "name: Bob\nage: 5"),
        ("12 + 11\nFinal answer: 23", "24"),
        ("<think>It is Lisbon", "Lisbon"),
        ("", ""),
        ("", "Lisbon"),
    ],
)  # fmt: skip
def test_what_merely_looks_alike_is_not_the_same(said: str, wanted: str) -> None:
    assert certainly_equal(said, wanted) is None
    assert certainly_equal(wanted, said) is None


def test_a_listed_alternative_is_as_good() -> None:
    assert certainly_equal("cab.", "taxi", ("Cab", "hire car")) is Certainty.ALTERNATIVE
    assert certainly_equal("bus", "taxi", ("Cab", "hire car")) is None


@pytest.mark.parametrize(
    ("prompt", "said", "wanted"),
    [
        ("Write in capitals: lisbon", "Lisbon", "LISBON"),
        ("把下面的字母改成大写：abc", "abc", "ABC"),
        ("Convert 2 hours to minutes", "2 hours", "120 minutes"),
        ("How many minutes are 2 hours?", "2 hours", "120 minutes"),
        ("Write 40 in words", "40", "forty"),
        ("Add the punctuation: come in", "come in", "Come in."),
    ],
)
def test_a_way_of_writing_that_is_asked_for_is_part_of_the_answer(
    prompt: str, said: str, wanted: str
) -> None:
    assert certainly_equal(said, wanted)
    assert certainly_equal(said, wanted, prompt=prompt) is None
    assert certainly_equal(wanted, wanted, prompt=prompt)


@given(st.text(max_size=40), st.text(max_size=40))
def test_certainty_does_not_depend_on_the_side(left: str, right: str) -> None:
    assert certainly_equal(left, right) is certainly_equal(right, left)
