"""Rows that are one row written twice: the first one stays."""

from __future__ import annotations

from app.domain import text
from app.domain.records import canonical_json
from app.domain.repair import near_duplicates
from app.domain.repair.draft import Draft, excerpt
from app.domain.repair.material import Material
from app.domain.repair.near_duplicates import Dropped, DropReason


def propose(draft: Draft, material: Material) -> None:  # noqa: ARG001
    """Also leaves the groups of rows that ask the same in the draft, for those who settle contradictions."""
    _drop_exact_duplicates(draft)
    draft.groups = _prompt_groups(draft)
    _drop_near_duplicates(draft, draft.groups)


def _drop_exact_duplicates(draft: Draft) -> None:
    hashes = [example.content_hash for example in draft.examples]
    for dropped in near_duplicates.exact_duplicates(hashes):
        # A row that leaks goes, and so does its copy: neither "stays".
        if dropped.row not in draft.gone:
            _drop_duplicate(draft, dropped)


def _prompt_groups(draft: Draft) -> near_duplicates.PromptGroups:
    # Without a threshold only prompts that are equal when normalised ask the same.
    threshold = draft.policy.near_duplicate_threshold
    # Preference pairs are compared by both answers: two pairs on one prompt are no duplicates.
    standing = [i for i, e in enumerate(draft.examples) if i not in draft.gone and not e.rejected]
    found = near_duplicates.same_prompts(
        [draft.prompts[i] for i in standing],
        [f"{draft.tasks[i]}\0{canonical_json(draft.examples[i].tools)}" for i in standing],
        1.0 if threshold is None else threshold,
    )
    pairs = {(standing[a], standing[b]): value for (a, b), value in found.jaccards.items()}
    return near_duplicates.without_templates(
        near_duplicates.PromptGroups(
            groups=near_duplicates.connected(len(draft.examples), pairs), jaccards=pairs
        ),
        draft.tasks,
        [text.normalised(output) for output in draft.outputs()],
    )


def _drop_near_duplicates(draft: Draft, groups: near_duplicates.PromptGroups) -> None:
    if draft.policy.near_duplicate_threshold is None:
        return
    same_answer = {
        pair: jaccard
        for pair, jaccard in groups.jaccards.items()
        if text.normalised(draft.examples[pair[0]].output) == text.normalised(draft.examples[pair[1]].output)
    }
    # Ascending: a row goes only for the sake of an earlier row that itself stays.
    for (first, second), jaccard in sorted(same_answer.items()):
        if first not in draft.gone and second not in draft.gone:
            _drop_duplicate(
                draft, Dropped(row=second, reason=DropReason.NEAR_DUPLICATE, of=first, jaccard=jaccard)
            )


def _drop_duplicate(draft: Draft, dropped: Dropped) -> None:
    kept = draft.examples[dropped.of]
    how = "exact duplicate" if dropped.reason is DropReason.EXACT_DUPLICATE else "near-duplicate"
    draft.drop(
        dropped.row,
        f'{how} of {kept.id} ("{excerpt(draft.prompts[dropped.of])}"), which stays',
        # Half of the way to equal is half sure: only the nearest pairs go without a person.
        2 * dropped.jaccard - 1,
        {"rule": dropped.reason.value, "of": kept.id, "jaccard": round(dropped.jaccard, 3)},
    )
