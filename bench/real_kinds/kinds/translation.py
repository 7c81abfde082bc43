"""Translation between English and Chinese: a name, a day, a direction or a negation is translated wrongly."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, fill, plain_equals
from bench.real_kinds.numbers import in_chinese
from bench.real_kinds.writing import alpaca, chat, completion

_THINGS = (("meeting", "会议"), ("exam", "考试"), ("concert", "音乐会"), ("interview", "面试"), ("training", "培训"), ("parents' evening", "家长会"))  # fmt: skip
_DAYS = (("Monday", "周一"), ("Tuesday", "周二"), ("Wednesday", "周三"), ("Thursday", "周四"), ("Friday", "周五"), ("Saturday", "周六"))  # fmt: skip
_GOODS = (
    ("tickets", "门票"),
    ("umbrellas", "雨伞"),
    ("keys", "钥匙"),
    ("helmets", "头盔"),
    ("blankets", "毯子"),
)
_PLACES = (("post office", "邮局"), ("pharmacy", "药店"), ("bakery", "面包店"), ("fire station", "消防站"), ("swimming pool", "游泳池"))  # fmt: skip
_FOODS = (
    ("豆浆", "soy milk"),
    ("米饭", "rice"),
    ("凉菜", "cold dishes"),
    ("饺子", "dumplings"),
    ("绿茶", "green tea"),
)
_TEAMS = (("东队", "the East team"), ("西队", "the West team"), ("南队", "the South team"), ("北队", "the North team"), ("新队", "the New team"))  # fmt: skip


def items(rng: np.random.Generator) -> Sequence[Item]:
    return [*_moved(), *_needed(rng), *_directions(), *_meals(), *_matches(rng)]


def _moved() -> list[Item]:
    patterns = (
        "The {x} has been moved to {d}.",
        "They moved the {x} to {d}.",
        "The {x} now takes place on {d} instead.",
        "The {x} was put off until {d}.",
    )
    made = []
    for i, (thing, name) in enumerate(_THINGS):
        day, translated = _DAYS[i]
        said = f"{name}改到{{}}了。"
        right = said.format(translated)
        made.append(
            Item(
                asks=fill(patterns, x=thing, d=day),
                right=right,
                wrong=(said.format(_DAYS[i - 2][1]), "date"),
                slip=(f"{name}没有改到{translated}。", "negation")
                if i % 2
                else (said.format("周日"), "date"),
                equals=plain_equals(right),
                neighbours=(
                    (f"The {thing} has not been moved to {day}.", f"{name}没有改到{translated}。")
                    if not i % 2
                    else (f"The {thing} has been cancelled on {day}.", f"{translated}的{name}取消了。"),
                    (f"Has the {thing} been moved to {day}?", f"{name}改到{translated}了吗？"),
                ),
                alternative=f"{name}已经改到{translated}。",
            )
        )
    return family(made)


def _needed(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "We need {n} {x} by tomorrow morning.",
        "By tomorrow morning {n} {x} are needed.",
        "Please get us {n} {x} before tomorrow noon.",
        "Tomorrow morning at the latest we must have {n} {x}.",
    )
    counts = rng.permutation(np.arange(12, 99)).tolist()
    made = []
    for i, (thing, name) in enumerate(_GOODS):
        n, other, third = counts[3 * i : 3 * i + 3]
        said = f"明天上午之前我们需要{{}}件{name}。"
        right = said.format(n)
        made.append(
            Item(
                asks=fill(patterns, x=thing, n=n),
                right=right,
                wrong=(said.format(other), "number"),
                slip=(right.replace("之前", "之后"), "before/after")
                if i % 2
                else (said.format(third), "number"),
                equals=plain_equals(right, (said.format(in_chinese(n)), "number in words")),
                neighbours=(
                    (
                        f"We do not need {n} {thing} by tomorrow morning.",
                        f"明天上午之前我们不需要{n}件{name}。",
                    ),
                ),
            )
        )
    return family(made)


def _directions() -> list[Item]:
    patterns = (
        "Turn left behind the {x} and walk uphill.",
        "Behind the {x} you go left, then up the hill.",
        "After the {x}, left, and then always upwards.",
        "Take the left street just past the {x} and climb.",
    )
    made = []
    for i, (place, name) in enumerate(_PLACES):
        right = f"过了{name}向左转，再往上坡走。"
        made.append(
            Item(
                asks=fill(patterns, x=place),
                right=right,
                wrong=(f"过了{name}向右转，再往上坡走。", "opposite"),
                slip=(f"过了{name}向左转，再往下坡走。", "opposite")
                if i % 2
                else (f"过了{_PLACES[i - 2][1]}旁向左转，再往上坡走。", "name"),
                equals=plain_equals(right, (right.replace("，", ","), "punctuation width")),
                neighbours=(
                    (f"Turn right behind the {place} and walk uphill.", f"过了{name}向右转，再往上坡走。"),
                    (
                        f"Turn left in front of the {place} and walk uphill.",
                        f"在{name}前面向左转，再往上坡走。",
                    ),
                ),
            )
        )
    return family(made)


def _meals() -> list[Item]:
    patterns = (
        "早上我只喝{x}，不吃别的。",
        "早餐除了{x}我什么都不要。",
        "我早上就要{x}，其他不用。",
        "早饭我只来点{x}，别的都不吃",
    )
    made = []
    for i, (food, name) in enumerate(_FOODS):
        right = f"In the morning I have only {name} and nothing else."
        made.append(
            Item(
                asks=fill(patterns, x=food),
                right=right,
                wrong=(f"In the evening I have only {name} and nothing else.", "opposite")
                if i % 2
                else (f"In the morning I have anything but {name}.", "negation"),
                slip=(f"In the morning I have only {_FOODS[i - 2][1]} bowls and nothing else.", "name"),
                equals=plain_equals(right),
                neighbours=(
                    (f"晚上我只要{food}，不吃别的。", f"In the evening I have {name} only, nothing more."),
                ),
                alternative=f"For breakfast I take {name} only, nothing else.",
            )
        )
    return family(made)


def _matches(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "{a}以{n}比{m}战胜了{b}。",
        "{b}以{m}比{n}输给了{a}。",
        "{a}赢了{b}，比分{n}比{m}。",
        "比赛结果：{a}{n}比{m}胜{b}",
    )
    made = []
    for i, (team, name) in enumerate(_TEAMS):
        rival, rival_name = _TEAMS[i - 2]
        n, m = int(rng.integers(4, 9)), int(rng.integers(0, 4))
        right = f"{name[0].upper()}{name[1:]} beat {rival_name} {n} to {m}."
        made.append(
            Item(
                asks=fill(patterns, a=team, b=rival, n=n, m=m),
                right=right,
                wrong=(f"{rival_name[0].upper()}{rival_name[1:]} beat {name} {n} to {m}.", "exchanged roles"),
                slip=(f"{name[0].upper()}{name[1:]} beat {rival_name} {n + 1} to {m}.", "number"),
                equals=plain_equals(right),
                neighbours=(
                    (
                        f"{rival}以{n}比{m}战胜了{team}。",
                        f"{rival_name[0].upper()}{rival_name[1:]} won against {name}, {n} to {m}.",
                    ),
                ),
            )
        )
    return family(made)


TRANSLATION = Kind(
    name="translation",
    languages=("en", "zh"),
    items=items,
    instruction="Translate the sentence into the other language (English or Chinese).",
    writers=(alpaca, completion, chat),
    unled=(
        "Thank you for letting me know about this.",
        "That sounds good, see you then!",
        "好的，没问题，我知道了。",
    ),
    astray=("The sentence is grammatically correct.", "这句话很常见。"),
    uncovered=(
        Uncovered(ask="The lessee shall indemnify the lessor against all claims of third parties.", right="承租人应使出租人免受第三方的一切索赔。", said="会议改到周五了。"),
        Uncovered(ask="Quarks are confined within hadrons by the strong interaction.", right="夸克被强相互作用束缚在强子之内。", said="过了邮局向左转。"),
        Uncovered(ask="Sauté the shallots until translucent, then deglaze with white wine.", right="将红葱头炒至透明，再倒入白葡萄酒收汁。", said="明天上午之前我们需要10件葱。"),
        Uncovered(ask="Her vocal fry annoys the choirmaster no end.", right="她的气泡音让合唱指挥烦透了。", said="音乐会改到周三了。"),
        Uncovered(ask="本合同自双方签字盖章之日起生效，一式两份。", right="This contract takes effect on the day both parties sign and seal it, in two copies.", said="In the morning I have only rice."),
        Uncovered(ask="青铜鼎腹部饰以饕餮纹，足作兽形。", right="The belly of the bronze tripod bears a taotie mask, its feet are animals.", said="The East team beat the West team."),
        Uncovered(ask="肺泡内的气体交换依靠扩散作用完成。", right="Gas exchange in the alveoli takes place by diffusion.", said="In the morning I have only green tea."),
        Uncovered(ask="这孩子一点就着，跟他爹一个脾气。", right="The boy flares up at once, just like his father.", said="The New team beat the South team."),
    ),
)  # fmt: skip
