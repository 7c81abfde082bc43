"""The closed loop as a list: which stage follows which, and what a verification leads to.

A new stage is a member and a place here, a table (``db.models``, a migration), a queue (``app.queue``), a row in
``services.work``, inputs in ``services.cycles.stage_inputs``, ``advance.STAGE_OF`` and a file of ``workers/stages``.

Knows the order and the policy. Does not know tables, queues and workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.domain.augmentation.plan import AugmentationOptions
from app.domain.mixing.mixture import MixtureRecipe
from app.domain.repair.policy.repair_policy import RepairPolicy
from app.domain.section import Section, Seed, Share
from app.domain.training_config import Hyperparameters
from app.domain.verification.options import VerificationOptions


class CycleStage(StrEnum):
    """``questions`` comes between repair and augment, where the policy waits for answers; it has no work of its
    own."""

    DIAGNOSE = "diagnose"
    REPAIR = "repair"
    QUESTIONS = "questions"
    AUGMENT = "augment"
    MIX = "mix"
    TRAIN = "train"
    VERIFY = "verify"


ORDER: tuple[CycleStage, ...] = (
    CycleStage.DIAGNOSE,
    CycleStage.REPAIR,
    CycleStage.AUGMENT,
    CycleStage.MIX,
    CycleStage.TRAIN,
    CycleStage.VERIFY,
)


def stage_after(stage: CycleStage) -> CycleStage | None:
    """The next stage with work of its own, or None after the last one."""
    at = ORDER.index(stage)
    return ORDER[at + 1] if at + 1 < len(ORDER) else None


def after_repair() -> CycleStage:
    """What an applied plan opens, whoever applied it."""
    following = stage_after(CycleStage.REPAIR)
    assert following is not None
    return following


RETRY_FROM = CycleStage.MIX
"""Where a further attempt begins: with another mixture and other training settings of the same data."""


class Approval(StrEnum):
    """Who decides on the repair plan: the policy (actions it is confident of), or a person."""

    POLICY = "policy"
    MANUAL = "manual"


class Questions(StrEnum):
    """What a cycle does while its plan asks a person: go on without the rows in question, or wait."""

    GO_ON = "go_on"
    WAIT = "wait"


class Gate(StrEnum):
    """Whether the adapter may be served. ``inconclusive``: nothing was measured that could tell."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"


class CyclePolicy(Section):
    """How a cycle is run."""

    approval: Approval = Approval.POLICY
    questions: Questions = Questions.GO_ON
    """What happens while the repair plan asks a person: the rows in question are left out, or the cycle
    stands in the stage ``questions`` until every one is answered."""
    hold_back: Annotated[float, Field(strict=True, ge=0, le=0.5)] = 0.25
    """Share of each cluster's cases that is never trained on, so that the fix is measured on unseen cases."""
    max_attempts: Annotated[int, Field(strict=True, ge=1, le=5)] = 2
    """A further attempt is made while the fix rate is below ``target_fix_rate`` or the gate rejects the adapter."""
    target_fix_rate: Share = 0.8
    seed: Seed = 0
    before_adapter_id: str | None = None
    retention_dataset_version_id: str | None = None
    pool_dataset_version_id: str | None = None
    repair: RepairPolicy = Field(default_factory=RepairPolicy)
    augmentation: AugmentationOptions = Field(default_factory=AugmentationOptions)
    mixture: MixtureRecipe = Field(default_factory=MixtureRecipe)
    training: Hyperparameters = Field(default_factory=Hyperparameters)
    verification: VerificationOptions = Field(default_factory=VerificationOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleVerdict:
    """What the verification of one attempt came to. Rates are 0..1, None where nothing could be judged."""

    fix_rate: float | None
    held_back_fix_rate: float | None
    retention: float | None
    gate_accepted: bool

    @property
    def gate(self) -> Gate:
        if self.gate_accepted:
            return Gate.ACCEPTED
        nothing_fixed = self.fix_rate == 0
        return Gate.INCONCLUSIVE if self.retention is None and not nothing_fixed else Gate.REJECTED


def wants_another_attempt(verdict: CycleVerdict, *, attempt: int, policy: CyclePolicy) -> bool:
    """``not_fixed`` opens another attempt, up to the policy's cap. ``attempt`` counts from 1."""
    if attempt >= policy.max_attempts:
        return False
    fixed = verdict.fix_rate is None or verdict.fix_rate >= policy.target_fix_rate
    return not (fixed and verdict.gate_accepted)


def is_better(new: CycleVerdict, old: CycleVerdict | None) -> bool:
    """Whether an attempt replaces the best one so far: an accepted gate first, then the fix rates."""
    if old is None:
        return True

    def rank(v: CycleVerdict) -> tuple[bool, float, float]:
        held_back = v.held_back_fix_rate if v.held_back_fix_rate is not None else 0.0
        fixed = v.fix_rate if v.fix_rate is not None else 0.0
        return (v.gate_accepted, held_back, fixed)

    return rank(new) > rank(old)
