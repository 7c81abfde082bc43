"""What is visibly wrong with an output."""

import time
from string import ascii_lowercase

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.diagnosis import symptoms
from app.domain.records import BadCase, ServingRequest, Symptom
from tests.unit.diagnosis.builders import case, example

ANSWERS = [
    f"You can track parcel number {i} on our website, where we show each station of its journey."
    for i in range(40)
]
_SYLLABLES = [c + v for c in "bcdfghklmnprstvw" for v in ("a", "e", "i", "o", "u", "er", "on")]
SPEECH = [
    f"{_SYLLABLES[i % 112]}{_SYLLABLES[(7 * i + 3) % 112]} {_SYLLABLES[(5 * i + 1) % 112]}"
    for i in range(400)
]
FREE = symptoms.profile([example(i, f"where is parcel {i}", answer) for i, answer in enumerate(ANSWERS)])
WORDY = symptoms.profile([example(i, spoken, f"{spoken} {i}") for i, spoken in enumerate(SPEECH)])
LABELS = symptoms.profile([example(i, f"text {i}", ("refund", "delivery")[i % 2]) for i in range(20)])
JSON_ROWS = symptoms.profile([example(i, f"text {i}", f'{{"id": {i}}}') for i in range(20)])
WORKED = symptoms.profile([example(i, f"{i} + 1", f"I add one.\nFinal answer: {i + 1}") for i in range(20)])
RIGHT = "You can track it on our website."
LONG_RIGHT = "You can track it on our website and you will see where it is and when it will be at your door."
TAGGED = symptoms.profile([example(i, f"q {i}", f"<answer>city {i}</answer>") for i in range(30)])
OPTIONS = symptoms.profile([example(i, f"q {i}", f"({'ABCD'[i % 4]})") for i in range(30)])
STORIES = [
    f"On a {SPEECH[3 * i]} morning the keeper of house {i} walked to {SPEECH[3 * i + 1]} and sold a "
    f"{SPEECH[3 * i + 2]} lamp to a traveller who had {SPEECH[i + 90]} coins and {SPEECH[i + 150]} bread."
    for i in range(40)
]
TOLD = symptoms.profile([example(i, f"tell story {i}", story) for i, story in enumerate(STORIES)])


@pytest.mark.parametrize(
    ("symptom", "trained", "failed"),
    [
        (Symptom.GIBBERISH, WORDY, case("c", "q", "zqxj vkqz wxqj zzkq qjxv kxzq", RIGHT)),
        (Symptom.GIBBERISH, FREE, case("c", "q", "You can \ufffd\ufffd\ufffd tr\ufffdck", RIGHT)),
        (Symptom.REPETITION, FREE, case("c", "q", "we show each station " * 12, RIGHT)),
        (Symptom.REPETITION, FREE, case("c", "q", "请稍后再试一次" * 8, "好的")),
        (Symptom.TRUNCATION, FREE, case("c", "q", "You can track it on", RIGHT)),
        (Symptom.TRUNCATION, FREE, case("c", "q", "x", "y", request=ServingRequest(finish_reason="length"))),
        (Symptom.TRUNCATION, FREE, case("c", "q", "```python\nprint(1)", RIGHT)),
        (Symptom.FORMAT_VIOLATION, JSON_ROWS, case("c", "q", "id is 3", '{"id": 3}')),
        (Symptom.FORMAT_VIOLATION, JSON_ROWS, case("c", "q", "id is 3")),
        (Symptom.FORMAT_VIOLATION, LABELS, case("c", "q", "It seems to be about a refund", "refund")),
        (
            Symptom.FORMAT_VIOLATION,
            WORKED,
            case("c", "3 + 1", "That makes 4.", "I add one.\nFinal answer: 4"),
        ),
        (Symptom.REFUSAL, FREE, case("c", "q", "I'm sorry, but I can't help with that.", RIGHT)),
        (Symptom.REFUSAL, FREE, case("c", "q", "抱歉，我无法回答这个问题。", "可以退款")),
        (Symptom.WRONG_LANGUAGE, FREE, case("c", "q", "您可以在我们的网站上查询", RIGHT)),
        (Symptom.WRONG_LANGUAGE, FREE, case("c", "请问我的包裹在哪里呢", "You can track it on our website.")),
        (
            Symptom.MISSING_KNOWLEDGE,
            WORDY,
            case("c", "who leads it", "Bob", "Professor Quillfeather Aldermoor"),
        ),
        (
            Symptom.COPIED_TRAINING_OUTPUT,
            FREE,
            case("c", "where is parcel 77", ANSWERS[3], "Parcel 77 is lost."),
        ),
    ],
)
def test_a_symptom_is_seen(symptom: Symptom, trained: symptoms.OutputProfile, failed: BadCase) -> None:
    assert symptom in symptoms.symptoms_of(failed, trained)


