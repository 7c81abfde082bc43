"""From approved actions to the next version's rows, each change with its reason. Pure and repeatable."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, assert_never

from app.domain.records import Message, TrainingExample, content_hash_of
from app.domain.repair.apply.three_way_merge import merged_turns
from app.domain.repair.draft.actions import ActionKind, ProposedAction, needs_answer
from app.domain.repair.policy.decision import Decision
from app.domain.repair.rewriting.texts import with_turns


class ChangeKind(StrEnum):
    REMOVED = "removed"
    ADDED = "added"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """Why a row differs from the parent version. ``action_index`` counts in the actions as given.

    ``example_id`` is the row's id in the new version (the old id, for a removed row);
    ``previous_example_id`` its id in the parent (None for an added row). Where several actions changed a
    row, ``reason`` holds all of them and ``action_index`` is the last one.
    """

    kind: ChangeKind
    example_id: str
    previous_example_id: str | None
    reason: str
    action_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRow:
    """A row of the new version; ``change`` is None where it is the parent's row."""

    example: TrainingExample
    change: RowChange | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRepair:
    """``rows`` in the parent's order, added rows last; ``changes`` in the same order, removals in place."""

    rows: list[AppliedRow]
    changes: list[RowChange]


@dataclass(frozen=True, slots=True)
class _Edit:
    """One action's wish for one row; ``after`` None = remove it."""

    action_index: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class _Addition(NamedTuple):
    """``content`` is to stand ``wanted`` times in the result."""

    action_index: int
    wanted: int
    content: Mapping[str, Any]


def apply_actions(
    examples: Iterable[TrainingExample], actions: Sequence[ProposedAction], *, new_id: Callable[[], str]
) -> AppliedRepair:
    """Apply the actions whose decision is approved (or applied: a rerun); the others change nothing.

    Several actions on one row compose in plan order, turn by turn; a drop wins. A row whose content does
    not change keeps its id, a changed or added one gets ``new_id()``. Actions on rows that are not here
    do nothing, and what an action adds is added once: applied to its own result, a plan changes nothing.
    """
    edits: defaultdict[str, list[_Edit]] = defaultdict(list)
    additions: list[_Addition] = []
    copies: list[tuple[int, str]] = []
    counted = [
        (index, action)
        for index, action in enumerate(actions)
        if action.decision in (Decision.APPROVED, Decision.APPLIED)
        and not needs_answer(action.kind, action.after)
    ]
    dropped = {i for _, action in counted if action.kind is ActionKind.DROP for i in action.example_ids}
    for index, action in counted:
        _read(index, action, dropped, edits, additions, copies)

    rows: list[AppliedRow] = []
    changes: list[RowChange] = []
    copied = dict[str, Mapping[str, Any]]()
    upsampled = {example_id for _, example_id in copies}
    for example in examples:
        row, change = _edited(example, edits.get(example.id, ()), actions, new_id)
        if row is not None:
            rows.append(AppliedRow(example=row, change=change))
            if example.id in upsampled:
                copied[example.id] = row.content()
        if change is not None:
            changes.append(change)

    additions += _copies(copies, copied)
    standing = Counter(row.example.content_hash for row in rows) if additions else Counter()
    for index, wanted, content in additions:
        content_hash = content_hash_of(content)
        while standing[content_hash] < wanted:
            standing[content_hash] += 1
            added = with_content(TrainingExample(id=new_id(), messages=()), content)
            change = RowChange(
                kind=ChangeKind.ADDED,
                example_id=added.id,
                previous_example_id=None,
                reason=actions[index].reason,
                action_index=index,
            )
            rows.append(AppliedRow(example=added, change=change))
            changes.append(change)
    return AppliedRepair(rows=rows, changes=changes)


def _copies(copies: Sequence[tuple[int, str]], copied: Mapping[str, Mapping[str, Any]]) -> list[_Addition]:
    """What the upsampled rows want to stand: each once, and once more for every copy; as they are *now*.

    A row that another action drops gets no copies, one that another action changes is copied changed.
    """
    hashes = {example_id: content_hash_of(content) for example_id, content in copied.items()}
    wanted = Counter(hashes.values())
    made: list[_Addition] = []
    for index, example_id in copies:
        if example_id in hashes:
            wanted[hashes[example_id]] += 1
            made.append(_Addition(index, wanted[hashes[example_id]], copied[example_id]))
    return made


