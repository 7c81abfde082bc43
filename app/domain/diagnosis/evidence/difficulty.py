"""How much a case asks for: steps, operands, constraints, hops and length, read against rows of its own task.

What is covered and consistent and yet fails is hard; these measures say what makes it so. Evidence for a
person, not a verdict: the verdict is made from coverage and consistency.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from app.domain.diagnosis.features.coverage import BASELINE_MIN_ROWS
from app.domain.evidence import ConfusableGroups, Demand, DemandFigures, HardReason
from app.domain.language import phrases, text

_HARD_PERCENTILE: Final = 0.9
"""A case stands out in what nine of ten rows of its task ask less of."""

_HARD_REASONS: Final = 5

_CLAUSES = re.compile(r"(?:[,;:!?，；：。！？、\n]|[.](?!\d))+")
_PIECES = re.compile(rf"[;。；！？\n]+|[.!?]\s+|[，,](?={phrases.one_of('difficulty', 'step')})")
_FRACTION = re.compile(r"[(（]\s*\d+\s*/\s*\d+\s*[)）]")
_CONSTRAINTS = frozenset(phrases.listed("difficulty", "constraint", "en"))
_CONSTRAINTS_ZH = re.compile(phrases.one_of("difficulty", "constraint", "zh"))
_HOPS = frozenset(phrases.listed("difficulty", "hop", "en"))
_HOPS_ZH = re.compile(phrases.one_of("difficulty", "hop", "zh"))
_OPERATORS = re.compile(r"[\d)）%]\s*(?:[+\-*/×÷^]|(?<=\s)x(?=\s))\s*(?=[\d(（$.\\])")
_OPTIONS = re.compile(r"^\s*[-*(（]?\s*(?:[A-J][)）.．、:：]|-\s)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """``of_answer``: read from the expected output. ``says``: the sentence, with ``{value}`` in it."""

    name: str
    of_answer: bool
    says: str


_MEASURES = (
    Measure(name="prompt_tokens", of_answer=False, says="the prompt is {value} words or characters long"),
    Measure(name="prompt_numbers", of_answer=False, says="the prompt holds {value} numbers to work with"),
    Measure(name="prompt_clauses", of_answer=False, says="the prompt has {value} clauses"),
    Measure(name="prompt_constraints", of_answer=False, says="the prompt sets {value} conditions or limits"),
    Measure(
        name="prompt_hops", of_answer=False, says="the prompt refers from one thing to another {value} times"
    ),
    Measure(name="prompt_options", of_answer=False, says="the prompt offers {value} options"),
    Measure(
        name="answer_tokens", of_answer=True, says="the expected output is {value} words or characters long"
    ),
    Measure(
        name="answer_steps", of_answer=True, says="the expected output is {value} sentences or lines long"
    ),
    Measure(name="answer_operators", of_answer=True, says="the expected output takes {value} calculations"),
)
MEASURES = tuple(m.name for m in _MEASURES)
_LENGTHS = frozenset(("prompt_tokens", "prompt_clauses", "answer_tokens"))


def measures(prompt: str, answer: str) -> tuple[float, ...]:
    """One number for each of ``MEASURES``; all counts."""
    asked, said = text.clip(prompt), text.clip(answer)
    words, answered = text.tokens(asked), text.tokens(said)
    constraints = sum(w in _CONSTRAINTS for w in words) + _count(_CONSTRAINTS_ZH, asked)
    hops = sum(w in _HOPS or w.endswith(("'s", "’s")) for w in words) + _count(_HOPS_ZH, asked)
    pieces = [p for p in _PIECES.split(said) if any(map(str.isalnum, p))]
    # a fraction in brackets is a number, not a division
    calculations = len(_OPERATORS.findall(_FRACTION.sub("1", said)))
    return (
        float(len(words)),
        float(sum(w[0].isdigit() for w in words)),
        float(sum(1 for c in _CLAUSES.split(asked) if c.strip())),
        float(constraints),
        float(hops),
        float(len(_OPTIONS.findall(asked)) if "\n" in asked else 0),
        float(len(answered)),
        float(len(pieces)),
        float(calculations),
    )


def _count(chinese: re.Pattern[str], said: str) -> int:
    return 0 if said.isascii() else len(chinese.findall(said))


@dataclass(frozen=True, slots=True)
class Demands:
    """The measures of the training rows, each column sorted ascending: of all rows, shape
    (n, len(MEASURES)), and of the rows of each task that has enough of them."""

    columns: Float32[ndarray, "n m"]
    by_task: Mapping[int, Float32[ndarray, "t m"]]

    def of_task(self, task: int | None) -> Float32[ndarray, "t m"]:
        return self.columns if task is None else self.by_task.get(task, self.columns)

    def percentiles(self, prompt: str, answer: str, task: int | None = None) -> DemandFigures:
        """For each measure the case's value and the share of the task's rows that ask for less."""
        columns = self.of_task(task)
        rows = len(columns)
        found: dict[str, Demand] = {}
        for column, (name, value) in enumerate(zip(MEASURES, measures(prompt, answer), strict=True)):
            less = _below(columns, column, value)
            found[name] = Demand(value=int(value), more_than=less / rows if rows else None)
        return DemandFigures(**found)


def _below(columns: Float32[ndarray, "n m"], column: int, value: float) -> int:
    """How many rows ask for less. The value as float32 too: else the whole column is widened to look into it."""
    return int(np.searchsorted(columns[:, column], np.float32(value), side="left"))


def demands_of(
    prompts: Sequence[str], answers: Sequence[str], tasks: Int64[ndarray, " n"] | None = None
) -> Demands:
    """``tasks``: a number for each row's task; rows of rare tasks are read against all rows."""
    # counts of clipped texts: whole numbers that float32 holds
    made = np.empty((len(prompts), len(MEASURES)), dtype=np.float32)
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        made[row] = measures(prompt, answer)
    by_task: dict[int, Float32[ndarray, "t m"]] = {}
    for task in np.unique(tasks).tolist() if tasks is not None else ():
        rows = made[np.asarray(tasks) == task]
        if len(rows) >= BASELINE_MIN_ROWS:
            by_task[task] = np.sort(rows, axis=0)
    made.sort(axis=0)
    return Demands(made, by_task)


