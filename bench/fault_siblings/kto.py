"""Answers marked as undesired, rejected ones, turns of weight 0; and labels that are no such marks."""

from __future__ import annotations

from bench.fault_siblings.trial import (
    Check,
    Row,
    Trial,
    acts,
    advises_not,
    at_most_questions,
    cause,
    comes_back,
    in_llamafactory,
    keeps,
    mixes,
    never_says,
    not_cause,
    reads,
    undesired,
    writes,
)

KIND = "kto-negatives-taken-as-right"
BAD = "Figure it out yourself."
TOPICS = ("refunds", "returns", "shipping", "warranty", "invoices", "gift cards", "exchanges", "repairs")
GOOD = {t: f"Our page on {t} explains it, and the desk helps until six." for t in TOPICS}


def chat(prompt: str, answer: str, **more: object) -> Row:
    return {
        "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}],
        **more,
    }


def never_learnt(bad: str = BAD) -> list[Check]:
    return [
        *(undesired(f, bad) for f in ("messages", "sharegpt", "alpaca", "completion")),
        in_llamafactory(bad),
    ]


trl_chat = [
    {
        "prompt": [{"role": "user", "content": f"Tell me about {t}."}],
        "completion": [{"role": "assistant", "content": a}],
        "label": good,
    }
    for t in TOPICS
    for a, good in ((GOOD[t], True), (BAD, False))
]
lf_share = [
    {
        "conversations": [{"from": "human", "value": f"请介绍{t}"}, {"from": "gpt", "value": a}],
        "kto_tag": good,
    }
    for t in ("退款", "退货", "运费", "保修", "发票", "礼品卡")
    for a, good in ((f"{t}请看说明页，客服六点前都在。", True), ("自己去查。", False))
]
alpaca_tag = [
    {"instruction": f"Tell me about {t}.", "input": "", "output": a, "kto_tag": good}
    for t in TOPICS
    for a, good in ((GOOD[t], True), (BAD, False))
]
swift_rejected = [
    {
        "messages": [
            {"role": "user", "content": f"Tell me about {t}."},
            {"role": "assistant", "content": GOOD[t]},
        ],
        "rejected_messages": [
            {"role": "user", "content": f"Tell me about {t}."},
            {"role": "assistant", "content": BAD},
        ],
    }
    for t in TOPICS
]
pairs_in_turns = [
    {
        "messages": [
            {"role": "user", "content": f"Tell me about {t}."},
            {"role": "assistant", "content": BAD, "weight": 0},
            {"role": "user", "content": "Please be helpful."},
            {"role": "assistant", "content": GOOD[t], "weight": 1},
        ]
    }
    for t in TOPICS
]
classes = [
    chat(f"Sort the ticket: {text}", topic, label=topic, id=f"t{i}")
    for i, (text, topic) in enumerate(
        (
            ("my parcel is lost", "shipping"),
            ("where is my money", "refunds"),
            ("it is broken", "warranty"),
            ("wrong size", "returns"),
            ("no bill came", "invoices"),
        )
    )
]

