"""A training set read once for all that judges its rows one by one: tasks, shapes, neighbours.

Everything costly is worked out when it is first asked for and kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Self

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from app.domain.answers import agreement
from app.domain.diagnosis.serving.training_format import FORMAT_RULE_SHARE
from app.domain.diagnosis.symptoms import characters, shapes
from app.domain.diagnosis.symptoms.profile import SHAPE_MIN_ROWS, OutputProfile
from app.domain.diagnosis.symptoms.shapes import Form, OutputShape
from app.domain.language import scripts, text
from app.domain.records import BadCase, TrainingExample
from app.domain.repair.row_quality.defects.finding import NoisyRow
from app.domain.vectors.search import Index

NEIGHBORS: Final = 32
"""Rows around a row that its output is compared with; of the Shapley value the rest is below 1/32."""

_EXACT_ROWS: Final = 20_000
"""Beyond, neighbours are looked up in inverted lists: all pairs of 100,000 rows are minutes on one core. A
resource bound."""


_JOINED_ROWS = 5000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """``prompts`` (n) what varies in the prompts, ``tasks`` (n,) number of each row's task, ``input_vectors``
    (n, d) and ``output_vectors`` (n, o) unit rows. ``seed`` draws the outputs that are swapped for comparison;
    ``open_tasks``: tasks without instruction and system prompt. ``findings``: what detectors have found already.
    """

    examples: Sequence[TrainingExample]
    prompts: Sequence[str]
    tasks: Int64[ndarray, " n"]
    instructions: frozenset[str]
    input_vectors: Float32[ndarray, "n d"]
    output_vectors: Float32[ndarray, "n o"]
    seed: int = 0
    open_tasks: frozenset[int] = frozenset()
    findings: dict[str, tuple[NoisyRow, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        examples: Sequence[TrainingExample],
        prompts: Sequence[str],
        tasks: Sequence[str],
        instructions: frozenset[str],
        input_vectors: Float32[ndarray, "n d"],
        output_vectors: Float32[ndarray, "n o"],
    ) -> Self:
        numbers = {task: i for i, task in enumerate(dict.fromkeys(tasks))}
        return cls(
            examples=examples,
            prompts=prompts,
            tasks=np.array([numbers[t] for t in tasks], dtype=np.int64),
            instructions=instructions,
            input_vectors=input_vectors,
            output_vectors=output_vectors,
            open_tasks=frozenset(number for task, number in numbers.items() if not task.strip("\0")),
        )

    def __len__(self) -> int:
        return len(self.examples)

    @cached_property
    def outputs(self) -> list[str]:
        return [example.output for example in self.examples]

    @cached_property
    def normal(self) -> list[str]:
        """The outputs, normalised; signs alone stay what they are."""
        seen = {o: text.normalised(o) or o.strip() for o in dict.fromkeys(self.outputs)}
        return [seen[o] for o in self.outputs]

    @cached_property
    def output_rows(self) -> Counter[tuple[int, str]]:
        """Rows by task and normalised output."""
        return Counter(zip(self.tasks.tolist(), self.normal, strict=True))

    @cached_property
    def prose(self) -> list[bool]:
        """Whether the answer is text that is to be learnt: calls of tools have shapes of their own, and an answer
        that nobody should give is bad on purpose."""
        return [e.teaches and not e.answer.tool_calls for e in self.examples]

    @cached_property
    def task_sizes(self) -> Int64[ndarray, " t"]:
        return np.bincount(self.tasks)

    @cached_property
    def task_rows(self) -> list[Int64[ndarray, " r"]]:
        """Rows of each task."""
        if not len(self):
            return []
        order = np.argsort(self.tasks, kind="stable")
        return np.split(order, np.cumsum(self.task_sizes)[:-1])

    @cached_property
    def profile(self) -> OutputProfile:
        """Shapes of the outputs alone: copies and gibberish are not looked for by it."""
        said: dict[str, list[str]] = {}
        for example, output in zip(self.examples, self.outputs, strict=True):
            if not example.teaches:
                continue
            said.setdefault(text.instruction_of(example.prompt, self.instructions), []).append(output)
        by_task = {task: shapes.shape(outputs) for task, outputs in said.items()}
        return OutputProfile(
            rows=len(self),
            answers={},
            answer_texts=(),
            fingerprints=characters.fingerprints([]),
            instructions=self.instructions,
            tasks=by_task,
            whole=shapes.total(by_task.values()),
            vocabulary=frozenset(),
            bigrams=np.zeros(0, dtype=np.uint64),
            letter_pairs=np.zeros((27, 27), dtype=np.int64),
            written=self._written(),
        )

    def _written(self) -> Mapping[str, int]:
        letters: Counter[str] = Counter()
        texts = [text.clip(t) for e in self.examples for t in (e.prompt, e.output)]
        for start in range(0, len(texts), _JOINED_ROWS):
            letters.update(scripts.letters_by_script("".join(texts[start : start + _JOINED_ROWS])))
        return letters

    def case(self, row: int) -> BadCase:
        """The row as a case whose expected output is unknown, as the detectors of symptoms take it."""
        example = self.examples[row]
        return BadCase(
            id=example.id,
            messages=example.prompt_messages,
            model_output=example.output,
            instruction_length=example.instruction_length,
        )

    def shape(self, row: int) -> OutputShape | None:
        """The shape of the outputs of the row's task; None where the task is too small to have one."""
        instruction = text.instruction_of(self.examples[row].prompt, self.instructions)
        found = self.profile.tasks.get(instruction)
        return found if found is not None and found.rows >= SHAPE_MIN_ROWS else None

    def mixed(self, row: int) -> bool:
        """Whether the row's task is all rows without a common instruction, which share no form: no habit of
        theirs binds the row."""
        if int(self.tasks[row]) not in self.open_tasks:
            return False
        found = self.shape(row)
        if found is None:
            return True
        closing = found.closings[found.closing].total() if found.closing else 0
        rule = max(found.json_share, found.label_share, closing / found.rows, found.form_share(Form.OPTION))
        return max(rule, found.form_share(Form.NUMBER)) < FORMAT_RULE_SHARE

    @cached_property
    def near(self) -> agreement.Neighbors:
        """The rows nearest to each by input, itself left out; of one prompt only so many copies are looked at."""
        copies: Counter[str] = Counter()
        corpus, asked, group_of = [], [], np.zeros(len(self), dtype=np.int64)
        groups: dict[str, int] = {}
        for row, prompt in enumerate(self.prompts):
            if prompt not in groups:
                groups[prompt] = len(groups)
                asked.append(row)
            group_of[row] = groups[prompt]
            copies[prompt] += 1
            # More copies of one prompt than are looked at would only be compared with each other, n squared times.
            if copies[prompt] <= NEIGHBORS + 1:
                corpus.append(row)
        where = np.append(np.array(corpus, dtype=np.int64), -1)
        index = Index.build(self.input_vectors[where[:-1]], exact_rows=_EXACT_ROWS)
        found = index.search(self.input_vectors[asked], NEIGHBORS + 1)
        indices, similarities = where[found.indices][group_of], found.similarities[group_of]
        own = indices == np.arange(len(self))[:, None]
        own[~own.any(axis=1), -1] = True
        shape = (len(self), NEIGHBORS)
        return agreement.Neighbors(
            indices=indices[~own].reshape(shape), similarities=similarities[~own].reshape(shape)
        )
