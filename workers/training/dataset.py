"""The run's rows as tokens.

It knows what a row of ``train.jsonl`` holds: ``prompt`` and ``completion`` as messages, and where set
``weight``, ``rejected`` and ``tools``. It does not know where the rows came from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.models.chat import UnrenderableConversation, prompt_and_answer_ids


class TrainingDataError(ValueError):
    """The rows cannot be trained on. The message names the line, what is wrong and how to fix it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizedRow:
    """``prompt`` and ``answer`` as token ids; ``rejected`` is empty except in a preference pair.

    ``weight`` multiplies the loss of the row's answer; 1 is an ordinary row.
    """

    prompt: list[int]
    answer: list[int]
    rejected: list[int]
    weight: float
    truncated: bool

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.answer)


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number, from 1, and row."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, json.loads(line)


def tokenize(path: Path, tokenizer: Any, *, max_length: int) -> list[TokenizedRow]:
    """Every row of ``path``, none longer than ``max_length`` tokens."""
    rows = [_tokenize_row(number, row, tokenizer, max_length) for number, row in read_rows(path)]
    if not rows:
        raise TrainingDataError("the training set holds no row; add examples to the dataset version")
    return rows


def _tokenize_row(number: int, row: Mapping[str, Any], tokenizer: Any, max_length: int) -> TokenizedRow:
    tools = row.get("tools")
    try:
        prompt, answer = prompt_and_answer_ids(tokenizer, row["prompt"], row["completion"], tools=tools)
        rejected: list[int] = []
        if row.get("rejected"):
            other_prompt, rejected = prompt_and_answer_ids(
                tokenizer, row["prompt"], row["rejected"], tools=tools
            )
            if other_prompt != prompt:  # the answers begin alike, in the template's own words
                prompt, answer, rejected = _align(
                    prompt + answer, other_prompt + rejected, prompt, other_prompt
                )
    except UnrenderableConversation as error:
        raise TrainingDataError(f"row {number}: {error}; change or drop the row") from error
    prompt = prompt or [tokenizer.eos_token_id]  # the first token of the answer is predicted from something
    weight = float(row.get("weight", 1.0))
    if not 0.0 <= weight < float("inf"):
        raise TrainingDataError(f"row {number}: weight is {weight}; give a number of at least 0")
    longest_answer = max(len(answer), len(rejected))
    truncated = len(prompt) + longest_answer > max_length
    if truncated:
        # The answer is what is learnt, and the end of a prompt is where the question stands: cut its start.
        answer, rejected = answer[: max_length - 1], rejected[: max_length - 1]
        room = max_length - max(len(answer), len(rejected))
        prompt = prompt[-room:]
    return TokenizedRow(prompt=prompt, answer=answer, rejected=rejected, weight=weight, truncated=truncated)


def _align(
    whole: list[int], other: list[int], prompt: Sequence[int], other_prompt: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    start = min(len(prompt), len(other_prompt))
    return whole[:start], whole[start:], other[start:]


def preference_pairs(
    rows: Sequence[TokenizedRow], of: str = "", *, instead: str = "use method 'sft'"
) -> list[TokenizedRow]:
    """The rows with a rejected answer that differs from the wanted one."""
    pairs = [row for row in rows if row.rejected and row.rejected != row.answer]
    if not pairs:
        raise TrainingDataError(
            f"no row{of} has a rejected answer, and preference training needs pairs; {instead}"
        )
    return pairs
