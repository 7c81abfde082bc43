"""Bad cases that fail alike."""

import numpy as np

from app.domain.diagnosis.clusters import Clustering, cluster_cases
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
