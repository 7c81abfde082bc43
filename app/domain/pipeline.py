"""The closed loop as a list: which stage follows which, and what a verification leads to.

Knows the order and the policy. Refuses to know tables, queues and workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclePolicy:
    """How a cycle is run. The mappings are handed to their stages, which validate them.

    ``hold_back`` is the share (0..0.5) of each cluster's cases that is never trained on, so that the fix
    is measured on cases that the model has not seen. A cycle tries at most ``max_attempts`` times, as
    long as the fix rate stays below ``target_fix_rate`` or the gate rejects the adapter. ``questions``: with
    ``go_on`` the rows that the plan asks a person about are left out of the mixture, with ``wait`` the cycle stands
    in the stage ``questions`` until every one is answered.
    """

    approval: Approval = Approval.POLICY
    questions: Questions = Questions.GO_ON
    hold_back: float = 0.25
    max_attempts: int = 2
    target_fix_rate: float = 0.8
    seed: int = 0
    before_adapter_id: str | None = None
    retention_dataset_version_id: str | None = None
    pool_dataset_version_id: str | None = None
    repair: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    mixture: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    verification: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CyclePolicy:
        """Raises ValueError naming the unknown key or the value out of range."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"policy: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
        given = dict(values)
        if "approval" in given:
            try:
                given["approval"] = Approval(given["approval"])
            except ValueError:
                raise ValueError("policy.approval: must be 'policy' or 'manual'") from None
        if "questions" in given:
            try:
                given["questions"] = Questions(given["questions"])
            except ValueError:
                raise ValueError("policy.questions: must be 'go_on' or 'wait'") from None
        for name in ("repair", "augmentation", "mixture", "training", "verification"):
            if not isinstance(given.get(name, {}), Mapping):
                raise ValueError(f"policy.{name}: must be an object")
        _check_number(given, "hold_back", 0.0, 0.5)
        _check_number(given, "target_fix_rate", 0.0, 1.0)
        _check_integer(given, "max_attempts", 1, 5)
        _check_integer(given, "seed", 0, 2**31 - 1)
        for name in ("before_adapter_id", "retention_dataset_version_id", "pool_dataset_version_id"):
            if not isinstance(given.get(name), str | None):
                raise ValueError(f"policy.{name}: must be an id")
        return cls(**given)


def _check_number(given: Mapping[str, Any], name: str, low: float, high: float) -> None:
    value = given.get(name, low)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"policy.{name}: must be a number from {low} to {high}")


def _check_integer(given: Mapping[str, Any], name: str, low: int, high: int) -> None:
    value = given.get(name, low)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"policy.{name}: must be a whole number from {low} to {high}")


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
        return Gate.INCONCLUSIVE if self.retention is None else Gate.REJECTED


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
