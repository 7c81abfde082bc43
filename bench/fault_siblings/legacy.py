"""OpenAI's older ``function_call`` and role ``function``."""

from __future__ import annotations

import json

from bench.fault_siblings.trial import (
    Row,
    Trial,
    answer_is,
    cause,
    comes_back,
    fixes,
    holds,
    keeps,
    not_closed,
    reads,
)

KIND = "legacy-function-call"


def old(prompt: str, name: str, arguments: object, content: object = None) -> Row:
    return {
        "messages": [
            {"role": "user", "content": prompt},
            {
                "role": "assistant",
                "content": content,
                "function_call": {"name": name, "arguments": arguments},
            },
        ]
    }


whole: Row = {
    "messages": [
        {"role": "system", "content": "Use the functions."},
        {"role": "user", "content": "Is seat 12A free?"},
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "seat_state", "arguments": '{"seat": "12A"}'},
        },
        {"role": "function", "name": "seat_state", "content": '{"free": true}'},
        {"role": "assistant", "content": "Seat 12A is free."},
    ],
    "functions": [
        {"name": "seat_state", "parameters": {"type": "object", "properties": {"seat": {"type": "string"}}}}
    ],
}
rooms = [old(f"Book room {n}.", "book_room", json.dumps({"room": n})) for n in (101, 102, 203, 204, 305)]

TRIALS = [
    Trial(
        kind=KIND,
        name="a whole trajectory with functions and a function's result",
        train=[whole],
        checks=[
            reads(1),
            comes_back("messages"),
            comes_back("sharegpt"),
            holds("messages", 0, "tools", "seat_state"),
        ],
    ),
    Trial(
        kind=KIND,
        name="content is an empty text",
        train=[old("Book a seat.", "book", "{}", "")],
        checks=[reads(1), answer_is(0, [("book", {})]), comes_back("messages")],
    ),
    Trial(
        kind=KIND,
        name="content is missing",
        train=[
            {
                "messages": [
                    {"role": "user", "content": "Go"},
                    {"role": "assistant", "function_call": {"name": "go", "arguments": "{}"}},
                ]
            }
        ],
        checks=[reads(1), answer_is(0, [("go", {})])],
    ),
    Trial(
        kind=KIND,
        name="words before the call",
        train=[old("Book a seat.", "book", '{"n": 1}', "I will book it.")],
        checks=[reads(1), answer_is(0, [("book", {"n": 1})]), comes_back("messages"), comes_back("alpaca")],
    ),
    Trial(
        kind=KIND,
        name="arguments as an object",
        train=[old("Book a seat.", "book", {"n": 1})],
        checks=[reads(1), answer_is(0, [("book", {"n": 1})]), comes_back("messages")],
    ),
    Trial(
        kind=KIND,
        name="a wrong one beside its right twin",
        train=[old("Book room 101.", "book_room", '{"room": 110}'), *rooms],
        cases=[
            {
                "external_id": "room",
                "instruction": "Book room 101.",
                "model_output": '{"name": "book_room", "arguments": {"room": 110}}',
                "expected_output": '{"name": "book_room", "arguments": {"room": 101}}',
            }
        ],
        checks=[
            reads(6),
            not_closed("room"),
            cause("room", "conflict"),
            fixes(0, [("book_room", {"room": 101})]),
            keeps(1, 2, 3, 4, 5),
        ],
    ),
    Trial(
        kind=KIND,
        name="function_call null beside text",
        train=[
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "Hello", "function_call": None, "tool_calls": None},
                ]
            }
        ],
        checks=[reads(1), answer_is(0, "Hello")],
    ),
]
