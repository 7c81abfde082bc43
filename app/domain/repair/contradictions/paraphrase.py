"""Do two texts mean the same? Learnt per data set where outputs repeat, from the pairs alone where they do not.

Knows what a pair looks like in several views at once: cosines, closeness relative to how crowded the
surroundings are, shared and differing words, numbers, negation, names, direction. Where outputs repeat, two
near rows with one output mean the same and two with different outputs do not, most of the time: a model
learnt out of fold from that tells paraphrases from texts that are merely alike. Does not embed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.mixture import GaussianMixture

from app.domain.answers import agreement
from app.domain.diagnosis.features.neighbors import NEIGHBORS
from app.domain.language import pair_differences
from app.domain.language.pair_differences import PAIR_CHUNK

DENSITY_NEIGHBORS: Final = 10
"""Near texts whose mean cosine says how crowded a text's surroundings are (Conneau et al. 2018, CSLS)."""

_MIXTURE_MIN_PAIRS: Final = 200
"""Fewer pairs show no two humps: then the cut is the one between unrelated and equal."""

_DIFFERENCE_WEIGHT: Final = 0.3
"""Standard deviations of closeness that a telling difference (number, negation, name, direction) is worth."""

_MEANING_TREES: Final = 50
_MEANING_LEAVES: Final = 8
MEANING_LEAF_PAIRS: Final = 20
"""Small trees: what is learnt is a smooth ranking of near pairs, and it is learnt from some hundred positives."""

MEANING_MAX_PAIRS: Final = 10_000
"""Pairs a model is fitted on; a ranking of some twenty columns is settled long before."""

CONFLICT_FOLDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PairViews:
    """n texts as pairs of them are compared.

    ``vectors``: the embedders' unit rows side by side, scaled so that an inner product is the mean of their
    cosines. ``blocks``: where each embedder's columns stand. ``density``: mean cosine to the nearest ten.
    """

    vectors: Float32[ndarray, "n d"]
    blocks: tuple[slice, ...]
    neighbors: agreement.Neighbors
    density: Float32[ndarray, " n"]
    readings: pair_differences.Readings

    def __len__(self) -> int:
        return len(self.density)


def side_by_side(vectors: Mapping[str, Float32[ndarray, "n _"]]) -> Float32[ndarray, "n d"]:
    """The embedders' rows joined so that an inner product is the mean of their cosines."""
    scale = np.float32(1.0 / np.sqrt(len(vectors)))
    return np.hstack([v.astype(np.float32, copy=False) * scale for v in vectors.values()])


def look(
    texts: Sequence[str],
    vectors: Mapping[str, Float32[ndarray, "n _"]],
    neighbors: agreement.Neighbors | None = None,
) -> PairViews:
    """Read n texts. ``neighbors``: their nearest others by the mean of the cosines, where already at hand."""
    joined = side_by_side(vectors)
    edges = np.cumsum([0, *(v.shape[1] for v in vectors.values())])
    found = neighbors or agreement.nearest_others(joined, min(NEIGHBORS, max(1, len(texts) - 1)))
    near = found.similarities[:, :DENSITY_NEIGHBORS]
    return PairViews(
        vectors=joined,
        blocks=tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(edges)),
        neighbors=found,
        density=near.mean(axis=1, dtype=np.float32) if len(texts) else np.zeros(0, dtype=np.float32),
        readings=pair_differences.read(texts),
    )


COLUMNS = ("cosine", "lowest_cosine", "relative_cosine", "rank", "rank_back", *pair_differences.COLUMNS)
"""``relative_cosine``: CSLS, twice the cosine less both densities. ``rank``: place 0.. of the right text among
the left one's neighbours, ``rank_back`` the other way; as many as there are neighbours where it is none."""


def columns(
    views: PairViews, left: Int64[ndarray, " p"], right: Int64[ndarray, " p"]
) -> Float32[ndarray, "p c"]:
    """Shape (p, len(COLUMNS))."""
    by_embedder = np.stack(
        [cosines(views.vectors[:, b], left, right) * len(views.blocks) for b in views.blocks], axis=1
    )
    mean = by_embedder.mean(axis=1)
    return np.column_stack(
        [
            mean,
            by_embedder.min(axis=1),
            2 * mean - views.density[left] - views.density[right],
            _rank(views.neighbors, left, right),
            _rank(views.neighbors, right, left),
            pair_differences.compare(views.readings, left, right),
        ]
    ).astype(np.float32)


def cosines(
    vectors: Float32[ndarray, "n d"], left: Int64[ndarray, " p"], right: Int64[ndarray, " p"]
) -> Float32[ndarray, " p"]:
    """Inner products of pairs of rows, a part at a time: all pairs' rows at once would be gigabytes."""
    made = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(left), PAIR_CHUNK):
        part = slice(start, start + PAIR_CHUNK)
        made[part] = np.einsum("ij,ij->i", vectors[left[part]], vectors[right[part]])
    return made


