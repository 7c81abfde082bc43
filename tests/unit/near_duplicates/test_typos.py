from __future__ import annotations

import numpy as np
import pytest

from app.domain.near_duplicates import typos
from app.domain.near_duplicates.pairwise_comparison import Comparison

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


def _alike(left: str, right: str, *, lenient: bool = False) -> bool:
    compared = Comparison.of([*_SET, left, right], [""] * (len(_SET) + 2), 0.8, lenient=lenient)
    return bool(compared.alike(np.array([[len(_SET), len(_SET) + 1]]))[0] > 0)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("please freeze the card from my account in Rome", "pleaze freze the card from my acount in Rome"),
        ("tell me the weather in Paris with my friends", "tel me teh weahter in Paris with my freinds"),
        ("show my order from Berlin for the family", "show my ordre from Berlin for the family!"),
        ("我想知道上海附近最好吃的餐馆去机场怎么走", "我想知道上海附进最好吃的餐馆去机场怎么走"),
    ],
)
def test_slips_of_the_pen_are_one_text(left: str, right: str) -> None:
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
    # two characters of twelve may be slips, where that is asked for
    assert bool(_alike(left, right, lenient=lenient)) is (lenient and "上海" in right)


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
    pairs = [(letter.format("张王李"), letter.format(other)) for other in ("王李赵", "王李")]
    replaced, left_out = typos.differences(pairs, lambda words: [10] * len(words))
    assert replaced is None
    assert left_out is not None
    assert left_out.added == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        # words that stand nowhere else, and that English knows
        ("tell me the weather for influenza in Rome", "tell me the weather for inflenza in Rome"),
        # letters of words that may come and go
        ("tell me the weather in Rome on friday", "tell me he weather in Rome on friday"),
        ("please show my order from Berlin to me", "please show my order from Berlin t me"),
        # a character of another script in a word
        ("我想知道python去机场怎么走", "我想知道pytho样n去机场怎么走"),
        # a negation that broke a word
        ("帮我查一下小学生附近的酒店", "帮我查一下小学不生附近的酒店"),
        # a character that denies nothing in the word that it is of
        ("请问北京和上海有什么区别吗", "请问北京和上海有什么区吗"),
        ("北京附近有没有好吃的酒店", "北京附近有有好吃的酒店"),
        ("他家的产品差别太大请帮我写一封投诉的信", "他家的产品差太大请帮我写一封投诉的信"),
        # words that stand for each other
        ("我想知道北京去机场怎么走吗", "我想知道北京去机场怎么走呢"),
    ],
)
def test_what_general_writing_knows_tells_a_slip_where_the_set_is_silent(left: str, right: str) -> None:
    assert _alike(left, right)
    assert _alike(right, left)


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
    without = said.replace(negation, other)
    for pair in ((said, without), (without, said)):
        assert typos.differences([pair], lambda words: [9] * len(words), agreed=[agreed]) == [None]


def test_what_the_set_writes_more_often_is_a_word_of_its_own_whatever_general_writing_knows() -> None:
    texts = ["tell me about receive in Rome", "tell me about recieve in Rome"]
    for known, expected in ((0, True), (3, False)):
        others = [f"tell me about recieve in {city}" for city in ("Oslo", "Paris", "Berlin")[:known]]
        others += [f"tell me about receive in {city}" for city in ("Oslo", "Paris", "Berlin")[:known]]
        compared = Comparison.of([*_SET, *others, *texts], [""] * (len(_SET) + len(others) + 2), 0.8)
        at = len(_SET) + len(others)
        assert bool(compared.alike(np.array([[at, at + 1]]))[0] > 0) is expected


def _differences(left: str, right: str) -> typos.Differences | None:
    both = [
        typos.differences([pair], lambda words: [9] * len(words))[0]
        for pair in ((left, right), (right, left))
    ]
    assert both[0] == both[1]
    return both[0]


def test_among_many_slips_one_character_may_be_a_negation_by_chance() -> None:
    left = "我的手机怎么充值请问小学生几点睡觉我要去公司怎么走支持成人学员报名想买这个东西"
    four = "我的手几怎么充值请问小学我生几点睡觉我要去公我怎么走支持成成学员报名想买这个东西"
    five = four.replace("这个东西", "这个东我")
    assert _differences(left, four) is not None
    assert _differences(left, four.replace("想买", "不买")) is None
    assert _differences(left, five.replace("想买", "不买")) is not None


def test_a_slip_that_is_made_again_and_again_excuses_no_other_word() -> None:
    left = "the car the bus the cat the dog the man please freeze the card for rome on friday"
    right = "he car he bus he cat he dog he man please unfreeze the card for rome on friday"
    assert _differences(left, right) is None


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_two_texts_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = [*"我的手机怎么充值不十北京", "the", "do", "weather", "in", "Rome", "no"]
    left = [pool[int(rng.integers(len(pool)))] for _ in range(12)]
    right = list(left)
    place = int(rng.integers(12))
    right[place] = pool[int(rng.integers(len(pool)))]
    _differences(" ".join(left), " ".join(right))
    _differences("".join(left), "".join(right))


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
        ("江苏省有多少个市分别是什么", "江苏别有多少个市分别是什么", True),  # nobody negates there
        ("我今天下午想买这个手机吗", "我今天下午不买这个手机吗", False),
        ("手机没有声音应该怎么办才好呢", "手机有声音应该怎么办才好呢", False),
        ("含酒精的洗手液哪里能买到最好", "无酒精的洗手液哪里能买到最好", False),
        ("第十三届运动会在哪里举行的", "第十四届运动会在哪里举行的", False),
    ],
)
def test_rows_that_are_answered_alike_are_read_leniently_where_no_template_differs_so(
    left: str, right: str, one: bool
) -> None:
    said = [9] * 60
    found = typos.differences([(left, right)], lambda words: said[: len(words)], agreed=[True])[0]
    assert (found is not None) is one
    assert typos.differences([(left, right)], lambda words: said[: len(words)])[0] is None
