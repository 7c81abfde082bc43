"""Cases that no training row covers: a plan adds no rows, so it says what else does, and for which cases nothing can.

Writes no action.
"""

from __future__ import annotations

from app.domain.records import RootCause
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs


def propose(draft: Draft, material: PlanInputs) -> None:
    uncovered = {f.bad_case_id for f in material.findings if f.root_cause is RootCause.OOD}
    cases = [case for case in material.cases if case.id in uncovered]
    if not cases:
        return
    mute = [case.id for case in cases if case.expected_output is None]
    said = [f"no row of this plan is for the {len(cases)} cases that no training row covers"]
    if len(cases) > len(mute):
        said.append(
            f"an augmentation of the version adds rows for the {len(cases) - len(mute)} with an expected output"
        )
    if mute:
        said.append(f"{len(mute)} of them need an expected output first")
    draft.notes["uncovered"] = {
        "cases": len(cases),
        "bad_case_ids": [case.id for case in cases],
        "without_expected_output": mute,
        "needed": "; ".join(said),
    }
