"""What the outputs of a training set look like: the background that a symptom stands out from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import text, thresholds
from app.domain.records import TrainingExample


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputProfile:
    """``labels``: outputs (normalised) that repeat; ``unique``: those that one row has. Shares are 0..1."""

    rows: int
    labels: frozenset[str]
    unique: frozenset[str]
    label_share: float
    json_share: float
    vocabulary: frozenset[str]
    bigrams: frozenset[str]
    chinese: bool
    """Whether any row is in Chinese."""
    closings: dict[str, float]
    """Share of the rows by the words before the colon of their last line ('final answer')."""


def profile(examples: Sequence[TrainingExample]) -> OutputProfile:
    outputs = Counter(text.normalised(e.output) for e in examples)
    labels = frozenset(o for o, rows in outputs.items() if rows > 1)
    vocabulary: set[str] = set()
    bigrams: set[str] = set()
    closings: Counter[str] = Counter()
    structured = 0
    chinese = False
    for example in examples:
        clipped = text.clip(example.output)
        texts = (clipped, text.clip(example.prompt))
        for said in texts:
            vocabulary.update(text.tokens(said))
            bigrams.update(text.character_ngrams(said, 2))
            chinese = chinese or text.is_chinese(said)
        closings[closing_of(clipped)] += 1
        structured += is_json(example.output)
    rows = max(1, len(examples))
    return OutputProfile(
        rows=len(examples),
        labels=labels,
        unique=frozenset(o for o, count in outputs.items() if count == 1),
        label_share=sum(c for o, c in outputs.items() if o in labels) / rows,
        json_share=structured / rows,
        vocabulary=frozenset(vocabulary),
        bigrams=frozenset(bigrams),
        chinese=chinese,
        closings={c: n / rows for c, n in closings.items() if c and n > 1},
    )


def closing_of(output: str) -> str:
    """'final answer' of 'Final answer: 42' on the last line; '' where the last line has no such head."""
    last = output.strip().rpartition("\n")[2].replace("：", ":")
    head, colon, tail = last.partition(":")
    short = len(text.tokens(head)) <= thresholds.FINAL_ANSWER_MAX_TOKENS
    return text.normalised(head) if colon and tail.strip() and short else ""


def is_json(output: str) -> bool:
    """Whether the text is one JSON object or array."""
    body = output.strip()
    if not body or body[0] not in "{[" or body[-1] not in "}]":
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
