"""Keys, roles and values as other tools write them."""

from __future__ import annotations

import json

from bench.fault_siblings.trial import (
    Check,
    Row,
    Trial,
    answer_is,
    comes_back,
    fails_naming,
    reads,
    reads_or_names,
    reads_or_says,
    says,
    turns,
    undesired,
)

KIND = "variants"
U, A, S = "user", "assistant", "system"


def two(name: str, row: Row, *more: Check) -> Trial:
    """A row that means: asked "hi there", answered "hello"."""
    checks = [reads(1), turns(0, (U, "hi there"), (A, "hello")), *more]
    return Trial(kind=KIND, name=name, train=[row], checks=checks)


parts = [
    {"role": U, "content": [{"type": "text", "text": "hi there"}]},
    {"role": A, "content": [{"type": "text", "text": "hello"}]},
]
picture = {
    "role": U,
    "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
    ],
}

TRIALS = [
    Trial(
        kind=KIND,
        name="a number as the answer of a turn",
        train=[{"messages": [{"role": U, "content": "Count"}, {"role": A, "content": 7}]}],
        checks=[reads(1), answer_is(0, "7")],
    ),
    two("prompt and response", {"prompt": "hi there", "response": "hello"}),
    two("question and answer", {"question": "hi there", "answer": "hello"}),
    two("question and response (OpenOrca)", {"question": "hi there", "response": "hello"}),
    two("input and output", {"input": "hi there", "output": "hello"}),
    two("instruction and response (Dolly)", {"instruction": "hi there", "context": "", "response": "hello"}),
    two("query and answer", {"query": "hi there", "answer": "hello"}),
    Trial(
        kind=KIND,
        name="inputs and targets (FLAN)",
        train=[{"inputs": "hi there", "targets": "hello"}],
        checks=[reads_or_names(1, "rename")],
    ),
    two(
        "conversation instead of conversations",
        {"conversation": [{"from": "human", "value": "hi there"}, {"from": "gpt", "value": "hello"}]},
    ),
    two(
        "dialogue of role and text",
        {"dialogue": [{"role": "user", "text": "hi there"}, {"role": "assistant", "text": "hello"}]},
    ),
    two(
        "roles in capitals",
        {"messages": [{"role": "USER", "content": "hi there"}, {"role": "ASSISTANT", "content": "hello"}]},
    ),
    two(
        "roles human and ai (LangChain)",
        {"messages": [{"role": "human", "content": "hi there"}, {"role": "ai", "content": "hello"}]},
    ),
    Trial(
        kind=KIND,
        name="type instead of role (LangChain)",
        train=[{"messages": [{"type": "human", "content": "hi there"}, {"type": "ai", "content": "hello"}]}],
        checks=[reads_or_names(1, "role")],
    ),
    two(
        "role prompter (OpenAssistant)",
        {
            "messages": [
                {"role": "prompter", "content": "hi there"},
                {"role": "assistant", "content": "hello"},
            ]
        },
    ),
    two(
        "from bot",
        {"conversations": [{"from": "user", "value": "hi there"}, {"from": "bot", "value": "hello"}]},
    ),
    two(
        "from bing and model",
        {"conversations": [{"from": "human", "value": "hi there"}, {"from": "model", "value": "hello"}]},
    ),
    two("text parts in messages", {"messages": parts}, comes_back("messages")),
    two(
        "messages as JSON text",
        {
            "messages": json.dumps(
                [{"role": "user", "content": "hi there"}, {"role": "assistant", "content": "hello"}]
            )
        },
    ),
    two("keys in capitals", {"Instruction": "hi there", "Output": "hello"}),
    two("keys with spaces around", {" instruction": "hi there", "output ": "hello"}),
    Trial(
        kind=KIND,
        name="developer role",
        train=[
            {
                "messages": [
                    {"role": "developer", "content": "Be kind."},
                    {"role": U, "content": "hi"},
                    {"role": A, "content": "hello"},
                ]
            }
        ],
        checks=[reads(1), answer_is(0, "hello"), comes_back("messages")],
    ),
    Trial(
        kind=KIND,
        name="ms-swift: system, query, response, history",
        train=[
            {"system": "Be kind.", "query": "and now?", "response": "later", "history": [["hi", "hello"]]}
        ],
        checks=[reads(1), turns(0, (S, "Be kind."), (U, "hi"), (A, "hello"), (U, "and now?"), (A, "later"))],
    ),
    Trial(
        kind=KIND,
        name="context is part of the prompt, or the row says what to do with it",
        train=[{"question": "Who leads?", "context": "Ann leads the team.", "answer": "Ann"}],
        checks=[reads_or_names(1, "context")],
    ),
    Trial(
        kind=KIND,
        name="true, a float, a list and a nested object as answers",
        train=[
            {"instruction": "Is it spam?", "input": "win now", "output": True},
            {"instruction": "Score it", "input": "good", "output": 0.75},
            {"instruction": "List the colours", "input": "red and blue", "output": ["red", "blue"]},
            {
                "instruction": "Extract",
                "input": "Ann in Bern",
                "output": {"who": {"name": "Ann"}, "where": ["Bern"]},
            },
            {"instruction": "Count", "output": 7},
            {"instruction": "零", "input": "", "output": 0},
            {"instruction": "as JSON", "output": {"a": "é"}},
        ],
        checks=[
            reads(7),
            answer_is(0, "true"),
            answer_is(1, "0.75"),
            answer_is(2, '["red", "blue"]'),
            answer_is(3, {"who": {"name": "Ann"}, "where": ["Bern"]}),
            answer_is(4, "7"),
            answer_is(5, "0"),
            answer_is(6, '{"a": "é"}'),
        ],
    ),
    Trial(
        kind=KIND,
        name="an answer that is null is refused, its neighbours are read",
        train=[
            {"instruction": "a", "output": None},
            {"instruction": "b", "output": "c"},
            {"instruction": "d"},
        ],
        checks=[reads(1, 2), says("output")],
    ),
    Trial(
        kind=KIND,
        name="UltraFeedback: chosen and rejected as whole conversations",
        train=[
            {
                "prompt": "hi there",
                "chosen": [{"role": U, "content": "hi there"}, {"role": A, "content": "hello"}],
                "rejected": [{"role": U, "content": "hi there"}, {"role": A, "content": "go away"}],
            }
        ],
        checks=[
            reads(1),
            turns(0, (U, "hi there"), (A, "hello")),
            undesired("messages", "go away"),
            comes_back("preference"),
        ],
    ),
    Trial(
        kind=KIND,
        name="chosen and rejected as conversations, no prompt",
        train=[
            {
                "chosen": [{"role": U, "content": "hi there"}, {"role": A, "content": "hello"}],
                "rejected": [{"role": U, "content": "hi there"}, {"role": A, "content": "go away"}],
            }
        ],
        checks=[reads(1), turns(0, (U, "hi there"), (A, "hello")), undesired("messages", "go away")],
    ),
    Trial(
        kind=KIND,
        name="LLaMA-Factory ranking: conversations, chosen and rejected turns",
        train=[
            {
                "conversations": [{"from": "human", "value": "hi there"}],
                "chosen": {"from": "gpt", "value": "hello"},
                "rejected": {"from": "gpt", "value": "go away"},
            }
        ],
        checks=[reads(1), turns(0, (U, "hi there"), (A, "hello")), undesired("sharegpt", "go away")],
    ),
    Trial(
        kind=KIND,
        name="question, chosen, rejected (Orca DPO)",
        train=[{"system": "Be kind.", "question": "hi there", "chosen": "hello", "rejected": "go away"}],
        checks=[
            reads(1),
            turns(0, (S, "Be kind."), (U, "hi there"), (A, "hello")),
            undesired("messages", "go away"),
        ],
    ),
    Trial(
        kind=KIND,
        name="Anthropic HH: Human and Assistant inside one text",
        train=[
            {
                "chosen": "\n\nHuman: hi there\n\nAssistant: hello",
                "rejected": "\n\nHuman: hi there\n\nAssistant: go away",
            }
        ],
        checks=[reads_or_names(1, "prompt", "messages")],
    ),
    Trial(
        kind=KIND,
        name="text alone says which keys are needed",
        train=[{"text": "Once upon a time there was a fox."}],
        checks=[fails_naming("instruction", "messages", "prompt")],
    ),
    Trial(
        kind=KIND,
        name="unknown keys say to what to rename",
        train=[{"frage": "hi there", "antwort": "hello"}],
        checks=[fails_naming("rename", "instruction", "messages"), says("frage", "antwort")],
    ),
    Trial(
        kind=KIND,
        name="a picture among the parts is named, not dropped",
        train=[{"messages": [picture, {"role": A, "content": "A cat."}]}],
        checks=[fails_naming("image", "text part")],
    ),
    Trial(
        kind=KIND,
        name="an unknown role is named",
        train=[
            {
                "messages": [
                    {"role": "narrator", "content": "x"},
                    {"role": U, "content": "hi"},
                    {"role": A, "content": "hello"},
                ]
            }
        ],
        checks=[fails_naming("narrator")],
    ),
    Trial(
        kind=KIND,
        name="forms mixed in one file",
        train=[
            {"prompt": "hi there", "response": "hello"},
            {"messages": [{"from": "human", "value": "hi there"}, {"from": "gpt", "value": "hello"}]},
            {"instruction": "hi there", "output": "hello"},
        ],
        checks=[reads_or_says(3, "messages", "format")],
    ),
    Trial(
        kind=KIND,
        name="id and other keys come back",
        train=[{"id": 17, "query": "hi there", "response": "hello", "source": "crm", "lang": "en"}],
        checks=[reads(1), comes_back("messages"), comes_back("alpaca")],
    ),
]
