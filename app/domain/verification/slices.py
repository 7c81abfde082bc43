"""Parts of a retention set, so that forgetting one skill cannot hide in the mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from app.domain.language import text
from app.domain.records import TrainingExample
from app.domain.verification.retention import SLICE_MIN_ROWS


def slice_names(examples: Sequence[TrainingExample]) -> list[str]:
    """One name a row: its output where outputs repeat (labels), else its instruction, else its language."""
    outputs = Counter(text.normalised(e.output) for e in examples)
    names = []
    for example in examples:
        output = text.normalised(example.output)
        if outputs[output] >= SLICE_MIN_ROWS:
            names.append(example.output.strip()[:80])
        elif example.instruction:
            names.append(example.instruction.strip()[:80])
        else:
            names.append("Chinese" if text.is_chinese(example.prompt) else "other languages")
    return names
