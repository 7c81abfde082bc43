"""The demonstration's data set: what its script says is planted is what the files hold."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.demo import make_support_desk as support_desk


def _rows(part: str) -> list[dict[str, Any]]:
    path = support_desk.DATA / f"support_desk_{part}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def train() -> list[dict[str, Any]]:
    return _rows("train")


@pytest.fixture(scope="module")
def evaluation() -> list[dict[str, Any]]:
    return _rows("eval")


@pytest.fixture(scope="module")
def truth() -> list[dict[str, Any]]:
    return _rows("truth")


def test_the_script_makes_the_shipped_files_byte_for_byte(tmp_path: Path) -> None:
    topics, amounts = support_desk.read_source()
    desk = support_desk.make(topics, amounts, rng=random.Random(support_desk.SEED))  # noqa: S311
    for path in support_desk.write(desk, tmp_path).values():
        assert path.read_bytes() == (support_desk.DATA / path.name).read_bytes(), path.name


def test_another_seed_makes_another_split() -> None:
    topics, amounts = support_desk.read_source()
    desk = support_desk.make(topics, amounts, rng=random.Random(support_desk.SEED + 1))  # noqa: S311
    assert [r["input"] for r in desk.train] != [r["input"] for r in _rows("train")]


def test_no_question_stands_in_training_and_evaluation(
    train: list[dict[str, Any]], evaluation: list[dict[str, Any]], truth: list[dict[str, Any]]
) -> None:
    clean = {t["id"]: t["right_input"] for t in truth if "right_input" in t}
    seen = {clean.get(r["id"], r["input"]).strip() for r in train}
    asked = [r["input"] for r in evaluation]
    assert not seen & set(asked)
    assert len(set(asked)) == len(asked)


def test_a_missing_topic_has_no_training_row(
    train: list[dict[str, Any]], evaluation: list[dict[str, Any]]
) -> None:
    answers = {r["output"] for r in evaluation if r["planted"] == "missing"}
    assert len(answers) == 3
    assert not [r for r in train if r["output"] in answers]


def test_half_of_a_contradictory_topic_carries_the_outdated_answer(
    train: list[dict[str, Any]], truth: list[dict[str, Any]]
) -> None:
    planted = {t["id"]: t for t in truth if t["kind"] == "contradictory" and t["file"] == "train"}
    outputs = Counter(r["output"] for r in train)
    topics = {t["topic"] for t in planted.values()}
    assert len(topics) == 3
    for topic in topics:
        wrong = [r for r in train if r["id"] in planted and planted[r["id"]]["topic"] == topic]
        right = planted[wrong[0]["id"]]["right_output"]
        assert {r["output"] for r in wrong} == {next(iter(wrong))["output"]} != {right}
        assert len(wrong) == support_desk.TRAIN_ROWS_PER_TOPIC // 2
        # A duplicate of a right row may add to the right side.
        assert 0 <= outputs[right] - len(wrong) <= 3


def test_every_serving_row_says_how_its_request_is_built(evaluation: list[dict[str, Any]]) -> None:
    serving = [r for r in evaluation if r["planted"] == "serving"]
    assert len(serving) == support_desk.SERVING_CASES
    assert all(("system" in r["request"]) != ("prompt_text" in r["request"]) for r in serving)
    assert all(r["input"] in r["request"]["prompt_text"] for r in serving if "prompt_text" in r["request"])
    assert not [r for r in evaluation if r["planted"] != "serving" and "request" in r]


def test_the_answer_key_lists_every_planted_row_and_no_other(
    train: list[dict[str, Any]], evaluation: list[dict[str, Any]], truth: list[dict[str, Any]]
) -> None:
    listed = {t["id"]: t["kind"] for t in truth}
    assert len(listed) == len(truth)
    assert {r["id"]: r["planted"] for r in evaluation if r["planted"]} == {
        i: kind for i, kind in listed.items() if i.startswith("eval-")
    }
    assert {i for i in listed if i.startswith("train-")} <= {r["id"] for r in train}


def test_duplicates_and_strays_are_what_the_answer_key_says(
    train: list[dict[str, Any]], truth: list[dict[str, Any]]
) -> None:
    rows = {r["id"]: r for r in train}
    kinds = Counter(t["kind"] for t in truth)
    assert kinds["exact_duplicate"] == support_desk.EXACT_DUPLICATES
    assert kinds["near_duplicate"] == support_desk.NEAR_DUPLICATES
    assert kinds["stray_token"] == support_desk.STRAY_TOKENS
    for entry in truth:
        row = rows.get(entry["id"], {})
        match entry["kind"]:
            case "exact_duplicate":
                assert {**row, "id": ""} == {**rows[entry["copy_of"]], "id": ""}
            case "near_duplicate":
                original = rows[entry["copy_of"]]
                assert row["output"] == original["output"]
                assert original["input"] in row["input"] != original["input"]
            case "stray_token" if "right_output" in entry:
                assert entry["right_output"] in row["output"] != entry["right_output"]
            case "stray_token":
                assert entry["right_input"] in row["input"] != entry["right_input"]


def test_every_healthy_topic_is_asked_about_as_it_is_served(evaluation: list[dict[str, Any]]) -> None:
    topics, _ = support_desk.read_source()
    counts = Counter(r["topic"] for r in evaluation if r["planted"] is None)
    assert set(counts) == {t.name for t in topics if t.plant is None}
    assert min(counts.values()) >= 4


def test_every_cause_is_planted_in_both_languages(evaluation: list[dict[str, Any]]) -> None:
    asked = Counter((r["planted"], r["instruction"].startswith("请")) for r in evaluation if r["planted"])
    for kind in ("missing", "contradictory", "hard", "serving"):
        assert asked[kind, False] + asked[kind, True] >= 6
        assert min(asked[kind, False], asked[kind, True]) >= 3


def test_the_set_is_bilingual_and_its_answers_are_short(train: list[dict[str, Any]]) -> None:
    chinese = sum(r["instruction"].startswith("请") for r in train)
    assert 0.3 <= chinese / len(train) <= 0.4
    assert max(len(r["output"]) for r in train) <= 60
