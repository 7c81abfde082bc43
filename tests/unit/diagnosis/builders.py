"""Small training sets and cases for the diagnosis tests, with an embedder that needs no weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from app.domain.diagnosis import triage
from app.domain.diagnosis.fit import FittedTrainingSet, fit_training_set
from app.domain.diagnosis.triage import Diagnosis, Override
from app.domain.diagnosis.views import Vectors, texts_of
from app.domain.language import text
from app.domain.records import BadCase, Message, Role, ServingRequest, TrainingExample

DIMENSIONS = 64


@cache
def _direction(token: str) -> np.ndarray:
    return np.random.default_rng(text.stable_hash(token)).normal(size=DIMENSIONS).astype(np.float32)


def embed(texts: Sequence[str]) -> np.ndarray:
    """Bags of hashed words, unit rows: texts that share words are near each other."""
    rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for i, said in enumerate(texts):
        for token in text.tokens(said):
            rows[i] += _direction(token)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=rows, where=norms > 0)


def example(
    number: int, prompt: str, output: str, system: str | None = None, instruction: str = ""
) -> TrainingExample:
    asked = f"{instruction}\n{prompt}" if instruction else prompt
    lead = (Message(role=Role.SYSTEM, content=system),) if system is not None else ()
    return TrainingExample(
        id=f"t{number:04}",
        messages=(
            *lead,
            Message(role=Role.USER, content=asked),
            Message(role=Role.ASSISTANT, content=output),
        ),
        instruction_length=len(instruction),
    )


def case(
    name: str,
    prompt: str,
    model_output: str,
    expected_output: str | None = None,
    request: ServingRequest | None = None,
    system: str | None = None,
) -> BadCase:
    lead = (Message(role=Role.SYSTEM, content=system),) if system is not None else ()
    return BadCase(
        id=name,
        messages=(*lead, Message(role=Role.USER, content=prompt)),
        model_output=model_output,
        expected_output=expected_output,
        request=request,
    )


def vectors_of(examples: Sequence[TrainingExample], cases: Sequence[BadCase]) -> Vectors:
    texts = texts_of(examples, cases)
    unique = texts.unique()
    return Vectors.from_lookup(texts, unique, embed(unique))


def diagnose(
    examples: Sequence[TrainingExample],
    cases: Sequence[BadCase],
    *,
    seed: int = 0,
    overrides: Sequence[Override] = (),
) -> Diagnosis:
    """``triage``, with the training set fitted once for all tests that use the same rows."""
    vectors = vectors_of(examples, [*cases, *(o.case for o in overrides)])
    return triage.diagnose(fitted(examples, seed=seed), cases, vectors, overrides=overrides)


def fitted(examples: Sequence[TrainingExample], *, seed: int = 0) -> FittedTrainingSet:
    """The rows' model; fitting takes seconds, so each set is fitted once. What a diagnosis keeps in it is a cache."""
    key = (seed, *((e.id, e.record_hash) for e in examples))
    if key not in _FITTED:
        _FITTED[key] = fit_training_set(examples, vectors_of(examples, []), np.random.default_rng(seed))
    return _FITTED[key]


_FITTED: dict[tuple[object, ...], FittedTrainingSet] = {}


THINGS = {
    "refund": ("money", "back", "return", "paid", "charge", "reimburse"),
    "password": ("login", "reset", "forgot", "account", "credentials", "locked"),
    "delivery": ("parcel", "courier", "arrive", "shipping", "late", "tracking"),
    "warranty": ("broken", "repair", "guarantee", "defect", "replace", "months"),
    "invoice": ("bill", "tax", "receipt", "pdf", "company", "vat"),
    "newsletter": ("emails", "unsubscribe", "subscription", "weekly", "inbox", "offers"),
    "opening hours": ("open", "close", "sunday", "store", "time", "holiday"),
    "coupon": ("discount", "code", "voucher", "percent", "redeem", "sale"),
}
_FILLERS = ("please", "hello", "today", "question", "quickly", "now", "thanks", "really", "again", "somehow")


def intents(
    rows_each: int = 25, *, flipped: tuple[str, str] | None = None, without: Sequence[str] = ()
) -> list[TrainingExample]:
    """Support intents; ``flipped``: every second row of the first says the second; ``without`` are missing."""
    rng = np.random.default_rng(7)
    made = []
    for label, words in THINGS.items():
        if label in without:
            continue
        for row in range(rows_each):
            output = flipped[1] if flipped and label == flipped[0] and row % 2 else label
            made.append(example(len(made), utterance(words, rng), output))
    return made


def utterance(words: Sequence[str], rng: np.random.Generator) -> str:
    return " ".join([*rng.choice(words, 4, replace=False), *rng.choice(_FILLERS, 2, replace=False)])