@pytest.mark.parametrize(
    ("trained", "failed"),
    [
        (FREE, case("c", "where is it", "We show each station of its journey.", RIGHT)),
        (LABELS, case("c", "q", "refund", "delivery")),
        (LABELS, case("c", "我的包裹在哪里", "refund")),
        (JSON_ROWS, case("c", "q", '{"id": 4}', '{"id": 3}')),
        (WORKED, case("c", "3 + 1", "I add two.\nFinal answer: 5", "I add one.\nFinal answer: 4")),
        (FREE, case("c", "q", "I can not help you.", "I cannot help with that.")),
    ],
)
def test_an_output_that_is_merely_wrong_has_no_symptom(
    trained: symptoms.OutputProfile, failed: BadCase
) -> None:
    assert symptoms.symptoms_of(failed, trained) == ()


def test_a_shorter_label_is_not_a_truncated_longer_one() -> None:
    trained = symptoms.profile([example(i, f"t {i}", ("refund", "refund status")[i % 2]) for i in range(20)])
    assert symptoms.symptoms_of(case("c", "q", "refund", "refund status"), trained) == ()


def _detail(symptom: Symptom, failed: BadCase, trained: symptoms.OutputProfile) -> symptoms.SymptomFinding:
    return next(f for f in symptoms.symptom_findings(failed, trained) if f.symptom is symptom)


