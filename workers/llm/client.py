"""A strong language model behind any OpenAI-compatible endpoint, asked with a cap on what it may cost.

It knows how to ask, to try again, not to pay twice and to write down what each attempt cost. It does not know what
the answers are for, and never logs a prompt, an answer or the key.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

from openai import (
    BadRequestError,
    OpenAI,
    OpenAIError,
)

from app.db.repositories.llm_calls import CallStatus, Spent
from workers.llm.failures import LLMUnavailable, TryAgain, back_off, passing, reason_of
from workers.llm.pace import MOST, Pace
from workers.llm.purse import Caps, Purse, SpendCapReached
from workers.llm.questions import (
    Accept,
    AnswerCache,
    Answered,
    Ledger,
    Lost,
    Messages,
    Question,
    Sampling,
    answer_key,
    estimated_tokens,
    tokens_in,
)

TIMEOUT_SECONDS: Final = 120.0
MAX_RETRIES: Final = 5
"""On 408, 409, 429 and 5xx and lost connections, with exponential back-off or the server's Retry-After."""

LONGEST_WAIT_SECONDS: Final = 60.0
"""What is waited for at most before another try, whatever the server asks for."""

MOST_TOKENS: Final = 10_000_000
"""No model reads or writes so much in one call: a larger count is a mistake of the endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One call's answer and what it cost."""

    text: str
    prompt_tokens: int
    answer_tokens: int


class _GivenUp(Exception):
    """Raised where an endpoint that answers nothing is left alone."""


GIVE_UP_AFTER_FAILURES: Final = 3
"""Questions in a row that no try answered: then the endpoint is left alone."""


