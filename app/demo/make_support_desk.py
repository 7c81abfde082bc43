"""Makes the demonstration's data set and says openly which defects it plants.

    python -m app.demo.make_support_desk            rewrites the three files in app/demo/data
    python -m app.demo.make_support_desk --out DIR  writes them elsewhere
    python -m app.demo.make_support_desk --seed N   draws another split

Source: ``support_desk_topics.toml`` holds what customers of a made-up bank with a web shop write, by topic,
in English and Chinese, and the one right answer to each topic. Result:

- ``support_desk_train.jsonl``  training rows in the alpaca format: id, instruction, input, output
- ``support_desk_eval.jsonl``   questions with the right answer, never seen in training: what the tuned model gets
  wrong becomes a bad case, what it gets right must not be forgotten; ``request`` is how the request is really
  built, where that is not how the training rows are built
- ``support_desk_truth.jsonl``  every planted defect with its kind: the answer key, read by nobody but the
  table at the end of the demonstration

What is planted:

- **missing**: three topics have no training row at all. Expected verdict: ``ood``.
- **contradictory**: three topics in which half of the training rows carry an outdated answer. ``conflict``.
- **hard**: amounts that need two or three steps; covered and consistent, yet too much for a small model.
- **serving**: healthy questions whose request is not built as the training rows are (another system prompt,
  no chat template, another model's template). ``serving_mismatch``.
- for the repair plan: exact duplicates, near-duplicates, stray special tokens and white space.

Everything is drawn from one seed: the same source gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
SEED = 20240611

# As few as show every cause in both languages: two trainings and three rounds of questions on a processor.
TRAIN_ROWS_PER_TOPIC = 10
EVAL_ROWS_PER_TOPIC = {None: 7, "missing": 11, "contradictory": 9}
AMOUNTS = {"en": 18, "zh": 12}
HARD_EVAL_ROWS = {"en": 6, "zh": 4}
SERVING_CASES = 16
EXACT_DUPLICATES = 5
NEAR_DUPLICATES = 5
STRAY_TOKENS = 8

INSTRUCTIONS = {
    ("en", "route"): "Route the customer's message.",
    ("en", "answer"): "Answer the customer in one line.",
    ("en", "amount"): "Work out the amount.",
    ("zh", "route"): "请分派客户留言。",
    ("zh", "amount"): "请算出金额。",
}

# Requests that are built unlike the training rows. {prompt} is instruction, newline and input.
FOREIGN_SYSTEMS = (
    "You are a cheerful storyteller. Always answer with a long story that begins with 'Once upon a time'.",
    "You are a travel blogger. Whatever you are asked, write a paragraph about a city you love.",
    "Translate the user's text into French and add nothing else.",
    "You are a Python tutor. Reply only with Python code.",
)
FOREIGN_TEMPLATES = (
    "{input}",
    "[INST] {prompt} [/INST]",
    "### Human: {input}\n### Assistant:",
    "Below is an email from a customer.\n\n{input}\n\nKind regards,\n",
)

NEAR_DUPLICATE_EDITS = {
    "en": ("{}!", "Hi, {}", "{} Thanks", "hello {}", "{} please"),
    "zh": ("{}！", "你好，{}", "请问{}", "{}谢谢", "{}呢"),
}
STRAYS = (
    ("output", "{}</s>"),
    ("output", "{}<|im_end|>"),
    ("input", "{}  \t"),
    ("output", " \u200b{}"),
    ("input", "<|endoftext|>{}"),
    ("output", "{}\n\n"),
    ("input", "\ufeff{}"),
    ("output", "{}<|im_end|>\n<|im_start|>"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What customers ask about one matter. ``outdated`` is empty unless the topic is contradictory."""

    name: str
    language: str
    task: str
    answer: str
    phrasings: tuple[str, ...]
    plant: str | None = None
    outdated: str = ""

    @property
    def instruction(self) -> str:
        return INSTRUCTIONS[self.language, self.task]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A question that needs steps, with its answer."""

    language: str
    question: str
    answer: str

    @property
    def instruction(self) -> str:
        return INSTRUCTIONS[self.language, "amount"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportDesk:
    """The data set: JSON-ready rows, in the order in which they are written."""

    train: tuple[dict[str, Any], ...]
    evaluation: tuple[dict[str, Any], ...]
    truth: tuple[dict[str, Any], ...]


Row = dict[str, Any]


def read_source(
    path: Path = DATA / "support_desk_topics.toml",
) -> tuple[tuple[Topic, ...], tuple[Amount, ...]]:
    """The hand-written topics and amounts."""
    source = tomllib.loads(path.read_text(encoding="utf-8"))
    topics = tuple(Topic(**{**t, "phrasings": tuple(t["phrasings"])}) for t in source["topic"])
    return topics, tuple(Amount(**a) for a in source["amount"])


def make(topics: Sequence[Topic], amounts: Sequence[Amount], *, rng: random.Random) -> SupportDesk:
    """Splits the phrasings into training and evaluation rows, planting every defect named above."""
    train: list[Row] = []
    evaluation: list[Row] = []
    truth: list[Row] = []
    for topic in topics:
        _add_topic(topic, train, evaluation, truth, rng=rng)
    _add_amounts(amounts, train, evaluation, truth, rng=rng)
    _plant_serving_mismatches(evaluation, truth, rng=rng)
    rng.shuffle(train)
    rng.shuffle(evaluation)
    _plant_blemishes(train, truth, rng=rng)
    return SupportDesk(
        train=_numbered(train, "train", truth),
        evaluation=_numbered(evaluation, "eval", truth),
        truth=tuple(sorted((_told(entry) for entry in truth), key=lambda entry: entry["id"])),
    )


def _add_topic(
    topic: Topic, train: list[Row], evaluation: list[Row], truth: list[Row], *, rng: random.Random
) -> None:
    phrasings = rng.sample(topic.phrasings, len(topic.phrasings))
    # A missing topic has no training rows: all of its phrasings are questions nobody prepared for.
    cut = 0 if topic.plant == "missing" else TRAIN_ROWS_PER_TOPIC
    for position, text in enumerate(phrasings[:cut]):
        row = {"instruction": topic.instruction, "input": text, "output": topic.answer, "topic": topic.name}
        if topic.plant == "contradictory" and position % 2 == 0:
            row["output"] = topic.outdated
            truth.append({"row": row, "file": "train", "kind": "contradictory", "right_output": topic.answer})
        train.append(row)
    for text in phrasings[cut : cut + EVAL_ROWS_PER_TOPIC[topic.plant]]:
        row = _eval_row(topic.instruction, text, topic.answer, topic=topic.name, planted=topic.plant)
        evaluation.append(row)
        if topic.plant is not None:
            truth.append({"row": row, "file": "eval", "kind": topic.plant})


def _add_amounts(
    amounts: Sequence[Amount],
    train: list[Row],
    evaluation: list[Row],
    truth: list[Row],
    *,
    rng: random.Random,
) -> None:
    for language, held_out in HARD_EVAL_ROWS.items():
        items = [a for a in amounts if a.language == language]
        items = rng.sample(items, AMOUNTS[language])
        train.extend(
            {"instruction": a.instruction, "input": a.question, "output": a.answer, "topic": "amount"}
            for a in items[held_out:]
        )
        for item in items[:held_out]:
            row = _eval_row(item.instruction, item.question, item.answer, topic="amount", planted="hard")
            evaluation.append(row)
            truth.append({"row": row, "file": "eval", "kind": "hard"})


def _eval_row(instruction: str, text: str, output: str, *, topic: str, planted: str | None) -> Row:
    return {
        "instruction": instruction,
        "input": text,
        "output": output,
        "topic": topic,
        "planted": planted,
    }


def _plant_serving_mismatches(evaluation: list[Row], truth: list[Row], *, rng: random.Random) -> None:
    """Healthy questions that reach the model in a shape it was not trained on, spread over the topics."""
    spare: dict[str, list[Row]] = {}
    for row in rng.sample(evaluation, len(evaluation)):
        if row["planted"] is None:
            spare.setdefault(row["topic"], []).append(row)
    rounds = [row for same_round in zip(*spare.values(), strict=True) for row in same_round]
    for number, row in enumerate(rounds[:SERVING_CASES]):
        prompt = f"{row['instruction']}\n{row['input']}"
        which = number // 2
        if number % 2 == 0:
            request = {"system": FOREIGN_SYSTEMS[which % len(FOREIGN_SYSTEMS)]}
        else:
            template = FOREIGN_TEMPLATES[which % len(FOREIGN_TEMPLATES)]
            request = {"prompt_text": template.format(prompt=prompt, input=row["input"])}
        row.update(planted="serving", request=request)
        truth.append({"row": row, "file": "eval", "kind": "serving"})


def _plant_blemishes(train: list[Row], truth: list[Row], *, rng: random.Random) -> None:
    """Duplicates and strays, on rows that carry no other defect, each row at most once."""
    wrong = {id(entry["row"]) for entry in truth}
    sound = [row for row in train if id(row) not in wrong and row["topic"] != "amount"]
    chosen = rng.sample(sound, EXACT_DUPLICATES + NEAR_DUPLICATES + STRAY_TOKENS)
    exact, rest = chosen[:EXACT_DUPLICATES], chosen[EXACT_DUPLICATES:]
    near, strays = rest[:NEAR_DUPLICATES], rest[NEAR_DUPLICATES:]
    for original in exact:
        _insert_copy(original, original["input"], "exact_duplicate", train, truth, rng=rng)
    for number, original in enumerate(near):
        edits = NEAR_DUPLICATE_EDITS["zh" if original["instruction"].startswith("请") else "en"]
        edited = edits[number % len(edits)].format(original["input"])
        _insert_copy(original, edited, "near_duplicate", train, truth, rng=rng)
    for row, (field, pattern) in zip(strays, STRAYS, strict=True):
        clean = row[field]
        row[field] = pattern.format(clean)
        truth.append({"row": row, "file": "train", "kind": "stray_token", f"right_{field}": clean})


def _insert_copy(
    original: Row, text: str, kind: str, train: list[Row], truth: list[Row], *, rng: random.Random
) -> None:
    copy = {**original, "input": text}
    train.insert(rng.randrange(len(train) + 1), copy)
    truth.append({"row": copy, "file": "train", "kind": kind, "copy_of": original})


def _numbered(rows: Sequence[Row], prefix: str, truth: list[Row]) -> tuple[Row, ...]:
    """The rows with their ids; the answer key learns the ids. Training rows do not tell their topic."""
    ids = {id(row): f"{prefix}-{number:04d}" for number, row in enumerate(rows, start=1)}
    for entry in truth:
        if id(entry["row"]) in ids:
            row = entry["row"]
            entry.update(id=ids[id(row)], topic=row["topic"])
            if "copy_of" in entry:
                entry["copy_of"] = ids[id(entry["copy_of"])]
    hidden = {"topic"} if prefix == "train" else set()
    return tuple({"id": ids[id(row)], **{k: v for k, v in row.items() if k not in hidden}} for row in rows)


def _told(entry: Row) -> Row:
    """One line of the answer key: what and where, without the row itself."""
    first = ("id", "file", "kind", "topic")
    return {k: entry[k] for k in first} | {k: v for k, v in entry.items() if k not in (*first, "row")}


def write(desk: SupportDesk, folder: Path) -> dict[str, Path]:
    """Writes the three files and returns their paths by part: train, eval, truth."""
    folder.mkdir(parents=True, exist_ok=True)
    parts: Mapping[str, Sequence[Row]] = {"train": desk.train, "eval": desk.evaluation, "truth": desk.truth}
    paths = {part: folder / f"support_desk_{part}.jsonl" for part in parts}
    for part, rows in parts.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        paths[part].write_bytes(lines.encode("utf-8"))
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the demonstration's data set.")
    parser.add_argument("--out", type=Path, default=DATA, help="folder to write to")
    parser.add_argument("--seed", type=int, default=SEED, help="of the split and of what is planted where")
    arguments = parser.parse_args()
    topics, amounts = read_source()
    desk = make(topics, amounts, rng=random.Random(arguments.seed))  # noqa: S311 - a data set, not a secret
    write(desk, arguments.out)
    print(f"{len(desk.train)} training rows, {len(desk.evaluation)} eval rows, {len(desk.truth)} defects")


if __name__ == "__main__":
    main()