@pytest.mark.parametrize(
    ("symptom", "trained", "failed", "proof"),
    [
        (
            Symptom.GIBBERISH,
            FREE,
            case("c", "q", "caf\u00c3\u00a9 \u00c3\u00a9t\u00c3\u00a9", RIGHT),
            "Latin-1",
        ),
        (
            Symptom.REPETITION,
            FREE,
            case("c", "q", "please wait a bit. " * 9, RIGHT),
            "'please wait a bit.' stands 9",
        ),
        (
            Symptom.REPETITION,
            FREE,
            case("c", "q", "好的" + "哈" * 30, "好的"),
            "'哈' stands 30 times in a row",
        ),
        (
            Symptom.TRUNCATION,
            FREE,
            case("c", "q", 'He said {"a": [1, 2', RIGHT),
            "'[' is open at the end: '[1, 2'",
        ),
        (Symptom.TRUNCATION, FREE, case("c", "q", "第一步先确认（订单", "可以"), "'（' is open at the end"),
        (
            Symptom.TRUNCATION,
            FREE,
            case("c", "q", "You can call us, write to us, and", "x"),
            "middle of a sentence",
        ),
        (Symptom.FORMAT_VIOLATION, JSON_ROWS, case("c", "q", '{"id": 3,}', '{"id": 3}'), "line 1, column"),
        (Symptom.FORMAT_VIOLATION, JSON_ROWS, case("c", "q", '{"ident": 3}', '{"id": 3}'), "lacks 'id'"),
        (Symptom.FORMAT_VIOLATION, JSON_ROWS, case("c", "q", '{"id": 3, "x": 1}'), "has 'x', which no"),
        (
            Symptom.FORMAT_VIOLATION,
            JSON_ROWS,
            case("c", "q", '{"id": "3"}'),
            "is a string in the output and a number",
        ),
        (
            Symptom.FORMAT_VIOLATION,
            JSON_ROWS,
            case("c", "q", "[3]", '{"id": 3}'),
            "JSON array where a JSON object",
        ),
        (
            Symptom.FORMAT_VIOLATION,
            TAGGED,
            case("c", "q", "Paris", "<answer>Rome</answer>"),
            "lacks <answer>",
        ),
        (Symptom.FORMAT_VIOLATION, TAGGED, case("c", "q", "<b><answer>Rome</answer>"), "<b> has no partner"),
        (Symptom.FORMAT_VIOLATION, OPTIONS, case("c", "q", "I think B", "(B)"), "no single option letter"),
        (Symptom.FORMAT_VIOLATION, OPTIONS, case("c", "q", "B", "(C)"), "the training rows write '(X)'"),
        (Symptom.FORMAT_VIOLATION, WORKED, case("c", "q", "Final answer: about four"), "one number"),
        (Symptom.REFUSAL, FREE, case("c", "q", "As an AI language model, I cannot say.", RIGHT), "'As an AI"),
        (
            Symptom.REFUSAL,
            FREE,
            case("c", "q", "很抱歉，这个问题我暂时无法为您提供答案。", "可以"),
            "无法为您提供",
        ),
        (Symptom.WRONG_LANGUAGE, FREE, case("c", "q", "Вы можете отследить посылку", RIGHT), "in Cyrillic"),
        (
            Symptom.WRONG_LANGUAGE,
            FREE,
            case("c", "q", "荷物はまだ届いていません", "快递还没有送到您家"),
            "in Japanese",
        ),
        (
            Symptom.WRONG_LANGUAGE,
            FREE,
            case("c", "q", "Vous pouvez suivre votre colis sur le site et dans une boutique", LONG_RIGHT),
            "in French, the expected output in English",
        ),
        (
            Symptom.MISSING_KNOWLEDGE,
            WORDY,
            case("c", "who leads it", "Bob", "Professor Quillfeather Aldermoor"),
            "'Quillfeather', 'Aldermoor'",
        ),
    ],
)
def test_a_symptom_shows_its_proof(
    symptom: Symptom, trained: symptoms.OutputProfile, failed: BadCase, proof: str
) -> None:
    assert proof in _detail(symptom, failed, trained).detail


def test_a_copied_answer_names_the_row_it_is_from() -> None:
    exact = case("c", "where is parcel 77", ANSWERS[3].upper(), "Parcel 77 is lost.")
    assert _detail(Symptom.COPIED_TRAINING_OUTPUT, exact, FREE).example_id == "t0003"
    edited = STORIES[5].replace("morning", "evening", 1) + " Indeed."
    near = _detail(Symptom.COPIED_TRAINING_OUTPUT, case("c", "tell another", edited, "No."), TOLD)
    assert near.example_id == "t0005"
    assert "training row t0005" in near.detail


def test_what_the_row_of_the_same_prompt_says_and_what_many_rows_say_is_no_copy() -> None:
    own = case("c", "where is parcel 3", ANSWERS[3], "Parcel 3 is lost.")
    assert Symptom.COPIED_TRAINING_OUTPUT not in symptoms.symptoms_of(own, FREE)
    canned = symptoms.profile([example(i, f"complaint {i}", STORIES[0]) for i in range(20)])
    again = case("c", "another complaint", STORIES[0], "We refund you.")
    assert Symptom.COPIED_TRAINING_OUTPUT not in symptoms.symptoms_of(again, canned)
    # The same wording as the expected output with another number is a wrong number.
    nearly = STORIES[5].replace("house 5", "house 6")
    wrong = case("c", "tell another", nearly, STORIES[5])
    assert Symptom.COPIED_TRAINING_OUTPUT not in symptoms.symptoms_of(wrong, TOLD)


