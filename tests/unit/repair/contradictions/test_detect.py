"""Contradicting rows are found in sets that the test makes: topics, paraphrases near them, hard negatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from app.domain.answers import contradiction
from app.domain.language import label_names
from app.domain.repair.contradictions import detect, label_synonyms, paraphrase
from app.domain.repair.contradictions.detect import ContradictionKind

DIMENSIONS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Faq:
    prompts: list[str]
    vectors: np.ndarray
    outputs: list[str]
    topics: np.ndarray


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _faq(rng: np.random.Generator, topics: int = 150, rows: int = 4, spread: float = 0.35) -> Faq:
    """Topics in pairs that lie near each other (hard negatives); a row is its topic and some noise."""
    pairs = rng.normal(size=(topics // 2, DIMENSIONS))
    centres = np.repeat(pairs, 2, axis=0) + 0.75 * rng.normal(size=(topics, DIMENSIONS))
    of = np.repeat(np.arange(topics), rows)
    vectors = _unit(centres[of] + spread * rng.normal(size=(len(of), DIMENSIONS)))
    words = [f"thing{t // 2} aspect{t}" for t in of]
    fillers = [["please", "now", "kindly", "today", "maybe"][i] for i in rng.integers(0, 5, len(of))]
    return Faq(
        prompts=[f"{f} tell about {w}" for f, w in zip(fillers, words, strict=True)],
        vectors=vectors,
        outputs=[f"answer-{t:03d}" for t in of],
        topics=of,
    )


def _labels(outputs: list[str]) -> label_synonyms.Labels:
    return label_synonyms.Labels(names=detect.labels_of(outputs))


def _find(faq: Faq, outputs: list[str], seed: int = 0) -> detect.Contradictions:
    views = paraphrase.look(faq.prompts, {"made": faq.vectors})
    return detect.find(views, faq.prompts, outputs, _labels(outputs), np.random.default_rng(seed))


def _mislabelled(faq: Faq, rng: np.random.Generator, count: int) -> tuple[list[str], np.ndarray]:
    """One row of ``count`` topics gets the answer of another topic: which rows those are."""
    outputs = list(faq.outputs)
    chosen = rng.choice(faq.topics.max() + 1, count, replace=False)
    moved = np.array([rng.choice(np.flatnonzero(faq.topics == t)) for t in chosen])
    for row in moved:
        others = np.flatnonzero(faq.topics != faq.topics[row])
        outputs[row] = faq.outputs[rng.choice(others)]
    return outputs, moved


@pytest.mark.parametrize("seed", [0, 1])
def test_rows_with_another_topics_answer_are_found_and_blamed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    faq = _faq(rng)
    outputs, moved = _mislabelled(faq, rng, 20)

    found = _find(faq, outputs, seed)

    wrong = set(np.flatnonzero(found.is_wrong > 0.5).tolist())
    assert len(wrong & set(moved.tolist())) >= 16
    assert len(wrong - set(moved.tolist())) <= 4
    by_row = {c.row: c for c in found.rows}
    shown = [by_row[r] for r in moved.tolist() if r in by_row]
    assert all(c.kind is ContradictionKind.ROWS for c in shown)
    same_topic = [faq.topics[c.opposing[0]] == faq.topics[c.row] for c in shown]
    assert np.mean(same_topic) > 0.9


def test_hard_negatives_that_rightly_differ_are_left_alone() -> None:
    rng = np.random.default_rng(3)
    faq = _faq(rng)
    outputs, moved = _mislabelled(faq, rng, 15)

    found = _find(faq, outputs)

    untouched = np.array([t not in faq.topics[moved] for t in faq.topics])
    assert (found.contradicted[untouched] > 0.5).mean() < 0.05


def test_a_set_without_contradictions_is_left_alone() -> None:
    faq = _faq(np.random.default_rng(4))

    assert (_find(faq, faq.outputs).contradicted > 0.5).mean() < 0.02


def test_the_same_seed_says_the_same() -> None:
    rng = np.random.default_rng(5)
    faq = _faq(rng, topics=60)
    outputs, _ = _mislabelled(faq, rng, 8)

    first, second = _find(faq, outputs, 7), _find(faq, outputs, 7)

    np.testing.assert_array_equal(first.contradicted, second.contradicted)
    assert first.rows == second.rows


@pytest.mark.parametrize("rows", [0, 1, 2, 30])
def test_sets_too_small_to_learn_from_say_nothing(rows: int) -> None:
    faq = _faq(np.random.default_rng(6), topics=20, rows=2)
    small = Faq(
        prompts=faq.prompts[:rows],
        vectors=faq.vectors[:rows],
        outputs=faq.outputs[:rows],
        topics=faq.topics[:rows],
    )

    found = _find(small, small.outputs)

    assert found.contradicted.shape == (rows,)
    assert not found.contradicted.any()
    assert found.rows == ()


def test_rows_that_are_all_equal_do_not_contradict() -> None:
    prompts, outputs = ["the same question"] * 100, ["the same answer"] * 100
    vectors = np.tile(_unit(np.ones((1, 8))), (100, 1))
    views = paraphrase.look(prompts, {"made": vectors})

    found = detect.find(views, prompts, outputs, _labels(outputs), np.random.default_rng(0))

    assert not found.contradicted.any()


def _intents(
    rng: np.random.Generator, names: dict[str, int], rows: int = 20, apart: float = 0.15
) -> tuple[list[str], np.ndarray]:
    """``names``: label -> intent it names; labels of one intent differ in style, ``apart`` of what intents do."""
    centres = rng.normal(size=(max(names.values()) + 1, DIMENSIONS))
    outputs, made = [], []
    for name, intent in names.items():
        style = apart * rng.normal(size=DIMENSIONS)
        made.append(centres[intent] + style + 0.9 * rng.normal(size=(rows, DIMENSIONS)))
        outputs += [name] * rows
    return outputs, _unit(np.vstack(made))


def test_labels_that_name_one_thing_are_grouped_and_others_are_not() -> None:
    names = {"PlaySong": 0, "play_music": 0, "weather": 1, "GetWeather": 1} | {
        f"intent_{chr(97 + i)}": 2 + i for i in range(16)
    }
    outputs, vectors = _intents(np.random.default_rng(0), names)
    prompts = [f"row {i}" for i in range(len(outputs))]
    views = paraphrase.look(prompts, {"made": vectors})

    found = detect.find(views, prompts, outputs, _labels(outputs), np.random.default_rng(0))

    assert {g.labels for g in found.groups} == {("PlaySong", "play_music"), ("GetWeather", "weather")}
    assert found.groups[0].evidence[0].score >= 0.5
    in_group = np.isin(outputs, ["PlaySong", "play_music", "weather", "GetWeather"])
    np.testing.assert_array_equal(found.contradicted >= 0.5, in_group)
    first, second = found.groups[0].evidence[0].rows
    assert {outputs[first], outputs[second]} == set(found.groups[0].labels)


def test_names_of_the_same_words_are_one_thing_where_the_rows_are_about_the_same() -> None:
    names = {"change_pin": 0, "PinChange": 0, "reset_card": 0, "time_zone": 1, "timezone": 2} | {
        f"intent_{chr(97 + i)}": 3 + i for i in range(16)
    }
    outputs, vectors = _intents(np.random.default_rng(0), names, apart=0.7)
    views = paraphrase.look(outputs, {"made": vectors})

    found = label_synonyms.find(views, detect.codes(outputs), _labels(outputs), np.random.default_rng(0))

    assert [g.labels for g in found] == [("PinChange", "change_pin")]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("PlaySong", "song_play", True),
        ("time_zone", "timezone", True),
        ("email/SEND", "send-email", True),
        ("C++", "C", False),
        ("+", "-", False),
        ("12", "1 2", False),
        ("play_song", "play_songs_list", False),
        ("USD_to_EUR", "usd-to-eur", True),
        ("USD_to_EUR", "EUR_to_USD", False),
        ("A", "A-", False),
        (".net", "net", False),
        ("v1.2", "v12", False),
        ("1-2 days", "12 days", False),
    ],
)
def test_the_order_of_words_and_what_sets_them_apart_make_no_other_name(
    one: str, other: str, same: bool
) -> None:
    assert label_names.same_words(one, other) is same


def test_labels_whose_names_are_opposites_are_never_grouped() -> None:
    names = {"lights_on": 0, "lights_off": 0} | {f"intent_{chr(97 + i)}": 1 + i for i in range(10)}
    outputs, vectors = _intents(np.random.default_rng(1), names)
    views = paraphrase.look(outputs, {"made": vectors})

    found = label_synonyms.find(views, detect.codes(outputs), _labels(outputs), np.random.default_rng(0))

    assert found == ()


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("PlaySong", "play song"),
        ("play_song", "play song"),
        ("getHTTPStatus", "get http status"),
        ("查天气", "查天气"),
    ],
)
def test_a_label_is_spoken_as_words(label: str, words: str) -> None:
    assert label_names.spoken(label) == words


@pytest.mark.parametrize(
    ("prompt", "left", "right"),
    [
        ("Calculate 3 * 5 + 4", "3 * 5 is 15, and 15 + 4 = 19", "The result is 27"),
        ("Is the review positive or negative? I loved it.", "Positive.", "Negative"),
        ("Sort from small to large: 3, 1, 2", "1, 2, 3", "1, 3, 2"),
        ("Is Lyon the capital of France?", "Yes, it is.", "No, Paris is."),
        ("计算 12 加 30 等于多少", "答案是 42", "一共 43"),
        ("How many days is it?", "It is fourteen days.", "It is thirty days."),
        ("三年期的利率是多少？", "利率是百分之二点一。", "利率是百分之二点八。"),
        ("这句话是陈述句还是疑问句", "陈述句", "疑问句"),
    ],
)
def test_answers_that_cannot_both_be_right_contradict(prompt: str, left: str, right: str) -> None:
    assert contradiction.contradiction(prompt, left, right)


@pytest.mark.parametrize(
    ("prompt", "left", "right"),
    [
        ("Write a haiku about 3 cats", "Three cats on the mat", "Soft paws, 5 small bells"),
        ("Generate 3 numbers and calculate their sum", "1, 2, 3: 6", "4, 5, 6: 15"),
        ("Convert 85 F to Celsius", "It is 29.4 degrees", "29.44"),
        ("Classify as mammal or reptile: frog", "Reptile", "A frog is a reptile."),
        ("Name an extreme sport", "Skydiving", "Bungee jumping"),
        ("写一首关于 3 只猫的诗", "三只猫", "5 个铃铛"),
        ("Calculate 7 + 8", "15", "The sum of 7 and 8 is 15."),
    ],
)
def test_another_wording_and_open_requests_do_not_contradict(prompt: str, left: str, right: str) -> None:
    assert contradiction.contradiction(prompt, left, right) is None


def test_free_answers_to_one_question_are_compared_whatever_the_set() -> None:
    prompts = ["Calculate 12 * 3 for me", "Calculate 12 * 3 for me", "Describe the sea", "Describe a tree"]
    outputs = ["It is 36", "It is 38", "Wide and blue", "Tall and green"]
    vectors = _unit(np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0.2], [0, 0.2, 1]]))
    views = paraphrase.look(prompts, {"made": vectors})

    found = detect.find(views, prompts, outputs, _labels(outputs), np.random.default_rng(0))

    assert [(c.row, c.opposing, c.kind) for c in found.rows] == [
        (0, (1,), ContradictionKind.ANSWERS),
        (1, (0,), ContradictionKind.ANSWERS),
    ]


def test_the_same_text_under_two_labels_contradicts_in_any_set() -> None:
    prompts = ["cancel my order", "cancel my order", "stop this order", "track my parcel", "where is it"]
    outputs = ["cancel", "track", "cancel", "track", "track"]
    vectors = _unit(np.array([[1.0, 0, 0], [1, 0, 0], [1, 0.4, 0], [0, 0.1, 1], [0, 0, 1]]))
    views = paraphrase.look(prompts, {"made": vectors})

    found = detect.find(views, prompts, outputs, _labels(outputs), np.random.default_rng(0))

    assert {c.row for c in found.rows} == {0, 1}


def test_the_same_question_answered_in_other_words_is_no_contradiction() -> None:
    prompts = ["Is the review positive or negative? Fine."] * 2 + ["Rate it: good", "Rate it: fine"]
    outputs = ["Positive", "The review can be called positive.", "Positive", "Positive"]
    vectors = _unit(np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    views = paraphrase.look(prompts, {"made": vectors})

    found = detect.find(views, prompts, outputs, _labels(outputs), np.random.default_rng(0))

    assert found.rows == ()


def test_an_ids_number_is_no_answer() -> None:
    assert contradiction.contradiction("How many days do I have?", "FAQ-00012", "FAQ-00431") is None
