"""What to do about a case. A new remedy is one new file and one new line in the tuple.

Each file says in its docstring what the remedy means, when it is recommended and how it is done; that is its
page in ``docs/diagnosis``.
"""

from __future__ import annotations

from app.domain.diagnosis.remedies import (
    add_examples,
    ask_person,
    border_examples,
    chain_of_thought,
    check_deployment,
    check_end_of_turn,
    clean_conflicts,
    clean_refusals,
    close_case,
    constrain_output,
    curriculum,
    few_shot,
    fix_request,
    give_expected_output,
    raise_max_tokens,
    raise_rank,
    remove_duplicates,
    replay,
    retrain,
    retrieve,
    state_language,
)
from app.domain.diagnosis.remedies.verdict import Cost, Remedy, Verdict
from app.domain.records import RecommendedAction

# In the order in which they are recommended: what the cause asks for, cheapest sensible remedy first, then
# what the symptoms ask for.
REMEDIES: tuple[Remedy, ...] = (
    fix_request,
    retrieve,
    add_examples,
    few_shot,
    clean_conflicts,
    retrain,
    chain_of_thought,
    border_examples,
    curriculum,
    raise_rank,
    close_case,
    give_expected_output,
    ask_person,
    check_deployment,
    raise_max_tokens,
    check_end_of_turn,
    constrain_output,
    clean_refusals,
    state_language,
    remove_duplicates,
    replay,
)


def name_of(remedy: Remedy) -> str:
    """``fix_request`` and the like: the name of the file."""
    return remedy.__name__.rpartition(".")[2]


def recommended(verdict: Verdict) -> tuple[RecommendedAction, ...]:
    """The remedies that apply, in the order of ``REMEDIES``."""
    return tuple(
        RecommendedAction(action=name_of(remedy), reason=reason_of(remedy, verdict), cost=remedy.COST.value)
        for remedy in REMEDIES
        if remedy.applies(verdict)
    )


def reason_of(remedy: Remedy, verdict: Verdict) -> str:
    return remedy.REASON if isinstance(remedy.REASON, str) else remedy.REASON(verdict)


__all__ = ["REMEDIES", "Cost", "Remedy", "Verdict", "name_of", "reason_of", "recommended"]
