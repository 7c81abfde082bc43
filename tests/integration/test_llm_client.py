"""The client against a real HTTP server that speaks the OpenAI protocol, well and badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import LlmCallRow
from app.db.repositories.llm_answers import AnswersInPostgres
from app.db.repositories.llm_calls import CallStatus, LedgerInPostgres, Prices
from app.db.session import SessionFactory
from app.errors import StageCancelled
from tests.llm_server import ANSWER_TOKENS, PROMPT_TOKENS, LlmServer, Reply, completion
from workers.llm.client import LLMClient
from workers.llm.failures import LLMUnavailable
from workers.llm.pace import Pace
from workers.llm.purse import Caps, SpendCapReached
from workers.llm.questions import Lost, Question, Sampling

SECRET = "sk-very-secret"
ASK = [{"role": "user", "content": "what the customer said"}]
SHORT = Sampling(max_tokens=10)
CALL = PROMPT_TOKENS + ANSWER_TOKENS

Make = Callable[..., LLMClient]


@pytest.fixture
def model() -> Iterator[LlmServer]:
    made = LlmServer()
    yield made
    made.close()


@pytest.fixture
def client_for(model: LlmServer, sessions: SessionFactory, project: str, tmp_path: Path) -> Iterator[Make]:
    made: list[LLMClient] = []

    def make(
        *,
        subject: str = "aug_1",
        retries: int = 1,
        timeout: float = 10.0,
        still_wanted: Callable[[], None] = lambda: None,
        **caps: float,
    ) -> LLMClient:
        ledger = LedgerInPostgres(
            sessions=sessions,
            project_id=project,
            subject_id=subject,
            model="m",
            prices=Prices(prompt=1.0, answer=4.0),
        )
        made.append(
            LLMClient(
                base_url=model.url,
                api_key=SECRET,
                model="m",
                cache=AnswersInPostgres(sessions),
                ledger=ledger,
                pace=Pace(tmp_path / "pace"),
                caps=Caps(**caps),  # pyright: ignore[reportArgumentType]
                max_retries=retries,
                timeout_seconds=timeout,
                still_wanted=still_wanted,
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


def calls(session: Session) -> Sequence[LlmCallRow]:
    session.expire_all()
    return session.scalars(select(LlmCallRow).order_by(LlmCallRow.id)).all()


def asking(number: int) -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"question {number}"}]


def questions(count: int) -> list[Question]:
    return [Question(messages=asking(n)) for n in range(count)]


def test_an_answer_is_paid_for_once_and_read_from_the_cache_by_the_next_run(
    model: LlmServer, client_for: Make
) -> None:
    first, second = client_for(), client_for(subject="aug_2")
    assert first.complete(ASK) == second.complete(ASK) == "yes"
    assert len(model.asked) == 1
    assert (first.spent_tokens, second.spent_tokens) == (CALL, 0)
    assert model.keys == [f"Bearer {SECRET}"]


def test_an_answer_that_cannot_be_used_is_asked_for_again_and_one_that_can_is_kept(
    model: LlmServer, client_for: Make
) -> None:
    def accept(answer: str) -> str | None:
        return None if answer == "good" else "it is garbage"

    model.behaviour = lambda _body, number: Reply(text="garbage" if number == 0 else "good")
    assert client_for().complete(ASK, accept=accept) == "garbage"
    assert client_for().complete(ASK, accept=accept) == "good"
    assert client_for().complete(ASK, accept=accept) == "good"
    assert len(model.asked) == 2


def test_a_cached_answer_that_cannot_be_used_is_replaced(model: LlmServer, client_for: Make) -> None:
    assert client_for().complete(ASK) == "yes"
    model.behaviour = lambda _body, _number: Reply(text="better")
    wanted = client_for().complete(ASK, accept=lambda a: None if a == "better" else "no")
    assert wanted == client_for().complete(ASK) == "better"


@pytest.mark.parametrize(
    "bad",
    [
        Reply(status=503),
        Reply(raw=b"<html><body>Please log in</body></html>", headers={"Content-Type": "text/html"}),
        Reply(raw=b'{"choices": []}'),
        Reply(raw=b'{"choices": [{"index": 0}]}'),
        Reply(raw=b"[]"),
        Reply(raw=b'{"error": "overloaded"}'),
        Reply(cut=True),
    ],
    ids=["503", "HTML", "no choice", "no message", "list", "error with 200", "cut off"],
)
def test_a_passing_failure_is_tried_again_and_each_try_is_written_down(
    model: LlmServer, client_for: Make, session: Session, bad: Reply
) -> None:
    model.behaviour = lambda _body, number: bad if number == 0 else Reply(text="after all")
    client = client_for()
    assert client.complete(ASK) == "after all"
    first, second = calls(session)
    assert (first.status, second.status) == (CallStatus.FAILED, CallStatus.ANSWERED)
    assert first.error
    assert (first.prompt_tokens, second.prompt_tokens, second.answer_tokens) == (
        0,
        PROMPT_TOKENS,
        ANSWER_TOKENS,
    )
    assert second.cost == pytest.approx((PROMPT_TOKENS * 1.0 + ANSWER_TOKENS * 4.0) / 1e6)
    assert client.spent_tokens == CALL


@pytest.mark.parametrize("status", [401, 400, 500])
def test_a_failure_names_itself_and_neither_the_key_nor_the_prompt(
    model: LlmServer, client_for: Make, session: Session, status: int
) -> None:
    said = f'{{"error": {{"message": "no: {SECRET}: what the customer said"}}}}'.encode()
    model.behaviour = lambda _body, _number: Reply(status=status, raw=said)
    with pytest.raises(LLMUnavailable) as raised:
        client_for(retries=0).complete(ASK)
    (call,) = calls(session)
    for text in (str(raised.value), str(call.error)):
        assert str(status) in text
        assert SECRET not in text
        assert "customer" not in text


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -100_000, "completion_tokens": -1},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 10**15, "completion_tokens": 10**30},
        {"prompt_tokens": float("inf"), "completion_tokens": float("nan")},
        {"prompt_tokens": None, "completion_tokens": "a few"},
        {},
        "cheap",
        [1],
    ],
    ids=["negative", "zero", "huge", "not finite", "other types", "empty", "text", "list"],
)
def test_what_an_endpoint_says_wrongly_of_its_usage_costs_no_answer_and_loosens_no_cap(
    model: LlmServer, client_for: Make, session: Session, usage: object
) -> None:
    body = {**json.loads(completion("yes")), "usage": usage}
    model.behaviour = lambda _body, _number: Reply(raw=json.dumps(body).encode())
    client = client_for()
    assert client.complete(ASK, SHORT) == "yes"
    (call,) = calls(session)
    assert (call.prompt_tokens, call.answer_tokens) == (8, 2)
    assert client.spent_tokens == 10


@pytest.mark.parametrize(
    "said", [["yes"], {"text": "yes"}, 7, True], ids=["list", "object", "number", "bool"]
)
def test_an_answer_that_is_no_text_is_no_answer(model: LlmServer, client_for: Make, said: object) -> None:
    body = json.loads(completion("yes"))
    body["choices"][0]["message"]["content"] = said
    model.behaviour = lambda _body, number: Reply(
        raw=json.dumps(body).encode() if number == 0 else completion("after all")
    )
    assert client_for().complete(ASK) == "after all"


@pytest.mark.parametrize("half", ["\ud83d", "\udc4d"], ids=["first", "second"])  # noqa: PT014
def test_half_a_character_in_an_answer_is_kept_as_a_mark(
    model: LlmServer, client_for: Make, half: str
) -> None:
    model.behaviour = lambda _body, _number: Reply(text=f"👍 {half}\x00 yes")
    assert client_for().complete(ASK) == client_for().complete(ASK) == "👍 \ufffd\ufffd yes"
    assert len(model.asked) == 1


def test_a_server_that_answers_byte_by_byte_is_not_waited_for_without_end(
    model: LlmServer, client_for: Make, session: Session
) -> None:
    model.behaviour = lambda _body, _number: Reply(drip=0.05)
    began = time.monotonic()
    with pytest.raises(LLMUnavailable, match="in time"):
        client_for(retries=0, timeout=0.5).complete(ASK, SHORT)
    assert time.monotonic() - began < 3
    assert [call.status for call in calls(session)] == [CallStatus.UNKNOWN]


def test_a_call_that_was_not_answered_in_time_may_have_been_paid_for(
    model: LlmServer, client_for: Make, session: Session
) -> None:
    model.behaviour = lambda _body, _number: Reply(seconds=1.0)
    client = client_for(retries=0, timeout=0.2)
    with pytest.raises(LLMUnavailable, match="in time"):
        client.complete(ASK, SHORT)
    (call,) = calls(session)
    assert (call.status, call.answer_tokens) == (CallStatus.UNKNOWN, 10)
    assert client.spent_tokens == call.prompt_tokens + call.answer_tokens


def test_an_empty_answer_is_no_answer_and_is_not_kept(model: LlmServer, client_for: Make) -> None:
    model.behaviour = lambda _body, number: Reply(text="  " if number == 0 else "yes")
    with pytest.raises(LLMUnavailable, match="empty"):
        client_for().complete(ASK)
    assert client_for().complete(ASK) == "yes"


def test_what_the_server_asks_to_wait_is_waited_and_fewer_are_sent_at_once(
    model: LlmServer, client_for: Make, tmp_path: Path
) -> None:
    times: list[float] = []

    def refusing_once(_body: dict[str, Any], number: int) -> Reply:
        times.append(time.monotonic())
        return Reply(status=429, headers={"Retry-After": "0.6"}) if number == 0 else Reply()

    model.behaviour = refusing_once
    client_for().complete(ASK)
    assert times[1] - times[0] >= 0.6
    assert Pace(tmp_path / "pace").limit == 3


def test_no_more_is_sent_at_once_than_the_pace_allows_and_it_grows_with_success(
    model: LlmServer, client_for: Make, tmp_path: Path
) -> None:
    model.behaviour = lambda _body, _number: Reply(seconds=0.02)
    answered = client_for().complete_all(questions(60))
    assert [a.text for a in answered] == ["yes"] * 60
    assert 2 <= model.most_at_once <= 6  # four at first, one more after 25 and after 50 answers
    assert Pace(tmp_path / "pace").limit == 6


def test_two_processes_share_the_places_of_an_endpoint(tmp_path: Path) -> None:
    first, second = Pace(tmp_path), Pace(tmp_path)
    held: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def work(pace: Pace) -> None:
        for _ in range(5):
            with pace.slot():
                with lock:
                    held.append(1)
                    most.append(len(held))
                time.sleep(0.01)
                with lock:
                    held.pop()

    threads = [threading.Thread(target=work, args=(pace,)) for pace in (first, second) * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 4


def test_the_cap_stops_before_the_call_that_could_pass_it(model: LlmServer, client_for: Make) -> None:
    with pytest.raises(SpendCapReached, match="tokens of this run"):
        client_for(tokens=1_000).complete(ASK)
    with pytest.raises(SpendCapReached, match="cost of this run"):
        client_for(cost=0.004).complete(ASK)
    assert model.asked == []


def test_a_cap_holds_over_restarts_and_calls_of_a_killed_worker_count_as_unknown(
    model: LlmServer, client_for: Make, session: Session, sessions: SessionFactory, project: str
) -> None:
    client_for(tokens=350).complete(asking(1), SHORT)
    killed = LedgerInPostgres(
        sessions=sessions, project_id=project, subject_id="aug_1", model="m", prices=Prices()
    )
    killed.begin("key", prompt_tokens=140, answer_tokens=100)  # and never ended
    again = client_for(tokens=350)
    assert again.spent.tokens == CALL + 240
    with pytest.raises(SpendCapReached, match="340 of 350"):
        again.complete(asking(2), SHORT)
    assert [call.status for call in calls(session)] == [CallStatus.ANSWERED, CallStatus.UNKNOWN]
    assert client_for(tokens=350, subject="aug_2").complete(asking(2), SHORT) == "yes"


def test_a_project_s_day_has_a_cap_over_all_its_work(model: LlmServer, client_for: Make) -> None:
    client_for(day_tokens=150).complete(asking(1), SHORT)
    with pytest.raises(SpendCapReached, match="of the project today"):
        client_for(day_tokens=110, subject="dg_1").complete(asking(2), SHORT)


def test_a_project_s_day_has_a_cap_over_work_that_runs_at_the_same_time(
    model: LlmServer, client_for: Make, session: Session
) -> None:
    model.behaviour = lambda _body, _number: Reply(seconds=0.05)
    clients = [client_for(day_tokens=1_000, subject=f"aug_{n}") for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        every = list(pool.map(lambda n: clients[n].complete_all(_questions_of(n), SHORT), range(3)))
    spent = sum(c.prompt_tokens + c.answer_tokens for c in calls(session))
    assert 700 <= spent <= 1_000
    assert {a.lost for answers in every for a in answers} == {None, Lost.SPEND_CAP}


def _questions_of(work: int) -> list[Question]:
    long = "so many words that the endpoint counts no more tokens than were reserved " * 4
    return [Question(messages=[{"role": "user", "content": f"{long}{work} {n}"}]) for n in range(10)]


def test_many_threads_together_never_pass_the_cap(
    model: LlmServer, client_for: Make, session: Session
) -> None:
    model.behaviour = lambda _body, _number: Reply(seconds=0.01)
    client = client_for(tokens=1_500)
    answered = client.complete_all(questions(40), SHORT)
    got = [a for a in answered if a.text is not None]
    assert {a.lost for a in answered if a.text is None} == {Lost.SPEND_CAP}
    assert 10 <= len(got) <= 15
    assert client.spent_tokens == len(got) * CALL <= 1_500
    assert sum(c.prompt_tokens + c.answer_tokens for c in calls(session)) == client.spent_tokens
    assert len(model.asked) == len(got)


def test_an_unusable_answer_is_sent_back_once_with_what_is_wrong(model: LlmServer, client_for: Make) -> None:
    def mends(body: dict[str, Any], _number: int) -> Reply:
        return Reply(text="7" if len(body["messages"]) > 1 else "seven")

    def accept(answer: str) -> str | None:
        return None if answer.isdigit() else "it is no number"

    model.behaviour = mends
    (answered,) = client_for().complete_all([Question(messages=ASK, accept=accept)])
    assert answered.text == "7"
    said = model.asked[1]["messages"]
    assert [m["role"] for m in said] == ["user", "assistant", "user"]
    assert "it is no number" in said[-1]["content"]

    model.behaviour = lambda _body, _number: Reply(text="no")
    (lost,) = client_for().complete_all([Question(messages=asking(9), accept=accept)])
    assert (lost.text, lost.lost, lost.detail) == (None, Lost.UNUSABLE, "it is no number")
    assert len(model.asked) == 4


def test_what_failed_is_asked_again_at_the_end(model: LlmServer, client_for: Make) -> None:
    failed: set[str] = set()

    def once(body: dict[str, Any], _number: int) -> Reply:
        said = body["messages"][0]["content"]
        if said in ("question 3", "question 11") and said not in failed:
            failed.add(said)
            return Reply(status=500)
        return Reply(text=said)

    model.behaviour = once
    answered = client_for(retries=0).complete_all(questions(20))
    assert [a.text for a in answered] == [f"question {n}" for n in range(20)]


def test_a_dead_endpoint_is_left_alone_and_nothing_is_lost_without_a_reason(
    model: LlmServer, client_for: Make
) -> None:
    model.behaviour = lambda _body, _number: Reply(status=500)
    answered = client_for(retries=0).complete_all(questions(50))
    assert all(a.text is None and a.lost in (Lost.UNAVAILABLE, Lost.GIVEN_UP) and a.detail for a in answered)
    # three that failed; of the four places each may have been taken twice before the third was counted
    assert len(model.asked) <= 3 + 2 * 4


def test_a_schema_is_sent_and_left_out_where_the_endpoint_refuses_it(
    model: LlmServer, client_for: Make
) -> None:
    schema = {"type": "object"}
    client = client_for()
    assert client.complete(asking(1), schema=schema) == "yes"
    assert model.asked[0]["response_format"]["json_schema"]["schema"] == schema

    model.behaviour = lambda body, _number: Reply(status=400 if "response_format" in body else 200)
    assert client.complete(asking(2), schema=schema) == "yes"
    assert client.complete(asking(3), schema=schema) == "yes"
    assert ["response_format" in body for body in model.asked] == [True, True, False, False]


def test_cancelled_work_asks_no_more(model: LlmServer, client_for: Make, session: Session) -> None:
    model.behaviour = lambda _body, _number: Reply(seconds=0.05)

    def still_wanted() -> None:
        if len(model.asked) >= 6:
            raise StageCancelled("aug_1")

    with pytest.raises(StageCancelled):
        client_for(still_wanted=still_wanted).complete_all(questions(200))
    assert len(model.asked) < 20
    assert {call.status for call in calls(session)} <= {CallStatus.ANSWERED, CallStatus.FAILED}
