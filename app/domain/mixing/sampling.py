"""Drawing exact numbers of rows, seeded. Knows counts and weights, no rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def apportion(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Split ``total`` in proportion to ``weights`` by the largest remainder: the parts sum to ``total``.

    Ties go to the name that sorts first. Weights must be finite and not negative, one of them positive.
    """
    mass = sum(weights.values())
    if total < 0 or not np.isfinite(mass) or min(weights.values(), default=0.0) < 0 or mass <= 0:
        raise ValueError("weights must be finite, none negative and one positive; total must not be negative")
    exact = {name: total * weight / mass for name, weight in weights.items()}
    parts = {name: int(np.floor(value)) for name, value in exact.items()}
    left = total - sum(parts.values())
    for name in sorted(exact, key=lambda n: (parts[n] - exact[n], n))[:left]:
        parts[name] += 1
    return parts


def temperature_weights(sizes: Mapping[str, int], exponent: float) -> dict[str, float]:
    """p_i = n_i^a / sum_j n_j^a: a = 1 keeps the groups' sizes, a = 0 makes the groups equal."""
    powers = {name: float(size) ** exponent if size else 0.0 for name, size in sizes.items()}
    mass = sum(powers.values())
    return {name: power / mass for name, power in powers.items()} if mass else powers


def draw_without_repeats(total: int, sizes: Mapping[str, int], exponent: float) -> dict[str, int]:
    """How many of each group to draw: temperature shares, no group beyond its size.

    What a full group cannot give goes to the others by the same shares; the parts sum to
    min(total, all rows).
    """
    drawn = dict.fromkeys(sizes, 0)
    left = min(total, sum(sizes.values()))
    while left:
        room = {name: size for name, size in sizes.items() if drawn[name] < size}
        weights = temperature_weights(room, exponent)
        for name, part in apportion(left, weights).items():
            drawn[name] += min(part, sizes[name] - drawn[name])
        left = min(total, sum(sizes.values())) - sum(drawn.values())
    return drawn


def repeats(rows: int, wanted: int, max_repeats: int, rng: np.random.Generator) -> list[int]:
    """How often each of ``rows`` rows is seen so that all together make ``wanted``, each once at least.

    Repeats differ by one at most; who gets the odd ones is drawn. At most ``max_repeats`` each.
    """
    if not rows:
        return []
    total = min(max(wanted, rows), rows * max_repeats)
    base, odd = divmod(total, rows)
    counts = np.full(rows, base)
    counts[rng.permutation(rows)[:odd]] += 1
    return counts.tolist()


def draw_examples(ids: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """``count`` of ``ids`` without repeats, in the order of ``ids``."""
    chosen: list[int] = sorted(rng.permutation(len(ids))[:count].tolist())
    return [ids[i] for i in chosen]
