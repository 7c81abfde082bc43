"""Rows whose text a tokenizer sees differently though a reader does not are written in one form."""

from __future__ import annotations

from dataclasses import replace

from app.domain.repair.draft import Draft
from app.domain.repair.material import Material
from app.domain.repair.normalise import normalise_example


def propose(draft: Draft, material: Material) -> None:  # noqa: ARG001
    if not draft.policy.normalise:
        return
    for row, example in enumerate(draft.examples):
        found = normalise_example(example)
        if found is not None:
            cleaned = replace(example, messages=found.messages, rejected=found.rejected)
            draft.normalised(row, cleaned, found.changes)
    draft.read()
