"""Which clusters of two diagnoses are the same: by the cases they share, or by how near their centres are.

Knows a diagnosis as a snapshot of its cases and clusters. Does not know what changed between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from app.domain.records import RootCause

SHARED_CASES = 0.5
"""Clusters with so much of the smaller one's cases in common are one, whatever their words are."""

SHARED_KEYWORDS = 0.5
"""Jaccard index of keywords that makes one cluster of two where nothing better is known."""

NEAR_CENTRES_QUANTILE = 0.999
NEAR_CENTRES = (0.60, 0.85)
NEAR_CENTRES_DEFAULT = 0.70
"""Two clusters of one diagnosis are different ones by definition: centres nearer to each other than nearly all
of those pairs are the same cluster, within these bounds; the default is for a handful of clusters. Halves of
600 cases clustered apart, USE vectors: same kind mostly .75 and more, different kinds under .65."""

FEW_PAIRS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCase:
    """A case of one diagnosis. ``right``: its output was not wrong after all. ``external_id`` is a second key."""

    bad_case_id: str
    category: RootCause
    external_id: str | None = None
    cluster_id: str | None = None
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCluster:
    """``centroid`` (d,) has L2 norm 1; ``None`` where no vectors were kept."""

    id: str
    label: str
    keywords: tuple[str, ...]
    size: int
    centroid: Float32[ndarray, " d"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a diagnosis said. Centres of two snapshots are compared when ``embedder`` is the same."""

    diagnosis_id: str
    cases: tuple[JudgedCase, ...]
    clusters: tuple[KnownCluster, ...]
    embedder: str | None = None


def matches(current: Snapshot, earlier: Snapshot) -> dict[str, str]:
    """Cluster ids of ``current`` to those of ``earlier``, one to one, surest pairs first."""
    cosines = _cosines(current, earlier)
    near = _near_enough(current, earlier)
    members, members_before = _members(current), _members(earlier)
    pairs = []
    for i, cluster in enumerate(current.clusters):
        for j, other in enumerate(earlier.clusters):
            ours, theirs = members.get(cluster.id, set()), members_before.get(other.id, set())
            shared = len(ours & theirs)
            cosine = float(cosines[i, j]) if cosines is not None else 0.0
            words = _jaccard(set(cluster.keywords), set(other.keywords)) if cosines is None else 0.0
            same = shared and shared >= SHARED_CASES * min(len(ours), len(theirs))
            if same or cosine >= near or words >= SHARED_KEYWORDS:
                pairs.append((-shared, -max(cosine, words), i, j))
    taken: dict[int, int] = {}
    for _, _, i, j in sorted(pairs):
        if i not in taken and j not in taken.values():
            taken[i] = j
    return {current.clusters[i].id: earlier.clusters[j].id for i, j in taken.items()}


def _members(of: Snapshot) -> dict[str, set[str]]:
    """The cases of each cluster by every key that they have."""
    members: dict[str, set[str]] = {}
    for case in of.cases:
        if case.cluster_id is not None:
            members.setdefault(case.cluster_id, set()).add(case.external_id or case.bad_case_id)
    return members


def _centres(of: Snapshot) -> Float32[ndarray, "k d"] | None:
    centres = [c.centroid for c in of.clusters if c.centroid is not None]
    return np.stack(centres) if centres and len(centres) == len(of.clusters) else None


def _cosines(current: Snapshot, earlier: Snapshot) -> Float32[ndarray, "k l"] | None:
    ours, theirs = _centres(current), _centres(earlier)
    if ours is None or theirs is None or current.embedder != earlier.embedder:
        return None
    return ours @ theirs.T if ours.shape[1] == theirs.shape[1] else None


def _near_enough(*snapshots: Snapshot) -> float:
    within = []
    for snapshot in snapshots:
        centres = _centres(snapshot)
        if centres is not None:
            within.append((centres @ centres.T)[np.triu_indices(len(centres), 1)])
    cosines = np.concatenate(within) if within else np.empty(0)
    if len(cosines) < FEW_PAIRS:
        return NEAR_CENTRES_DEFAULT
    return float(np.clip(np.quantile(cosines, NEAR_CENTRES_QUANTILE), *NEAR_CENTRES))


def _jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0
