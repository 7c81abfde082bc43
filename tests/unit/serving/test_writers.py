"""Answers in OpenAI's shapes; the official client's types read them without a field too many or too few."""

from __future__ import annotations

import json
from typing import Any

from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from app.api.schemas.chat import Usage
from workers.serving.engine import Ended, Piece, Token
from workers.serving.writers import ChatWriter, TextWriter

USAGE = Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)
CALL = '<tool_call>\n{"name": "freeze_card", "arguments": {"number": "17"}}\n</tool_call>'
ENDED = Ended(reason="stop", prompt_tokens=3, answer_tokens=2)


def unknown_fields(made: Any) -> list[str]:
    """Fields that the client's types do not have, at any depth."""
    found = list(made.model_extra or {})
    for name in type(made).model_fields:
        value = getattr(made, name)
        for part in value if isinstance(value, list) else [value]:
            if hasattr(part, "model_extra"):
                found += unknown_fields(part)
    return found


def test_an_answer_with_probabilities() -> None:
    writer = ChatWriter("adp_1", tools=False)
    writer.add(0, Piece(text="ja", tokens=(Token("ja", -0.1, (("ja", -0.1), ("nein", -2.0))),)))
    writer.add(0, ENDED)
    made = ChatCompletion.model_validate(writer.whole(USAGE).model_dump(exclude_none=True))
    assert unknown_fields(made) == []
    (choice,) = made.choices
    assert (choice.message.content, choice.finish_reason) == ("ja", "stop")
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert [t.token for t in choice.logprobs.content[0].top_logprobs] == ["ja", "nein"]


def test_calls_are_read_out_of_the_answer_where_functions_were_offered() -> None:
    writer = ChatWriter("adp_1", tools=True)
    writer.add(0, Piece(text=CALL))
    writer.add(0, ENDED)
    made = ChatCompletion.model_validate(writer.whole(USAGE).model_dump(exclude_none=True))
    message = made.choices[0].message
    assert made.choices[0].finish_reason == "tool_calls"
    assert message.content is None
    assert message.tool_calls is not None
    call: Any = message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("freeze_card", {"number": "17"})


def test_without_functions_on_offer_the_same_answer_is_text() -> None:
    writer = ChatWriter("adp_1", tools=False)
    writer.add(0, Piece(text=CALL))
    writer.add(0, ENDED)
    assert writer.whole(USAGE).choices[0].message.content == CALL


def test_the_chunks_put_together_are_the_whole_answer() -> None:
    writer = ChatWriter("adp_1", tools=True)
    chunks = [*writer.begin(1), *writer.chunks(0, Piece(text="Moment. " + CALL)), *writer.chunks(0, ENDED)]
    read = [ChatCompletionChunk.model_validate(chunk) for chunk in chunks]
    assert [field for chunk in read for field in unknown_fields(chunk)] == []
    assert "".join(chunk.choices[0].delta.content or "" for chunk in read).strip() == "Moment."
    assert [c.choices[0].finish_reason for c in read if c.choices[0].finish_reason] == ["tool_calls"]
    (called,) = [c.choices[0].delta.tool_calls for c in read if c.choices[0].delta.tool_calls]
    assert called[0].function is not None
    assert called[0].function.name == "freeze_card"


def test_a_text_that_is_continued() -> None:
    writer = TextWriter("smollm2-135m-instruct")
    writer.add(0, Piece(text="two", tokens=(Token("two", -0.5, ()),)))
    writer.add(0, Ended(reason="length", prompt_tokens=3, answer_tokens=1))
    made = Completion.model_validate(writer.whole(USAGE).model_dump(exclude_none=True))
    assert unknown_fields(made) == []
    assert (made.choices[0].text, made.choices[0].finish_reason) == ("two", "length")
