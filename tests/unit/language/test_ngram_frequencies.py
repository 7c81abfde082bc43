"""N-grams as hashes: novelty and overlap of texts in any script."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language import ngram_frequencies


def test_overlap_is_estimated_well_in_any_script() -> None:
    left = "please freeze my credit card because I lost it somewhere in the city centre yesterday evening"
    right = left.replace("yesterday evening", "this very morning")
    chinese = "请帮我冻结我的信用卡，因为我昨天晚上在市中心把它弄丢了，谢谢你们的帮助"
    for a, b in ((left, right), (chinese, chinese.replace("昨天晚上", "今天早上"))):
        sets = [{f" {t.casefold().strip('。')} "[i : i + 3] for i in range(len(t))} for t in (a, b)]
        exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        sketches, _ = ngram_frequencies.read([a, b])
        assert ngram_frequencies.jaccard(sketches[0], sketches[1]) == pytest.approx(exact, abs=0.12)


def test_a_text_of_unseen_grams_is_new_and_a_row_left_out_is_measured_by_the_others() -> None:
    rows = ["freeze my card", "unfreeze my card", "order status", "订单状态"]
    _, known = ngram_frequencies.read(rows)
    fresh = known.novelty(ngram_frequencies.grams_of(["zzz qqq xxx", "freeze my card"]))
    assert fresh[0, :2] == pytest.approx([1.0, 1.0])
    assert fresh[1, :2] == pytest.approx([0.0, 0.0])
    left_out = known.novelty(ngram_frequencies.grams_of(rows), own=True)
    assert left_out[3, 0] == 1.0
    assert left_out[0, 0] < left_out[2, 0]


def test_a_lexicon_of_some_rows_is_that_of_a_set_of_these_rows() -> None:
    rows = ["one two", "three four", "five six"]
    some = ngram_frequencies.lexicon(ngram_frequencies.grams_of(rows), np.array([True, False, True]))
    alone = ngram_frequencies.lexicon(ngram_frequencies.grams_of([rows[0], rows[2]]))
    assert some.rows == alone.rows == 2
    assert (some.frequencies == alone.frequencies).all()


@given(st.lists(st.text(max_size=30), max_size=6))
def test_any_text_is_read(texts: list[str]) -> None:
    sketches, known = ngram_frequencies.read(texts)
    assert sketches.shape[0] == len(texts)
    found = known.novelty(ngram_frequencies.grams_of(texts))
    assert found.shape == (len(texts), 3)
    assert (found[:, :2] == 0).all()
    if texts:
        assert (ngram_frequencies.jaccard(sketches, sketches) <= 1).all()