class LLMClient:
    """One piece of work's view of the endpoint. May be asked by several threads."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        cache: AnswerCache,
        ledger: Ledger,
        pace: Pace,
        caps: Caps,
        timeout_seconds: float = TIMEOUT_SECONDS,
        max_retries: int = MAX_RETRIES,
        still_wanted: Callable[[], None] = lambda: None,
    ) -> None:
        """``still_wanted`` is called before each try and while one waits; it raises where the work is cancelled."""
        self.model = model
        self._cache = cache
        self._ledger = ledger
        self._pace = pace
        self._tries = max_retries + 1
        self._still_wanted = still_wanted
        self._purse = Purse(ledger.take_over(), caps, ledger.prices)
        self._knows_schemas = True
        self._around = 0
        # tried again here, and not by the library: each attempt is a line of the ledger
        self._client = OpenAI(base_url=base_url, api_key=api_key, timeout=timeout_seconds, max_retries=0)
        self._timeout_seconds = timeout_seconds

    @property
    def spent_tokens(self) -> int:
        """Paid for in this run, prompts and answers."""
        return self._purse.tokens

    @property
    def spent(self) -> Spent:
        """On this piece of work, earlier runs of it included."""
        before = self._purse.spent
        return Spent(tokens=before.tokens + self._purse.tokens, cost=before.cost + self._purse.cost)

    def close(self) -> None:
        self._client.close()

    def complete(
        self,
        messages: Messages,
        sampling: Sampling | None = None,
        *,
        accept: Accept = lambda _: None,
        schema: Mapping[str, Any] | None = None,
    ) -> str:
        """The model's answer. Raises :class:`LLMUnavailable` or :class:`SpendCapReached`.

        An answer from the cache costs nothing; only what ``accept`` takes is kept there. The cap is checked before
        asking, against the most that the answer could cost, so that it is never passed.
        """
        question = Question(messages=messages, accept=accept, schema=schema)
        return self._complete(question, sampling or Sampling(), self._still_wanted)

    def _complete(self, question: Question, sampling: Sampling, still_wanted: Callable[[], None]) -> str:
        key = answer_key(self.model, question.messages, sampling, question.schema)
        cached = self._cache.get(key)
        if cached is not None and question.accept(cached) is None:
            return cached
        answer = self._ask(key, question, sampling, still_wanted)
        if question.accept(answer) is None:
            self._cache.put(key, answer)
        return answer

    def complete_all(
        self,
        questions: Sequence[Question],
        sampling: Sampling | None = None,
        *,
        on_done: Callable[[int], None] = lambda _: None,
    ) -> list[Answered]:
        """An answer, or why there is none, for each question. An answer that cannot be used is sent back once, with
        what is wrong with it; what no try answered is asked again at the end. ``on_done`` gets how many are done."""
        drawn = sampling or Sampling()
        answered: list[Answered | None] = [None] * len(questions)
        failures = _InARow(GIVE_UP_AFTER_FAILURES)
        for last in (False, True):
            left = [i for i, a in enumerate(answered) if a is None or a.lost is Lost.UNAVAILABLE]
            if not left or failures.given_up or (last and len(left) == len(questions)):
                break
            with ThreadPoolExecutor(min(MOST, len(left)), thread_name_prefix="llm") as pool:
                futures = {i: pool.submit(self._answer, questions[i], drawn, failures) for i in left}
                try:
                    for i, future in futures.items():
                        answered[i] = future.result()
                        on_done(sum(a is not None for a in answered))
                except BaseException:
                    failures.given_up = "cancelled"
                    for future in futures.values():
                        future.cancel()
                    raise
        return [a or Answered(text=None, lost=Lost.GIVEN_UP, detail=failures.given_up) for a in answered]

    def _answer(self, question: Question, sampling: Sampling, failures: _InARow) -> Answered:
        def still_wanted() -> None:
            self._still_wanted()
            if failures.given_up:
                raise _GivenUp

        why = None
        asked = question
        for _ in range(2):
            try:
                text = self._complete(asked, sampling, still_wanted)
            except _GivenUp:
                return Answered(text=None, lost=Lost.GIVEN_UP, detail=failures.given_up)
            except SpendCapReached as error:
                return Answered(text=None, lost=Lost.SPEND_CAP, detail=str(error))
            except LLMUnavailable as error:
                failures.one_more(str(error))
                return Answered(text=None, lost=Lost.UNAVAILABLE, detail=str(error))
            failures.none()
            why = question.accept(text)
            if why is None:
                return Answered(text=text)
            said = (
                f"This answer cannot be used: {why}. Answer the request again, in the form that it asks for."
            )
            turns = [{"role": "assistant", "content": text}, {"role": "user", "content": said}]
            asked = replace(question, messages=[*question.messages, *turns])
        return Answered(text=None, lost=Lost.UNUSABLE, detail=why or "")

    def _ask(self, key: str, question: Question, sampling: Sampling, still_wanted: Callable[[], None]) -> str:
        for number in range(1, self._tries + 1):
            try:
                return self._attempt(key, question, sampling, still_wanted)
            except TryAgain as failed:
                wait = min(LONGEST_WAIT_SECONDS, failed.after_seconds or back_off(number))
                if failed.too_much:
                    self._pace.too_much(wait_seconds=wait)
                if number == self._tries:
                    raise LLMUnavailable(str(failed)) from None
                if not failed.too_much:  # else the pace waits
                    _sleep(wait, still_wanted)
        raise AssertionError("unreachable: the last try returns or raises")

    def _attempt(
        self, key: str, question: Question, sampling: Sampling, still_wanted: Callable[[], None]
    ) -> str:
        with self._pace.slot(still_wanted):
            estimate = self._estimated(question.messages)
            reservation = self._purse.reserve(estimate, sampling.max_tokens)
            prompt_tokens = answer_tokens = 0
            try:
                call = self._ledger.begin(
                    key,
                    prompt_tokens=estimate,
                    answer_tokens=sampling.max_tokens,
                    allow=self._purse.check_day if self._purse.has_day_caps else None,
                )
                status, error = CallStatus.FAILED, None
                try:
                    made = self._send(question, sampling, estimate)
                    status = CallStatus.ANSWERED
                    prompt_tokens, answer_tokens = made.prompt_tokens, made.answer_tokens
                except (LLMUnavailable, TryAgain) as failed:
                    error = str(failed)
                    if isinstance(failed, TryAgain) and failed.may_cost:
                        status = CallStatus.UNKNOWN
                        prompt_tokens, answer_tokens = estimate, sampling.max_tokens
                    raise
                finally:
                    self._ledger.end(
                        call, status, prompt_tokens=prompt_tokens, answer_tokens=answer_tokens, error=error
                    )
            finally:
                self._purse.settle(reservation, prompt_tokens, answer_tokens)
        self._pace.answered()
        if not made.text.strip():
            raise LLMUnavailable("the model gave an empty answer")
        # neither a zero nor half of a surrogate pair can be stored
        return (
            made.text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )

    def _estimated(self, messages: Messages) -> int:
        """Tokens of a prompt: its bytes, and what the endpoint was seen to put around one at most."""
        return tokens_in(messages) + self._around

    def _send(self, question: Question, sampling: Sampling, estimate: int) -> _Attempt:
        schema = question.schema
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [dict(m) for m in question.messages],
            "temperature": sampling.temperature,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
        }
        held = schema is not None and self._knows_schemas
        if held:
            form = {"name": "answer", "schema": dict(schema or {}), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        end = time.monotonic() + self._timeout_seconds
        try:
            with self._client.chat.completions.with_streaming_response.create(**body) as response:
                content = _whole(response.iter_bytes(), end)
        except BadRequestError as error:
            if not held:
                raise LLMUnavailable(reason_of(error)) from None
            self._knows_schemas = False  # it refuses the form; what it says is read with more patience
            raise TryAgain("the endpoint knows no schemas", after_seconds=0.01) from None
        except OpenAIError as error:
            # the cause holds the request, prompt and all
            raise (passing(error) or LLMUnavailable(reason_of(error))) from None
        text, usage = _read(content)
        prompt_tokens = _reported(usage, "prompt_tokens", otherwise=estimate)
        answer_tokens = _reported(usage, "completion_tokens", otherwise=estimated_tokens(text))
        self._around = max(self._around, prompt_tokens - tokens_in(question.messages))
        return _Attempt(text=text, prompt_tokens=prompt_tokens, answer_tokens=answer_tokens)


def _whole(pieces: Iterator[bytes], end: float) -> bytes:
    """The body. The library's own time limit begins anew with every byte that comes; this one does not."""
    content = bytearray()
    try:
        for piece in pieces:
            content += piece
            if time.monotonic() > end:
                raise TryAgain("the answer did not end in time", after_seconds=None, may_cost=True)
    except (OpenAIError, TryAgain):
        raise
    except Exception as error:  # of whichever HTTP library this major version of the client has
        name = type(error).__name__
        raise TryAgain(
            f"the answer broke off ({name})", after_seconds=None, may_cost="Timeout" in name
        ) from None
    return bytes(content)


