"""Bad cases that fail alike."""

import time

import numpy as np

from app.domain.diagnosis.clusters import naming
from app.domain.diagnosis.clusters.clustering import Clustering, cluster_cases
from app.domain.records import BadCase, RootCause
from tests.unit.diagnosis.builders import THINGS, case, embed, utterance


def _cases(*labels: str, each: int = 5) -> list[BadCase]:
    rng = np.random.default_rng(2)
    return [case(f"{n}-{i}", utterance(THINGS[n], rng), "x", n) for n in labels for i in range(each)]


def _cluster(cases: list[BadCase]) -> Clustering:
    inputs = [c.prompt for c in cases]
    return cluster_cases(cases, inputs, embed(inputs), [RootCause.OOD] * len(cases))


def test_topics_come_apart_and_stay_together() -> None:
    cases = _cases("refund", "password", "invoice")
    found = _cluster(cases)
    topics = [{case_id.split("-")[0] for case_id in c.case_ids} for c in found.clusters]
    assert all(len(topic) == 1 for topic in topics)
    assert sum(len(c.case_ids) for c in found.clusters) >= 12


def test_a_cluster_is_named_by_its_own_words() -> None:
    for cluster in _cluster(_cases("refund", "password")).clusters:
        topic = cluster.case_ids[0].split("-")[0]
        assert cluster.keywords[0] in THINGS[topic]
        assert cluster.label.startswith(cluster.keywords[0])


def test_five_cases_are_enough_to_cluster() -> None:
    found = _cluster([*_cases("refund", each=3), *_cases("password", each=2)])
    assert [len(c.case_ids) for c in found.clusters] == [3, 2]


def test_counts_members_and_exemplars_add_up() -> None:
    cases = _cases("refund", "password")
    found = _cluster(cases)
    for number, cluster in enumerate(found.clusters):
        members = [c.id for c, of in zip(cases, found.of_case, strict=True) if of == number]
        assert sorted(members) == list(cluster.case_ids)
        assert set(cluster.exemplar_ids) <= set(cluster.case_ids)
        assert cluster.category_counts == {RootCause.OOD: len(cluster.case_ids)}


def test_chinese_clusters_are_named_by_chinese_words() -> None:
    prompts = [
        "我的快递到哪里了",
        "快递什么时候到",
        "快递怎么还没到",
        "怎么开发票",
        "发票抬头写错了",
        "电子发票在哪里下载",
    ]
    cases = [case(f"c{i}", p, "x") for i, p in enumerate(prompts)]
    # Bags of characters are near enough here: the words are what is tested.
    found = _cluster(cases)
    assert {c.keywords[0] for c in found.clusters} == {"快递", "发票"}


def test_equal_prompts_make_one_cluster_and_a_lone_case_none() -> None:
    same = [case(f"c{i}", "where is my parcel", "x") for i in range(4)]
    assert [len(c.case_ids) for c in _cluster(same).clusters] == [4]
    assert _cluster(same[:1]).clusters == ()
    assert _cluster([]).clusters == ()
    assert _cluster([case("c1", "", "x"), case("c2", "", "x")]).clusters == ()


def test_more_cases_than_fit_the_distance_matrix_join_the_nearest_cluster() -> None:
    cases = _cases("refund", "password", each=900)
    found = _cluster(cases)
    assert (found.of_case >= 0).mean() > 0.95


def _topics(rows: int, count: int) -> tuple[list[BadCase], np.ndarray, np.ndarray]:
    """Cases around ``count`` directions, and what each is about."""
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(count, 64))
    topic = rng.integers(count, size=rows)
    vectors = centres[topic] + rng.normal(size=(rows, 64)) * 0.35
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cases = [case(f"c{i:05}", f"topic{topic[i]} word{i % 7}", "x") for i in range(rows)]
    return cases, vectors.astype(np.float32), topic


def _grouped(cases: list[BadCase], vectors: np.ndarray) -> Clustering:
    return cluster_cases(cases, [c.prompt for c in cases], vectors, [RootCause.HARD] * len(cases))


def test_dense_regions_are_found_at_ten_thousand_cases_within_seconds() -> None:
    cases, vectors, topic = _topics(10_000, 12)
    began = time.process_time()
    found = _grouped(cases, vectors)
    assert time.process_time() - began < 60.0
    assert len(found.clusters) == 12
    assert all(len(set(topic[found.of_case == c])) == 1 for c in range(12))


def test_the_order_of_the_cases_changes_no_cluster() -> None:
    cases, vectors, _ = _topics(300, 6)
    order = np.random.default_rng(1).permutation(300)
    straight = _grouped(cases, vectors)
    shuffled = _grouped([cases[i] for i in order], vectors[order])
    assert [c.case_ids for c in straight.clusters] == [c.case_ids for c in shuffled.clusters]
    assert [c.label for c in straight.clusters] == [c.label for c in shuffled.clusters]
    assert straight.of_case[order].tolist() == shuffled.of_case.tolist()


def test_a_case_that_is_like_no_other_stands_alone() -> None:
    cases, vectors, topic = _topics(200, 4)
    means = np.stack([vectors[topic == t].mean(axis=0) for t in range(4)])
    # Orthogonal to all of them.
    stray = np.linalg.svd(means)[2][-1:].astype(np.float32)
    found = _grouped([*cases, case("stray", "quite another thing", "x")], np.vstack([vectors, stray]))
    assert found.of_case[-1] == -1


def test_pairs_of_words_and_whole_chinese_words_name_a_cluster() -> None:
    english = [f"please freeze my credit card {i}" for i in range(4)]
    chinese = ["信用卡丢了怎么办", "我的信用卡被盗了", "信用卡不见了", "信用卡能挂失吗"]
    first, second = naming.keywords([english, chinese], [*english, *chinese])
    assert first[0] in {"freeze", "credit card", "freeze credit"}
    assert "credit card" in first
    assert second[0] == "信用卡"


def test_texts_of_any_kind_can_be_clustered() -> None:
    texts = [
        "",
        "🙂" * 9,
        "\ud800",
        "שלום עולם",
        "a" * 1_000_000,
        "混 mixed смесь",
        "\u202eabc",
        "1 2 3",
    ] * 10
    cases = [case(f"c{i:03}", t, "x") for i, t in enumerate(texts)]
    found = cluster_cases(cases, texts, embed(texts), [RootCause.OOD] * len(cases))
    assert sum(len(c.case_ids) for c in found.clusters) + int((found.of_case < 0).sum()) == len(cases)
    assert all(len(c.label) <= 200 for c in found.clusters)
