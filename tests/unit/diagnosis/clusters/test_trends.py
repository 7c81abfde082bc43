"""What became of cases and clusters between two diagnoses."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.diagnosis.clusters.matching import JudgedCase, KnownCluster, Snapshot, matches
from app.domain.diagnosis.clusters.trends import CaseChange, Trend, compare, trends
from app.domain.records import RootCause

AXES = np.eye(8, dtype=np.float32)


def case(number: int, category: RootCause = RootCause.OOD, **more: object) -> JudgedCase:
    return JudgedCase(bad_case_id=f"bc_{number}", category=category, **more)  # pyright: ignore[reportArgumentType]


def snapshot(
    name: str,
    sizes: dict[str, int],
    *,
    axes: dict[str, int] | None = None,
    first_case: int = 0,
    embedder: str = "e",
    words: dict[str, tuple[str, ...]] | None = None,
) -> Snapshot:
    """A diagnosis with clusters of these sizes; ``axes`` gives each its centre, without them there is none."""
    cases, number = [], first_case
    for cluster, size in sizes.items():
        cases += [case(number + i, cluster_id=f"{name}-{cluster}") for i in range(size)]
        number += size
    return Snapshot(
        diagnosis_id=name,
        cases=tuple(cases),
        clusters=tuple(
            KnownCluster(
                id=f"{name}-{cluster}",
                label=cluster,
                keywords=(words or {}).get(cluster, (cluster,)),
                size=size,
                centroid=AXES[axes[cluster]] if axes else None,
            )
            for cluster, size in sizes.items()
        ),
        embedder=embedder,
    )


def by_label(current: Snapshot, *history: Snapshot) -> dict[str, Trend]:
    return {t.label: t.trend for t in trends(current, history)}


def test_a_case_is_new_changed_unchanged_fixed_or_gone() -> None:
    before = Snapshot(diagnosis_id="a", cases=(case(1), case(2), case(3), case(4)), clusters=())
    after = Snapshot(
        diagnosis_id="b",
        cases=(case(1), case(2, RootCause.HARD), case(3, RootCause.UNDETERMINED, right=True), case(5)),
        clusters=(),
    )
    made = compare(after, before)
    changes = {c.bad_case_id: (c.change, c.before, c.after) for c in made.cases}
    assert changes == {
        "bc_1": (CaseChange.UNCHANGED, RootCause.OOD, RootCause.OOD),
        "bc_2": (CaseChange.CHANGED, RootCause.OOD, RootCause.HARD),
        "bc_3": (CaseChange.FIXED, RootCause.OOD, RootCause.UNDETERMINED),
        "bc_5": (CaseChange.NEW, None, RootCause.OOD),
        "bc_4": (CaseChange.GONE, RootCause.OOD, None),
    }
    assert made.case_counts == dict.fromkeys(CaseChange, 1)
    assert made.by_category[RootCause.OOD] == (4, 2)


def test_a_case_sent_again_under_its_external_id_is_the_same_case() -> None:
    before = Snapshot(diagnosis_id="a", cases=(case(1, external_id="t-1"),), clusters=())
    after = Snapshot(diagnosis_id="b", cases=(case(9, RootCause.HARD, external_id="t-1"),), clusters=())
    (only,) = compare(after, before).cases
    assert (only.bad_case_id, only.change, only.before) == ("bc_9", CaseChange.CHANGED, RootCause.OOD)


def test_a_first_diagnosis_has_no_trends() -> None:
    assert trends(snapshot("b", {"refunds": 3}), []) == ()


def test_clusters_grow_shrink_stay_appear_and_are_fixed() -> None:
    axes = {"refunds": 0, "cards": 1, "loans": 2, "travel": 3, "pets": 4}
    before = snapshot("a", {"refunds": 5, "cards": 40, "loans": 20, "travel": 6}, axes=axes)
    after = snapshot("b", {"refunds": 25, "cards": 12, "loans": 22, "pets": 4}, axes=axes, first_case=500)
    assert by_label(after, before) == {
        "refunds": Trend.GROWING,
        "cards": Trend.SHRINKING,
        "loans": Trend.STEADY,
        "pets": Trend.NEW,
        "travel": Trend.FIXED,
    }


def test_a_cluster_that_was_away_came_back() -> None:
    axes = {"refunds": 0, "cards": 1}
    oldest = snapshot("a", {"refunds": 5}, axes=axes)
    before = snapshot("b", {"cards": 5}, axes=axes, first_case=100)
    after = snapshot("c", {"refunds": 4, "cards": 5}, axes=axes, first_case=200)
    found = {t.label: t for t in trends(after, [before, oldest])}
    assert (found["refunds"].trend, found["refunds"].since) == (Trend.CAME_BACK, "a")
    assert (found["cards"].trend, found["cards"].since) == (Trend.STEADY, None)


def test_clusters_with_the_same_cases_are_one_whatever_their_words_are() -> None:
    before = snapshot("a", {"refunds": 6}, words={"refunds": ("refund", "money")})
    after = snapshot("b", {"returns": 4}, words={"returns": ("return", "shoes")})
    assert by_label(after, before) == {"returns": Trend.STEADY}


def test_without_centres_the_keywords_decide() -> None:
    words = {"a": ("freeze", "card"), "b": ("freeze", "card", "lost"), "c": ("mortgage", "rate")}
    before = snapshot("x", {"a": 5}, words=words)
    after = snapshot("y", {"b": 5, "c": 5}, words=words, first_case=100)
    assert by_label(after, before) == {"b": Trend.STEADY, "c": Trend.NEW}


def test_centres_of_two_embedders_are_not_compared() -> None:
    words = {"cards": ("one",), "loans": ("two",)}
    before = snapshot("a", {"cards": 5}, axes={"cards": 0}, embedder="use", words=words)
    after = snapshot("b", {"loans": 5}, axes={"loans": 0}, embedder="minilm", words=words, first_case=100)
    assert by_label(after, before) == {"loans": Trend.NEW, "cards": Trend.FIXED}
    longer = snapshot("c", {"loans": 5}, axes={"loans": 0}, embedder="use", words=words, first_case=100)
    assert by_label(longer, before) == {"loans": Trend.STEADY}


def test_of_two_halves_of_a_cluster_the_one_with_more_of_its_cases_is_its_heir() -> None:
    before = snapshot("a", {"cards": 12})
    cases = tuple(case(i, cluster_id="b-first" if i < 4 else "b-second") for i in range(12))
    clusters = tuple(
        KnownCluster(id=f"b-{n}", label=n, keywords=(), size=s) for n, s in (("first", 4), ("second", 8))
    )
    after = Snapshot(diagnosis_id="b", cases=cases, clusters=clusters, embedder="e")
    assert matches(after, before) == {"b-second": "a-cards"}
    assert by_label(after, before)["first"] is Trend.NEW


SIZES = st.dictionaries(st.sampled_from(["p", "q", "r", "s", "t"]), st.integers(1, 30), max_size=5)


@given(SIZES, SIZES, st.booleans())
def test_every_cluster_has_one_trend_and_no_ancestor_has_two_heirs(
    now: dict[str, int], then: dict[str, int], with_centres: bool
) -> None:
    axes = {name: i for i, name in enumerate("pqrst")} if with_centres else None
    current, earlier = snapshot("b", now, axes=axes, first_case=7), snapshot("a", then, axes=axes)
    found = trends(current, [earlier])
    kept = [t for t in found if t.trend is not Trend.FIXED]
    assert [t.cluster_id for t in kept] == [c.id for c in current.clusters]
    ancestors = [t.before_id for t in found if t.before_id]
    assert sorted(ancestors) == sorted(c.id for c in earlier.clusters)
    assert sum(t.size for t in found) == sum(now.values())
    assert sum(t.size_before for t in found) == sum(then.values())


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(RootCause)), max_size=20, unique_by=lambda c: c[0])
)
def test_a_diagnosis_compared_with_itself_changes_nothing(cases: list[tuple[int, RootCause]]) -> None:
    one = Snapshot(diagnosis_id="a", cases=tuple(case(n, c) for n, c in cases), clusters=())
    counts = compare(one, one).case_counts
    assert Counter(counts)[CaseChange.UNCHANGED] == len(cases) == sum(counts.values())


@pytest.mark.parametrize("size", [3, 40])
def test_a_change_that_chance_explains_is_none(size: int) -> None:
    axes = {"cards": 0}
    before, after = snapshot("a", {"cards": size}, axes=axes), snapshot("b", {"cards": size + 1}, axes=axes)
    assert by_label(after, before) == {"cards": Trend.STEADY}
