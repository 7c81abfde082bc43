"""What is right for each input of the folder of faults; the inputs themselves stay in the folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.fault_siblings.trial import (
    Check,
    Row,
    Trial,
    acts,
    advises,
    answer_is,
    asks,
    at_most_questions,
    cause,
    closed,
    comes_back,
    fails_naming,
    fixes,
    in_llamafactory,
    keeps,
    mixes,
    names,
    not_cause,
    not_closed,
    reads,
    reads_or_fails,
    says,
    turns,
    undesired,
    writes,
)

U, A = "user", "assistant"


@dataclass(frozen=True, slots=True)
class Folder:
    """Files of the folder as trials."""

    path: Path

    def lines(self, path: str) -> list[Row]:
        return [json.loads(x) for x in (self.path / path).read_text("utf-8").splitlines() if x.strip()]

    def judged(self, kind: str, file: str, *checks: Check) -> Trial:
        """A training set with the bad cases beside it."""
        train = (self.path / kind / file).read_bytes()
        cases = self.lines(f"{kind}/cases.jsonl")
        return Trial(kind=kind, name=f"[folder] {file}", train=train, cases=cases, checks=checks)

    def plain(self, kind: str, file: str, *checks: Check, **params: str) -> Trial:
        """A file alone; ``params`` of its upload."""
        train = (self.path / kind / file).read_bytes()
        return Trial(kind=kind, name=f"[folder] {file}", train=train, params=params, checks=checks)


def trials_of(path: Path) -> Iterator[Trial]:
    """One trial an input."""
    folder = Folder(path)
    yield from _judged(folder)
    yield from _marked(folder)
    yield from _read(folder)


def _judged(folder: Folder) -> Iterator[Trial]:
    calls = "tool-calls-dropped-as-duplicates"
    train = folder.lines(f"{calls}/train.jsonl")
    paris = [("get_weather", {"city": "巴黎"})]
    yield folder.judged(
        calls,
        "train.jsonl",
        *[
            reads(8),
            not_closed("tc"),
            cause("tc", "conflict"),
            names("tc", "罗马", agrees="model_output"),
            fixes(0, paris),
            keeps(*range(1, 8)),
            *(writes("messages", i, train[i]) for i in (0, 7)),
            comes_back("messages"),
            comes_back("sharegpt"),
            comes_back("alpaca"),
            comes_back("parquet"),
            comes_back("llamafactory"),
        ],
    )

    words = "same-words-but-one"
    yield folder.judged(
        words,
        "train.jsonl",
        *[
            *(
                not_closed(c["external_id"])
                for c in folder.lines(f"{words}/cases.jsonl")
                if c["external_id"] != "K-same-para"
            ),
            not_cause("K-same-para", "ood", "conflict"),
            keeps(),
        ],
    )

    exact = "exact-prompt-teaches-the-wrong-answer"
    rows = folder.lines(f"{exact}/train.jsonl")
    by_id = {r["id"]: i for i, r in enumerate(rows)}
    checks: list[Check] = [reads(len(rows))]
    for case in folder.lines(f"{exact}/cases.jsonl"):
        name, ref = case["external_id"], "wrong-" + case["external_id"].removeprefix("C-")
        if ref in by_id:
            checks += [
                cause(name, "conflict"),
                names(name, case["model_output"], agrees="model_output"),
                acts(by_id[ref], case["expected_output"]),
            ]
            if rows[by_id[ref]]["instruction"] == case["instruction"]:
                checks.append(fixes(by_id[ref], case["expected_output"]))
    checks += [
        cause("C-prefix", "serving_mismatch"),
        advises("C-eos", "check_end_of_turn"),
        keeps(*(i for k, i in by_id.items() if not k.startswith("wrong-"))),
    ]
    yield folder.judged(exact, "train.jsonl", *checks)


def _marked(folder: Folder) -> Iterator[Trial]:
    kto = "kto-negatives-taken-as-right"
    yield folder.plain(
        kto,
        "lf_kto.jsonl",
        reads(2),
        undesired("messages", "别烦我"),
        undesired("alpaca", "别烦我"),
        in_llamafactory("别烦我"),
        mixes(1),
        comes_back("messages"),
        comes_back("llamafactory"),
    )
    yield folder.plain(
        kto,
        "swift_kto.jsonl",
        reads(1),
        undesired("messages", "go away"),
        undesired("alpaca", "go away"),
        in_llamafactory("go away"),
        comes_back("messages"),
    )
    yield folder.plain(
        kto,
        "swift_rejected_response.jsonl",
        reads(1),
        undesired("messages", "go away"),
        turns(0, (U, "hours?"), (A, "9 to 18")),
        comes_back("messages"),
        comes_back("preference"),
    )
    yield folder.plain(
        kto,
        "trl_kto.jsonl",
        reads(2),
        undesired("messages", "go away"),
        undesired("completion", "go away"),
        in_llamafactory("go away"),
        mixes(1),
        keeps(),
        at_most_questions(0),
        comes_back("completion"),
    )

    lists = "json-list-per-line"
    yield folder.plain(lists, "train.jsonl", reads_or_fails(20))
    yield folder.plain(lists, "two_arrays.json", reads_or_fails(21))

    tokens = "special-tokens-and-width-that-are-the-answer"
    yield folder.plain(tokens, "train.jsonl", reads(2), keeps(), comes_back("alpaca"))

    yield folder.judged(
        "empty-think-block",
        "train.jsonl",
        *[reads(2), closed("t1"), closed("t2"), keeps(), at_most_questions(0)],
    )
    yield folder.plain("unfinished-reasoning", "train.jsonl", acts(0), acts(1))
    missing = "instruction-missing-in-a-multi-task-set"
    yield Trial(
        kind=missing,
        name="[folder] cases.jsonl",
        train=(folder.path / "exact-prompt-teaches-the-wrong-answer" / "train.jsonl").read_bytes(),
        cases=folder.lines(f"{missing}/cases.jsonl"),
        checks=[cause("p", "serving_mismatch"), advises("p", "fix_request")],
    )
    yield folder.plain("placeholders-left-in", "train.jsonl", asks(0), asks(1))
    legacy = "legacy-function-call"
    yield folder.plain(legacy, "train.jsonl", reads(1), answer_is(0, [("hours", {})]), comes_back("messages"))


def _read(folder: Folder) -> Iterator[Trial]:
    v = "variants"
    yield folder.plain(
        v,
        "alpaca-with-chosen-rejected/train.jsonl",
        reads(1),
        turns(0, (U, "hours?"), (A, "9-18")),
        undesired("messages", "go away"),
        comes_back("preference"),
    )
    for form in ("conversations-with-role-content", "messages-with-from-value"):
        yield folder.plain(v, f"{form}/train.jsonl", reads(1), turns(0, (U, "hi there"), (A, "hello")))
    yield folder.plain(
        v,
        "numbers-and-objects-as-answers/train.jsonl",
        reads(3),
        answer_is(0, "1"),
        answer_is(1, {"name": "Bob", "n": 5}),
        turns(2, (U, "double\n5"), (A, "10")),
    )
    yield folder.plain(v, "openai-text-parts/train.jsonl", reads(1), turns(0, (U, "hi"), (A, "hello")))
    yield folder.plain(
        v, "query-response/train.jsonl", reads(1), turns(0, (U, "q0"), (A, "a0"), (U, "q one"), (A, "a one"))
    )
    yield folder.plain(v, "role-names/train.jsonl", reads(4), *(answer_is(i, "b") for i in range(4)))

    e = "encodings"
    yield folder.plain(e, "bom_twice.jsonl", reads(2), turns(1, (U, "c"), (A, "d")))
    yield folder.plain(e, "cr_only.jsonl", reads(2), turns(1, (U, "c"), (A, "d")))
    yield folder.plain(e, "gb18030.jsonl", fails_naming("encoding"))
    yield folder.plain(e, "gb18030.jsonl", reads(1), encoding="gb18030")
    yield folder.plain(e, "utf32.jsonl", reads(1), turns(0, (U, "a"), (A, "b")))
    yield folder.plain("dup-keys", "train.jsonl", says("twice", "duplicate", "more than once", "repeated"))
