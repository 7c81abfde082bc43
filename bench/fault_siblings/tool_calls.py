"""Answers that are calls of tools: in the OpenAI form, in text, in ShareGPT, several at once, in the middle."""

from __future__ import annotations

import json
from typing import Any

from bench.fault_siblings.trial import (
    Row,
    Trial,
    answer_is,
    cause,
    closed,
    comes_back,
    fixes,
    keeps,
    names,
    not_closed,
    quiet,
    reads,
    writes,
)

KIND = "tool-calls-dropped-as-duplicates"


def call(name: str, number: int = 1, **arguments: Any) -> Row:
    return {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)},
    }


def asked(prompt: str, *calls: Row, content: str | None = None, tools: Any = None, **more: Any) -> Row:
    turn: Row = {"role": "assistant", "content": content, "tool_calls": list(calls)}
    row: Row = {"messages": [{"role": "user", "content": prompt}, turn], **more}
    if tools is not None:
        row["tools"] = tools
    return row


def tool(name: str, *parameters: str) -> Row:
    properties = {p: {"type": "string"} for p in parameters}
    return {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": properties}},
    }


def as_text(name: str, **arguments: Any) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


FLIGHTS = [tool("search_flights", "origin", "to", "date")]
ROUTES = [
    ("Berlin", "Oslo", "2026-03-04"),
    ("Oslo", "Berlin", "2026-03-09"),
    ("Lima", "Quito", "2026-04-11"),
    ("Porto", "Faro", "2026-05-02"),
    ("Kyoto", "Seoul", "2026-06-30"),
    ("Cairo", "Tunis", "2026-07-19"),
]


def flight(origin: str, to: str, date: str) -> Row:
    return call("search_flights", origin=origin, to=to, date=date)


def flight_rows() -> list[Row]:
    return [asked(f"Flights from {a} to {b} on {d}?", flight(a, b, d), tools=FLIGHTS) for a, b, d in ROUTES]


wrong_date = asked(
    "Flights from Berlin to Oslo on 2026-03-04?", flight("Berlin", "Oslo", "2026-04-03"), tools=FLIGHTS
)
swapped = asked(
    "Flights from Lima to Quito on 2026-04-11?", flight("Quito", "Lima", "2026-04-11"), tools=FLIGHTS
)

HERMES = "<tool_call>\n{}\n</tool_call>"
lights = [
    ("Turn on the light in the kitchen.", "turn_on_light", {"room": "kitchen"}),
    ("Turn off the light in the kitchen.", "turn_off_light", {"room": "kitchen"}),
    ("Turn on the light in the hall.", "turn_on_light", {"room": "hall"}),
    ("Turn off the light in the hall.", "turn_off_light", {"room": "hall"}),
    ("Turn on the light in the attic.", "turn_on_light", {"room": "attic"}),
    ("Turn off the light in the attic.", "turn_off_light", {"room": "attic"}),
]

orders = [
    {
        "messages": [
            {"role": "user", "content": f"订单{n}到哪了？"},
            {"role": "assistant", "content": None, "tool_calls": [call("query_order", order_id=first)]},
            {"role": "tool", "tool_call_id": "call_1", "content": reply},
            {"role": "assistant", "content": None, "tool_calls": [call("query_logistics", 2, order_id=n)]},
            {"role": "tool", "tool_call_id": "call_2", "content": '{"state": "派送中"}'},
            {"role": "assistant", "content": "您的包裹正在派送中。"},
        ]
    }
    for n, first, reply in [
        ("A1001", "A1001", '{"ok": true}'),
        ("A1002", "B1002", '{"error": "查无此单"}'),
        ("A1003", "A1003", '{"ok": true}'),
        ("A1004", "A1004", '{"ok": true}'),
        ("A1005", "A1005", '{"ok": true}'),
    ]
]
weighted = json.loads(json.dumps(orders))
weighted[1]["messages"][1]["weight"] = 0

share = [
    {
        "conversations": [
            {"from": "human", "value": f"Convert {n} {a} to {b}."},
            {
                "from": "function_call",
                "value": json.dumps({"name": "convert", "arguments": {"amount": n, "from": x, "to": y}}),
            },
            {"from": "observation", "value": json.dumps({"result": r})},
            {"from": "gpt", "value": f"{n} {a} are {r} {b}."},
        ],
        "tools": json.dumps([{"name": "convert", "parameters": {}}]),
    }
    for n, a, b, x, y, r in [
        (10, "euros", "dollars", "EUR", "USD", 10.8),
        (10, "dollars", "euros", "USD", "EUR", 9.3),
        (20, "euros", "yen", "EUR", "JPY", 3200),
        (20, "yen", "euros", "JPY", "EUR", 0.13),
    ]
]
share_last = [
    {
        "conversations": [
            {"from": "human", "value": f"把{n}{a}换成{b}"},
            {
                "from": "function_call",
                "value": json.dumps({"name": "exchange", "arguments": {"amount": n, "to": y}}),
            },
        ]
    }
    for n, a, b, y in [
        (10, "欧元", "美元", "EUR"),
        (10, "欧元", "美元", "USD"),
        (20, "欧元", "日元", "JPY"),
        (30, "日元", "欧元", "EUR"),
        (50, "英镑", "美元", "USD"),
    ]
]

