"""Files that are neither one JSON array nor one object a line."""

from __future__ import annotations

import json

from bench.fault_siblings.trial import Trial, reads, reads_or_fails, reads_or_names, says

KIND = "json-list-per-line"


def row(i: int) -> dict[str, str]:
    return {"instruction": f"question number {i}", "output": f"answer number {i}"}


def body(text: str) -> bytes:
    return text.encode()


dump = json.dumps
TRIALS = [
    Trial(
        kind=KIND,
        name="lists of three rows a line",
        train=body("".join(dump([row(3 * i), row(3 * i + 1), row(3 * i + 2)]) + "\n" for i in range(5))),
        checks=[reads_or_fails(15)],
    ),
    Trial(
        kind=KIND,
        name="two arrays on one line",
        train=body(dump([row(1), row(2)]) + dump([row(3), row(4)])),
        checks=[reads_or_fails(4)],
    ),
    Trial(
        kind=KIND,
        name="three pretty arrays put together by cat",
        train=body("\n".join(dump([row(3 * i), row(3 * i + 1)], indent=2) for i in range(3))),
        checks=[reads_or_fails(6)],
    ),
    Trial(
        kind=KIND,
        name="an array, then objects a line",
        train=body(dump([row(1), row(2)]) + "\n" + dump(row(3)) + "\n" + dump(row(4)) + "\n"),
        checks=[reads_or_fails(4)],
    ),
    Trial(
        kind=KIND,
        name="objects a line, then an array",
        train=body(dump(row(3)) + "\n" + dump(row(4)) + "\n" + dump([row(1), row(2)]) + "\n"),
        checks=[reads_or_fails(4)],
    ),
    Trial(
        kind=KIND,
        name="objects on one line without a line end",
        train=body("".join(dump(row(i)) for i in range(4))),
        checks=[reads_or_fails(4)],
    ),
    Trial(
        kind=KIND,
        name="objects on one line, commas between",
        train=body(",".join(dump(row(i)) for i in range(4))),
        checks=[reads_or_fails(4)],
    ),
    Trial(
        kind=KIND,
        name="an object a line, each with a comma",
        train=body("".join(dump(row(i)) + ",\n" for i in range(4))),
        checks=[reads_or_fails(4)],
    ),
    Trial(
        kind=KIND,
        name="an array with a comma too many",
        train=body("[" + "".join(dump(row(i)) + ",\n" for i in range(4)) + "]"),
        checks=[reads_or_fails(4)],
    ),
    Trial(
        kind=KIND,
        name="an array that breaks off",
        train=body(dump([row(i) for i in range(4)])[:-20]),
        checks=[reads_or_fails(3), says("end", "breaks", "cut", "incomplete", "closed", "not JSON", "valid")],
    ),
    Trial(
        kind=KIND,
        name="an array with a text and a number among its rows",
        train=body(dump([row(1), "note", row(2), 7, row(3)])),
        checks=[reads(3, 2)],
    ),
    Trial(
        kind=KIND,
        name="a list of turns a line is one conversation",
        train=body(
            "".join(
                dump([{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": f"a{i}"}]) + "\n"
                for i in range(4)
            )
        ),
        checks=[reads_or_names(4, "messages", "list", "conversation", "array")],
    ),
    Trial(
        kind=KIND,
        name="objects over several lines, one after the other",
        train=body("\n".join(dump(row(i), indent=2) for i in range(4))),
        checks=[reads_or_fails(4)],
    ),
    Trial(
        kind=KIND,
        name="empty lists a line",
        train=body("[]\n[]\n" + dump(row(1)) + "\n"),
        checks=[reads_or_fails(1)],
    ),
    Trial(
        kind=KIND,
        name="a list of pairs a line",
        train=body("".join(dump([f"q{i}", f"a{i}"]) + "\n" for i in range(3))),
        checks=[reads_or_names(3, "list", "object", "array")],
    ),
    Trial(
        kind=KIND,
        name="blank lines and spaces between rows",
        train=body("\n\n" + dump(row(1)) + "\n   \n\t\n" + dump(row(2)) + "\n\n"),
        checks=[reads(2)],
    ),
]
