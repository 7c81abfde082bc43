from __future__ import annotations

import numpy as np
import pytest

from app.domain.near_duplicates import verification
from app.domain.near_duplicates.comparison import Comparison

# What the words of the pairs are read against: a set in which they are well known.
_SET = [
    f"{ask} {what} {where}"
    for ask in (
        "tell me the weather in",
        "book a table in",
        "please freeze the card from",
        "show my order from",
    )
    for what in ("Rome", "Oslo", "Paris", "Berlin")
    for where in ("on friday", "on monday", "for the family", "with my friends please")
] + [
    f"{ask}{what}{where}"
    for ask in ("帮我查一下", "我想知道", "请告诉我")
    for what in ("北京", "上海", "广州", "深圳")
    for where in ("明天的天气", "附近的酒店", "最好吃的餐馆", "去机场怎么走")
]


class _Known(dict[str, int]):
    """A set in which every word stands nine times."""

    def get(self, key: str, default: int = 9) -> int:  # type: ignore[override]
        return 9


def _one(left: str, right: str, *, agreed: bool = False) -> bool:
    """Whether they are one text where the set knows every word."""
    verdicts = [verification.compared(*pair, _Known()) for pair in ((left, right), (right, left))]
    assert verdicts[0] == verdicts[1]
    found = verdicts[0]
    return found is not None and (found.one_text or (agreed and found.one_of_answer))


def _alike(left: str, right: str, *, lenient: bool = False) -> bool:
    return _alike_in(_SET, left, right, lenient=lenient)


def _alike_in(others: list[str], left: str, right: str, *, lenient: bool = False) -> bool:
    n = len(others)
    compared = Comparison.of([*others, left, right], [""] * (n + 2), 0.8, lenient=lenient)
    return bool(compared.alike(np.array([[n, n + 1]]))[0] > 0)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("please freeze the card from my account in Rome", "pleaze freze the card from my acount in Rome"),
        ("tell me the weather in Paris with my friends", "tel me teh weahter in Paris with my freinds"),
        ("show my order from Berlin for the family", "show my ordre from Berlin for the family!"),
        ("我想知道上海附近的酒店", "我想知道上海附进的酒店"),
    ],
)
def test_misspelt_words_leave_a_text_the_same(left: str, right: str) -> None:
    assert _alike(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("tell me the weather in Rome on friday please", "tell me the weather in Oslo on friday please"),
        ("tell me the weather in Rome on friday please", "tell me the weather in Rome on monday please"),
        ("book a table in Paris on 5 May for the family", "book a table in Paris on 6 May for the family"),
        ("book a table in Paris in May for the family", "book a table in Paris in July for the family"),
        ("please freeze the card from Rome on friday", "please unfreeze the card from Rome on friday"),
        ("please freeze the card from Rome on friday", "please do not freeze the card from Rome on friday"),
        ("what is 2 + x if x is the weather in Rome", "what is 2 - x if x is the weather in Rome"),
        ("帮我查一下北京明天的天气", "帮我查一下上海明天的天气"),
        ("帮我查一下北京第三大的酒店", "帮我查一下北京第四大的酒店"),
        ("我想知道去机场怎么走最快", "我不想知道去机场怎么走最快"),
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_another_number_name_or_direction_is_another_text(left: str, right: str, lenient: bool) -> None:
    assert not _alike(left, right, lenient=lenient)


@pytest.mark.parametrize("of", ["a", "我", "?", "\ud800", "😀", "שלום עולם", "x" * 200_000, "和 hello 世界"])
def test_odd_texts_are_alike_when_equal_and_never_break(of: str) -> None:
    other = f"{of} and something else that nobody says"
    found = Comparison.of([of, other, of, ""], [""] * 4, 0.8).found()
    assert found == {(0, 2): 1.0}


def test_a_frame_keeps_equal_texts_apart() -> None:
    assert Comparison.of(["same", "same"], ["translate", "classify"], 0.8).found() == {}
    with pytest.raises(ValueError, match="1 frames for 2 texts"):
        Comparison.of(["same", "same"], [""], 0.8)


def test_a_name_that_lost_its_first_character_and_gained_a_last_is_another_name() -> None:
    letter = "请帮我写一封给{}的道歉信说明订单寄错了地址"
    whole = letter.format("张王李")
    assert not _one(whole, letter.format("王李赵"))
    left_out = verification.compared(whole, letter.format("王李"), _Known())
    assert left_out == verification.Verdict(one_text=True, added=1, one_of_answer=True)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("我想知道5克是多少附近的酒店", "我想知道5斤是多少附近的酒店"),
        ("请告诉我怎么查北京附近的酒店", "请告诉我怎么刷北京附近的酒店"),
        ("请问明天北京的天气怎么样需要带伞出门吗", "请问今天北京的天气怎么样需要带伞出门吗"),
        ("请帮我写一封信给爸爸感谢他多年的照顾", "请帮我写一封信给爸妈感谢他多年的照顾"),
        ("请告诉我八天去机场怎么走", "请告诉我十八天去机场怎么走"),
        ("tell me how to reach Abdullayev in Rome", "tell me how to reach Abdullayeva in Rome"),
        ("give me the hat in Rome on friday", "give me the that in Rome on friday"),
        ("please freeze the bit on friday", "please freeze the byte on friday"),
        ("is it not clear in Rome on friday", "is it nuclear in Rome on friday"),
        ("the parcel is in the table in Rome", "the parcel is on the table in Rome"),
        ("怎么查流量", "怎么刷流量"),
        ("去北京怎么走", "去南京怎么走"),
        ("我要看天气", "你要看天气"),
        ("这个东西怎么样", "这个东西怎么用"),
        ("他叫张伟", "他叫张骉"),
        ("怎么办理取款业务", "怎么办理贷款业务"),
        ("我要结婚了", "我要订婚了"),
        ("100毫秒是多少", "100毫米是多少"),
        ("我的手机坏了", "我的耳机坏了"),
        ("高血压怎么办", "血压怎么办"),
        ("他是总经理吗", "他是经理吗"),
        ("车费多少", "车多少"),
        ("как включить погоду в Rome", "как выключить погоду в Rome"),
    ],
)
def test_another_unit_word_or_name_is_told_where_the_set_is_silent(left: str, right: str) -> None:
    assert not _alike(left, right)
    assert not _alike(right, left)


