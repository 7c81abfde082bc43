import pytest

from app.domain.answers.certainty import certainly_equal


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("-D", "-d"),
        ("US", "us"),
        ("README.md", "readme.md"),
        ("__init__", "init"),
        ("A", "a"),
    ],
)
def test_letter_case_and_signs_of_one_short_word_may_be_all_that_is_wrong(said: str, wanted: str) -> None:
    assert certainly_equal(said, wanted) is None


@pytest.mark.parametrize(
    ("said", "wanted"), [("Refund", "refund"), ("YES", "Yes."), ("it is open", "It is open.")]
)
def test_letter_case_of_a_class_or_a_sentence_says_nothing(said: str, wanted: str) -> None:
    assert certainly_equal(said, wanted)


def test_the_letter_of_an_option_may_be_small() -> None:
    assert certainly_equal("b", "B", prompt="Which is red?\nA) sky\nB) blood")


@pytest.mark.parametrize(
    ("said", "wanted"), [("两百五", "250"), ("一万二", "12000"), ("三千五", "3500"), ("十五", "15")]
)
def test_what_follows_the_last_scale_at_once_counts_tenths_of_it(said: str, wanted: str) -> None:
    assert certainly_equal(said, wanted)


@pytest.mark.parametrize(("said", "wanted"), [("两百五", "205"), ("两百零五", "250"), ("一万二", "10002")])
def test_a_zero_between_is_said(said: str, wanted: str) -> None:
    assert certainly_equal(said, wanted) is None
