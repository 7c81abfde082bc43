"""Was the failed request built as the training rows are?"""

import pytest

from app.domain import text
from app.domain.diagnosis.serving_mismatch import Mismatch, format_of, mismatches, probability
from app.domain.records import ServingRequest
from tests.unit.diagnosis.builders import case, example

ROWS = [example(i, f"text {i}", "x", system="You help.", instruction="Name the intent.") for i in range(20)]
TRAINED = format_of(ROWS, text.known_instructions(ROWS))
PROMPT = "Name the intent.\nwhere is my parcel"


def _kinds(
    request: ServingRequest | None, output: str = "refund", expected: str | None = "delivery"
) -> list[str]:
    return [m.kind for m in mismatches(case("c", PROMPT, output, expected, request=request), TRAINED)]


def test_a_request_built_like_the_training_rows_has_no_mismatch() -> None:
    sent = f"<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\n{PROMPT}<|im_end|>\n"
    request = ServingRequest(system="You help.", prompt_text=sent, temperature=0.0, finish_reason="stop")
    assert _kinds(request) == []
    assert _kinds(None) == []
    assert _kinds(ServingRequest()) == []


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (ServingRequest(system="You are a pirate."), "system_prompt"),
        (ServingRequest(system=""), "system_prompt"),
        (ServingRequest(prompt_text="<|im_start|>user\nwhere is my parcel<|im_end|>"), "instruction_prefix"),
        (ServingRequest(prompt_text="Name the intent.\nwhere is my parcel"), "chat_template"),
        (ServingRequest(prompt_text="<|im_start|>user\nName the intent.\nwhere<|im_end|>"), "prompt_lost"),
        (ServingRequest(finish_reason="length", max_tokens=4), "length"),
        (ServingRequest(stop=("liv",)), "stop"),
        (ServingRequest(temperature=1.5), "sampling"),
    ],
)
def test_each_way_of_building_a_request_differently_is_named(request_: ServingRequest, kind: str) -> None:
    assert _kinds(request_) == [kind]


def test_another_models_template_is_seen_where_the_tuned_models_is_known() -> None:
    asked = case("c", PROMPT, "x", "y", request=ServingRequest(prompt_text=f"[INST] {PROMPT} [/INST]"))
    assert mismatches(asked, TRAINED) == ()
    known = format_of(ROWS, text.known_instructions(ROWS), "{{'<|im_start|>' + role}}{{'<|im_end|>'}}")
    assert [m.kind for m in mismatches(asked, known)] == ["chat_template"]
    own = f"<|im_start|>user\n{PROMPT}<|im_end|>\n"
    asked = case("c", PROMPT, "x", "y", request=ServingRequest(prompt_text=own))
    assert mismatches(asked, known) == ()


def test_a_right_beginning_that_was_cut_off_is_stronger_than_a_wrong_one() -> None:
    cut = ServingRequest(finish_reason="length")
    right = mismatches(case("c", PROMPT, "deli", "delivery", request=cut), TRAINED)
    wrong = mismatches(case("c", PROMPT, "refu", "delivery", request=cut), TRAINED)
    assert probability(right) > 0.5 > probability(wrong)


def test_a_training_set_of_many_system_prompts_makes_none_of_them_strange() -> None:
    rows = [example(i, "text", "x", system=f"Persona {i}.") for i in range(20)]
    asked = case("c", "text", "y", "x", request=ServingRequest(system="Persona of mine."))
    assert mismatches(asked, format_of(rows, frozenset())) == ()


def test_without_training_rows_there_is_nothing_to_differ_from() -> None:
    asked = case("c", "text", "y", "x", request=ServingRequest(system="Hm."))
    assert mismatches(asked, format_of([], frozenset())) == ()


def test_independent_mismatches_add_up_and_stay_below_one() -> None:
    each = Mismatch(kind="a", detail="", strength=0.5)
    assert probability([]) == 0.0
    assert probability([each, each]) == 0.75