@pytest.mark.parametrize(
    ("said", "negation", "other"),
    [
        ("患者对青霉素不过敏请帮我写一份入院的护理记录单", "不", ""),
        ("我不同意你们提出的退款方案请帮我写一封回复邮件", "不", ""),
        ("父母不管孩子的学习应该怎么办请帮我写一篇文章", "不", ""),
        ("请判断下面这道数学题的答案算得不错还是有问题", "不", ""),
        ("请问怎么样才能让电脑在睡眠的时候不断网继续下载", "不", ""),
        ("请给我介绍一下世界上有哪些非常规武器以及危害性", "非", ""),
        ("我未来得及提交昨天的作业请帮我写一封邮件给老师", "未", ""),
        ("医生建议怀孕期间的女性别喝咖啡这种说法是对的吗", "别", ""),
        ("家里的老人没人照顾应该怎么办请给我一些建议谢谢", "没", ""),
        ("他三天不吃不喝应该怎么办才好请你帮我想想办法吧", "不", ""),
        ("请问水是一种无色无味的液体这种说法是不是正确的", "无", ""),
        ("我明天来，没来之前请不要离开，请帮我把这句话翻译成英文", "没", ""),
        ("请帮我推荐一款适合办公用的无线鼠标最好便宜一点", "无", "有"),
        ("请问抽烟和肺癌没关系这种说法到底是对的还是错的呢", "没", "有"),
        ("家里的老人没人照顾应该怎么办请给我一些建议谢谢", "没", "有"),
        ("我要不要取消昨天在你们网站上面下的订单请告诉我", "要不", ""),
    ],
)
@pytest.mark.parametrize("agreed", [False, True])
def test_a_negation_that_could_be_of_a_word_which_denies_nothing_still_negates(
    said: str, negation: str, other: str, *, agreed: bool
) -> None:
    assert not _one(said, said.replace(negation, other), agreed=agreed)


def test_what_the_set_writes_more_often_is_a_word_of_its_own() -> None:
    texts = ["tell me about receive in Rome", "tell me about recieve in Rome"]
    for cities, expected in ((("Oslo",), True), (("Oslo", "Paris", "Berlin"), False)):
        others = [f"tell me about receive in {city}" for city in ("Oslo", "Paris", "Berlin")]
        if not expected:
            others += [f"tell me about recieve in {city}" for city in cities]
        assert _alike_in([*_SET, *others], *texts) is expected


def test_a_misspelling_that_is_made_again_and_again_excuses_no_other_word() -> None:
    left = "the car the bus the cat the dog the man please freeze the card for rome on friday"
    right = "he car he bus he cat he dog he man please unfreeze the card for rome on friday"
    assert not _one(left, right)


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_two_texts_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = [*"我的手机怎么充值不十北京", "the", "do", "weather", "in", "Rome", "no"]
    left = [pool[int(rng.integers(len(pool)))] for _ in range(12)]
    right = list(left)
    place = int(rng.integers(12))
    right[place] = pool[int(rng.integers(len(pool)))]
    _one(" ".join(left), " ".join(right))
    _one("".join(left), "".join(right))


@pytest.mark.parametrize(
    ("left", "right", "one"),
    [
        ("我想找周杰伦的歌听一听好吗", "我想找周杰仑的歌听一听好吗", True),  # one of fourteen characters
        ("播放周杰伦", "播放周杰仑", False),  # one of five
        ("王羲之和颜真卿还有柳公权", "王曦之和颜贞卿还有柳公杈", True),  # in three places
        (
            "王羲之和颜真卿还有柳公权",
            "王曦之和颜贞卿还有柳公权",
            False,
        ),  # in two, as a template with two names
        ("我今天下午想买这个手机吗", "我今天下午不买这个手机吗", False),
        ("手机没有声音应该怎么办才好呢", "手机有声音应该怎么办才好呢", False),
        ("含酒精的洗手液哪里能买到最好", "无酒精的洗手液哪里能买到最好", False),
        ("第十三届运动会在哪里举行的", "第十四届运动会在哪里举行的", False),
    ],
)
def test_rows_that_are_answered_alike_are_read_leniently_where_no_template_differs_so(
    left: str, right: str, one: bool
) -> None:
    assert _one(left, right, agreed=True) is one
    assert not _one(left, right)
