"""Who is answered when: requests wait in one line, those for the same model share a batch, the line is bounded.

The first of the line decides which model is next. While its batch runs, requests for the same model join between
two steps; one for another model holds those behind it back, so that nobody waits for ever.

Does not know HTTP. Runs in one thread; ``submit`` may be called from any.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.logging import get_logger
from workers.models.base_models import BaseModelError
from workers.models.chat import Conversation, UnrenderableConversation
from workers.models.running_batch import Chosen, Row, RunningBatch, Sampling
from workers.models.served_model import ServedModel, free_memory
from workers.serving.text_stream import TextStream

log = get_logger(__name__)

DEFAULT_ANSWER_TOKENS = 1_024
"""Of an answer whose request names no bound."""


class QueueFull(Exception):
    """As many requests wait as may."""


class CannotAnswer(Exception):
    """The request asks for what the model cannot do. ``param`` names the field at fault, ``code`` is OpenAI's."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which model answers. ``adapter``: its name and its folder, None = the base model alone."""

    base: str
    adapter: tuple[str, Path] | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """``logprob``: natural logarithm of its probability. ``alternatives``: (text, logprob), the likeliest first."""

    text: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some more of an answer. ``tokens``: those of this piece, where their probabilities were asked for."""

    text: str
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """``reason``: stop or length."""

    reason: str
    prompt_tokens: int
    answer_tokens: int


Told = Piece | Ended | Exception


@dataclass(slots=True, kw_only=True)
class Request:
    """``tell`` is called from the engine's thread with each piece and at last with ``Ended`` or an error."""

    target: Target
    conversation: Conversation | str
    sampling: Sampling
    tell: Callable[[Told], None]
    stops: tuple[str, ...] = ()
    max_tokens: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True, kw_only=True)
class _Answering:
    request: Request
    prompt: tuple[int, ...]
    room: int
    stream: TextStream
    tokens: int = 0


