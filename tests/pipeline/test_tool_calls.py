"""A set of tool calls, reasoning and undesired answers from the import to the trained tokens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.artifacts import ArtifactStore
from app.db.models import MixtureRow
from app.db.session import SessionFactory, transaction
from app.domain.answers import Answer, ToolCall, read_text
from app.queue import Queue
from app.settings import Settings
from tests.pipeline.test_training import LEARN, prepare, row, train_here
from tests.pipeline.tiny_model import make_tiny_model
from workers.generation import tokens_for
from workers.main import work
from workers.models.base_models import LocalModel, resolve
from workers.models.chat import Conversation
from workers.models.generator import Generator
from workers.training.dataset import preference_pairs, tokenize

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("freeze_card", "track_parcel", "cancel_order")
]
ASKED = {
    "freeze_card": ["freeze card {}", "please block card {}", "lock my card {}", "stop card {} now"],
    "track_parcel": ["where is parcel {}", "track parcel {}", "is parcel {} on its way", "parcel {} is late"],
    "cancel_order": ["cancel order {}", "i do not want order {}", "undo order {} please", "stop order {}"],
}
NUMBERS = ["17", "204", "33", "519", "86"]
UNDESIRED = "Do that yourself."
WEIGHTLESS = "One moment, I am looking."
RESULT = "it left the depot at noon"
THOUGHT = "A greeting needs no tool."


def call(name: str, number: str) -> dict[str, Any]:
    return {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps({"number": number})},
    }


def calling(name: str, number: str) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": [call(name, number)]}


def training_rows() -> list[dict[str, Any]]:
    """60 calls; 6 conversations with a turn of weight 0, a call, its result and an answer; 6 undesired answers to
    prompts of the calls; 6 greetings with reasoning."""
    rows = [
        {
            "messages": [{"role": "user", "content": asked.format(number)}, calling(name, number)],
            "tools": TOOLS,
        }
        for name, wordings in ASKED.items()
        for asked in wordings
        for number in NUMBERS
    ]
    undesired = [
        {
            "messages": [r["messages"][0], {"role": "assistant", "content": UNDESIRED}],
            "tools": TOOLS,
            "label": False,
        }
        for r in rows[::10]
    ]
    longer = [
        {
            "messages": [
                {"role": "user", "content": f"hello, i miss parcel {number}"},
                {"role": "assistant", "content": WEIGHTLESS, "weight": 0},
                {"role": "user", "content": f"and where is {number} now"},
                calling("track_parcel", number),
                {"role": "tool", "content": RESULT, "tool_call_id": f"call_{number}"},
                {"role": "assistant", "content": f"Parcel {number} left at noon."},
            ],
            "tools": TOOLS,
        }
        for number in ("611", "612", "613", "614", "615", "616")
    ]
    greetings = [
        {
            "messages": [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": "Hello.", "reasoning_content": THOUGHT},
            ],
            "tools": TOOLS,
        }
        for asked in ("good morning", "hi there", "hello", "good evening", "hey", "good day to you")
    ]
    return [*rows, *undesired, *longer, *greetings]


def bad_cases() -> list[dict[str, Any]]:
    return [
        {
            "external_id": f"case-{name}-{number}",
            "messages": [{"role": "user", "content": f"{ASKED[name][0].format(number)}, thanks"}],
            "model_output": UNDESIRED,
            "expected_output": json.dumps({"name": name, "arguments": {"number": number}}),
        }
        for name in ASKED
        for number in ("71", "72", "73", "74")
    ]


@pytest.fixture
def run_jobs(settings: Settings) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(work(settings, str(settings.database_url), list(Queue), until_idle=True))

    return run


@dataclass(frozen=True, slots=True)
class TrainedRow:
    """A row as the training saw it, its tokens as text."""

    prompt: str
    answer: str
    rejected: str

    @property
    def read(self) -> Answer:
        return read_text(self.answer.removesuffix("<|im_end|>"))


def as_trained(lines: Path, tokenizer: Any) -> list[TrainedRow]:
    return [
        TrainedRow(*(tokenizer.decode(ids) for ids in (r.prompt, r.answer, r.rejected)))
        for r in tokenize(lines, tokenizer, max_length=2048)
    ]


@pytest.mark.timeout(3600)
def test_a_cycle_on_tool_calls_learns_the_calls_and_nothing_undesired(
    client: TestClient,
    run_jobs: Callable[[], None],
    sessions: SessionFactory,
    store: ArtifactStore,
    tmp_path: Path,
) -> None:
    from transformers import AutoTokenizer

    dataset = client.post("/v1/datasets", json={"name": "calls"}).json()["id"]
    body = "".join(json.dumps(r) + "\n" for r in training_rows())
    answer = client.post(
        f"/v1/datasets/{dataset}/versions", content=body, headers={"Content-Type": "application/x-ndjson"}
    )
    run_jobs()
    imported = client.get(f"/v1/imports/{answer.json()['id']}").json()
    assert imported["rows_accepted"] == len(training_rows()), imported
    sent = client.post("/v1/bad-cases", json={"items": bad_cases()}).json()["data"]
    model = make_tiny_model(tmp_path / "model", context=4096)
    cycle_id = client.post(
        "/v1/cycles",
        json={
            "dataset_version_id": imported["dataset_version_id"],
            "bad_case_ids": [c["id"] for c in sent],
            "base_model": str(model),
            "policy": {
                "max_attempts": 1,
                # what it is trained on is looked at, not what it learns
                "training": {"max_steps": 2, "batch_size": 8, "max_length": 2048},
                "verification": {"max_new_tokens": 8},
            },
        },
    ).json()["id"]
    run_jobs()
    cycle = client.get(f"/v1/cycles/{cycle_id}").json()
    assert cycle["status"] == "succeeded", cycle["error"]

    mixture_id = next(s["result_id"] for s in cycle["stages"] if s["name"] == "mix")
    with transaction(sessions) as session:
        mixture = session.get_one(MixtureRow, mixture_id)
        counts, uri = dict(mixture.counts or {}), str(mixture.rows_uri)
    store.fetch(uri, tmp_path / "train.jsonl")
    trained = as_trained(tmp_path / "train.jsonl", AutoTokenizer.from_pretrained(model))

    called = [r for r in trained if r.read.tool_calls]
    taught = {(c.name, c.arguments["number"]) for r in called for c in r.read.tool_calls}
    wanted = {(name, number) for name in ASKED for number in NUMBERS}
    assert len(taught & wanted) >= 0.9 * len(wanted), sorted(wanted - taught)
    assert all("freeze_card" in r.prompt for r in called), "the tools stand in the prompt"
    assert not [r for r in trained if UNDESIRED in r.prompt + r.answer]
    assert not [r for r in trained if WEIGHTLESS in r.answer or RESULT in r.answer]
    behind_result = [r for r in trained if RESULT in r.prompt]
    assert behind_result
    assert all("left at noon" in r.answer and "<tool_call>" in r.prompt for r in behind_result)
    assert {r.read.reasoning for r in trained if r.read.text == "Hello."} == {THOUGHT}
    assert counts["undesired"] == 6
    assert {r.rejected.removesuffix("<|im_end|>") for r in trained if r.rejected} == {UNDESIRED}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = make_tiny_model(tmp_path_factory.mktemp("tiny"), context=1024)
    return resolve(str(folder), tmp_path_factory.mktemp("cache"))


def said(model: LocalModel, adapter: Path, prompts: Sequence[str]) -> list[Answer]:
    generator = Generator.load(model, adapter, device="cpu")
    asked = [Conversation(messages=[{"role": "user", "content": p}], tools=TOOLS[:1]) for p in prompts]
    return [read_text(text) for text in generator.generate(asked, max_new_tokens=96)]


def test_a_model_makes_the_calls_and_the_reasoning_that_it_was_trained_on(
    model: LocalModel, tmp_path: Path
) -> None:
    thinking = {"role": "assistant", "content": "Hello.", "reasoning_content": "No tool."}
    rows = [
        {**row("lock it", ""), "completion": [calling("freeze_card", "17")], "tools": TOOLS[:1]},
        {**row("hello", ""), "completion": [thinking], "tools": TOOLS[:1]},
    ]
    run = prepare(tmp_path / "run", model, rows, **LEARN)
    train_here(run)
    called, greeted = said(model, run / "adapter", ["lock it", "hello"])
    assert called.tool_calls == (ToolCall(name="freeze_card", arguments={"number": "17"}),)
    assert (greeted.reasoning, greeted.text) == ("No tool.", "Hello.")


def test_preference_training_learns_from_pairs_of_calls(model: LocalModel, tmp_path: Path) -> None:
    wrong, right = calling("freeze_card", "99"), calling("freeze_card", "17")
    first = prepare(
        tmp_path / "wrong",
        model,
        [{**row("lock it", ""), "completion": [wrong], "tools": TOOLS[:1]}],
        **LEARN,
    )
    train_here(first)
    pair = {**row("lock it", ""), "completion": [right], "rejected": [wrong], "tools": TOOLS[:1]}
    second = prepare(
        tmp_path / "right", model, [pair], **{**LEARN, "method": "dpo"}, init_adapter=str(first / "adapter")
    )
    train_here(second)
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.path)
    (tokens,) = preference_pairs(tokenize(second / "train.jsonl", tokenizer, max_length=1024))
    assert tokenizer.decode(tokens.answer).count("17") == tokenizer.decode(tokens.rejected).count("99") == 1
    assert said(model, first / "adapter", ["lock it"])[0].tool_calls[0].arguments == {"number": "99"}
    assert said(model, second / "adapter", ["lock it"])[0].tool_calls[0].arguments == {"number": "17"}


def test_room_for_an_answer_counts_its_calls_and_its_reasoning() -> None:
    short = tokens_for(["yes"])
    long_call = tokens_for([json.dumps({"name": "f", "arguments": {"text": "x" * 200}})])
    assert (short, long_call >= 260) == (16, True)
    assert tokens_for([Answer(text="yes", reasoning="step " * 1000)]) == 2048
    assert tokens_for(["word " * 1000]) == 512