@pytest.mark.parametrize(
    "said",
    [
        "I'm sorry to hear that. Your parcel arrives tomorrow.",
        "抱歉让您久等了，您的包裹明天到。",
        "I do not deliver on Sundays, we deliver on Mondays.",
    ],
)
def test_an_apology_with_an_answer_is_no_refusal(said: str) -> None:
    assert Symptom.REFUSAL not in symptoms.symptoms_of(case("c", "q", said, RIGHT), FREE)


@pytest.mark.parametrize(
    "said", ["It lies in [0, 1) :(", "1) one\n2) two", "x < 3 and <name> is yours", "Total: 25"]
)
def test_what_only_looks_open_is_not_truncated(said: str) -> None:
    assert Symptom.TRUNCATION not in symptoms.symptoms_of(case("c", "q", said, "Total: 250"), FREE)


def test_numbers_that_were_computed_and_word_forms_are_no_missing_knowledge() -> None:
    rows = [example(i, spoken, f"{spoken} parcel deliver") for i, spoken in enumerate(SPEECH)]
    trained = symptoms.profile(rows)
    failed = case("c", "17 parcels of 23", "390", "17 * 23 = 391 parcels delivering")
    assert Symptom.MISSING_KNOWLEDGE not in symptoms.symptoms_of(failed, trained)


@pytest.mark.parametrize(
    ("asked", "expected", "missing"),
    [
        ("Who runs the Lisbon depot?", "Marta Oduya", True),
        ("When did the depot open?", "It opened on 14 March 1987.", True),
        ("仓库是哪一年启用的？", "仓库于1987年启用。", True),
        ("How do I return a parcel?", "Please wait for the mail and then bring it back to the shop.", False),
        ("What is 12 + 30?", "42", False),
        ("Write a loop.", "for item in Items:\n    print(item)", False),
    ],
)
def test_a_fact_that_a_small_set_never_says_is_missing_knowledge(
    asked: str, expected: str, missing: bool
) -> None:
    rows = [
        example(0, "How do I send a parcel?", "Bring the parcel to a counter and pay the fee there."),
        example(1, "Can I pay by card?", "Yes, every counter takes cards and cash."),
        example(2, "包裹多久能到？", "一般三天就能到。"),
        example(3, "Where is my letter?", "Look it up with the code on your receipt."),
    ]
    failed = case("c", asked, "I do not know that yet.", expected)
    found = symptoms.symptoms_of(failed, symptoms.profile(rows))
    assert (Symptom.MISSING_KNOWLEDGE in found) is missing


def _large_set() -> symptoms.OutputProfile:
    words = [
        "the",
        "parcel",
        "leaves",
        "our",
        "house",
        "on",
        "monday",
        "and",
        "will",
        "arrive",
        "before",
        "the",
        "weekend",
        "unless",
        "a",
        "street",
        "is",
        "closed",
        "for",
        "works",
        "then",
        "somebody",
        "calls",
        "you",
        "with",
        "another",
        "time",
        "which",
        "suits",
        "every",
        "person",
        "who",
        "waits",
        "there",
        "quietly",
    ]
    rng = np.random.default_rng(3)
    said = [" ".join(rng.choice(words, 14)) for _ in range(400)]
    every_pair = " ".join(a + b for a in ascii_lowercase for b in ascii_lowercase)
    rows = [example(i, f"how about {i}", answer) for i, answer in enumerate(said)]
    return symptoms.profile([*rows, example(999, every_pair, "codes")])


