"""What two texts that sound alike commit to."""

import pytest

from app.domain.answers.commitments import Commitment, differ, hardly_differ, same_question_guard


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("You get your money back in 14 days", "You get back your money in 14 days"),
        ("You can return it within 14 days", "Returns are possible for fourteen days"),
        ("We ship every morning in the week of the fair", "In the week of the fair we ship every morning"),
        ("Please purchase the ticket online", "You buy the ticket online"),
        ("The fee is 5 %", "It is a fee of five percent"),
        ("请您在七天内申请退款", "您可以在7天内申请退款"),
        ("立即联系客服", "请马上联系客服"),
        ('{"a": 1}', '{"a":1.0}'),
    ],
)
def test_another_wording_commits_to_the_same(left: str, right: str) -> None:
    assert differ(left, right) is None
    assert differ(right, left) is None


@pytest.mark.parametrize(
    ("left", "right", "what"),
    [
        ("The bond pays one point nine percent", "The bond pays one point six percent", Commitment.NUMBER),
        ("合同自签订起三年后到期", "合同自签订起五年后到期", Commitment.NUMBER),
        ("Use 5 mg a day of the cream", "Use 5 g a day of the cream", Commitment.NUMBER),
        ("We do not ship on holidays", "We do ship on holidays", Commitment.NEGATION),
        ("Put the cream on before the bath", "Put the cream on after the bath", Commitment.OPPOSITE),
        ("饭后半小时服用", "饭前半小时服用", Commitment.OPPOSITE),
        ("You find it at https://a.example/terms", "You find it at https://a.example/fees", Commitment.CODE),
        ("The limit applies if a > b holds", "The limit applies if a < b holds", Commitment.CODE),
        ('{"city": "Bern"}', '{"city": "Basel"}', Commitment.CODE),
        ("def f(x):\n    return x + 1", "def f(x):\n    return x - 1", Commitment.CODE),
        ("The guest pays the host the deposit", "The host pays the guest the deposit", Commitment.ORDER),
        ("The courier from Hamburg comes on Monday", "The courier from Bremen comes on Monday", Commitment.NAME),
        ("The light at the door is green", "The light at the door is orange", Commitment.WORD),
        ("take it daily with water", "take it weekly with water", Commitment.WORD),
        ("总部在北京市区", "总部在上海市区", Commitment.WORD),
    ],
)  # fmt: skip
def test_one_thing_that_commits_makes_another_answer(left: str, right: str, what: Commitment) -> None:
    assert differ(left, right) is what
    assert differ(right, left) is what


def test_a_moved_part_or_a_filler_hardly_differs_and_another_sentence_does() -> None:
    said = "We ship every morning in the week of the fair"
    assert hardly_differ(said, "In the week of the fair we ship every morning")
    assert hardly_differ(said, "We ship every morning in the week of the fair, thank you")
    assert not hardly_differ(said, "Our parcels leave the house before noon while the fair is on")
    assert not hardly_differ(said, "We ship every evening in the week of the fair")


@pytest.mark.parametrize(
    ("left", "right", "may_be"),
    [
        ("What is 12 + 7?", "What's 12 + 7", True),
        ("What is 12 + 7?", "What is 12 - 7?", False),
        ("What is 12 - 7?", "What is 7 - 12?", False),
        ("How do I return it?", "how can I return it", True),
        ("Which is red? A) rose B) leaf", "Which is red? A) leaf B) rose", False),
        ("Which is red? A) rose B) leaf", "which is red? A) rose B) leaf", True),
        ("How do I lock the card?", "How do I unlock the card?", False),
        ("Who leads the team in Hamburg?", "Who leads the team in Bremen?", False),
        ("三年期的利率是多少？", "五年期的利率是多少？", False),
        ("三年期的利率是多少？", "3年期利率是多少", True),
    ],
)
def test_prompts_with_other_numbers_signs_names_or_options_are_other_questions(
    left: str, right: str, may_be: bool
) -> None:
    assert same_question_guard(left, right) is may_be
