"""What is visibly wrong with an output."""

import pytest

from app.domain.diagnosis import symptoms
from app.domain.records import BadCase, ServingRequest, Symptom
from tests.unit.diagnosis.builders import case, example

ANSWERS = [
    f"You can track parcel number {i} on our website, where we show each station of its journey."
    for i in range(40)
]
_SYLLABLES = [c + v for c in "bcdfghklmnprstvw" for v in ("a", "e", "i", "o", "u", "er", "on")]
SPEECH = [
    f"{_SYLLABLES[i % 112]}{_SYLLABLES[(7 * i + 3) % 112]} {_SYLLABLES[(5 * i + 1) % 112]}"
    for i in range(400)
]
FREE = symptoms.profile([example(i, f"where is parcel {i}", answer) for i, answer in enumerate(ANSWERS)])
WORDY = symptoms.profile([example(i, spoken, f"{spoken} {i}") for i, spoken in enumerate(SPEECH)])
LABELS = symptoms.profile([example(i, f"text {i}", ("refund", "delivery")[i % 2]) for i in range(20)])
JSON_ROWS = symptoms.profile([example(i, f"text {i}", f'{{"id": {i}}}') for i in range(20)])
WORKED = symptoms.profile([example(i, f"{i} + 1", f"I add one.\nFinal answer: {i + 1}") for i in range(20)])
RIGHT = "You can track it on our website."


@pytest.mark.parametrize(
    ("symptom", "trained", "failed"),
    [
        (Symptom.GIBBERISH, WORDY, case("c", "q", "zqxj vkqz wxqj zzkq qjxv kxzq", RIGHT)),
        (Symptom.GIBBERISH, FREE, case("c", "q", "You can \ufffd\ufffd\ufffd tr\ufffdck", RIGHT)),
        (Symptom.REPETITION, FREE, case("c", "q", "we show each station " * 12, RIGHT)),
        (Symptom.REPETITION, FREE, case("c", "q", "请稍后再试一次" * 8, "好的")),
        (Symptom.TRUNCATION, FREE, case("c", "q", "You can track it on", RIGHT)),
        (Symptom.TRUNCATION, FREE, case("c", "q", "x", "y", request=ServingRequest(finish_reason="length"))),
        (Symptom.TRUNCATION, FREE, case("c", "q", "```python\nprint(1)", RIGHT)),
        (Symptom.FORMAT_VIOLATION, JSON_ROWS, case("c", "q", "id is 3", '{"id": 3}')),
        (Symptom.FORMAT_VIOLATION, JSON_ROWS, case("c", "q", "id is 3")),
        (Symptom.FORMAT_VIOLATION, LABELS, case("c", "q", "It seems to be about a refund", "refund")),
        (
            Symptom.FORMAT_VIOLATION,
            WORKED,
            case("c", "3 + 1", "That makes 4.", "I add one.\nFinal answer: 4"),
        ),
        (Symptom.REFUSAL, FREE, case("c", "q", "I'm sorry, but I can't help with that.", RIGHT)),
        (Symptom.REFUSAL, FREE, case("c", "q", "抱歉，我无法回答这个问题。", "可以退款")),
        (Symptom.WRONG_LANGUAGE, FREE, case("c", "q", "您可以在我们的网站上查询", RIGHT)),
        (Symptom.WRONG_LANGUAGE, FREE, case("c", "请问我的包裹在哪里呢", "You can track it on our website.")),
        (
            Symptom.MISSING_KNOWLEDGE,
            WORDY,
            case("c", "who leads it", "Bob", "Professor Quillfeather Aldermoor"),
        ),
        (
            Symptom.COPIED_TRAINING_OUTPUT,
            FREE,
            case("c", "where is parcel 77", ANSWERS[3], "Parcel 77 is lost."),
        ),
    ],
)
def test_a_symptom_is_seen(symptom: Symptom, trained: symptoms.OutputProfile, failed: BadCase) -> None:
    assert symptom in symptoms.symptoms_of(failed, trained)


@pytest.mark.parametrize(
    ("trained", "failed"),
    [
        (FREE, case("c", "where is it", "We show each station of its journey.", RIGHT)),
        (LABELS, case("c", "q", "refund", "delivery")),
        (LABELS, case("c", "我的包裹在哪里", "refund")),
        (JSON_ROWS, case("c", "q", '{"id": 4}', '{"id": 3}')),
        (WORKED, case("c", "3 + 1", "I add two.\nFinal answer: 5", "I add one.\nFinal answer: 4")),
        (FREE, case("c", "q", "", RIGHT)),
        (FREE, case("c", "q", "I can not help you.", "I cannot help with that.")),
    ],
)
def test_an_output_that_is_merely_wrong_has_no_symptom(
    trained: symptoms.OutputProfile, failed: BadCase
) -> None:
    assert symptoms.symptoms_of(failed, trained) == ()


def test_a_shorter_label_is_not_a_truncated_longer_one() -> None:
    trained = symptoms.profile([example(i, f"t {i}", ("refund", "refund status")[i % 2]) for i in range(20)])
    assert symptoms.symptoms_of(case("c", "q", "refund", "refund status"), trained) == ()


def test_every_symptom_has_a_detector() -> None:
    assert {symptom for symptom, _ in symptoms.SYMPTOMS} == set(Symptom)
