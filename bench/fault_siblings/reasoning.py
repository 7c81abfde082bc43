"""Blocks of reasoning: empty, filled, without their beginning, cut off; in cases and in training rows."""

from __future__ import annotations

from bench.fault_siblings.trial import (
    Trial,
    at_most_questions,
    closed,
    comes_back,
    keeps,
    no_symptom,
    not_cause,
    not_closed,
    refused_or_acts,
    writes,
)

KIND = "empty-think-block"
CUT = "unfinished-reasoning"
SUMS = [(5, 9), (6, 7), (8, 4), (3, 9), (7, 7), (9, 2), (4, 4), (6, 9)]


def think(text: str, answer: str) -> str:
    return f"<think>\n{text}\n</think>\n\n{answer}"


mixed = [
    {
        "instruction": f"What is {a} + {b}?",
        "output": think("" if i % 2 else f"{a} and {b} make {a + b}.", str(a + b)),
    }
    for i, (a, b) in enumerate(SUMS)
]
field = [
    {
        "messages": [
            {"role": "user", "content": f"How many {u} are {n} dozen?"},
            {"role": "assistant", "reasoning_content": f"{n} times 12", "content": str(12 * n)},
        ]
    }
    for n, u in ((1, "eggs"), (2, "rolls"), (3, "pens"), (4, "cups"), (5, "keys"), (6, "nails"))
]
chinese = [
    {
        "instruction": f"{a}加{b}等于几？",
        "output": think(f"{a}加{b}等于{a + b}。" if i % 2 else "", f"等于{a + b}。"),
    }
    for i, (a, b) in enumerate(SUMS)
]

TRIALS = [
    Trial(
        kind=KIND,
        name="blocks in some rows and not in others",
        train=mixed,
        cases=[
            {
                "external_id": "empty",
                "instruction": "What is 5 + 9?",
                "model_output": think("", "14"),
                "expected_output": "14",
            },
            {
                "external_id": "filled",
                "instruction": "What is 6 + 7?",
                "model_output": think("6 plus 7 is 13", "13"),
                "expected_output": "13",
            },
            {
                "external_id": "closing",
                "instruction": "What is 8 + 4?",
                "model_output": "8 plus 4 is 12\n</think>\n\n12",
                "expected_output": "12",
            },
            {
                "external_id": "both",
                "instruction": "What is 3 + 9?",
                "model_output": think("3, then 9 more", "12"),
                "expected_output": think("nine and three", "12"),
            },
            {
                "external_id": "wrong",
                "instruction": "What is 7 + 7?",
                "model_output": think("7 plus 7 is 14", "15"),
                "expected_output": "14",
            },
            {
                "external_id": "wrong-both",
                "instruction": "What is 9 + 2?",
                "model_output": think("", "12"),
                "expected_output": think("", "11"),
            },
            {
                "external_id": "only-block",
                "instruction": "What is 4 + 4?",
                "model_output": "<think>\n4 and 4 make 8",
                "expected_output": "8",
            },
        ],
        checks=[
            closed("empty"),
            closed("filled"),
            closed("closing"),
            closed("both"),
            not_closed("wrong"),
            not_closed("wrong-both"),
            not_closed("only-block"),
            not_cause("wrong", "ood"),
            keeps(),
            at_most_questions(0),
            comes_back("alpaca"),
            comes_back("messages"),
            writes("alpaca", 0, mixed[0]),
        ],
    ),
    Trial(
        kind=KIND,
        name="reasoning_content beside content",
        train=field,
        cases=[
            {
                "external_id": "right",
                "instruction": "How many eggs are 1 dozen?",
                "model_output": think("one times twelve", "12"),
                "expected_output": "12",
            },
            {
                "external_id": "wrong",
                "instruction": "How many rolls are 2 dozen?",
                "model_output": think("2 times 12 is 24", "26"),
                "expected_output": "24",
            },
        ],
        checks=[
            closed("right"),
            not_closed("wrong"),
            keeps(),
            comes_back("messages"),
            comes_back("sharegpt"),
            comes_back("parquet"),
            writes("messages", 0, field[0]),
        ],
    ),
    Trial(
        kind=KIND,
        name="中文题目，标签不算外文",
        train=chinese,
        cases=[
            {
                "external_id": "对",
                "instruction": "5加9等于几？",
                "model_output": think("", "等于14。"),
                "expected_output": "等于14。",
            },
            {
                "external_id": "错",
                "instruction": "6加7等于几？",
                "model_output": think("6加7", "等于14。"),
                "expected_output": "等于13。",
            },
        ],
        checks=[
            closed("对"),
            not_closed("错"),
            no_symptom("错", "wrong_language"),
            no_symptom("错", "format_violation"),
            keeps(),
            at_most_questions(0),
        ],
    ),
    Trial(
        kind=KIND,
        name="the same answers with other reasoning are no contradiction",
        train=[
            *(
                {"instruction": "Is 91 a prime?", "output": think(r, "No.")}
                for r in ("91 is 7 times 13.", "Test 7: 7 * 13 = 91, so it is not.", "")
            ),
            {"instruction": "Is 97 a prime?", "output": think("No divisor up to 9.", "Yes.")},
            {"instruction": "Is 89 a prime?", "output": think("No divisor up to 9.", "Yes.")},
            {"instruction": "Is 87 a prime?", "output": think("3 times 29.", "No.")},
        ],
        checks=[keeps(3, 4, 5), at_most_questions(1)],
    ),
    Trial(
        kind=KIND,
        name="tags that are the topic",
        train=[
            {"instruction": "Which tag opens the reasoning of Qwen3?", "output": "<think>"},
            {
                "instruction": "Which tag closes the reasoning of DeepSeek-R1?",
                "output": "The tag </think> closes it.",
            },
            {"instruction": "Write an empty reasoning block.", "output": "`<think>\n\n</think>`"},
            {"instruction": "Which tag closes a paragraph?", "output": "</p>"},
        ],
        checks=[keeps()],
    ),
    Trial(
        kind=CUT,
        name="reasoning cut off in the middle",
        train=[
            *mixed,
            {"id": "add", "instruction": "What is 15 + 15?", "output": "<think>\nFirst add the tens, then"},
            {
                "id": "zh",
                "instruction": "12乘12等于几？",
                "output": "<think>\n12乘12，先算12乘10等于120，再算",
            },
            {
                "id": "turn",
                "messages": [
                    {"role": "user", "content": "What is 20 + 2?"},
                    {"role": "assistant", "content": "<think>\nTwenty and two make"},
                ],
            },
            {
                "id": "field",
                "messages": [
                    {"role": "user", "content": "What is 30 + 3?"},
                    {"role": "assistant", "reasoning_content": "Thirty and three make 33.", "content": ""},
                ],
            },
            {
                "id": "closed",
                "instruction": "What is 40 + 4?",
                "output": "<think>\nForty and four make 44.\n</think>\n\n",
            },
            {
                "id": "twice",
                "instruction": "What is 50 + 5?",
                "output": "<think>\nFifty and five <think> make",
            },
        ],
        checks=[
            *(refused_or_acts(i) for i in ("add", "zh", "turn", "field", "closed", "twice")),
            keeps(*range(8)),
        ],
    ),
]
