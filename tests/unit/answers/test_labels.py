import pytest

from app.domain.answers.labels import is_label


@pytest.mark.parametrize(
    "output", ["refund", "cards / freeze card", "FAQ-00012", "music/PLAY", "音乐播放", "B", "yes"]
)
def test_a_name_of_a_class_is_a_label(output: str) -> None:
    assert is_label(output)


@pytest.mark.parametrize(
    "output",
    [
        "You may keep it for 24 days.",
        "def f(values):\n    return len(values)",
        '{"name": "book", "arguments": {}}',
        "现在有45个柚子。",
        "Take bus 61 from the terminal and buy the ticket",
    ],
)
def test_an_answer_that_repeats_is_no_label_for_that(output: str) -> None:
    assert not is_label(output)
