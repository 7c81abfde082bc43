from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.mixing.splits import SplitBy, SplitRow, split_rows, time_of
from app.domain.near_duplicates.grouping import exact_jaccard
from app.domain.near_duplicates.leakage import LEAKAGE_JACCARD, leaked
from tests.effort import examples

NAMES = (
    *("refund", "parcel", "password", "invoice", "coupon", "delivery", "lounge", "mortgage", "passport"),
    *("weather", "battery", "keyboard", "salary", "vaccine", "garden", "museum", "violin", "pension"),
)
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def rows_of(count: int, **metadata: object) -> list[SplitRow]:
    return [SplitRow(prompt=f"{NAMES[i % 18]} {i}", metadata=metadata) for i in range(count)]


@settings(max_examples=examples(60))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES), st.integers(0, 3), st.none() | st.integers(0, 5), st.integers(0, 20)
        ),
        max_size=24,
    ),
    st.sampled_from([0.1, 0.25, 0.5]),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_split_is_a_partition_that_cuts_no_near_duplicates_and_holds_no_more_than_asked(
    drawn: list[tuple[str, int, int | None, int]], share: float, seed: int, timed: bool
) -> None:
    rows = [
        SplitRow(
            prompt=f"Where can I find the {name} that I have asked for {'today' * tail}?",
            metadata={"conversation_id": group} if group is not None else {},
            occurred_at=DAY + timedelta(days=day) if timed else None,
        )
        for name, tail, group, day in drawn
    ]
    split = split_rows(rows, share, seed=seed)
    assert sorted((*split.kept, *split.held)) == list(range(len(rows)))
    assert len(split.held) <= share * len(rows)
    kept = [rows[i].prompt for i in split.kept]
    assert leaked(kept, [rows[i].prompt for i in split.held], frozenset()) == {}
    if split.keys:
        groups = [
            {rows[i].metadata["conversation_id"] for i in side if rows[i].metadata}
            for side in (split.kept, split.held)
        ]
        assert not groups[0] & groups[1]


def test_versions_of_a_template_that_a_sketch_takes_for_others_are_held_together_all_the_same() -> None:
    drawn = (
        *(("lounge", 1), ("lounge", 0), ("lounge", 3), ("salary", 2), ("weather", 2), ("garden", 3)),
        *(("weather", 0), ("refund", 3), ("lounge", 3), ("password", 3), ("pension", 3), ("keyboard", 0)),
        *(("invoice", 1), ("weather", 0), ("delivery", 2), ("weather", 1)),
    )
    prompts = [f"Where can I find the {name} that I have asked for {'today' * tail}?" for name, tail in drawn]
    split = split_rows([SplitRow(prompt=prompt) for prompt in prompts], 0.25, seed=0)
    assert leaked([prompts[i] for i in split.kept], [prompts[i] for i in split.held], frozenset()) == {}


def test_the_newest_are_held_where_rows_have_times() -> None:
    rows = [
        SplitRow(prompt=name, metadata={"created_at": (DAY + timedelta(days=7 * i % 18)).isoformat()})
        for i, name in enumerate(NAMES)
    ]
    split = split_rows(rows, 0.25, seed=0)
    assert split.by is SplitBy.TIME
    assert len(split.held) == 4
    held, kept = ([time_of(rows[i]) or 0.0 for i in side] for side in (split.held, split.kept))
    assert min(held) > max(kept)


def test_a_conversation_is_never_cut_in_two() -> None:
    rows = [SplitRow(prompt=name, metadata={"conversation_id": i // 3}) for i, name in enumerate(NAMES)]
    split = split_rows(rows, 0.5, seed=1)
    assert (split.by, split.keys, len(split.held)) == (SplitBy.GROUP, ("conversation_id",), 9)
    assert not {i // 3 for i in split.held} & {i // 3 for i in split.kept}


def test_a_source_that_is_everybodys_is_no_group_and_upload_times_are_no_order() -> None:
    rows = rows_of(20, source="export.jsonl", timestamp="2026-01-31T12:00:00Z")
    split = split_rows(rows, 0.25, seed=0)
    assert (split.by, split.keys, len(split.held)) == (SplitBy.HASH, (), 5)


def test_groups_too_large_for_what_is_asked_give_way_to_near_duplicates_alone() -> None:
    rows = [SplitRow(prompt=name, metadata={"user_id": i % 3}) for i, name in enumerate(NAMES)]
    split = split_rows(rows, 0.2, seed=0)
    assert (split.by, split.keys, len(split.held)) == (SplitBy.HASH, (), 3)


def test_without_times_the_split_does_not_depend_on_the_order_of_the_rows_but_on_the_seed() -> None:
    rows = rows_of(18)

    def held(of: list[SplitRow], seed: int) -> set[str]:
        return {of[i].prompt for i in split_rows(of, 0.3, seed=seed).held}

    assert held(rows, 0) == held(rows[::-1], 0)
    assert len({frozenset(held(rows, seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({"timestamp": 1_767_225_600}, 1_767_225_600.0),
        ({"ts": 1_767_225_600_000}, 1_767_225_600.0),
        ({"date": "2026-01-01"}, 1_767_225_600.0),
        ({"date": "2026/01/01"}, 1_767_225_600.0),
        ({"time": "2026-01-01T00:00:00+00:00"}, 1_767_225_600.0),
        ({"time": 12}, None),
        ({"time": True}, None),
        ({"time": "yesterday"}, None),
        ({"time": "noon", "created_at": "2026-01-01T00:00:00Z"}, 1_767_225_600.0),
        ({}, None),
    ],
)
def test_a_time_is_read_as_people_write_it(metadata: dict[str, object], seconds: float | None) -> None:
    assert time_of(SplitRow(prompt="x", metadata=metadata)) == seconds


def test_the_groups_are_those_of_the_leak_check() -> None:
    pair = ("Where is the parcel that I have sent?", "Where is the parcel that I have sent you?")
    assert exact_jaccard(*pair) >= LEAKAGE_JACCARD
    rows = [SplitRow(prompt=p) for p in (*pair, *NAMES)]
    for seed in range(8):
        held = set(split_rows(rows, 0.4, seed=seed).held)
        assert len(held & {0, 1}) != 1
