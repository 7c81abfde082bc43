"""A version made from a version: its rows in their places, and a reason for every change."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import DatasetVersionRow
from app.db.repositories import bulk
from app.db.repositories import examples as example_rows
from app.db.repositories import versions as version_rows
from app.db.repositories.example_encoding import EncodedExample, encode
from app.db.repositories.examples import Placed
from app.domain.records import TrainingExample
from app.errors import Conflict
from app.services.versions.statistics import RunningStatistics


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between a version and its parent.

    ``kind`` is ``added``, ``removed`` or ``changed``. ``example`` is the new content (added, changed); it
    gets a fresh id where its own is taken, as that of a copied row is, unless it is ``stored``: the row
    itself, come back. ``previous_example_id`` is the row of the parent (removed, changed). ``place`` is
    where an added row stands, if it stood there before; the end otherwise.
    """

    kind: str
    reason: str
    example: TrainingExample | None = None
    previous_example_id: str | None = None
    action_id: str | None = None
    stored: bool = False
    place: int | None = None

    def __post_init__(self) -> None:
        kind = ChangeKind(self.kind)
        if (self.example is None) != (kind is ChangeKind.REMOVED):
            raise ValueError(f"{kind.value}: 'example' is the new content; only a removal has none")
        if (self.previous_example_id is None) != (kind is ChangeKind.ADDED):
            raise ValueError(
                f"{kind.value}: 'previous_example_id' names the parent's row; only an addition has none"
            )
        if self.place is not None and kind is not ChangeKind.ADDED:
            raise ValueError(f"{kind.value}: the row has its place; only an added one is given one")


class ContentHash:
    """SHA-256 over the record hashes of a version's rows, a newline after each, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, record_hash: str) -> None:
        self._hash.update(record_hash.encode() + b"\n")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolved:
    """The changes with the ids under which their rows are kept.

    ``replaced``: what stands in the place of the parent's row, None = nothing. ``returning`` in the order
    of their places.
    """

    examples: list[TrainingExample | None]
    encoded: Mapping[str, EncodedExample]
    replaced: Mapping[str, TrainingExample | None]
    returning: list[tuple[int, TrainingExample]]
    added: list[TrainingExample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a child would be."""

    rows: int
    content_hash: str


def create_child(
    session: Session,
    parent: DatasetVersionRow,
    *,
    changes: Sequence[Change],
    recipe: dict[str, Any],
    dataset_id: str | None = None,
) -> DatasetVersionRow:
    """A new version: the parent's rows without the removed ones, changed rows in their places, added ones last.

    Every change is written down with its reason. ``dataset_id`` defaults to the parent's.
    """
    dataset_id = dataset_id or parent.dataset_id
    resolved = _resolve(_with_free_ids(session, changes), changes)

    content_hash, statistics = ContentHash(), RunningStatistics()
    for example, record_hash in _standing(example_rows.iter_placed(session, parent.id, batch=5000), resolved):
        content_hash.add(record_hash)
        statistics.add(example)
    figures = statistics.as_dict(formats=parent.statistics.get("formats"))
    figures["changes"] = dict(Counter(ChangeKind(change.kind).value for change in changes))
    version = DatasetVersionRow(
        id=version_rows.new_version_id(),
        project_id=parent.project_id,
        dataset_id=dataset_id,
        parent_id=parent.id,
        rows=figures["rows"],
        content_hash=content_hash.hexdigest(),
        recipe=recipe,
        statistics=figures,
    )
    session.add(version)
    session.flush()
    _write(session, version, changes, resolved)
    return version


def outlook(session: Session, parent: DatasetVersionRow, changes: Sequence[Change]) -> Outlook:
    """What ``create_child`` would make; nothing is written."""
    resolved = _resolve([change.example for change in changes], changes)
    content_hash, rows = ContentHash(), 0
    for _, record_hash in _standing(example_rows.iter_hashes(session, parent.id), resolved):
        content_hash.add(record_hash)
        rows += 1
    return Outlook(rows=rows, content_hash=content_hash.hexdigest())


def _resolve(examples: list[TrainingExample | None], changes: Sequence[Change]) -> _Resolved:
    replaced: dict[str, TrainingExample | None] = {}
    returning: list[tuple[int, TrainingExample]] = []
    added: list[TrainingExample] = []
    for change, example in zip(changes, examples, strict=True):
        if change.previous_example_id is not None:
            if change.previous_example_id in replaced:
                raise ValueError("two changes name the same previous_example_id; merge them into one")
            replaced[change.previous_example_id] = example
        elif example is not None and change.place is not None:
            returning.append((change.place, example))
        elif example is not None:
            added.append(example)
    return _Resolved(
        examples=examples,
        encoded={example.id: encode(example) for example in examples if example is not None},
        replaced=replaced,
        returning=sorted(returning, key=lambda pair: pair[0]),
        added=added,
    )


def _standing(parent_rows: Iterable[Placed], resolved: _Resolved) -> Iterator[tuple[TrainingExample, str]]:
    """The child's rows in order, each with its record hash."""
    encoded, unseen = resolved.encoded, set(resolved.replaced)
    returning = iter([*resolved.returning, None])
    following = next(returning)
    for position, example, record_hash in parent_rows:
        while following is not None and following[0] <= position:
            if following[0] == position:
                raise Conflict(f"row {following[1].id} cannot come back: another row stands in its place")
            yield following[1], encoded[following[1].id].record_hash
            following = next(returning)
        if example.id not in resolved.replaced:
            yield example, record_hash
            continue
        unseen.discard(example.id)
        now = resolved.replaced[example.id]
        if now is not None:
            yield now, encoded[now.id].record_hash
    if unseen:
        raise ValueError(f"{len(unseen)} changed rows are not in the parent, {min(unseen)} among them")
    while following is not None:
        yield following[1], encoded[following[1].id].record_hash
        following = next(returning)
    for example in resolved.added:
        yield example, encoded[example.id].record_hash


def _write(
    session: Session, version: DatasetVersionRow, changes: Sequence[Change], resolved: _Resolved
) -> None:
    assert version.parent_id is not None
    pairs = list(zip(changes, resolved.examples, strict=True))
    bulk.copy_examples(
        session,
        version.dataset_id,
        ((e, resolved.encoded[e.id]) for change, e in pairs if e is not None and not change.stored),
    )
    version_rows.inherit_members(
        session,
        version_id=version.id,
        parent_id=version.parent_id,
        replaced=[(was, None if now is None else now.id) for was, now in resolved.replaced.items()],
    )
    start = version_rows.last_position(session, version.parent_id) + 1
    places = [(place, example.id) for place, example in resolved.returning]
    places += [(place, example.id) for place, example in enumerate(resolved.added, start)]
    bulk.copy_members(session, version.id, places)
    bulk.copy_changes(
        session,
        (
            (
                version.id,
                ordinal,
                ChangeKind(change.kind).value,
                None if example is None else example.id,
                change.previous_example_id,
                change.reason,
                change.action_id,
            )
            for ordinal, (change, example) in enumerate(pairs)
        ),
    )


def _with_free_ids(session: Session, changes: Sequence[Change]) -> list[TrainingExample | None]:
    """The new content of each change, under its own id or a fresh one where that is taken."""
    own = [change.example.id for change in changes if change.example is not None and not change.stored]
    taken = example_rows.existing_ids(session, own) | {i for i, n in Counter(own).items() if n > 1 or not i}
    fresh = version_rows.example_ids()
    return [
        replace(change.example, id=next(fresh))
        if change.example is not None and not change.stored and change.example.id in taken
        else change.example
        for change in changes
    ]