def _rank(
    neighbors: agreement.Neighbors, of: Int64[ndarray, " p"], sought: Int64[ndarray, " p"]
) -> Int64[ndarray, " p"]:
    at = neighbors.indices[of] == sought[:, None]
    return np.where(at.any(axis=1), at.argmax(axis=1), neighbors.indices.shape[1])


def gradient_boosting() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=_MEANING_TREES,
        max_leaf_nodes=_MEANING_LEAVES,
        min_samples_leaf=MEANING_LEAF_PAIRS,
        l2_regularization=1.0,
        early_stopping=False,  # pyright: ignore[reportArgumentType]  (its stub knows "auto" alone)
        random_state=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SameMeaning:
    """P(two near texts mean the same | their pair columns)."""

    model: HistGradientBoostingClassifier

    def of(self, pairs: Float32[ndarray, "p c"]) -> Float64[ndarray, " p"]:
        """Shape (p,), 0..1; ``pairs`` as from ``columns``."""
        return self.model.predict_proba(pairs)[:, 1] if len(pairs) else np.zeros(0)


def learn(views: PairViews, outputs: Int64[ndarray, " n"], rng: np.random.Generator) -> SameMeaning | None:
    """Fit on near pairs: same output, same meaning. ``outputs`` (n,): equal numbers = equal outputs.

    Contradictions in the set would teach that paraphrases differ: pairs with different outputs that a model
    of the *other* rows holds for the same are left out of the second fit. None where outputs do not repeat.
    """
    left, right = near_pairs(views.neighbors)
    if len(left) > MEANING_MAX_PAIRS:
        kept = np.sort(rng.choice(len(left), MEANING_MAX_PAIRS, replace=False))
        left, right = left[kept], right[kept]
    same = outputs[left] == outputs[right]
    if min(same.sum(), (~same).sum()) < MEANING_LEAF_PAIRS:
        return None
    made = columns(views, left, right)
    fold = rng.integers(0, CONFLICT_FOLDS, len(views))[left]
    believed = np.zeros(len(left))
    for held in range(CONFLICT_FOLDS):
        seen = fold != held
        if same[seen].any() and not same[seen].all():
            believed[~seen] = gradient_boosting().fit(made[seen], same[seen]).predict_proba(made[~seen])[:, 1]
    trusted = same | (believed < 0.5)
    return SameMeaning(model=gradient_boosting().fit(made[trusted], same[trusted]))


def near_pairs(neighbors: agreement.Neighbors) -> tuple[Int64[ndarray, " p"], Int64[ndarray, " p"]]:
    """Every pair of a row and one of its neighbours once, the smaller row number first."""
    rows = np.broadcast_to(np.arange(len(neighbors.indices))[:, None], neighbors.indices.shape)
    present = neighbors.present
    ends = np.sort(np.stack([rows[present], neighbors.indices[present]], axis=1), axis=1)
    pairs = np.unique(ends, axis=0) if len(ends) else ends
    return pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)


def without_outputs(
    views: PairViews, left: Int64[ndarray, " p"], right: Int64[ndarray, " p"], rng: np.random.Generator
) -> Float64[ndarray, " p"]:
    """P(same meaning) of given pairs where no output says so; shape (p,), 0..1.

    One figure a pair: closeness, less a share for every telling difference. Pairs that mean the same and
    pairs that do not are its two humps (a Gaussian mixture of two); where there are too few pairs to see
    them, the cut lies halfway between unrelated and equal texts.
    """
    made = columns(views, left, right)
    at = {name: made[:, i] for i, name in enumerate(COLUMNS)}
    angle = -np.arccos(np.clip(at["cosine"], -1.0, 1.0)).astype(np.float64)
    spread = float(angle.std()) or 1.0
    telling_differences = sum(at[f"{kind}_differs"] for kind in ("number", "negation", "direction", "name"))
    closeness = angle - _DIFFERENCE_WEIGHT * spread * telling_differences
    if len(left) < _MIXTURE_MIN_PAIRS or not closeness.std() > 0:
        cut = -float(np.arccos(agreement.meaning_cut(views.vectors, rng)))
        return expit((closeness - cut) / (0.25 * spread))
    humps = GaussianMixture(2, n_init=3, random_state=0).fit(closeness[:, None])
    crests = np.asarray(humps.means_).ravel()
    upper = int(crests.argmax())
    chance = humps.predict_proba(closeness[:, None])[:, upper]
    # The wider hump reaches past the narrower one's far side; nearer is never less likely the same.
    order = np.argsort(closeness, kind="stable")
    crest = int(np.searchsorted(closeness[order], crests.min()))
    rising = chance[order]
    rising[:crest] = np.minimum(rising[:crest], rising[crest] if crest < len(rising) else 0.0)
    made_chance = np.empty_like(chance)
    made_chance[order] = np.maximum.accumulate(rising)
    return made_chance
