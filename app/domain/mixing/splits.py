"""Which rows are kept aside for a measurement: by time and by group where there are any, never at random.

A random split tells how well a set is learnt by heart: two wordings of one question, or two turns of one
conversation, on both sides are a leak, and tomorrow's questions are asked after today's. Knows the names that
people give to times and groups. Does not cut a group in two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from app.domain.answers.agreement import near_duplicates
from app.domain.language import text
from app.domain.near_duplicates.grouping import connected, exact_jaccard
from app.domain.near_duplicates.leakage import LEAKAGE_JACCARD, matching_key, overlaps

TIME_KEYS = ("occurred_at", "timestamp", "created_at", "created", "datetime", "date", "time", "ts")
GROUP_KEYS = (
    *("conversation_id", "conversation", "session_id", "thread_id", "dialogue_id", "ticket_id"),
    *("document_id", "doc_id", "user_id", "customer_id", "group_id", "group", "source"),
)

# A set is split by time where at least this share of its rows carries one.
_TIMED_SHARE = 0.9
# A group that holds more than this share of the rows leaves nothing to choose: everybody's "source" is one.
_GROUP_MAX_SHARE = 0.5
# Seconds from 1980 on: what is smaller is a turn number or an offset, no time of day. Beyond: milliseconds.
_EPOCH_SECONDS = (315_532_800.0, 32_503_680_000.0)


class SplitBy(StrEnum):
    """``time``: the newest groups are held. ``group``: drawn by the hash of declared groups. ``hash``: drawn by
    the hash of near-duplicate groups."""

    TIME = "time"
    GROUP = "group"
    HASH = "hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """What a split looks at. ``occurred_at`` counts for more than a time in the metadata."""

    prompt: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """``of`` the group number of each row; ``order`` the groups as they are held, first one first.

    ``keys`` are the metadata keys that made groups, () where near-duplicates alone did.
    """

    of: tuple[int, ...]
    order: tuple[int, ...]
    by: SplitBy
    keys: tuple[str, ...]


Choose = Callable[[Groups], list[int]]
"""The rows to hold, whole groups at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Row numbers, ascending; every row is in one of the two, and no group in both."""

    kept: tuple[int, ...]
    held: tuple[int, ...]
    by: SplitBy
    keys: tuple[str, ...]


def split_rows(rows: Sequence[SplitRow], share: float, *, seed: int) -> Split:
    """Hold ``share`` (0..1) of the rows, whole groups at a time, never more than that.

    Where declared groups are too large to make up half of what is asked for, near-duplicates alone are held
    together.
    """
    wanted = int(share * len(rows))

    def choose(groups: Groups) -> list[int]:
        return take(groups, range(len(rows)), wanted)

    near = same_question([row.prompt for row in rows])
    made, held = uncut(rows, near, choose, seed=seed)
    if 2 * len(held) < wanted:
        made, held = uncut(rows, near, choose, seed=seed, declared=False)
    inside = set(held)
    return Split(
        kept=tuple(i for i in range(len(rows)) if i not in inside),
        held=tuple(sorted(held)),
        by=made.by,
        keys=made.keys,
    )


def take(groups: Groups, rows: Iterable[int], count: int) -> list[int]:
    """At most ``count`` of ``rows``, whole groups in their order; a group that does not fit is passed over."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        members[groups.of[row]].append(row)
    taken: list[int] = []
    for group in groups.order:
        if group in members and len(taken) + len(members[group]) <= count:
            taken += members[group]
    return taken


def uncut(
    rows: Sequence[SplitRow],
    near: Sequence[tuple[int, int]],
    choose: Choose,
    *,
    seed: int,
    declared: bool = True,
) -> tuple[Groups, list[int]]:
    """The groups, and the rows that ``choose`` holds of them, so that no other row asks what one of these does.

    ``near``: what ``same_question`` finds, by sketches, which miss a pair now and then. So every kept row is
    compared with every held one; where two are near, their groups become one and it is chosen anew.
    """
    pairs = list(near)
    while True:
        groups = _grouped(rows, pairs, seed=seed, declared=declared)
        held = choose(groups)
        cut = _cut(rows, held)
        if not cut:
            return groups, held
        pairs += cut


