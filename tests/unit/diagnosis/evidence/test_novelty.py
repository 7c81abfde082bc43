"""What is new about a prompt."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.diagnosis.evidence import novelty
from app.domain.language import scripts
from app.domain.language.sentence_patterns import pattern_of

THINGS = ("parcel", "refund", "invoice", "password", "coupon")
PROMPTS = [f"where is my {THINGS[i % 5]} number {i} and when does it arrive at my home" for i in range(200)]
CHINESE = [f"我的{('快递', '发票', '密码', '退款')[i % 4]}什么时候可以处理好{i}" for i in range(200)]
TRAINED = novelty.vocabulary([*PROMPTS, *CHINESE])
WIDE = frozenset(("Latin", "Han"))


def test_new_words_are_named_and_known_ones_word_forms_and_numbers_are_not() -> None:
    found = novelty.unseen_terms("where are my parcels, refunded 77 quaternions arriving", TRAINED)
    assert found[0] == "quaternions"
    assert not {"parcels", "refunded", "77", "arriving", "where", "are"} & set(found)


def test_a_slip_of_the_pen_comes_after_new_words() -> None:
    assert novelty.unseen_terms("invvoice pasword octopus passwrod", TRAINED)[0] == "octopus"


def test_chinese_characters_that_follow_each_other_nowhere_are_one_term() -> None:
    assert "量子纠缠" in novelty.unseen_terms("我的量子纠缠什么时候可以处理好", TRAINED)
    assert novelty.unseen_terms(CHINESE[3], TRAINED) == ()


def test_where_two_known_chinese_words_meet_there_is_no_new_term() -> None:
    known = novelty.vocabulary(["请打开网页", "猫扑网", "视频软件", "播放音乐", "人们阅读"])
    assert novelty.unseen_terms("打开猫扑", known) == ()
    assert novelty.unseen_terms("视频播放", known) == ()
    assert novelty.unseen_terms("人们固执地迷恋着阅读", known) == ("固执", "迷恋")
    assert novelty.unseen_terms("答错扣，答错", known) == ("答错扣",)


def test_at_most_eight_terms_are_shown() -> None:
    words = " ".join(f"{a}{b}zzork" for a in "abcd" for b in "efgh")
    assert len(novelty.unseen_terms(words, TRAINED)) == 8


def test_length_pattern_and_language_out_of_range_are_remarked() -> None:
    found = novelty.novelty("Où est mon colis ? Je ne le trouve pas dans la boîte " * 9, TRAINED, WIDE)
    said = " ".join(found.remarks)
    assert "longer than all prompts" in said
    assert "no training prompt is in French" in said
    assert found.language_share == 0.0
    ordinary = novelty.novelty(PROMPTS[0], TRAINED, WIDE)
    assert ordinary.remarks == ()
    assert ordinary.pattern_share > 0.4
    assert ordinary.language_share == pytest.approx(0.5)


def test_a_script_that_the_embedder_does_not_know_is_said() -> None:
    found = novelty.novelty("สวัสดีครับ พัสดุของฉันอยู่ที่ไหน", TRAINED, WIDE)
    assert found.embedder_knows is False
    assert "the embedder does not know Thai: distances say little" in found.remarks
    assert novelty.novelty("where", TRAINED).embedder_knows is None


@pytest.mark.parametrize(
    ("prompt", "pattern"),
    [
        ("How do I reset it?", "question: how"),
        ("how many eggs are 3 and 4", "question: how many with numbers"),
        ("Could you help me", "question: yes or no"),
        ("please play some jazz", "request"),
        ("I lost my card", "statement"),
        ("Tom has 3 pens and buys 4. How many does he have?", "text and question: how with numbers"),
        ("Which one?\n(A) red\n(B) blue", "choice"),
        ("Solve $x^2 = y$", "equation"),
        ("```python\nprint(1)\n```", "code"),
        ("怎么开发票", "question: how"),
        ("为什么还没到", "question: why"),
        ("小明有3个苹果，又买了5个，一共有多少个？", "question: how many with numbers"),
        ("帮我打开空调", "request"),
        ("", "empty"),
        ("!!!", "no words"),
    ],
)
def test_a_prompt_has_a_pattern(prompt: str, pattern: str) -> None:
    assert pattern_of(prompt.casefold()) == pattern


def test_features_of_new_prompts_are_larger_than_of_training_prompts_read_without_themselves() -> None:
    new = ["explain quaternion rotations in robotics", "写一首关于大海的诗歌"]
    own = novelty.novelty_features([*PROMPTS[:50], *CHINESE[:50]], TRAINED, own=True)
    far = novelty.novelty_features(new, TRAINED)
    share = novelty.NOVELTY_FEATURES.index("unseen_share")
    assert own[:, share].max() < 0.5 < far[:, share].min()


def test_a_training_prompt_read_with_itself_has_nothing_unseen() -> None:
    assert not novelty.novelty_features(PROMPTS, TRAINED)[:, 0].any()


HOSTILE = [
    "",
    " ",
    "🙂" * 40,
    "\ud800",
    "שלום, עולם",
    "1" * 1_000_000,
    "很" * 400_000,
    "a b " * 250_000,
    "混 mixed смесь 혼합",
]


@pytest.mark.parametrize("prompt", HOSTILE)
def test_texts_of_any_kind_have_their_novelty(prompt: str) -> None:
    for trained in (TRAINED, novelty.vocabulary([]), novelty.vocabulary([prompt])):
        found = novelty.novelty(prompt, trained, WIDE)
        "".join((*found.unseen, *found.remarks)).encode()
        assert len(found.unseen) <= 8
        values = novelty.novelty_features([prompt], trained)
        assert np.isfinite(values).all()


@given(st.lists(st.text(max_size=60), max_size=8), st.booleans())
def test_features_are_shares_and_do_not_depend_on_the_order(prompts: list[str], own: bool) -> None:
    trained = novelty.vocabulary(prompts)
    made = novelty.novelty_features(prompts, trained, own=own)
    assert made.shape == (len(prompts), len(novelty.NOVELTY_FEATURES))
    assert ((made >= 0) & (made <= 1)).all()
    turned = novelty.novelty_features(prompts[::-1], novelty.vocabulary(prompts[::-1]), own=own)
    assert made[::-1] == pytest.approx(turned)


def test_a_vocabulary_is_plain_data() -> None:
    again = pickle.loads(pickle.dumps(TRAINED))  # noqa: S301
    assert again.terms == TRAINED.terms
    assert again.patterns == TRAINED.patterns


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("Wo ist mein Paket und warum ist es nicht bei der Post", "German"),
        ("¿Dónde está mi paquete? No lo encuentro y es para una fiesta", "Spanish"),
        ("where is it and when will it be here with you", "English"),
        ("refund_status", "Latin"),
        ("我的 iPhone 在哪里", "Chinese"),
        ("荷物はどこですか", "Japanese"),
        ("소포가 어디에 있나요", "Korean"),
        ("где моя посылка", "Cyrillic"),
        ("أين طردي", "Arabic"),
        ("Πού είναι το δέμα μου", "Greek"),
        ("12 + 3", ""),
        ("\ud800", ""),
    ],
)
def test_what_a_text_is_written_in(said: str, language: str) -> None:
    assert scripts.writing(said) == language
