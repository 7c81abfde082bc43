"""The five steps that follow from a diagnosis, in the order data, mixture, training, serving; and the
training defaults that go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain import thresholds
from app.domain.records import Cluster, RoadmapStep, RootCause


def roadmap(by_category: Mapping[RootCause, int], clusters: Sequence[Cluster]) -> tuple[RoadmapStep, ...]:
    """Cluster, repair, mix, tune, fall back. ``cost`` is low, medium or high."""
    ood, conflict, hard, serving, open_ = (by_category.get(cause, 0) for cause in RootCause)
    total = sum(by_category.values())
    largest = f"; the largest, {clusters[0].label!r}, holds {len(clusters[0].case_ids)}" if clusters else ""
    first = f" Mend the request of {serving} cases before anything is trained." if serving else ""
    person = f" {open_} cases are undetermined: a person decides." if open_ else ""
    repair = []
    if conflict:
        repair.append(f"clean the contradicting rows behind {conflict} conflict cases")
    if ood:
        repair.append(f"add rows for {ood} cases that nothing covers")
    if hard:
        repair.append(f"add worked answers for {hard} hard cases")
    tuning = training_defaults(by_category, rows=0)
    return (
        RoadmapStep(
            step=1,
            action="cluster",
            key_point=f"{total} cases fall into {len(clusters)} clusters{largest}.{first}{person}",
            cost="low",
        ),
        RoadmapStep(
            step=2,
            action="repair",
            key_point=_sentence("; ".join(repair) or "the data gives no reason for a repair"),
            cost="medium" if conflict or ood or hard else "low",
        ),
        RoadmapStep(
            step=3,
            action="mix",
            key_point="Train on every repaired row, what was added at 5 to 10 % of it, and replay the rest "
            "so that nothing is forgotten.",
            cost="low",
        ),
        RoadmapStep(
            step=4,
            action="tune",
            key_point=f"LoRA on all linear layers, rank {tuning['rank']}, alpha {tuning['alpha']}; only "
            "after step 2, because training on contradicting rows learns the contradiction.",
            cost="high",
        ),
        RoadmapStep(
            step=5,
            action="fall back",
            key_point="Until a case is verified as fixed, answer it at inference time: few-shot examples "
            "from the repaired rows, retrieval for knowledge that changes, or a stronger model.",
            cost="medium",
        ),
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def training_defaults(by_category: Mapping[RootCause, int], rows: int) -> dict[str, Any]:
    """LoRA settings that fit what was found, each with its reason. alpha = 2 * rank throughout."""
    decided = sum(by_category.get(c, 0) for c in (RootCause.OOD, RootCause.CONFLICT, RootCause.HARD))
    hard = by_category.get(RootCause.HARD, 0) / decided if decided else 0.0
    reasons = []
    if hard > thresholds.HARD_SHARE_FOR_RANK:
        rank, epochs = thresholds.RANK_HARD, thresholds.EPOCHS_HARD
        reasons.append(f"{hard:.0%} of the data-caused cases are hard: more capacity and one pass more")
    else:
        rank, epochs = thresholds.RANK, thresholds.EPOCHS
        reasons.append("the data explains most cases: the usual rank is enough once it is repaired")
    rate = thresholds.LEARNING_RATE
    if rows > thresholds.LARGE_TRAINING_SET_ROWS:
        rate = thresholds.LEARNING_RATE_LARGE_SET
        reasons.append(f"{rows} rows make many steps: a smaller learning rate forgets less")
    return {"rank": rank, "alpha": 2 * rank, "learning_rate": rate, "epochs": epochs, "reasons": reasons}