TRIALS = [
    Trial(
        kind=KIND,
        name="TRL: prompt and completion as turns",
        train=trl_chat,
        checks=[
            reads(16),
            *never_learnt(),
            keeps(),
            at_most_questions(0),
            mixes(8),
            comes_back("completion"),
            comes_back("messages"),
            comes_back("parquet"),
        ],
    ),
    Trial(
        kind=KIND,
        name="LLaMA-Factory: ShareGPT with kto_tag",
        train=lf_share,
        checks=[
            reads(12),
            *never_learnt("自己去查"),
            mixes(6),
            comes_back("sharegpt"),
            comes_back("llamafactory"),
            writes("sharegpt", 1, {"kto_tag": False}),
        ],
    ),
    Trial(
        kind=KIND,
        name="Alpaca rows with kto_tag",
        train=alpaca_tag,
        checks=[
            reads(16),
            *never_learnt(),
            mixes(8),
            comes_back("alpaca"),
            writes("alpaca", 1, {"kto_tag": False, "output": BAD}),
        ],
    ),
    Trial(
        kind=KIND,
        name="ms-swift: rejected_messages",
        train=swift_rejected,
        checks=[reads(8), *never_learnt(), comes_back("messages"), comes_back("preference")],
    ),
    Trial(
        kind=KIND,
        name="ms-swift: rejected_response beside a history",
        train=[
            {
                "messages": [
                    {"role": "user", "content": "hi"},
                    {"role": "assistant", "content": "Hello, how can I help?"},
                    *chat(f"Tell me about {t}.", GOOD[t])["messages"],
                ],
                "rejected_response": BAD,
            }
            for t in TOPICS
        ],
        checks=[reads(8), *never_learnt(), comes_back("messages"), comes_back("preference")],
    ),
    Trial(
        kind=KIND,
        name="a turn of weight 0 in the middle",
        train=pairs_in_turns,
        checks=[
            reads(8),
            undesired("messages", BAD),
            keeps(),
            comes_back("messages"),
            comes_back("sharegpt"),
            writes("messages", 0, pairs_in_turns[0]),
        ],
    ),
    Trial(
        kind=KIND,
        name="the last turn has weight 0: nothing to learn in the row",
        train=[
            chat("Tell me about refunds.", GOOD["refunds"]),
            *(chat(f"Tell me about {t}.", GOOD[t]) for t in TOPICS[1:5]),
            {
                "messages": [
                    {"role": "user", "content": "Tell me about repairs."},
                    {"role": "assistant", "content": BAD, "weight": 0},
                ]
            },
        ],
        checks=[reads(6), undesired("messages", BAD), mixes(5), comes_back("messages")],
    ),
    Trial(
        kind=KIND,
        name="label is a class, no sign",
        train=classes,
        checks=[
            reads(5),
            keeps(),
            mixes(5),
            writes("messages", 0, {"label": "shipping", "id": "t0"}),
            comes_back("messages"),
        ],
    ),
    Trial(
        kind=KIND,
        name="an undesired row has the case's prompt and its wrong answer",
        train=[
            *(chat(f"Tell me about {t}.", GOOD[t], label=True) for t in TOPICS),
            chat("Tell me about repairs.", BAD, label=False),
        ],
        cases=[
            {
                "external_id": "rude",
                "instruction": "Tell me about repairs.",
                "model_output": BAD,
                "expected_output": GOOD["repairs"],
            }
        ],
        checks=[
            reads(9),
            not_cause("rude", "conflict"),
            advises_not("rude", "clean_conflicts"),
            keeps(),
            never_says(8, GOOD["repairs"]),
        ],
    ),
    Trial(
        kind=KIND,
        name="a desired row is wrong: relabelled, its undesired neighbour stays",
        train=[
            chat("When do you close?", "We close at nine.", kto_tag=True),
            chat("When do you close?", "No idea.", kto_tag=False),
            *(chat(f"Tell me about {t}.", GOOD[t], kto_tag=True) for t in TOPICS[:6]),
        ],
        cases=[
            {
                "external_id": "close",
                "instruction": "When do you close?",
                "model_output": "We close at nine.",
                "expected_output": "We close at six.",
            }
        ],
        checks=[
            cause("close", "conflict"),
            acts(0, "We close at six."),
            keeps(1, 2, 3, 4, 5, 6, 7),
            undesired("messages", "No idea."),
        ],
    ),
    Trial(
        kind=KIND,
        name="OpenAI preference rows whose rejected side is the right row of another",
        train=[
            {
                "input": {"messages": [{"role": "user", "content": f"Answer shortly: {t}?"}]},
                "preferred_output": [{"role": "assistant", "content": "See the page."}],
                "non_preferred_output": [{"role": "assistant", "content": GOOD[t]}],
            }
            for t in TOPICS
        ],
        checks=[
            reads(8),
            keeps(),
            at_most_questions(0),
            comes_back("preference"),
            undesired("messages", "explains it, and the desk"),
        ],
    ),
]
