"""Two groups of rows of one size contradict each other."""

from __future__ import annotations

from bench.fault_siblings.trial import (
    Check,
    Row,
    Seen,
    Trial,
    acts,
    answer_of,
    cause,
    keeps,
    never_says,
    told,
)

KIND = "(no file) two groups of one size"
FRAMES = (
    "{}?",
    "Can you tell me: {}?",
    "Hello, {}?",
    "I would like to know: {}?",
    "Quick question: {}?",
    "{}, please?",
    "A customer asks: {}?",
    "Sorry, {}?",
    "One more thing: {}?",
)
ZH = ("{}？", "请问{}？", "你好，{}？", "想问一下，{}？", "麻烦问下，{}？", "客户问：{}？")


def groups(question: str, first: str, second: str, frames: tuple[str, ...]) -> list[Row]:
    return [{"instruction": f.format(question), "output": a} for f in frames for a in (first, second)]


def others(frames: tuple[str, ...], *facts: tuple[str, str]) -> list[Row]:
    return [{"instruction": f.format(q), "output": a} for q, a in facts for f in frames]


EN = others(
    FRAMES[:5],
    ("where are you", "We are by the harbour."),
    ("do you sell maps", "Maps are sold at the till."),
    ("is there a car park", "The car park is behind the house."),
    ("may I bring my dog", "Dogs stay outside."),
)
CN = others(
    ZH[:4],
    ("你们在哪里", "我们在码头旁边。"),
    ("有停车场吗", "停车场在楼后。"),
    ("可以带宠物吗", "宠物不能入内。"),
    ("几点关门", "晚上八点关门。"),
)


def no_side(rows: int) -> Check:
    """Nothing is approved, and no proposal claims to be sure of one side."""

    def wrong(seen: Seen) -> str:
        for i in range(rows):
            for a in seen.actions_on(i):
                if (
                    a["decision"] == "approved"
                    and a["kind"] in ("relabel", "merge", "drop")
                    and a["rule"] not in ("exact_duplicate", "near_duplicate")
                ):
                    return f"row {i}: {told(a)}"
                if a["kind"] in ("relabel", "merge") and a["after"] and a["score"] > 0.9:
                    return f"row {i}: {told(a)}, no side has a reason"
        return ""

    return Check("no side is chosen", wrong)


def side(rows: int, answer: str, other: str) -> list[Check]:
    """The side that cases expect is what the plan proposes, and never the other."""

    def wrong(seen: Seen) -> str:
        for i in range(rows):
            if answer_of(seen.examples[i]) == other:
                return acts(i, answer).wrong(seen)
        return ""

    against = [never_says(i, other) for i in range(0, rows, 2)] + [
        never_says(i, other) for i in range(1, rows, 2)
    ]
    return [Check(f"rows that say {other!r} would go or say {answer!r}", wrong), *against[:4]]


def expects(question: str, wrong: str, right: str, n: int, frames: tuple[str, ...]) -> list[Row]:
    return [
        {
            "external_id": f"e{i}",
            "instruction": frames[i].format(question),
            "model_output": wrong,
            "expected_output": right,
        }
        for i in range(n)
    ]


def trial(
    name: str,
    question: str,
    first: str,
    second: str,
    *,
    frames: tuple[str, ...],
    rest: list[Row],
    expected: str = "",
    cases: int = 0,
) -> Trial:
    rows = groups(question, first, second, frames)
    if not expected:
        return Trial(
            kind=KIND,
            name=name,
            train=[*rows, *rest],
            checks=[no_side(len(rows)), keeps(*range(len(rows), len(rows) + len(rest)))],
        )
    other = second if expected == first else first
    asked = expects(question, other, expected, cases, frames)
    return Trial(
        kind=KIND,
        name=name,
        train=[*rows, *rest],
        cases=asked,
        checks=[
            *side(len(rows), expected, other),
            *(cause(c["external_id"], "conflict") for c in asked),
            keeps(*range(len(rows), len(rows) + len(rest))),
        ],
    )


TRIALS = [
    trial(
        "entry free or paid, no case",
        "what does entry cost",
        "Entry costs 8 EUR.",
        "Entry is free.",
        frames=FRAMES,
        rest=EN,
    ),
    trial(
        "entry free or paid, a case expects the side late in the alphabet",
        "what does entry cost",
        "Entry costs 8 EUR.",
        "Entry is free.",
        frames=FRAMES,
        rest=EN,
        expected="Entry is free.",
        cases=2,
    ),
    trial(
        "entry free or paid, a case expects the side early in the alphabet",
        "what does entry cost",
        "Entry costs 8 EUR.",
        "Entry is free.",
        frames=FRAMES,
        rest=EN,
        expected="Entry costs 8 EUR.",
        cases=2,
    ),
    trial(
        "opening hours of two years",
        "when do you open",
        "We open at eight.",
        "We open at ten.",
        frames=FRAMES[:6],
        rest=EN,
        expected="We open at ten.",
        cases=2,
    ),
    trial("运费两说，没有案例", "运费多少", "运费十元。", "包邮。", frames=ZH, rest=CN),
    trial(
        "运费两说，案例要包邮",
        "运费多少",
        "运费十元。",
        "包邮。",
        frames=ZH,
        rest=CN,
        expected="包邮。",
        cases=2,
    ),
    trial(
        "保修两说，案例要两年",
        "保修多久",
        "保修一年。",
        "保修两年。",
        frames=ZH,
        rest=CN,
        expected="保修两年。",
        cases=1,
    ),
    trial(
        "labels: one question sorted two ways, no case",
        "my card was swallowed by the machine",
        "card retained",
        "atm problem",
        frames=FRAMES,
        rest=others(
            FRAMES[:5],
            ("I lost my card", "card lost"),
            ("please block my card", "card block"),
            ("the machine is out of cash", "atm problem"),
            ("raise my limit", "limit"),
        ),
    ),
]
