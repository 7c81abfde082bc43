from __future__ import annotations

import pytest

from app.domain.formats import DetectionError, detect_format

ALPACA = {"instruction": "i", "input": "", "output": "o"}
SHAREGPT = {"conversations": [{"from": "human", "value": "q"}]}
MESSAGES = {"messages": [{"role": "user", "content": "q"}]}
OPENAI_PAIR = {"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}
TRL_PAIR = {"prompt": "q", "chosen": "a", "rejected": "b", "messages": []}
COMPLETION = {"prompt": "q", "completion": "a"}


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (ALPACA, "alpaca"),
        (SHAREGPT, "sharegpt"),
        (MESSAGES, "messages"),
        (OPENAI_PAIR, "preference"),
        (TRL_PAIR, "preference"),
        (COMPLETION, "completion"),
        ({**COMPLETION, "label": False}, "kto"),
        ({**COMPLETION, "label": "sports"}, "completion"),
        ({**MESSAGES, "kto_tag": True}, "kto"),
        ({**SHAREGPT, "label": True}, "kto"),
        ({"query": "q", "response": "a"}, "alpaca"),
        ({"Question": "q", "Answer": "a"}, "alpaca"),
        ({"prompt": "q", "response": "a"}, "alpaca"),
        ({"prompt": [{"role": "user", "content": "q"}], "response": "a"}, "completion"),
        ({"input": "q", "output": "a"}, "alpaca"),
        ({"问题": "q", "答案": "a"}, "alpaca"),
        ({"instruction": "i", "chosen": "a", "rejected": "b"}, "preference"),
        ({"question": "q", "chosen": "a", "rejected": "b"}, "preference"),
        ({"conversation": [{"role": "user", "content": "q"}]}, "messages"),
    ],
)
def test_a_format_is_known_by_its_keys(row: dict[str, object], name: str) -> None:
    assert detect_format([row]).name == name


def test_most_rows_decide() -> None:
    assert detect_format([COMPLETION, ALPACA, {"x": 1}, ALPACA]).name == "alpaca"


def test_rows_of_no_known_format_are_named_by_their_keys() -> None:
    with pytest.raises(DetectionError, match=r"'headline', 'story'.*format=.*alpaca\|sharegpt"):
        detect_format([{"headline": "q", "story": "a"}])


def test_no_rows_are_no_format() -> None:
    with pytest.raises(DetectionError, match="no JSON object"):
        detect_format([])
