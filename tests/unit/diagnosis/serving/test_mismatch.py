"""Was the failed request built as the training rows are?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.diagnosis.serving.decoding import STOP_STRENGTH
from app.domain.diagnosis.serving.mismatch import format_of, mismatches, probability
from app.domain.evidence import Mismatch
from app.domain.instructions import known_instructions
from app.domain.records import ServingRequest, TrainingExample
from tests.unit.diagnosis.builders import case, example

ROWS = [example(i, f"text {i}", "x", system="You help.", instruction="Name the intent.") for i in range(20)]
TRAINED = format_of(ROWS, known_instructions(ROWS))
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
    known = format_of(ROWS, known_instructions(ROWS), "{{'<|im_start|>' + role}}{{'<|im_end|>'}}")
    assert [m.kind for m in mismatches(asked, known)] == ["chat_template"]
    own = f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
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


CHATML = "{{'<|im_start|>' + role}}{{'<|im_end|>'}}"
KNOWN = format_of(ROWS, known_instructions(ROWS), CHATML)
RENDERED = (
    f"<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
)


def _found(
    request: ServingRequest | None, output: str = "refund", expected: str | None = "delivery"
) -> list[Mismatch]:
    return list(mismatches(case("c", PROMPT, output, expected, request=request), KNOWN))


@pytest.mark.parametrize(
    ("sent", "family"),
    [
        (f"<s>[INST] <<SYS>>\nYou help.\n<</SYS>>\n\n{PROMPT} [/INST]", "Llama 2 or Mistral"),
        (f"<|start_header_id|>user<|end_header_id|>\n\n{PROMPT}<|eot_id|>", "Llama 3"),
        (f"### Instruction:\n{PROMPT}\n\n### Response:\n", "Alpaca"),
        (f"A chat. USER: {PROMPT} ASSISTANT:", "Vicuna"),
        (f"<start_of_turn>user\n{PROMPT}<end_of_turn>\n<start_of_turn>model\n", "Gemma"),
        (f"### Human: {PROMPT}\n### Assistant:", "Human and Assistant"),
        (f"问题：{PROMPT}\n答案：", "question and answer"),
    ],
)
def test_a_foreign_template_is_called_by_its_name(sent: str, family: str) -> None:
    (found,) = _found(ServingRequest(prompt_text=sent))
    assert found.kind == "chat_template"
    assert family in found.detail
    assert found.trained == "ChatML"
    assert PROMPT in found.sent


def test_rows_that_carry_a_template_themselves_tell_which_it_is() -> None:
    rows = [example(i, f"### Instruction:\nroute {i}\n\n### Response:\n", f"to {i}") for i in range(20)]
    trained = format_of(rows, frozenset())
    asked = case("c", "route 4", "x", "y", request=ServingRequest(prompt_text="[INST] route 4 [/INST]"))
    assert [m.trained for m in mismatches(asked, trained)] == ["Alpaca"]


@pytest.mark.parametrize(
    ("sent", "kind", "word"),
    [
        (f"<s><s>{RENDERED}", "special_tokens", "two beginning-of-text tokens"),
        (RENDERED.replace("assistant\n", "assistant\n<|endoftext|>"), "special_tokens", "<|endoftext|>"),
        (RENDERED.removesuffix("<|im_start|>assistant\n"), "answer_not_begun", "add_generation_prompt"),
    ],
)
def test_special_tokens_and_the_end_of_the_prompt_are_compared(sent: str, kind: str, word: str) -> None:
    found = _found(ServingRequest(prompt_text=sent))
    assert kind in [m.kind for m in found]
    assert any(word in m.detail for m in found)


def test_marks_that_a_user_wrote_are_no_template() -> None:
    quoted = "Name the intent.\nwhat does [INST] mean"
    rendered = RENDERED.replace(PROMPT, quoted)
    asked = case("c", quoted, "x", "y", request=ServingRequest(prompt_text=rendered))
    assert "chat_template" not in [m.kind for m in mismatches(asked, KNOWN)]


def test_a_token_limit_below_the_answers_is_seen_without_a_finish_reason() -> None:
    rows = [example(i, f"q {i}", f"answer {i} " + "with many words " * 20) for i in range(40)]
    trained = format_of(rows, frozenset())
    whole = rows[3].output
    cut = ServingRequest(max_tokens=20)
    (found,) = mismatches(case("c", "q 3", whole[:80], whole, request=cut), trained)
    assert found.kind == "length"
    assert "100% of the training answers are longer" in found.detail
    assert found.sent == "max_tokens=20"
    assert (
        mismatches(case("c", "q 3", whole[:80], whole, request=ServingRequest(max_tokens=400)), trained) == ()
    )
    done = ServingRequest(max_tokens=20, finish_reason="stop")
    assert mismatches(case("c", "q 3", whole[:80], whole, request=done), trained) == ()


def test_an_output_that_runs_on_past_its_turn_is_a_stop_mismatch() -> None:
    (found,) = _found(None, output="delivery<|im_end|>\n<|im_start|>user\nand now")
    assert (found.kind, found.strength) == ("stop", STOP_STRENGTH)


def test_a_stop_text_inside_training_answers_is_seen_without_an_expected_output() -> None:
    rows = [example(i, f"q {i}", f"first\nsecond {i}") for i in range(20)]
    asked = case("c", "q 3", "first", request=ServingRequest(stop=("\n",)))
    (found,) = mismatches(asked, format_of(rows, frozenset()))
    assert "100% of the training answers" in found.detail


def test_sampling_counts_by_what_it_lets_through() -> None:
    labels = format_of([example(i, f"q {i}", "yes") for i in range(20)], frozenset())

    def kinds(**how: float) -> list[str]:
        asked = case("c", "q", "no", "yes", request=ServingRequest(**how))  # pyright: ignore[reportArgumentType]
        return [m.kind for m in mismatches(asked, labels)]

    assert kinds(temperature=1.5, top_p=0.05) == []
    assert kinds(temperature=1.5, top_p=0.9) == ["sampling"]
    assert kinds(temperature=0.8) == ["sampling"]
    assert kinds(temperature=0.2) == []


def test_a_date_in_the_system_prompt_is_no_mismatch_and_a_changed_word_a_weaker_one() -> None:
    rows = [example(i, f"q {i}", "x", system="You route mail. Today is 2024-05-01.") for i in range(20)]
    trained = format_of(rows, frozenset())

    def strength(system: str) -> float:
        return probability(
            mismatches(case("c", "q", "x", "y", request=ServingRequest(system=system)), trained)
        )

    assert strength("You route mail. Today is 2025-11-30.") == 0.0
    assert 0 < strength("You route mails. Today is 2024-05-01.") < strength("You are a pirate.")


_TEXTS = st.one_of(
    st.text(max_size=200),
    st.sampled_from(["", RENDERED, PROMPT, "\ud800", "<s><s>", "שלום", "🙂", "a" * 9_000, "<|" * 2000]),
)
_REQUESTS = st.builds(
    ServingRequest,
    system=st.none() | _TEXTS,
    prompt_text=st.none() | _TEXTS,
    temperature=st.none() | st.floats(0, 5),
    top_p=st.none() | st.floats(0, 1),
    max_tokens=st.none() | st.integers(0, 10_000),
    stop=st.none() | st.lists(_TEXTS, max_size=3).map(tuple),
    finish_reason=st.none() | st.sampled_from(["stop", "length", "other"]),
)


@given(request_=_REQUESTS, output=_TEXTS, expected=st.none() | _TEXTS)
def test_whatever_a_request_holds_strengths_are_probabilities_and_excerpts_can_be_stored(
    request_: ServingRequest, output: str, expected: str | None
) -> None:
    for trained in (TRAINED, KNOWN, format_of([example(0, output, output)], frozenset())):
        found = mismatches(case("c", PROMPT, output, expected, request=request_), trained)
        assert [m.strength for m in found] == sorted((m.strength for m in found), reverse=True)
        assert 0.0 <= probability(found) < 1.0
        for mismatch in found:
            assert 0.0 < mismatch.strength < 1.0
            assert len(mismatch.sent.encode()) < 2000
            assert len(mismatch.trained.encode()) < 2000
            assert len(mismatch.detail.encode()) < 2000


@given(st.sampled_from(ROWS))
def test_a_request_rendered_from_a_training_row_has_no_mismatch(row: TrainingExample) -> None:
    turns = (("system", row.system), ("user", row.prompt))
    sent = (
        "".join(f"<|im_start|>{role}\n{said}<|im_end|>\n" for role, said in turns) + "<|im_start|>assistant\n"
    )
    request = ServingRequest(
        system=row.system, prompt_text=sent, temperature=0.0, max_tokens=512, finish_reason="stop"
    )
    asked = case("c", row.prompt, row.output, row.output, request=request)
    assert mismatches(asked, KNOWN) == ()