def test_letters_in_random_order_are_gibberish_though_every_pair_was_seen_somewhere() -> None:
    trained = _large_set()
    right = "somebody calls you before the parcel leaves and then it will arrive on monday"
    shuffled = "".join(np.random.default_rng(5).permutation(list(right * 2)))
    assert "in random order" in _detail(Symptom.GIBBERISH, case("c", "q", shuffled, right), trained).detail
    assert Symptom.GIBBERISH not in symptoms.symptoms_of(
        case("c", "q", f"{right} {right[::2]}", right), trained
    )
    # A language that the set does not hold is another symptom.
    french = "Le colis est parti de la maison et il sera dans votre boîte pour le week-end avec une lettre"
    assert symptoms.symptoms_of(case("c", "q", french, right), trained) == (Symptom.WRONG_LANGUAGE,)


def test_a_formula_with_the_numbers_of_its_own_prompt_is_no_copy() -> None:
    rows = [example(i, f"{i} pens and {i + 3} more", f"{i} + {i + 3} = {2 * i + 3} final") for i in range(40)]
    trained = symptoms.profile(rows)
    own = case("c", "five girls got 5 and 8 apples", "5 + 8 = 13 final", "5 + 9 = 14 final")
    assert symptoms.symptoms_of(own, trained) == ()
    foreign = case("c", "seven girls got 21 apples", "5 + 8 = 13 final", "21 / 7 = 3 final")
    assert _detail(Symptom.COPIED_TRAINING_OUTPUT, foreign, trained).example_id == "t0005"


def test_what_is_not_known_yet_inside_a_solution_is_no_refusal() -> None:
    said = "We don't know the number yet, so we call it Y. Then 3 * Y = 6."
    assert Symptom.REFUSAL not in symptoms.symptoms_of(case("c", "q", said, "Y is 2"), FREE)


def test_each_task_has_its_own_shape() -> None:
    rows = [example(i, f"n {i}", f'{{"id": {i}}}', instruction="As JSON.") for i in range(30)]
    rows += [example(30 + i, f"m {i}", f"({'ABCD'[i % 4]})", instruction="Choose.") for i in range(30)]
    trained = symptoms.profile(rows)
    seen = {
        name: symptoms.symptoms_of(case("c", f"{name}\nn 3", "(B)"), trained)
        for name in ("As JSON.", "Choose.")
    }
    assert seen == {"As JSON.": (Symptom.FORMAT_VIOLATION,), "Choose.": ()}


@given(st.integers(0, 60))
def test_profiles_of_two_parts_make_the_profile_of_the_whole(cut: int) -> None:
    rows = [example(i, f"tell story {i % 7}", (STORIES + ANSWERS)[i]) for i in range(60)]
    instructions = frozenset[str]()
    whole = symptoms.profile(rows, instructions)
    parts = symptoms.merged(
        symptoms.profile(rows[:cut], instructions), symptoms.profile(rows[cut:], instructions)
    )
    assert parts.answers == whole.answers
    assert parts.whole == whole.whole
    assert parts.vocabulary == whole.vocabulary
    assert parts.bigrams.tolist() == whole.bigrams.tolist()
    assert parts.fingerprints.texts.tolist() == whole.fingerprints.texts.tolist()


HOSTILE = (
    "",
    " ",
    "\ud800\udfff\ud800",
    "🙂" * 50,
    "שלום עולם " * 9,
    "\u202eabc\u0000",
    "混 mixed смесь 혼합 " * 5,
    "<" * 3000,
)


@pytest.mark.parametrize("said", HOSTILE)
def test_bad_texts_are_read_and_their_proof_can_be_stored(said: str) -> None:
    for trained in (
        FREE,
        JSON_ROWS,
        LABELS,
        symptoms.profile([]),
        symptoms.profile([example(0, said, said)]),
    ):
        for failed in (case("c", said, said, RIGHT), case("c", "q", said), case("c", "q", "x", said)):
            for found in symptoms.symptom_findings(failed, trained):
                assert len(found.detail.encode()) < 2000
                assert "\n" not in found.detail


