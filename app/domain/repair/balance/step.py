"""How the rows are spread beside the bad cases; where the policy says so, copies for what is under-represented."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, Final

import numpy as np

from app.domain.mixing.sampling import repeats
from app.domain.repair.balance import balance
from app.domain.repair.draft.actions import ActionKind
from app.domain.repair.draft.draft import Draft, excerpt, task_of
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.balance import BalanceBy

# A row is seen at most this often after balancing: more is learnt by heart.
_BALANCE_MAX_REPEATS: Final = 4

# A group of fewer rows is an accident, not a task or a language that somebody taught.
_BALANCE_MIN_ROWS: Final = 5

# Copies in one action: a page of actions has to stay readable, for a person and for a browser.
_BALANCE_ACTION_COPIES: Final = 500


def propose(draft: Draft, material: PlanInputs) -> None:
    """Leaves the distributions in the draft's notes. A person decides on every copy, whatever the policy."""
    rows = [row for row in range(len(draft.examples)) if row not in draft.dropped]
    cases = material.cases
    groups = {
        "length": (
            [balance.length_bucket(draft.prompts[row]) for row in rows],
            [balance.length_bucket(case.prompt) for case in cases],
        ),
        BalanceBy.TASK.value: (
            [_task_name(draft.tasks[row]) for row in rows],
            [_task_name(task_of(c.system, c.prompt, draft.instructions)) for c in cases],
        ),
        BalanceBy.LANGUAGE.value: (
            [balance.language_of(draft.prompts[row]) for row in rows],
            [balance.language_of(case.prompt) for case in cases],
        ),
    }
    draft.notes["balance"] = {name: balance.compared(*sides) for name, sides in groups.items()}
    policy = draft.policy.balance
    if policy is not None:
        of_row, of_case = groups[policy.by.value]
        _propose_copies(draft, material.rng, dict(zip(rows, of_row, strict=True)), Counter(of_case))


def _propose_copies(
    draft: Draft, rng: np.random.Generator, group_of: dict[int, str], cases: Counter[str]
) -> None:
    policy = draft.policy.balance
    assert policy is not None
    sizes = Counter(group_of.values())
    wanted = balance.copies(
        {group: n for group, n in sizes.items() if n >= _BALANCE_MIN_ROWS},
        policy.alpha,
        _BALANCE_MAX_REPEATS,
    )
    members = _copyable(draft, group_of)
    for group, count in sorted(wanted.items()):
        rows = members[group]
        times = repeats(len(rows), len(rows) + count, _BALANCE_MAX_REPEATS, rng)
        chosen = [row for row, seen in zip(rows, times, strict=True) for _ in range(seen - 1)]
        share, after = sizes[group] / sizes.total(), sizes[group] + len(chosen)
        for start in range(0, len(chosen), _BALANCE_ACTION_COPIES):
            part = chosen[start : start + _BALANCE_ACTION_COPIES]
            evidence: dict[str, Any] = {
                "rule": "balance",
                "by": policy.by.value,
                "group": group,
                "alpha": policy.alpha,
                "rows": sizes[group],
                "share": round(share, 4),
                "rows_after": after,
                "case_share": round(cases[group] / cases.total(), 4) if cases else None,
            }
            draft.upsample(
                part,
                f'{policy.by.value} "{excerpt(group)}" has {sizes[group]} of {sizes.total()} rows '
                f"({share:.1%}); with exponent {policy.alpha:g} it would have {after}: "
                f"{len(part)} more copies of its rows",
                0.5,
                evidence,
            )


def _copyable(draft: Draft, group_of: dict[int, str]) -> dict[str, list[int]]:
    """Rows by group that nothing else changes the meaning of and that stand once: a wrong answer is not doubled."""
    changed = {i for a in draft.actions if a.kind is not ActionKind.NORMALISE for i in a.example_ids}
    seen = Counter(draft.examples[row].content_hash for row in group_of)
    made: defaultdict[str, list[int]] = defaultdict(list)
    for row, group in group_of.items():
        example = draft.examples[row]
        if example.id not in changed and row not in draft.resolved and seen[example.content_hash] == 1:
            made[group].append(row)
    return made


def _task_name(task: str) -> str:
    system, _, instruction = task.partition("\0")
    return excerpt(instruction or system) or "no instruction"
