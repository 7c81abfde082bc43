"""The five steps that follow from a diagnosis, in the order data, mixture, training, serving; and the
training defaults that go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain.records import Cluster, RoadmapStep, RootCause

_HARD_SHARE_FOR_RANK: Final = 0.4
_RANK: Final = 16
_RANK_HARD: Final = 32
_EPOCHS: Final = 2
_EPOCHS_HARD: Final = 3
_LEARNING_RATE: Final = 5e-4
_LEARNING_RATE_LARGE_SET: Final = 2e-4
_LARGE_TRAINING_SET_ROWS: Final = 20_000


def roadmap(by_category: Mapping[RootCause, int], clusters: Sequence[Cluster]) -> tuple[RoadmapStep, ...]:
    """Cluster, repair, mix, tune, fall back. ``cost`` is low, medium or high; ``gain`` counts cases."""
    ood, conflict, hard, serving, open_ = (by_category.get(cause, 0) for cause in RootCause)
    total = sum(by_category.values())
    largest = f"; the largest, {clusters[0].label!r}, holds {len(clusters[0].case_ids)}" if clusters else ""
    first = f" Fix the request of {serving} cases before anything is trained." if serving else ""
    person = f" {open_} cases are undetermined: a person decides." if open_ else ""
    repair = []
    if conflict:
        repair.append(f"clean the contradicting rows behind {conflict} conflict cases")
    if ood:
        repair.append(f"add rows for {ood} cases that nothing covers")
    if hard:
        repair.append(f"add worked answers for {hard} hard cases")
    tuning = training_defaults(by_category, rows=0)
    gains = _gains(by_category, clusters)
    return (
        RoadmapStep(
            step=1,
            action="cluster",
            key_point=f"{total} cases fall into {len(clusters)} clusters{largest}.{first}{person}",
            cost="low",
            gain=gains[0],
        ),
        RoadmapStep(
            step=2,
            action="repair",
            key_point=_sentence("; ".join(repair) or "the data gives no reason for a repair"),
            cost="medium" if conflict or ood or hard else "low",
            gain=gains[1],
        ),
        RoadmapStep(
            step=3,
            action="mix",
            key_point="Train on every repaired row, what was added at 5 to 10 % of it (more where an answer is "
            "new, until it is seen as often as the others), and replay the rest so that nothing is forgotten.",
            cost="low",
            gain=gains[2],
        ),
        RoadmapStep(
            step=4,
            action="tune",
            key_point=f"LoRA on all linear layers, rank {tuning['rank']}, alpha {tuning['alpha']}; only "
            "after step 2, because training on contradicting rows learns the contradiction.",
            cost="high",
            gain=gains[3],
        ),
        RoadmapStep(
            step=5,
            action="fall back",
            key_point="Until a case is verified as fixed, answer it at inference time: few-shot examples "
            "from the repaired rows, retrieval for knowledge that changes, or a stronger model.",
            cost="medium",
            gain=gains[4],
        ),
    )


def _gains(by_category: Mapping[RootCause, int], clusters: Sequence[Cluster]) -> tuple[str, ...]:
    """What each of the five steps can bring, at most: cases and their share of all."""
    ood, conflict, hard, serving, _ = (by_category.get(cause, 0) for cause in RootCause)
    total = sum(by_category.values())
    data = ood + conflict + hard
    together = sum(len(c.case_ids) for c in clusters)
    reading = (
        f"Reading {len(clusters)} {'cluster' if len(clusters) == 1 else 'clusters'} tells about "
        f"{_of(together, total)}"
        if together
        else "Every case has to be read by itself"
    )
    request = f"; fixing the request helps up to {_of(serving, total)} without training" if serving else ""
    causes = [
        f"{count} {name}"
        for count, name in ((conflict, "contradicted"), (ood, "not covered"), (hard, "hard"))
        if count
    ]
    answers = [
        f"up to {_of(count, total)} from {what}"
        for count, what in ((conflict + ood, "repaired rows"), (hard, "worked answers and more capacity"))
        if count
    ]
    return (
        f"{reading}{request}.",
        f"Takes away the cause of up to {_of(data, total)}: {', '.join(causes)}."
        if data
        else "None: no case has its cause in the data.",
        "Fixes no case by itself; it keeps the repair from costing what works today.",
        f"Turns the repair into answers: {' and '.join(answers)}."
        if answers
        else "None: no case has its cause in the data.",
        f"Up to {_of(data, total)} can be answered today, before anything is trained."
        if data
        else "None: no case waits for training.",
    )


def _of(count: int, total: int) -> str:
    return f"{count} of {total} cases ({count / total:.0%})" if total else "no case"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def training_defaults(by_category: Mapping[RootCause, int], rows: int) -> dict[str, Any]:
    """LoRA settings that fit what was found, each with its reason. alpha = 2 * rank throughout."""
    decided = sum(by_category.get(c, 0) for c in (RootCause.OOD, RootCause.CONFLICT, RootCause.HARD))
    hard = by_category.get(RootCause.HARD, 0) / decided if decided else 0.0
    reasons = []
    if hard > _HARD_SHARE_FOR_RANK:
        rank, epochs = _RANK_HARD, _EPOCHS_HARD
        reasons.append(f"{hard:.0%} of the data-caused cases are hard: more capacity and one pass more")
    else:
        rank, epochs = _RANK, _EPOCHS
        reasons.append("the data explains most cases: the usual rank is enough once it is repaired")
    rate = _LEARNING_RATE
    if rows > _LARGE_TRAINING_SET_ROWS:
        rate = _LEARNING_RATE_LARGE_SET
        reasons.append(f"{rows} rows make many steps: a smaller learning rate forgets less")
    return {"rank": rank, "alpha": 2 * rank, "learning_rate": rate, "epochs": epochs, "reasons": reasons}