def _read(content: bytes) -> tuple[str, Mapping[str, Any]]:
    """The text of a chat completion, and what it says of its cost. A proxy's page may come with status 200."""
    try:
        answer = json.loads(content)
        text = answer["choices"][0]["message"].get("content") or ""
        usage = answer.get("usage")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError):
        text = usage = None
    if not isinstance(text, str):
        raise TryAgain("what came is no chat completion", after_seconds=None)
    return text, usage if isinstance(usage, Mapping) else {}


def _reported(usage: Mapping[str, Any], name: str, *, otherwise: int) -> int:
    """Tokens as the endpoint counts them; ``otherwise`` where it says nothing, or what no call can have cost."""
    said = usage.get(name)
    return int(said) if isinstance(said, int | float) and 0 < said <= MOST_TOKENS else otherwise


def _sleep(seconds: float, still_wanted: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        still_wanted()
        time.sleep(min(0.2, left))


@dataclass(slots=True)
class _InARow:
    """Counts failures in a row, over all threads."""

    most: int
    given_up: str = ""
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def one_more(self, why: str) -> None:
        with self._lock:
            self._count += 1
            if self._count >= self.most and not self.given_up:
                self.given_up = f"the language model was not asked any more: {why}"

    def none(self) -> None:
        with self._lock:
            self._count = 0