class Engine:
    """``load`` gives a base model by its name, and raises BaseModelError. ``cache_tokens``: most (rows x tokens) of
    a batch. A model that nobody asks for ``idle_seconds`` long is dropped: a training may need the memory."""

    def __init__(
        self,
        load: Callable[[str], ServedModel],
        *,
        max_rows: int,
        max_waiting: int,
        cache_tokens: int,
        idle_seconds: float,
    ) -> None:
        self._load = load
        self._max_rows = max_rows
        self._max_waiting = max_waiting
        self._cache_tokens = cache_tokens
        self._idle_seconds = idle_seconds
        self._waiting: deque[Request] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._base: str | None = None
        self._model: ServedModel | None = None

    def submit(self, *requests: Request) -> None:
        """All of them, or QueueFull and none."""
        with self._changed:
            if len(self._waiting) + len(requests) > self._max_waiting:
                raise QueueFull
            self._waiting.extend(requests)
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()

    def run(self) -> None:
        """Answer until closed."""
        while (first := self._next_in_line()) is not None:
            with suppress(Exception):  # told to each of its requests already
                self._answer_like(first.target)
        for request in self._waiting:
            request.tell(CannotAnswer("the server is shutting down; ask again"))

    def _next_in_line(self) -> Request | None:
        with self._changed:
            while not self._waiting and not self._closing:
                if not self._changed.wait(self._idle_seconds if self._model else None) and not self._waiting:
                    self._drop()
            return None if self._closing else self._waiting[0]

    def _answer_like(self, target: Target) -> None:
        """The batch of one model, until it is empty and the line goes on with another."""
        answering: list[_Answering] = []
        try:
            model = self._model_of(target)
            batch = model.batch()
            with model.answering_as(target.adapter[0] if target.adapter else None):
                while not self._closing:
                    joining = self._joining(target, model, batch, answering)
                    if joining:
                        rows = [Row(a.prompt, a.request.sampling) for a in joining]
                        answering += joining
                        self._tell(
                            batch, model, answering, batch.join(rows), first=len(answering) - len(rows)
                        )
                    elif answering:
                        self._tell(batch, model, answering, batch.step(), first=0)
                    else:
                        return
        except Exception as error:
            self._failed(target, answering, error)
            raise

    def _model_of(self, target: Target) -> ServedModel:
        if self._base != target.base or self._model is None:
            self._drop()
            started = time.monotonic()
            self._model, self._base = self._load(target.base), target.base
            log.info("serving.loaded", model=target.base, seconds=round(time.monotonic() - started, 1))
        if target.adapter is not None:
            self._model.use(*target.adapter)
        return self._model

    def _drop(self) -> None:
        if self._model is not None:
            self._model, self._base = None, None
            free_memory()

    def _joining(
        self, target: Target, model: ServedModel, batch: RunningBatch, answering: list[_Answering]
    ) -> list[_Answering]:
        joining: list[_Answering] = []
        while len(answering) + len(joining) < (self._max_rows if batch.takes_more else 1):
            with self._changed:
                if not self._waiting or self._waiting[0].target != target:
                    break
                request = self._waiting.popleft()
            if request.cancelled.is_set():
                continue
            try:
                new = self._read(request, model)
            except Exception as error:  # of this request alone: whatever it is, the others go on
                known = isinstance(error, CannotAnswer | UnrenderableConversation)
                request.tell(error if known else CannotAnswer(f"the messages cannot be read: {error}"))
                continue
            longest = max(len(a.prompt) + a.room for a in (*answering, *joining, new))
            if (len(answering) + len(joining) + 1) * longest > self._cache_tokens and (answering or joining):
                with self._changed:
                    self._waiting.appendleft(request)
                break
            joining.append(new)
            if not batch.takes_more or len(joining) >= self._max_rows:
                break
        return joining

    @staticmethod
    def _read(request: Request, model: ServedModel) -> _Answering:
        # reading megabytes would keep all others waiting
        if model.surely_exceeds_context(request.conversation):
            raise _too_long(model, "The messages have more", request)
        prompt = model.prompt(request.conversation)
        room = model.context - len(prompt)
        if room < 1 or (request.max_tokens or 0) > room:
            raise _too_long(model, f"The messages have {len(prompt)}", request)
        return _Answering(
            request=request,
            prompt=prompt,
            room=request.max_tokens or min(room, DEFAULT_ANSWER_TOKENS),
            stream=TextStream(model.text, request.stops),
        )

    @staticmethod
    def _tell(
        batch: RunningBatch,
        model: ServedModel,
        answering: list[_Answering],
        chosen: list[Chosen],
        *,
        first: int,
    ) -> None:
        """Pass the tokens of the rows from ``first`` on, and let those that have ended leave."""
        ended: set[int] = set()
        for i, token in enumerate(chosen, start=first):
            one = answering[i]
            reason = _passed_on(one, token, model)
            if reason is not None:
                one.request.tell(
                    Ended(reason=reason, prompt_tokens=len(one.prompt), answer_tokens=one.tokens)
                )
            if reason is not None or one.request.cancelled.is_set():
                ended.add(i)
        if ended:
            going_on = [i for i in range(len(answering)) if i not in ended]
            batch.keep(going_on)
            answering[:] = [answering[i] for i in going_on]

    def _failed(self, target: Target, answering: list[_Answering], error: Exception) -> None:
        """Everybody of the batch is told. A model that cannot be had is told to all who wait for it as well."""
        said = error if isinstance(error, BaseModelError) else CannotAnswer("the answer failed; ask again")
        if not isinstance(error, BaseModelError):
            log.error("serving.failed", model=target.base, error=repr(error))
            self._drop()  # whatever state it was left in
        with self._changed:
            waiting = [] if answering else [r for r in self._waiting if r.target == target]
            self._waiting = deque(r for r in self._waiting if r not in waiting)
        for request in (*(a.request for a in answering), *waiting):
            request.tell(said)


def _too_long(model: ServedModel, has: str, request: Request) -> CannotAnswer:
    return CannotAnswer(
        f"This model's maximum context length is {model.context} tokens. {has} and max_tokens asks for "
        f"{request.max_tokens or 1} more: shorten the messages, or ask for less.",
        param="messages",
        code="context_length_exceeded",
    )


def _passed_on(one: _Answering, chosen: Chosen, model: ServedModel) -> str | None:
    """Why the answer ends with this token; None where it goes on."""
    one.tokens += 1
    is_end = model.is_stop(chosen.token)
    piece = one.stream.rest() if is_end else one.stream.add(chosen.token)
    reason = "stop" if is_end or one.stream.stopped else "length" if one.tokens >= one.room else None
    if reason == "length":
        piece += one.stream.rest()
    tokens: tuple[Token, ...] = ()
    if chosen.logprob is not None and not is_end:
        alternatives = tuple((model.text([token]), logprob) for token, logprob in chosen.alternatives)
        tokens = (Token(model.text([chosen.token]), chosen.logprob, alternatives),)
    if piece or tokens:
        one.request.tell(Piece(text=piece, tokens=tokens))
    return reason
