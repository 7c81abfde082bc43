"""Files in other encodings, with other line ends, with broken bytes; and keys that stand twice in a row."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench.fault_siblings.trial import (
    Row,
    Trial,
    answer_is,
    fails_naming,
    reads,
    reads_or_names,
    reads_or_says,
    says,
    turns,
)

KIND = "encodings"
TWICE = "dup-keys"


def body(rows: Sequence[Row], encoding: str, end: str = "\n") -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False) + end for r in rows).encode(encoding)


zh: list[Row] = [{"instruction": f"第{i}個問題是什麼？", "output": "答案在這裡。"} for i in range(3)]
simple: list[Row] = [{"instruction": f"第{i}个问题是什么？", "output": "答案在这里。"} for i in range(3)]
de: list[Row] = [{"instruction": f"Größe {i} – geht das?", "output": "Natürlich, für 5 €."} for i in range(3)]
ja: list[Row] = [{"instruction": f"質問{i}は何ですか？", "output": "答えはここです。"} for i in range(3)]
ru: list[Row] = [{"instruction": f"Вопрос {i}?", "output": "Ответ здесь."} for i in range(3)]
ko: list[Row] = [{"instruction": f"질문 {i}?", "output": "답은 여기 있습니다."} for i in range(3)]


def without_and_with(name: str, rows: Sequence[Row], encoding: str, told: str) -> list[Trial]:
    return [
        Trial(
            kind=KIND, name=f"{name}, unnamed", train=body(rows, encoding), checks=[fails_naming("encoding")]
        ),
        Trial(
            kind=KIND,
            name=f"{name}, ?encoding={told}",
            train=body(rows, encoding),
            params={"encoding": told},
            checks=[reads(3), answer_is(0, rows[0]["output"])],
        ),
    ]


ascii_rows: list[Row] = [{"instruction": f"q{i}", "output": f"a{i}"} for i in range(4)]
TRIALS = [
    *without_and_with("Big5", zh, "big5", "big5"),
    *without_and_with("GBK", simple, "gbk", "gbk"),
    *without_and_with("cp1252", de, "cp1252", "cp1252"),
    *without_and_with("Shift JIS", ja, "shift_jis", "shift_jis"),
    *without_and_with("KOI8-R", ru, "koi8-r", "koi8-r"),
    *without_and_with("EUC-KR", ko, "euc-kr", "euc-kr"),
    Trial(
        kind=KIND,
        name="an encoding that does not exist",
        train=body(de, "utf-8"),
        params={"encoding": "utf-99"},
        checks=[fails_naming("utf-99", "encoding")],
    ),
    Trial(
        kind=KIND,
        name="UTF-16 with a byte order mark",
        train=body(simple, "utf-16"),
        checks=[reads(3), answer_is(0, "答案在这里。")],
    ),
    Trial(
        kind=KIND,
        name="UTF-16 without one",
        train=body(de, "utf-16-le"),
        checks=[reads_or_names(3, "utf-16", "encoding")],
    ),
    Trial(
        kind=KIND,
        name="UTF-16 big endian with a mark",
        train=b"\xfe\xff" + body(de, "utf-16-be"),
        checks=[reads(3), answer_is(0, "Natürlich, für 5 €.")],
    ),
    Trial(
        kind=KIND,
        name="a mark and CR LF",
        train=b"\xef\xbb\xbf" + body(de, "utf-8", "\r\n"),
        checks=[reads(3), answer_is(2, "Natürlich, für 5 €.")],
    ),
    Trial(
        kind=KIND,
        name="line ends of three kinds in one file",
        train=body(ascii_rows[:1], "utf-8", "\r\n")
        + body(ascii_rows[1:2], "utf-8", "\r")
        + body(ascii_rows[2:], "utf-8", "\n"),
        checks=[reads(4)],
    ),
    Trial(
        kind=KIND,
        name="files put together, a mark before each",
        train=b"".join(b"\xef\xbb\xbf" + body([r], "utf-8") for r in ascii_rows),
        checks=[reads(4)],
    ),
    Trial(
        kind=KIND,
        name="line separators inside texts",
        train=body(
            [
                {"instruction": "a\u2028b", "output": "c\u2029d"},
                {"instruction": "e\x85f", "output": "g\x0ch".replace("\x0c", " ")},
            ],
            "utf-8",
        ),
        checks=[reads(2), turns(0, ("user", "a\u2028b"), ("assistant", "c\u2029d"))],
    ),
    Trial(
        kind=KIND,
        name="a broken byte in one row of four",
        train=body(ascii_rows[:3], "utf-8") + b'{"instruction": "caf\xe9", "output": "x"}\n',
        checks=[reads(3, 1)],
    ),
    Trial(
        kind=KIND,
        name="a lone surrogate, a NUL",
        train=b'{"instruction": "a", "output": "\\ud83d"}\n'
        b'{"instruction": "b", "output": "c\\u0000d"}\n{"instruction": "e", "output": "f"}\n',
        checks=[reads_or_says(3, "surrogate", "NUL", "character")],
    ),
    Trial(
        kind=KIND,
        name="emoji as escaped pairs",
        train=b'{"instruction": "a", "output": "\\ud83d\\ude00"}\n',
        checks=[reads(1), answer_is(0, "\U0001f600")],
    ),
    Trial(
        kind=TWICE,
        name="instruction twice",
        train=b'{"instruction":"a","instruction":"b","output":"c"}\n',
        checks=[says("twice", "duplicate", "more than once", "repeated")],
    ),
    Trial(
        kind=TWICE,
        name="content twice in a turn",
        train=b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","content":"c"}]}\n',
        checks=[says("twice", "duplicate", "more than once", "repeated")],
    ),
    Trial(
        kind=TWICE,
        name="messages twice",
        train=b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}\n',
        checks=[says("twice", "duplicate", "more than once", "repeated")],
    ),
    Trial(
        kind=TWICE,
        name="twice in the second row, in an array",
        train=b'[{"instruction":"a","output":"b"},{"instruction":"c","output":"d","output":"e"}]',
        checks=[says("twice", "duplicate", "more than once", "repeated")],
    ),
    Trial(
        kind=TWICE,
        name="a key and its alias: response beside output",
        train=b'{"instruction":"a","output":"b","response":"c"}\n',
        checks=[reads_or_names(1, "response", "output")],
    ),
    Trial(
        kind=TWICE,
        name="twice with the same value",
        train=b'{"instruction":"a","output":"b","output":"b"}\n{"instruction":"c","output":"d"}\n',
        checks=[says("twice", "duplicate", "more than once", "repeated")],
    ),
    Trial(
        kind=TWICE,
        name="twice in metadata",
        train=b'{"instruction":"a","output":"b","meta":{"x":1,"x":2}}\n',
        checks=[says("twice", "duplicate", "more than once", "repeated")],
    ),
]