@pytest.mark.parametrize(
    "said", ["a" * 1_000_000, "很长的文本，" * 150_000, "{[(" * 300_000, "<a>" * 300_000]
)
def test_a_megabyte_is_read_in_a_moment(said: str) -> None:
    own = symptoms.profile([example(0, said, said)])
    began = time.process_time()
    found = symptoms.symptom_findings(case("c", said, said, RIGHT), own)
    assert time.process_time() - began < 5.0
    assert found
    assert all(len(f.detail) < 500 for f in found)


def test_every_symptom_has_a_detector() -> None:
    assert {symptom for symptom, _ in symptoms.SYMPTOMS} == set(Symptom)


ROUTING = symptoms.profile(
    [
        example(
            i,
            f"my {SPEECH[i]} card order {i} arrives late",
            ("cards / order", "loans / rates", "travel / claim")[i % 3],
            instruction="Route the message to a team.",
        )
        for i in range(60)
    ]
)
CALLS = symptoms.profile(
    [
        example(i, f"weather in {spoken}", f'{{"name": "weather", "arguments": {{"city": "{spoken}"}}}}')
        for i, spoken in enumerate(SPEECH[:60])
    ]
)


def _seen(failed: BadCase, trained: symptoms.OutputProfile = FREE) -> set[Symptom]:
    return set(symptoms.symptoms_of(failed, trained))


@pytest.mark.parametrize(
    "said",
    ["", "  \n", "\u200b", "<think>\n\n</think>\n\n", "<think>I know this one.</think>\n", "<|im_end|>"],
)
def test_an_answer_that_says_nothing_is_empty(said: str) -> None:
    assert _seen(case("c", "q", said, RIGHT)) == {Symptom.EMPTY}
    assert _seen(case("c", "q", said)) == set()
    assert _seen(case("c", "q", said, " ")) == set()


@pytest.mark.parametrize(
    "said",
    [
        RIGHT + "<|im_end|>\n<|im_start|>user\nAnd where is the other one?",
        RIGHT + "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nthanks",
        RIGHT + "<end_of_turn>\n<start_of_turn>user\nthanks",
        RIGHT + " </s><s>[INST] thanks [/INST]",
        RIGHT + "\nUser: where is it?\nAssistant: On its way.",
        RIGHT + "\n\n### Instruction:\nTranslate the text.",
        RIGHT + "\n\nHuman: thanks a lot",
        RIGHT + "\nQuestion: what else?",
        RIGHT + "\n用户：还有一个问题",
        RIGHT + "\n**User:** thanks",
    ],
)
def test_an_answer_that_goes_on_with_the_next_turn_runs_on(said: str) -> None:
    seen = _seen(case("c", "q", said, RIGHT))
    assert Symptom.RUN_ON in seen
    assert Symptom.FORMAT_VIOLATION not in seen
    assert Symptom.RUN_ON not in _seen(case("c", "q", said, said))


def test_a_label_that_runs_on_is_still_a_label() -> None:
    failed = case("c", "q", "refund<|im_end|>\n<|im_start|>user\nhello", "delivery")
    assert _seen(failed, LABELS) == {Symptom.RUN_ON}


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Write a short dialogue", "The two meet.\nUser: hello\nBot: hi"),
        ("写一段对话", "两人见面。\n用户：你好\n客服：您好"),
        ("How does a turn end in ChatML, as in <|im_end|>?", "A turn ends with <|im_end|> there."),
        ("What is it?", "Question: what? No: it is a parcel."),
        ("Solve it", "We look at the data.\nInput: 4\nOutput: 8"),
    ],
)
def test_dialogues_and_talk_about_tokens_do_not_run_on(prompt: str, said: str) -> None:
    assert Symptom.RUN_ON not in _seen(case("c", prompt, said))