def _read(
    index: int,
    action: ProposedAction,
    dropped: Set[str],
    edits: defaultdict[str, list[_Edit]],
    additions: list[_Addition],
    copies: list[tuple[int, str]],
) -> None:
    match action.kind:
        case ActionKind.DROP:
            for example_id in action.example_ids:
                edits[example_id].append(_Edit(index, None, None))
        case ActionKind.RELABEL | ActionKind.NORMALISE | ActionKind.REDACT:
            for example_id, before, after in zip(
                action.example_ids, action.before, action.after, strict=True
            ):
                edits[example_id].append(_Edit(index, before, after))
        case ActionKind.MERGE:
            # The first row that nothing else drops takes the merged content, the others go.
            keeper = next((i for i in action.example_ids if i not in dropped), None)
            for example_id, before in zip(action.example_ids, action.before, strict=True):
                kept = example_id == keeper
                edits[example_id].append(
                    _Edit(index, before if kept else None, action.after[0] if kept else None)
                )
        case ActionKind.ADD:
            additions.extend(_Addition(index, 1, content) for content in action.after)
        case ActionKind.UPSAMPLE if len(action.example_ids) == len(action.after):
            copies.extend((index, example_id) for example_id in action.example_ids)
        case ActionKind.UPSAMPLE:
            # Only the extra copies are told: a content that stands among them twice ends up three times.
            extra = Counter(content_hash_of(content) for content in action.after)
            unique = {content_hash_of(content): content for content in action.after}
            additions.extend(_Addition(index, 1 + extra[key], content) for key, content in unique.items())
        case _:
            assert_never(action.kind)


def _edited(
    example: TrainingExample,
    edits: Sequence[_Edit],
    actions: Sequence[ProposedAction],
    new_id: Callable[[], str],
) -> tuple[TrainingExample | None, RowChange | None]:
    """The row as the edits leave it (None = removed), and the change to record (None = no change)."""
    removal = next((edit for edit in edits if edit.after is None), None)
    if removal is not None:
        return None, RowChange(
            kind=ChangeKind.REMOVED,
            example_id=example.id,
            previous_example_id=example.id,
            reason=actions[removal.action_index].reason,
            action_index=removal.action_index,
        )
    content: Mapping[str, Any] = example.content()
    effective: list[int] = []
    for edit in edits:
        changed = patched(content, edit.before or {}, edit.after or {}, actions[edit.action_index].kind)
        if changed != content:
            effective.append(edit.action_index)
        content = changed
    if not effective:
        return example, None
    row = replace(with_content(example, content), id=new_id())
    return row, RowChange(
        kind=ChangeKind.CHANGED,
        example_id=row.id,
        previous_example_id=example.id,
        reason="; ".join(actions[index].reason for index in effective),
        action_index=effective[-1],
    )


def patched(
    current: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], kind: ActionKind
) -> dict[str, Any]:
    """``current`` with what differs between ``before`` and ``after``.

    Rewritings of a turn (normalise, redact) compose word by word, other actions turn by turn where the turns
    match. What one action redacted, no other rewriting brings back.
    """
    result = dict(current)
    for key in before.keys() | after.keys():
        if before.get(key) == after.get(key):
            continue
        if key not in after:
            result.pop(key, None)
            continue
        old, new, now = before.get(key), after[key], current.get(key)
        if not (isinstance(old, list) and isinstance(new, list) and isinstance(now, list)) or old == now:
            result[key] = new
        elif key != "tools" and kind in (ActionKind.NORMALISE, ActionKind.REDACT):
            result[key] = merged_turns(old, new, now, prevail=kind is ActionKind.REDACT)
        elif len(old) == len(new) == len(now):
            result[key] = [n if o != n else c for o, n, c in zip(old, new, now, strict=True)]
        else:
            result[key] = new
    return result


def with_content(example: TrainingExample, content: Mapping[str, Any]) -> TrainingExample:
    """The row with other content; id, source and metadata stay.

    The instruction's length stays while the text that it counts does, cleaned or not: an export splits the
    prompt there.
    """
    return with_turns(
        replace(example, tools=content.get("tools"), desirable=content.get("desirable")),
        tuple(map(Message.from_dict, content["messages"])),
        tuple(map(Message.from_dict, content.get("rejected", ()))),
    )
