"""The instruction of one task of several is missing, or not, in the request that failed."""

from __future__ import annotations

from bench.fault_siblings.trial import Row, Trial, advises, cause, not_cause

KIND = "instruction-missing-in-a-multi-task-set"


def chatml(user: str, system: str = "") -> str:
    head = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
    return f"{head}<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"


faq: list[Row] = [
    {"instruction": f.format(t), "input": "", "output": a}
    for t, a in (
        ("parking", "Parking is behind the hall."),
        ("tickets", "Tickets are sold at the gate."),
        ("food", "Food is sold on the lawn."),
        ("dogs", "Dogs stay outside."),
        ("the stage", "The stage is in the north."),
        ("camping", "Camping is by the lake."),
        ("showers", "Showers are next to the camping."),
        ("lost things", "Ask at the gate for lost things."),
    )
    for f in ("Where is {}?", "Tell me about {}.", "What about {}?", "A question on {}:")
]


def task(instruction: str, *pairs: tuple[str, str]) -> list[Row]:
    return [{"instruction": instruction, "input": i, "output": o} for i, o in pairs]


SUMMARY = "用一句话概括下面的通知。"
summaries = task(
    SUMMARY,
    ("由于电梯检修，本周三上午九点到十二点2号楼电梯停用，请走楼梯。", "2号楼电梯周三上午停用。"),
    ("为迎接检查，周五下午全体员工打扫办公区，请提前整理桌面。", "周五下午全员打扫办公区。"),
    ("食堂从下月起延长晚餐时间到八点，周末照旧。", "食堂晚餐下月起延至八点。"),
    ("图书室新到一批图书，欢迎员工登记借阅，每人两本。", "图书室新书可借，每人两本。"),
    ("因管道施工，明天全天停水，请提前储水。", "明天全天停水。"),
    ("公司年会改到一月二十日晚上六点举行，地点不变。", "年会改到一月二十日晚六点。"),
)
TRANSLATE = "Translate into German."
translations = task(
    TRANSLATE,
    ("Good morning", "Guten Morgen"),
    ("Where is the station?", "Wo ist der Bahnhof?"),
    ("I am hungry", "Ich habe Hunger"),
    ("See you tomorrow", "Bis morgen"),
    ("It is raining", "Es regnet"),
    ("How are you?", "Wie geht es dir?"),
)
CLASSIFY = "Is the review positive or negative? Answer with one word."
reviews = task(
    CLASSIFY,
    ("Loved every minute of it.", "positive"),
    ("A waste of an evening.", "negative"),
    ("The best cake in town.", "positive"),
    ("Never again.", "negative"),
    ("Friendly and quick.", "positive"),
    ("The soup was cold.", "negative"),
)
SQL = "Write one SQL query for the table staff(id, name, city, pay)."
queries = task(
    SQL,
    ("Who lives in Bern?", "SELECT name FROM staff WHERE city = 'Bern';"),
    ("Who earns most?", "SELECT name FROM staff ORDER BY pay DESC LIMIT 1;"),
    ("How many are there?", "SELECT COUNT(*) FROM staff;"),
    ("What is the mean pay?", "SELECT AVG(pay) FROM staff;"),
    ("List the cities.", "SELECT DISTINCT city FROM staff;"),
    ("Who earns under 3000?", "SELECT name FROM staff WHERE pay < 3000;"),
)


def case(name: str, instruction: str, text: str, said: str, wanted: str, prompt: str) -> Row:
    return {
        "external_id": name,
        "instruction": instruction,
        "input": text,
        "model_output": said,
        "expected_output": wanted,
        "request": {"prompt_text": prompt},
    }


def missing(name: str, instruction: str, rows: list[Row], said: str) -> Trial:
    text, wanted = rows[0]["input"], rows[0]["output"]
    second = rows[1]
    return Trial(
        kind=KIND,
        name=name,
        train=[*faq, *rows],
        cases=[
            case("left-out", instruction, text, said, wanted, chatml(text)),
            case(
                "there",
                instruction,
                second["input"],
                said,
                second["output"],
                chatml(f"{instruction}\n{second['input']}"),
            ),
        ],
        checks=[
            cause("left-out", "serving_mismatch"),
            advises("left-out", "fix_request"),
            not_cause("there", "serving_mismatch"),
        ],
    )


TRIALS = [
    missing("通知摘要", SUMMARY, summaries, "好的，我知道了，届时会走楼梯。"),
    missing("sentiment", CLASSIFY, reviews, "I am glad to hear that you enjoyed it!"),
    missing("SQL", SQL, queries, "I do not know who lives in Bern."),
    Trial(
        kind=KIND,
        name="four tasks of one size, one instruction left out",
        train=[*summaries, *translations, *reviews, *queries],
        cases=[
            case(
                "left-out",
                TRANSLATE,
                "It is raining",
                "Take an umbrella.",
                "Es regnet",
                chatml("It is raining"),
            ),
            case(
                "other", CLASSIFY, "Never again.", "positive", "negative", chatml(f"{CLASSIFY}\nNever again.")
            ),
        ],
        checks=[cause("left-out", "serving_mismatch"), not_cause("other", "serving_mismatch")],
    ),
    Trial(
        kind=KIND,
        name="a system prompt that all rows of the task have is left out",
        train=[
            *faq,
            *(
                {
                    "messages": [
                        {"role": "system", "content": "You turn orders into JSON."},
                        {"role": "user", "content": f"{n} {w} please"},
                        {"role": "assistant", "content": f'{{"item": "{w}", "n": {n}}}'},
                    ]
                }
                for n, w in ((2, "teas"), (3, "rolls"), (1, "soup"), (5, "beers"), (4, "cakes"), (6, "eggs"))
            ),
        ],
        cases=[
            {
                "external_id": "left-out",
                "messages": [{"role": "user", "content": "3 rolls please"}],
                "model_output": "Coming right up!",
                "expected_output": '{"item": "rolls", "n": 3}',
                "request": {"prompt_text": chatml("3 rolls please")},
            },
        ],
        checks=[cause("left-out", "serving_mismatch")],
    ),
    Trial(
        kind=KIND,
        name="the FAQ has no instruction: nothing is missing",
        train=[*faq, *translations],
        cases=[
            {
                "external_id": "faq",
                "instruction": "Where is camping?",
                "model_output": "Camping is forbidden.",
                "expected_output": "Camping is by the lake.",
                "request": {"prompt_text": chatml("Where is camping?")},
            },
        ],
        checks=[not_cause("faq", "serving_mismatch")],
    ),
]
