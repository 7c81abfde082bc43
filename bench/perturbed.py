"""A training set of any size from a real one: each further row is a real row with small changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_WORD = re.compile(r"[一-鿿]|[^\s一-鿿]+\s*|\s+")


def perturbed(text: str, others: Sequence[str], rng: np.random.Generator) -> str:
    """``text`` with one word in another place, one from another text, and other numbers."""
    words = _WORD.findall(text)
    if len(words) > 3:
        i, j = rng.choice(len(words), 2, replace=False)
        words[i], words[j] = words[j], words[i]
        borrowed = _WORD.findall(others[int(rng.integers(len(others)))])
        if borrowed:
            words[int(rng.integers(len(words)))] = borrowed[int(rng.integers(len(borrowed)))]
    return re.sub(r"\d", lambda _: str(int(rng.integers(1, 10))), "".join(words))


def grown(rows: Sequence[dict[str, Any]], count: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """``count`` rows: the first ones as they are, the others perturbed in their input, output kept."""
    return list(growing(rows, count, seed=seed))


def growing(rows: Sequence[dict[str, Any]], count: int, *, seed: int = 0) -> Iterator[dict[str, Any]]:
    """The same, one after the other."""
    rng = np.random.default_rng(seed)
    inputs = [str(r["input"]) for r in rows]
    yield from (dict(r) for r in rows[:count])
    for i in range(min(len(rows), count), count):
        row = rows[int(rng.integers(len(rows)))]
        yield {**row, "id": f"{row['id']}-{i}", "input": perturbed(str(row["input"]), inputs, rng)}
