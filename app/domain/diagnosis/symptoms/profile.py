"""What the texts of a training set look like: the background that a symptom stands out from.

Plain counts and sets: the profiles of two parts of a training set make the profile of the whole.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Int64, UInt64
from numpy import ndarray

from app.domain.diagnosis.symptoms import characters, shapes
from app.domain.diagnosis.symptoms.characters import Fingerprints
from app.domain.diagnosis.symptoms.shapes import OutputShape
from app.domain.instructions import known_instructions
from app.domain.language import scripts, text
from app.domain.records import BadCase, TrainingExample

SHAPE_MIN_ROWS: Final = 20
"""A task of fewer rows has no habits of its own; those of the whole set count."""


LANGUAGE_MIN_LETTERS: Final = 6

# Words and numbers; what is written without spaces is known by its pairs of characters.
_CJK: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD: Final = re.compile(rf"\d+(?:[.,]\d+)*|[^\W\d_{_CJK}]+(?:['’][^\W\d_{_CJK}]+)*")


class Answer(NamedTuple):
    """One output: how many rows give it, the first of them, and the hash of that row's prompt."""

    rows: int
    example_id: str
    prompt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputProfile:
    """``answers`` by folded output, in the order of the rows; ``answer_texts`` are its keys, and what
    ``fingerprints`` number.

    ``tasks``: shape of the outputs by task instruction, '' = rows without a common one; ``whole``: of all.
    ``vocabulary``: words and numbers of prompts and outputs, casefolded. ``bigrams``: pairs of characters,
    see :mod:`characters`. ``letter_pairs``: how often Latin letters follow
    each other. ``written``: letters by script.
    """

    rows: int
    answers: Mapping[str, Answer]
    answer_texts: tuple[str, ...]
    fingerprints: Fingerprints
    instructions: frozenset[str]
    tasks: Mapping[str, OutputShape]
    whole: OutputShape
    vocabulary: frozenset[str]
    bigrams: UInt64[ndarray, " b"]
    letter_pairs: Int64[ndarray, "27 27"]
    written: Mapping[str, int]

    @property
    def label_share(self) -> float:
        """Share 0..1 of the rows whose output repeats."""
        return self.whole.label_share

    @property
    def chinese(self) -> bool:
        """Whether Han characters are more than stray ones."""
        return self.written.get("Han", 0) >= LANGUAGE_MIN_LETTERS

    def shape_for(self, case: BadCase) -> OutputShape:
        """The shape of the outputs of the case's task; of all rows where the task is new or rare."""
        found = self.tasks.get(text.instruction_of(case.prompt, self.instructions))
        enough = found is not None and found.rows >= min(SHAPE_MIN_ROWS, self.rows)
        return found if found is not None and enough else self.whole


def profile(examples: Sequence[TrainingExample], instructions: frozenset[str] | None = None) -> OutputProfile:
    """Read a training set once. ``instructions``: its task instructions, where they are known already.

    Rows whose answer nobody should give say nothing about what answers look like.
    """
    known = known_instructions(examples) if instructions is None else instructions
    examples = [e for e in examples if e.teaches]
    prompts = [e.prompt for e in examples]
    outputs = [e.output for e in examples]
    distinct = dict.fromkeys(prompts)
    tasks: dict[str, list[str]] = {}
    for prompt, output in zip(prompts, outputs, strict=True):
        tasks.setdefault(text.instruction_of(prompt, known), []).append(output)
    shapes_by_task = {task: shapes.shape(said) for task, said in tasks.items()}
    answers: dict[str, Answer] = {}
    said_as = {output: characters.folded(output) for output in dict.fromkeys(outputs)}
    for example, prompt, output in zip(examples, prompts, outputs, strict=True):
        said = said_as[output]
        before = answers.get(said)
        answers[said] = (
            Answer(1, example.id, prompt_hash(prompt))
            if before is None
            else Answer(before.rows + 1, before.example_id, before.prompt)
        )
    answers.pop("", None)
    letters = _letters(text.clip(t) for t in itertools.chain(map(characters.folded, distinct), answers))
    return OutputProfile(
        rows=len(examples),
        answers=answers,
        answer_texts=tuple(answers),
        fingerprints=characters.fingerprints(list(answers)),
        instructions=known,
        tasks=shapes_by_task,
        whole=shapes.total(shapes_by_task.values()),
        vocabulary=letters.vocabulary,
        bigrams=letters.bigrams,
        letter_pairs=letters.letter_pairs,
        written=letters.written,
    )


def merged(a: OutputProfile, b: OutputProfile) -> OutputProfile:
    """The profile of both parts together, the rows of ``a`` first."""
    answers = dict(a.answers)
    for said, answer in b.answers.items():
        before = answers.get(said)
        answers[said] = answer if before is None else before._replace(rows=before.rows + answer.rows)
    tasks = dict(a.tasks)
    for task, shape in b.tasks.items():
        tasks[task] = shapes.total((tasks[task], shape)) if task in tasks else shape
    return OutputProfile(
        rows=a.rows + b.rows,
        answers=answers,
        answer_texts=tuple(answers),
        fingerprints=characters.fingerprints(list(answers)),
        instructions=a.instructions | b.instructions,
        tasks=tasks,
        whole=shapes.total((a.whole, b.whole)),
        vocabulary=a.vocabulary | b.vocabulary,
        bigrams=np.union1d(a.bigrams, b.bigrams),
        letter_pairs=a.letter_pairs + b.letter_pairs,
        written=dict(Counter(a.written) + Counter(b.written)),
    )


def prompt_hash(prompt: str) -> int:
    """Equal for prompts that differ in case, width and spaces only."""
    return text.stable_hash(characters.folded(prompt))


def words_of(folded_text: str) -> list[str]:
    """Words and numbers of a folded text in order, repeats kept; nothing of Chinese, Japanese or Korean."""
    return _WORD.findall(folded_text)


class _Letters(NamedTuple):
    """What folded texts are written with; see ``OutputProfile``."""

    vocabulary: frozenset[str]
    bigrams: UInt64[ndarray, " b"]
    letter_pairs: Int64[ndarray, "27 27"]
    written: dict[str, int]


def _letters(folded_texts: Iterable[str]) -> _Letters:
    """Read in one pass, some megabytes at a time: folded copies of a million prompts are not held together."""
    vocabulary: set[str] = set()
    bigrams = np.empty(0, dtype=np.uint64)
    letter_pairs = np.zeros((27, 27), dtype=np.int64)
    written: Counter[str] = Counter()
    for chunk in characters.chunks(folded_texts):
        # What stands between two spaces is read once however often it occurs.
        pieces = {piece for said in chunk for piece in said.split(" ")}
        vocabulary.update(_WORD.findall("\n".join(pieces)))
        bigrams = np.union1d(bigrams, characters.bigrams(chunk))
        letter_pairs += characters.letter_pairs(chunk)
        written.update(scripts.letters_by_script("".join(chunk)))
    return _Letters(frozenset(vocabulary), bigrams, letter_pairs, dict(written))
