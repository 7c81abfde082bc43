"""What comes of an answer, written in OpenAI's shapes: whole, or in chunks as it comes."""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, cast

from app.api.schemas import chat
from app.domain.answers import Answer, read_text
from workers.serving.engine import Ended, Piece, Token
from workers.serving.text_stream import REPLACEMENT


class _Writer:
    def __init__(self, model: str, prefix: str) -> None:
        self.model = model
        self._id = f"{prefix}-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._texts: defaultdict[int, list[str]] = defaultdict(list)
        self._tokens: defaultdict[int, list[Token]] = defaultdict(list)
        self._reasons: dict[int, str] = {}

    def add(self, choice: int, told: Piece | Ended) -> None:
        if isinstance(told, Ended):
            self._reasons[choice] = told.reason
        else:
            self._texts[choice].append(told.text)
            self._tokens[choice].extend(told.tokens)


class ChatWriter(_Writer):
    """``tools``: functions were offered, so calls are read out of the answer; they go out once it is whole."""

    def __init__(self, model: str, *, tools: bool) -> None:
        super().__init__(model, "chatcmpl")
        self._tools = tools

    def whole(self, usage: chat.Usage) -> chat.ChatCompletion:
        return chat.ChatCompletion(
            id=self._id,
            created=self._created,
            model=self.model,
            choices=[self._choice(choice) for choice in sorted(self._reasons)],
            usage=usage,
        )

    def _choice(self, choice: int) -> chat.ChatChoice:
        answer = self._answer(choice)
        calls = _calls(answer)
        return chat.ChatChoice(
            index=choice,
            message=chat.AnswerMessage(
                content=None if calls and not answer.text.strip() else answer.text,
                tool_calls=calls or None,
                reasoning_content=answer.reasoning,
            ),
            logprobs=_chat_logprobs(self._tokens[choice]),
            finish_reason="tool_calls" if calls else cast(chat.FinishReason, self._reasons[choice]),
        )

    def _answer(self, choice: int) -> Answer:
        """Without functions on offer an answer is the text that the model wrote, whatever it looks like."""
        text = "".join(self._texts[choice])
        return read_text(text) if self._tools else Answer(text=text)

    def head(self) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self.model,
        }

    def begin(self, choices: int) -> Iterator[dict[str, Any]]:
        for choice in range(choices):
            yield self._chunk(choice, {"role": "assistant", "content": ""})

    def chunks(self, choice: int, told: Piece | Ended) -> Iterator[dict[str, Any]]:
        self.add(choice, told)
        if isinstance(told, Piece):
            if not self._tools:
                logprobs = _chat_logprobs(told.tokens)
                yield self._chunk(choice, {"content": told.text}, logprobs=logprobs)
            return
        reason = told.reason
        if self._tools:
            answer = self._answer(choice)
            calls = _calls(answer)
            if answer.text.strip() or not calls:
                yield self._chunk(
                    choice, {"content": answer.text}, logprobs=_chat_logprobs(self._tokens[choice])
                )
            if calls:
                listed = [{"index": i, **call.model_dump()} for i, call in enumerate(calls)]
                yield self._chunk(choice, {"tool_calls": listed})
                reason = "tool_calls"
        yield self._chunk(choice, {}, reason=reason)

    def _chunk(
        self,
        choice: int,
        delta: dict[str, Any],
        *,
        reason: str | None = None,
        logprobs: chat.ChoiceLogprobs | None = None,
    ) -> dict[str, Any]:
        said = logprobs.model_dump() if logprobs else None
        made = {"index": choice, "delta": delta, "logprobs": said, "finish_reason": reason}
        return {**self.head(), "choices": [made]}


class TextWriter(_Writer):
    def __init__(self, model: str) -> None:
        super().__init__(model, "cmpl")

    def whole(self, usage: chat.Usage) -> chat.TextCompletion:
        return chat.TextCompletion(
            id=self._id,
            created=self._created,
            model=self.model,
            choices=[
                chat.TextChoice(
                    index=choice,
                    text="".join(self._texts[choice]),
                    logprobs=_text_logprobs(self._tokens[choice], 0),
                    finish_reason=cast(chat.FinishReason, self._reasons[choice]),
                )
                for choice in sorted(self._reasons)
            ],
            usage=usage,
        )

    def head(self) -> dict[str, Any]:
        return {"id": self._id, "object": "text_completion", "created": self._created, "model": self.model}

    def begin(self, choices: int) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - a text has no role to begin with
        return iter(())

    def chunks(self, choice: int, told: Piece | Ended) -> Iterator[dict[str, Any]]:
        offset = sum(map(len, self._texts[choice]))
        self.add(choice, told)
        ended = isinstance(told, Ended)
        logprobs = None if isinstance(told, Ended) else _text_logprobs(told.tokens, offset)
        made = {
            "index": choice,
            "text": "" if isinstance(told, Ended) else told.text,
            "logprobs": logprobs.model_dump() if logprobs else None,
            "finish_reason": told.reason if ended else None,
        }
        yield {**self.head(), "choices": [made]}


def _chat_logprobs(tokens: Sequence[Token]) -> chat.ChoiceLogprobs | None:
    if not tokens:
        return None
    return chat.ChoiceLogprobs(
        content=[
            chat.TokenLogprob(
                token=token.text,
                logprob=token.logprob,
                bytes=_bytes(token.text),
                top_logprobs=[
                    chat.Alternative(token=text, logprob=logprob, bytes=_bytes(text))
                    for text, logprob in token.alternatives
                ],
            )
            for token in tokens
        ]
    )


def _bytes(text: str) -> list[int] | None:
    """A token that is part of a character has no text of its own."""
    return None if REPLACEMENT in text else list(text.encode())


def _text_logprobs(tokens: Sequence[Token], offset: int) -> chat.TextLogprobs | None:
    if not tokens:
        return None
    top = [dict(token.alternatives) for token in tokens]
    return chat.TextLogprobs(
        tokens=[token.text for token in tokens],
        token_logprobs=[token.logprob for token in tokens],
        top_logprobs=top if any(top) else None,
        text_offset=[offset + sum(len(t.text) for t in tokens[:i]) for i in range(len(tokens))],
    )


def _calls(answer: Answer) -> list[chat.ToolCall]:
    """Calls with a name; one that names no function is text that failed to be a call."""
    return [
        chat.ToolCall(
            id=f"call_{uuid.uuid4().hex[:24]}",
            function=chat.Called(
                name=call.name,
                arguments=call.arguments
                if isinstance(call.arguments, str)
                else json.dumps(call.arguments, ensure_ascii=False),
            ),
        )
        for call in answer.tool_calls
        if call.name
    ]