def _cut(rows: Sequence[SplitRow], held: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of a kept row and the held one that it is nearest to, of those that count as one question."""
    inside = set(held)
    kept = [row for row in range(len(rows)) if row not in inside]
    found = overlaps([rows[i].prompt for i in kept], [rows[i].prompt for i in held])
    return [(kept[i], held[overlap.target]) for i, overlap in found.items() if overlap.same_question]


def _grouped(
    rows: Sequence[SplitRow], near: Sequence[tuple[int, int]], *, seed: int, declared: bool
) -> Groups:
    """Rows that must stay together: ``near`` pairs of them and, where ``declared``, one value of a group key.

    Groups are ordered newest first where the rows have times, by when each began: then nothing that is held is
    older than all of what is kept. Else by a hash of ``seed`` and their prompts, which does not depend on the
    order of the rows and changes little as rows are added.
    """
    pairs = list(near)
    keys: list[str] = []
    if declared:
        for key in GROUP_KEYS:
            found = _declared(rows, key)
            if found:
                keys.append(key)
                pairs += found
    of = list(range(len(rows)))
    for component in connected(len(rows), pairs):
        for row in component:
            of[row] = component[0]
    times = _times(rows)
    names: dict[int, str] = {}
    began: dict[int, float] = {}
    for row, group in enumerate(of):
        name = matching_key(rows[row].prompt)
        names[group] = min(names.get(group, name), name)
        if times is not None:
            began[group] = min(began.get(group, times[row]), times[row])
    order = sorted(
        names, key=lambda g: (-began.get(g, 0.0), text.stable_hash(f"{seed}\0{names[g]}"), names[g], g)
    )
    by = SplitBy.TIME if times is not None else SplitBy.GROUP if keys else SplitBy.HASH
    return Groups(of=tuple(of), order=tuple(order), by=by, keys=tuple(keys))


def same_question(prompts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of prompts that count as one in a leak check: equal when normalised, or near in characters.

    Not every pair, but nearly enough that connecting them gives the groups.
    """
    first: dict[str, int] = {}
    pairs: list[tuple[int, int]] = []
    for row, prompt in enumerate(prompts):
        twin = first.setdefault(matching_key(prompt), row)
        if twin != row:
            pairs.append((twin, row))
    # The sketch errs by a few hundredths: ask for a little less, then measure.
    candidates: list[list[int]] = near_duplicates(prompts, 0.9 * LEAKAGE_JACCARD).pairs.tolist()
    pairs += [(a, b) for a, b in candidates if exact_jaccard(prompts[a], prompts[b]) >= LEAKAGE_JACCARD]
    return pairs


def time_of(row: SplitRow) -> float | None:
    """Seconds since 1970 (UTC) of the row, from ``occurred_at`` or the first key of ``TIME_KEYS`` that is a time."""
    if row.occurred_at is not None:
        return _seconds(row.occurred_at)
    return next((t for key in TIME_KEYS if (t := _parsed(row.metadata.get(key))) is not None), None)


def _times(rows: Sequence[SplitRow]) -> list[float] | None:
    """A time for every row, or None where too few have one or all have the same (an upload's)."""
    found = [time_of(row) for row in rows]
    known = [t for t in found if t is not None]
    if not known or len(known) < _TIMED_SHARE * len(rows) or len(set(known)) < 2:
        return None
    # A row without a time counts as old: it is kept.
    return [min(known) if t is None else t for t in found]


def _parsed(value: object) -> float | None:
    match value:
        case bool():
            return None
        case int() | float():
            seconds = value / 1000 if value >= _EPOCH_SECONDS[1] else float(value)
            return seconds if _EPOCH_SECONDS[0] <= seconds < _EPOCH_SECONDS[1] else None
        case datetime():
            return _seconds(value)
        case date():
            return _seconds(datetime(value.year, value.month, value.day, tzinfo=UTC))
        case str():
            try:
                return _seconds(datetime.fromisoformat(value.strip().replace("/", "-")))
            except ValueError:
                return None
        case _:
            return None


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _declared(rows: Sequence[SplitRow], key: str) -> list[tuple[int, int]]:
    """Pairs of rows with one value of ``key``; none where nobody shares one or one group holds most rows."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        value = row.metadata.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            members[f"{value}"].append(i)
    if not members or max(map(len, members.values())) > _GROUP_MAX_SHARE * len(rows):
        return []
    return [(group[0], other) for group in members.values() for other in group[1:]]
