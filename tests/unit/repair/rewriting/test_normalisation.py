from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.language import text as texts
from app.domain.repair.rewriting.normalisation import TEXT_RULES, encoding, normalise_example, normalise_text
from app.domain.repair.rewriting.normalisation.text_rule import pieces_of
from tests.unit.repair.builders import example


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("refund <|im_end|>", "refund"),
        ("<|im_start|>assistant\nrefund<|im_end|>\n", "refund"),
        ("<|start_header_id|>user<|end_header_id|>\n\nhello<|eot_id|>", "hello"),
        ("[INST] hello [/INST]", "hello"),
        ("fine</s>", "fine"),
        ("one\r\ntwo \t\nthree", "one\ntwo\nthree"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\u200bb\x07c\ufeff", "abc"),
        ("\ud83d\ude00 and \ud83d", "😀 and \ufffd"),
        ("  refund ", "refund"),
        ("退款　\n", "退款"),
        ("hard  \nbreak", "hard  \nbreak"),
        ("cafÃ© and donâ€™t", "café and don’t"),
        ("浣犲ソ涓栫晫", "你好世界"),
        ("ＡＢＣ１２３，你好", "ABC123，你好"),
        ("５０％，９．５％", "50%，9.5%"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("so\u00a0far\u2009away", "so far away"),
        ("It cost five.  He paid  it.", "It cost five. He paid it."),
        ("你 好 吗 ， 我 很 好", "你好吗，我很好"),
        ("之后，，再说。。好！！！！！", "之后，再说。好！！！"),
        ("help!!!!!! now,, please", "help!!! now, please"),
    ],
)
def test_what_a_tokenizer_would_see_differently_is_unified(raw: str, clean: str) -> None:
    assert normalise_text(raw) == clean


@pytest.mark.parametrize(
    "text",
    [
        "use `<|im_end|>` to stop",
        "```\nx = 1   \r\nprint('<|im_end|>')\n```",
        "<s>struck through</s> in HTML",
        "    def indented():\n        pass",
        "family: 👨‍👩‍👧",
        "run:\n```python\ny = 2  ",
        "x² + y³ = ½, H₂O, 5 Ω, 20 ℃, №1, ①",
        "temperature in \u212a, length in \u212b, resistance in \u2126",
        r"$a  b$ and \(x,,y\) and $$\frac{1}{2}  ！！！！$$",
        "n!! is not n!!!! and 3!!!!",
        "6：5：4．3个组共有135人",
        "1  2  3\n4  5  6",
        "name  age\nanna  twelve\nbert  thirteen",
        "1.  first item\n2.  second item",
        "甲 乙 丙 丁 戊 己 庚",
        "苹果 香蕉 梨子 葡萄",
        "首都是（　　）。",
        "谢谢谢谢",
        "see https://example.com/ab,,%20b?x=go!!!!",
        "A，B。C",
        "你好，世界！“引号”（括号）",
        "Bonjour !\nl'été à Noël",
        "שלום עולם مرحبا",
    ],
)
def test_what_carries_meaning_stays(text: str) -> None:
    assert normalise_text(text) == text


_PIECES = [*"ab `~\n\r\t<|>/s[]\u200b\u0301é的", "<|im_end|>", "</s>", "[INST]", "```", "  "]
_PIECES += [
    *"１Ａ％．。，！!.,¹²½Ω\u3000\u00a0\ud83d\ude00$\\()ｶﾞ了我好",
    "Ã©",
    "â€™",
    "浣犲ソ",
    "https://a.b",
    "\u1100\u1161",
]
_TEXTS = st.one_of(
    st.lists(st.sampled_from(_PIECES), max_size=16).map("".join),
    st.text(alphabet=st.characters(), max_size=30),
)
_SIGNS = re.compile(
    "[\u00b2\u00b3\u00b9\u2070-\u209f\u00bc-\u00be\u2150-\u215e\u2200-\u22ff+=^±×÷°℃\u2126\u212a\u212b]"
)


@given(_TEXTS)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once
    for rule in TEXT_RULES:
        alone = normalise_text(text, (rule,))
        assert normalise_text(alone, (rule,)) == alone


@given(_TEXTS)
def test_numbers_signs_and_protected_spans_survive_every_rule(text: str) -> None:
    rules = tuple(rule for rule in TEXT_RULES if rule is not encoding.RULE)
    clean = normalise_text(text, rules)
    assert Counter(_SIGNS.findall(clean)) == Counter(_SIGNS.findall(text))
    digits = [c for c in texts.normalised(text) if c.isdigit()]
    assert [c for c in texts.normalised(clean) if c.isdigit()] == digits


@given(
    st.sampled_from(["`{}`", "```\n{}\n```", "$${}$$", "\\({}\\)", "\\begin{{x}}{}\\end{{x}}"]),
    _TEXTS,
    _TEXTS,
)
def test_code_and_formulas_stay_byte_for_byte(form: str, inside: str, around: str) -> None:
    inside = re.sub(r"[`~$\\\n]|https?:", "", inside) or "x"
    around = re.sub(r"[`~$\\]|https?:", "", around)
    span = form.format(inside)
    assert span in normalise_text(f"{around}\n{span}\n{around}")


@given(_TEXTS)
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces_of(text)[0]) == text


@given(_TEXTS, _TEXTS)
def test_no_message_is_emptied(prompt: str, output: str) -> None:
    row = example("a", prompt, output)
    found = normalise_example(row)
    for before, after in zip(row.messages, found.messages if found else row.messages, strict=True):
        assert bool(after.content.strip()) == bool(before.content.strip())


def test_a_row_says_what_was_done_to_it() -> None:
    found = normalise_example(example("a", "hi\r\nthere<|im_end|>", "yes <|im_end|>"))
    assert found is not None
    assert "special tokens removed (2)" in found.changes
    assert found.messages[-1].content == "yes"


def test_a_clean_row_and_a_row_of_nothing_but_tokens_are_left_alone() -> None:
    assert normalise_example(example("a", "hello", "there")) is None
    assert normalise_example(example("a", "hello", "<|im_end|>")) is None
