"""Rows of low quality: proposed to be dropped, and never dropped without a person."""

from __future__ import annotations

import numpy as np

from app.domain.repair.draft import Draft
from app.domain.repair.material import Material
from app.domain.repair.noise import limits
from app.domain.repair.quality import Use
from app.domain.repair.row_quality import quality_scores


def propose(draft: Draft, material: Material) -> None:
    policy = draft.policy.quality
    if policy is None:
        return
    found = quality_scores(draft, material, policy)
    spoken_for = {
        example_id
        for action in draft.actions
        if action.kind.value == "drop"
        for example_id in action.example_ids
    }
    for row in np.flatnonzero(found.scores < policy.drop_below).tolist():
        example = draft.examples[row]
        if row in draft.gone or row in draft.settled or example.id in spoken_for:
            continue
        score, components = float(found.scores[row]), found.shown(row)
        told = ", ".join(f"{name} {value:.2f}" for name, value in components.items() if value is not None)
        draft.drop(
            row,
            f"quality {score:.2f}, below {policy.drop_below:.2f}: {told}",
            min(1.0 - score, limits.STATISTICAL_CEILING),
            {"rule": "quality", "quality": round(score, 4), "use": Use.DROP.value, "components": components},
            ask=True,
        )