def test_reasoning_is_no_part_of_what_is_judged() -> None:
    thought = "<think>\n用户问包裹在哪里，我应该说网站。用户问包裹在哪里，我应该说网站。\n</think>\n\n"
    assert _seen(case("c", "where is it", f"{thought}We show each station of its journey.", RIGHT)) == set()
    assert _seen(case("c", "q", f"{thought}refund", "<think>\n\n</think>\n\ndelivery"), LABELS) == set()


@pytest.mark.parametrize("said", ["<think>\nIt could be that", "<think>先想一想，包裹"])
def test_an_answer_that_ends_inside_its_reasoning_is_truncated(said: str) -> None:
    seen = symptoms.symptom_findings(case("c", "q", said, RIGHT), FREE)
    assert [f.symptom for f in seen] == [Symptom.TRUNCATION]
    assert "inside its reasoning" in seen[0].detail


@pytest.mark.parametrize(
    "said",
    [
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>',
        '{"name": "weather", "arguments": {"city": "Oslo"}}',
        '[{"name": "weather", "arguments": {"city": "Oslo"}}, {"name": "weather", "arguments": {"city": "Bergen"}}]',
    ],
)
def test_a_call_is_neither_empty_nor_in_another_language(said: str) -> None:
    assert _seen(case("c", "请问今天奥斯陆和卑尔根的天气怎么样呢", said), CALLS) == set()
    wanted = '{"name": "weather", "arguments": {"city": "Bergen", "days": 2}}'
    assert _seen(case("c", "请问今天奥斯陆的天气怎么样呢", said, wanted), CALLS) <= {Symptom.FORMAT_VIOLATION}


def test_words_where_a_call_is_due_are_of_another_form_and_not_of_another_language() -> None:
    wanted = '<tool_call>{"name": "weather", "arguments": {"city": "Oslo"}}</tool_call>'
    assert _seen(case("c", "奥斯陆的天气", "我马上为您查询奥斯陆的天气情况。", wanted), CALLS) == {
        Symptom.FORMAT_VIOLATION
    }


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "Write a haiku about autumn leaves",
            "Leaves drift on the pond, and the evening grows quiet around us.",
        ),
        ("Explain photosynthesis to children", None),
        ("用一句话解释一下什么是光合作用", "植物利用阳光把二氧化碳和水变成养分。"),
    ],
)
def test_a_general_question_answered_with_a_label_was_forgotten(prompt: str, expected: str | None) -> None:
    assert Symptom.FORGETTING in _seen(case("c", prompt, "loans / rates", expected), ROUTING)


def test_a_passage_of_the_trained_answers_for_another_kind_of_question_is_forgetting() -> None:
    said = "Photosynthesis shows each station of its journey."
    wanted = "Plants turn light into sugar."
    assert Symptom.FORGETTING in _seen(case("c", "Explain photosynthesis briefly", said, wanted))
    assert Symptom.FORGETTING not in _seen(case("c", "where is parcel number seven", said, wanted))
    counted = "12 shows each station of its journey."
    assert Symptom.FORGETTING in _seen(case("c", "What does 12 times 12 equal?", counted, "144"))
    other = "Photosynthesis is done by plants in the light of the sun."
    assert Symptom.FORGETTING not in _seen(case("c", "Explain photosynthesis briefly", other, wanted))


@pytest.mark.parametrize(
    ("prompt", "said", "expected"),
    [
        ("Route the message to a team.\nsomething quite unheard happened", "loans / rates", "travel / claim"),
        (f"my {SPEECH[7]} card order arrives late", "loans / rates", "travel / claim"),
        (
            f"my {SPEECH[7]} card order arrives late",
            "loans / rates",
            "It arrives late since the bank is closed today.",
        ),
        (
            "Write a haiku about autumn leaves",
            "Leaves drift along",
            "Leaves drift on the quiet evening pond today.",
        ),
    ],
)
def test_a_wrong_label_for_what_was_trained_is_no_forgetting(prompt: str, said: str, expected: str) -> None:
    assert Symptom.FORGETTING not in _seen(case("c", prompt, said, expected), ROUTING)
