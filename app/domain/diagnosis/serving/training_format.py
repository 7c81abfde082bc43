"""How the training rows of a data set are built, as a request is compared with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from app.domain.diagnosis.serving import chat_templates
from app.domain.diagnosis.serving.chat_templates import Family
from app.domain.language import text
from app.domain.language.text import TEXT_MAX_CHARACTERS
from app.domain.records import TrainingExample

_SERVING_SAMPLE_ROWS: Final = 2000
"""Outputs in which stop texts and special tokens are looked for."""


FORMAT_RULE_SHARE: Final = 0.9
"""Share of the rows from which a habit of the training set is a rule."""


EXCERPT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFormat:
    """How the training rows are built.

    ``systems``: share of rows by system prompt. ``instructed``: share that carries an instruction.
    ``family``: the template that rows are rendered with, None = not known. ``special_tokens``: those of the
    template and of the rows' own texts, casefolded. ``output_tokens``: estimated length of every output,
    ascending. ``outputs``: some of the outputs. ``label_share``: rows whose output repeats.
    """

    rows: int
    systems: dict[str, float]
    instructions: frozenset[str]
    instructed: float
    usual_instruction: str
    family: Family | None
    template_known: bool
    special_tokens: frozenset[str]
    output_tokens: Float64[ndarray, " n"]
    outputs: tuple[str, ...]
    label_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFormat:
    """How the rows of the case's own task are built. ``left_out``: the instruction under which alone rows ask the
    very input of the case, where the case has none. ``systems``: system prompts of the rows that ask the same, else
    of the nearest, normalised; '' = none."""

    left_out: str = ""
    systems: frozenset[str] = frozenset()


def format_of(
    examples: Sequence[TrainingExample], instructions: frozenset[str], chat_template: str | None = None
) -> TrainingFormat:
    """``chat_template``: the source of the tuned model's own template, where it is known."""
    rows = len(examples)
    prompts = [e.prompt for e in examples]
    outputs = [e.output for e in examples]
    systems = Counter(text.normalised(e.system or "") for e in examples)
    carried = Counter(text.instruction_of(p, instructions) for p in prompts)
    marked = [p for p in prompts if chat_templates.may_hold_marks(p)]
    own = Counter(f.name for f in map(chat_templates.family_of, marked) if f is not None)
    usual = own.most_common(1)[0] if own else ("", 0)
    # Rows of raw text carry their template themselves.
    of_rows = usual[0] if rows and usual[1] >= FORMAT_RULE_SHARE * rows else None
    family = chat_templates.family_of(chat_template) if chat_template else chat_templates.named(of_rows)
    repeated = Counter(map(text.normalised, outputs))
    carried_most = max(((i, n) for i, n in carried.items() if i), key=lambda x: (x[1], x[0]), default=("", 0))
    spread = max(1, rows // _SERVING_SAMPLE_ROWS)
    held = (chat_templates.special_tokens(t) for t in (*marked, *outputs[::spread], chat_template or ""))
    return TrainingFormat(
        rows=rows,
        systems={system: count / rows for system, count in systems.items()},
        instructions=instructions,
        instructed=(rows - carried[""]) / rows if rows else 0.0,
        usual_instruction=carried_most[0],
        family=family,
        template_known=bool(chat_template) or of_rows is not None,
        special_tokens=frozenset().union(*held),
        output_tokens=np.sort(np.array([estimated_tokens(o) for o in outputs], dtype=np.float64)),
        outputs=tuple(outputs[::spread]),
        label_share=sum(n for n in repeated.values() if n > 1) / rows if rows else 0.0,
    )


def estimated_tokens(output: str) -> float:
    """About how many tokens a text is: four Latin characters each, 0.7 a character of other scripts."""
    if output.isascii():
        return len(output) / 4
    plain = sum(map(str.isascii, output)) if len(output) < TEXT_MAX_CHARACTERS else 0
    return plain / 4 + (len(output) - plain) * 0.7


def excerpt(said: str) -> str:
    """Cut to be shown; what cannot be stored (half a surrogate pair) is replaced."""
    cut = said if len(said) <= EXCERPT else f"{said[: EXCERPT // 2]} … {said[-EXCERPT // 2 :]}"
    return cut.encode("utf-8", "replace").decode()
