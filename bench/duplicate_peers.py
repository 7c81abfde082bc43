"""What others offer for near-duplicates, each as its documentation shows it, and one score for all.

Knows datasketch and SemHash. Every peer gets the same texts; where it has a threshold, the caller tries several.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.domain.near_duplicates import grouping
from app.domain.near_duplicates.signatures import PERMUTATIONS

Groups = tuple[tuple[int, ...], ...]

CHARACTER_SHINGLE = 5
WORD_SHINGLE = 3


def pair_f1(
    groups: Sequence[Sequence[int]], source: Mapping[int, int], family: Sequence[int]
) -> dict[str, float]:
    """Over the pairs of a planted copy (a key of ``source``) with another row.

    The pair with its original is right. Pairs with rows of the original's ``family`` (grown from the same row, or
    equal to it) count neither way: whether those are copies nobody knows. All other pairs are wrong.
    """
    right = wrong = 0
    for group in groups:
        members = set(group)
        sizes: defaultdict[int, int] = defaultdict(int)
        for row in group:
            sizes[family[row]] += 1
        for row in group:
            if row in source:
                right += source[row] in members
                wrong += len(group) - sizes[family[row]]
    recall, precision = right / max(len(source), 1), right / max(right + wrong, 1)
    f1 = 2 * recall * precision / max(recall + precision, 1e-9)
    return {"recall": round(recall, 4), "precision": round(precision, 4), "pair_f1": round(f1, 4)}


def shingles(text: str, kind: str) -> list[bytes]:
    """``characters``: 5-grams; ``words``: 3-grams of what stands between spaces, as text-dedup takes them."""
    if kind == "characters":
        n, parts = CHARACTER_SHINGLE, text
    else:
        n, parts = WORD_SHINGLE, text.lower().split()
    return ["".join(parts[i : i + n]).encode("utf-8", "replace") for i in range(max(1, len(parts) - n + 1))]


def datasketch_signature(text: str, kind: str = "characters") -> Any:
    """A MinHash of as many permutations as ours has bins."""
    from datasketch import MinHash

    made = MinHash(num_perm=PERMUTATIONS)
    made.update_batch(shingles(text, kind))
    return made


def lsh_groups(texts: Sequence[str], threshold: float, kind: str = "characters") -> Groups:
    """MinHashLSH and union-find over what it returns: the published method of text-dedup, too."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    pairs: list[tuple[int, int]] = []
    for row, text in enumerate(texts):
        made = datasketch_signature(text, kind)
        pairs.extend((int(str(other)), row) for other in index.query(made))
        index.insert(row, made)
    return grouping.connected(len(texts), pairs)


class Encoder:
    """The product's default embedder, as SemHash asks for one."""

    def __init__(self) -> None:
        from app.embedding import DEFAULT_EMBEDDER
        from workers.models.embedder import load_embedder

        self._embedder = load_embedder(DEFAULT_EMBEDDER)

    def encode(self, inputs: Sequence[str], **_: object) -> np.ndarray:
        return self._embedder.encode(list(inputs))


def semhash_groups(texts: Sequence[str], threshold: float, encoder: Encoder) -> Groups:
    """``self_deduplicate``: each row it filters goes with the one it says it is a duplicate of."""
    from semhash import SemHash  # pyright: ignore[reportMissingImports] - the extra "bench"

    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        rows[text].append(row)
    found = SemHash.from_records(records=list(texts), model=encoder).self_deduplicate(threshold=threshold)
    pairs = [(same[0], other) for same in rows.values() for other in same[1:]]
    pairs += [(rows[str(f.record)][0], rows[str(f.duplicate_of)][0]) for f in found.filtered]
    return grouping.connected(len(texts), pairs)