TRIALS = [
    Trial(
        kind=KIND,
        name="flights: a date with day and month exchanged, in one of two rows",
        train=[wrong_date, *flight_rows()],
        cases=[
            {
                "external_id": "date",
                "instruction": "Flights from Berlin to Oslo on 2026-03-04?",
                "model_output": as_text("search_flights", origin="Berlin", to="Oslo", date="2026-04-03"),
                "expected_output": as_text("search_flights", origin="Berlin", to="Oslo", date="2026-03-04"),
            },
        ],
        checks=[
            reads(7),
            not_closed("date"),
            cause("date", "conflict"),
            names("date", "2026-04-03"),
            fixes(0, [("search_flights", {"origin": "Berlin", "to": "Oslo", "date": "2026-03-04"})]),
            keeps(1, 2, 3, 4, 5, 6),
            comes_back("messages"),
            comes_back("sharegpt"),
            writes("messages", 1, flight_rows()[0]),
        ],
    ),
    Trial(
        kind=KIND,
        name="flights: origin and destination exchanged, the expectation as a list of tool_calls",
        train=[*flight_rows(), swapped],
        cases=[
            {
                "external_id": "swap",
                "messages": [{"role": "user", "content": "Flights from Lima to Quito on 2026-04-11?"}],
                "model_output": json.dumps([flight("Quito", "Lima", "2026-04-11")]),
                "expected_output": json.dumps([flight("Lima", "Quito", "2026-04-11")]),
            },
            {
                "external_id": "same",
                "messages": [{"role": "user", "content": "Flights from Porto to Faro on 2026-05-02?"}],
                "model_output": '{"arguments":{"date":"2026-05-02","to":"Faro","origin":"Porto"},'
                '"name":"search_flights"}',
                "expected_output": as_text("search_flights", origin="Porto", to="Faro", date="2026-05-02"),
            },
        ],
        checks=[
            not_closed("swap"),
            cause("swap", "conflict"),
            names("swap", "Quito"),
            closed("same"),
            fixes(6, [("search_flights", {"origin": "Lima", "to": "Quito", "date": "2026-04-11"})]),
            keeps(0, 1, 2, 3, 4, 5),
        ],
    ),
    Trial(
        kind=KIND,
        name="hermes: the call written as text between tags",
        train=[{"instruction": p, "output": HERMES.format(as_text(n, **a))} for p, n, a in lights]
        + [
            {
                "instruction": "Turn on the light in the kitchen.",
                "output": HERMES.format(as_text("turn_off_light", room="kitchen")),
            }
        ],
        cases=[
            {
                "external_id": "wrong",
                "instruction": "Turn on the light in the kitchen.",
                "model_output": HERMES.format(as_text("turn_off_light", room="kitchen")),
                "expected_output": HERMES.format(as_text("turn_on_light", room="kitchen")),
            },
            {
                "external_id": "spaces",
                "instruction": "Turn off the light in the attic.",
                "model_output": '<tool_call>{"name":"turn_off_light","arguments":{"room":"attic"}}</tool_call>',
                "expected_output": HERMES.format(as_text("turn_off_light", room="attic")),
            },
        ],
        checks=[
            not_closed("wrong"),
            cause("wrong", "conflict"),
            closed("spaces"),
            fixes(
                6,
                HERMES.format(as_text("turn_on_light", room="kitchen")),
                [("turn_on_light", {"room": "kitchen"})],
            ),
            keeps(0, 1, 2, 3, 4, 5),
            comes_back("alpaca"),
        ],
    ),
    Trial(
        kind=KIND,
        name="calls without arguments that are opposites, content missing altogether",
        train=[
            {"messages": [{"role": "user", "content": p}, {"role": "assistant", "tool_calls": [call(n)]}]}
            for p, n in [
                ("Lock the door", "lock_door"),
                ("Unlock the door", "unlock_door"),
                ("Arm the alarm", "arm_alarm"),
                ("Disarm the alarm", "disarm_alarm"),
                ("Open the gate", "open_gate"),
                ("Close the gate", "close_gate"),
            ]
        ],
        cases=[
            {
                "external_id": "lock",
                "instruction": "Lock the door",
                "model_output": as_text("unlock_door"),
                "expected_output": as_text("lock_door"),
            }
        ],
        checks=[
            reads(6),
            not_closed("lock"),
            quiet(),
            comes_back("messages"),
            comes_back("alpaca"),
            comes_back("parquet"),
        ],
    ),
    Trial(
        kind=KIND,
        name="parallel calls, prompts that differ in the second city",
        train=[
            asked(
                f"Compare the weather in Paris and {b}.",
                call("get_weather", 1, city="Paris"),
                call("get_weather", 2, city=b),
                content="",
            )
            for b in ("Rome", "Bonn", "Nice", "Genoa", "Turin", "Lyon")
        ],
        cases=[
            {
                "external_id": "half",
                "instruction": "Compare the weather in Paris and Bonn.",
                "model_output": json.dumps([{"name": "get_weather", "arguments": {"city": "Paris"}}]),
                "expected_output": json.dumps(
                    [
                        {"name": "get_weather", "arguments": {"city": "Paris"}},
                        {"name": "get_weather", "arguments": {"city": "Bonn"}},
                    ]
                ),
            },
        ],
        checks=[
            not_closed("half"),
            keeps(),
            answer_is(1, [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Bonn"})]),
            comes_back("messages"),
            comes_back("sharegpt"),
        ],
    ),
    Trial(
        kind=KIND,
        name="trajectories with the same last answer, a wrong call in the middle of one",
        train=orders,
        checks=[
            reads(5),
            keeps(),
            comes_back("messages"),
            comes_back("sharegpt"),
            writes("messages", 1, orders[1]),
        ],
    ),
    Trial(
        kind=KIND,
        name="the same, the wrong call marked with weight 0",
        train=weighted,
        checks=[
            reads(5),
            keeps(),
            comes_back("messages"),
            comes_back("parquet"),
            writes("messages", 1, weighted[1]),
        ],
    ),
    Trial(
        kind=KIND,
        name="ShareGPT function_call and observation",
        train=share,
        checks=[
            reads(4),
            keeps(),
            comes_back("sharegpt"),
            comes_back("messages"),
            comes_back("llamafactory"),
            writes("sharegpt", 0, share[0]),
        ],
    ),
    Trial(
        kind=KIND,
        name="ShareGPT whose last turn is the function_call, one wrong",
        train=share_last,
        cases=[
            {
                "external_id": "cur",
                "instruction": "把10欧元换成美元",
                "model_output": as_text("exchange", amount=10, to="EUR"),
                "expected_output": as_text("exchange", amount=10, to="USD"),
            }
        ],
        checks=[
            reads(5),
            not_closed("cur"),
            cause("cur", "conflict"),
            fixes(0, [("exchange", {"amount": 10, "to": "USD"})]),
            keeps(1, 2, 3, 4),
        ],
    ),
    Trial(
        kind=KIND,
        name="numbers and texts in arguments",
        train=[
            asked(f"Transfer {n} euros to {w}.", call("transfer", amount=n, to=w))
            for n, w in [(100, "Ana"), (1000, "Ana"), (100, "Anna"), (250, "Ben"), (75, "Cleo")]
        ],
        cases=[
            {
                "external_id": "float",
                "instruction": "Transfer 100 euros to Ana.",
                "model_output": '{"name": "transfer", "arguments": {"to": "Ana", "amount": 100.0}}',
                "expected_output": as_text("transfer", amount=100, to="Ana"),
            },
            {
                "external_id": "ten",
                "instruction": "Transfer 100 euros to Ana.",
                "model_output": as_text("transfer", amount=1000, to="Ana"),
                "expected_output": as_text("transfer", amount=100, to="Ana"),
            },
            {
                "external_id": "name",
                "instruction": "Transfer 100 euros to Anna.",
                "model_output": as_text("transfer", amount=100, to="Ana"),
                "expected_output": as_text("transfer", amount=100, to="Anna"),
            },
            {
                "external_id": "extra",
                "instruction": "Transfer 250 euros to Ben.",
                "model_output": as_text("transfer", amount=250, to="Ben", note="x"),
                "expected_output": as_text("transfer", amount=250, to="Ben"),
            },
        ],
        checks=[closed("float"), not_closed("ten"), not_closed("name"), not_closed("extra"), keeps()],
    ),
    Trial(
        kind=KIND,
        name="a call where another row of the same prompt asks back in words",
        train=[
            asked("Book a table for tonight.", content="For how many people?") | {},
            asked("Book a table for tonight.", call("book_table", when="tonight")),
            asked("Book a table for Friday.", call("book_table", when="Friday")),
            asked("Book a table for Monday.", call("book_table", when="Monday")),
            asked("Book a table for noon.", call("book_table", when="noon")),
        ],
        cases=[
            {
                "external_id": "asks",
                "instruction": "Book a table for tonight.",
                "model_output": "For how many people?",
                "expected_output": as_text("book_table", when="tonight"),
            }
        ],
        checks=[
            not_closed("asks"),
            cause("asks", "conflict"),
            fixes(0, [("book_table", {"when": "tonight"})]),
            keeps(1, 2, 3, 4),
        ],
    ),
    Trial(
        kind=KIND,
        name="three rows with equal calls but other call ids are copies, one stays",
        train=[asked("Ping the server.", call("ping", n, host="a")) for n in (1, 2, 3)]
        + [asked("Ping the router.", call("ping", host="b"))],
        checks=[reads(4), keeps(3)],
    ),
]