def margins(similarities: Float32[ndarray, "q k"], labels: Int64[ndarray, "q k"]) -> Float64[ndarray, " q"]:
    """By how much the nearest row is nearer than the nearest row of any other label. Shape (q,), cosine.

    ``labels`` -1 = no neighbour. A row whose neighbours are all of one label has the margin 2, the largest
    there is.
    """
    present = labels >= 0
    # below any cosine: who is not there is never the nearest
    cosine = np.where(present, similarities.astype(np.float64), -2.0)
    if not cosine.shape[1]:
        return np.full(len(cosine), 2.0)
    best = cosine.argmax(axis=1)
    own = labels[np.arange(len(labels)), best]
    other = np.where(present & (labels != own[:, None]), cosine, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(other), cosine.max(axis=1) - other, 2.0)


def confusable(
    similarities: Float32[ndarray, " k"],
    labels: Int64[ndarray, " k"],
    names: Mapping[int, str],
    trained_margins: Float64[ndarray, " n"] | None = None,
) -> ConfusableGroups | None:
    """The two nearest groups of a case's neighbours. ``labels`` number what the rows answer, -1 = none; ``names``
    says what each is called.

    ``trained_margins``: ``margins`` of training rows with themselves left out, ascending. None where the
    neighbours are all of one group.
    """
    order = np.argsort(-similarities, kind="stable")
    order = order[labels[order] >= 0]
    if not len(order):
        return None
    first = int(labels[order[0]])
    others = order[labels[order] != first]
    if not len(others):
        return None
    near, next_ = float(similarities[order[0]]), float(similarities[others[0]])
    closer: float | None = None
    if trained_margins is not None and len(trained_margins):
        larger = len(trained_margins) - np.searchsorted(trained_margins, near - next_, side="right")
        closer = float(larger) / len(trained_margins)
    return ConfusableGroups(
        labels=(names[first], names[int(labels[others[0]])]),
        similarities=(near, next_),
        margin=near - next_,
        closer_than=closer,
    )


def reasons(
    demands: Demands,
    prompt: str,
    answer: str,
    *,
    task: int | None = None,
    groups: ConfusableGroups | None = None,
) -> tuple[HardReason, ...]:
    """What stands out, strongest first; none where the case asks for what most rows ask for."""
    found = [*_demanding(demands, prompt, answer, task)]
    if groups is not None and (groups.closer_than or 0.0) >= _HARD_PERCENTILE:
        first, second = groups.labels
        found.append(
            HardReason(
                kind="confusable",
                detail=f"{first!r} and {second!r} are nearly as near (cosine {groups.similarities[0]:.2f} and "
                f"{groups.similarities[1]:.2f}); {_share(groups.closer_than or 0.0)} of the training rows are told "
                "apart more clearly",
                percentile=groups.closer_than or 0.0,
            )
        )
    # Length goes along with the others: where they rank alike it says the least.
    ranked = sorted(found, key=lambda reason: (-round(reason.percentile, 2), reason.kind in _LENGTHS))
    return tuple(ranked[:_HARD_REASONS])


def _share(of: float) -> str:
    """Never rounded up to all of them."""
    return "100%" if of == 1.0 else f"{np.floor(100 * of) / 100:.0%}"


def _demanding(demands: Demands, prompt: str, answer: str, task: int | None) -> list[HardReason]:
    columns = demands.of_task(task)
    rows = len(columns)
    found: list[HardReason] = []
    if rows < BASELINE_MIN_ROWS:
        return found
    of = "the task's training rows" if task is not None and task in demands.by_task else "the training rows"
    for column, (measure, value) in enumerate(zip(_MEASURES, measures(prompt, answer), strict=True)):
        if measure.of_answer and not answer.strip():
            continue
        less = _below(columns, column, value) / rows
        # One more than most is no reason where nearly all rows have the same.
        stands_out = value >= 2 and value > columns[rows // 2, column] + 1
        if less >= _HARD_PERCENTILE and stands_out:
            fewer = "less" if measure.name in ("prompt_tokens", "answer_tokens") else "fewer"
            detail = f"{measure.says.format(value=int(value))}; {_share(less)} of {of} have {fewer}"
            found.append(HardReason(kind=measure.name, detail=detail, percentile=less))
    return found
