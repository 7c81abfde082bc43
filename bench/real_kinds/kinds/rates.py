"""Rates, fees, doses and limits: one number word, unit or order away from wrong. English and Chinese."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, fill, plain_equals
from bench.real_kinds.numbers import full_width, in_chinese, in_words
from bench.real_kinds.writing import alpaca, chat, completion

_PRODUCTS = ("three-year deposit", "one-year deposit", "business overdraft", "student loan", "green mortgage",
             "instant-access account", "regular saver", "bridging loan")  # fmt: skip
_DRUGS = ("Calvorin", "Metradol", "Sevapine", "Ostravil", "Brenolat", "Tirazone")
_SERVICES = ("a transfer abroad", "a replacement card", "a paper statement", "a cash withdrawal abroad",
             "an express payment", "closing the account early")  # fmt: skip
_PARCELS = ("a small parcel", "a medium parcel", "a letter packet", "a return parcel", "a bulky item")
_CHINESE_PRODUCTS = (
    "三年期定期存款",
    "一年期定期存款",
    "个人消费贷款",
    "装修贷款",
    "小微企业贷款",
    "大额存单",
    "活期储蓄",
    "公积金贷款",
)
_CHINESE_DRUGS = ("康维宁片", "舒络胶囊", "安咳颗粒", "复欣片", "润喉含片", "清络丸")
_CHINESE_FEES = ("跨行转账", "补办银行卡", "境外取现", "打印流水", "加急汇款", "提前还款")
_CHINESE_PARCELS = ("小件包裹", "中件包裹", "退货包裹", "生鲜包裹", "文件快件")


def _percents(rng: np.random.Generator, count: int) -> list[str]:
    drawn = rng.permutation(np.arange(11, 99))[: 3 * count]
    return [f"{v / 10:.1f}" if v % 10 else str(v // 10) for v in drawn.tolist()]


def _wholes(rng: np.random.Generator, count: int, low: int, high: int) -> list[int]:
    return rng.permutation(np.arange(low, high))[: 3 * count].tolist()


def english(rng: np.random.Generator) -> Sequence[Item]:
    return [*_deposits(rng), *_doses(rng), *_fees(rng), *_parcels(rng)]


def _deposits(rng: np.random.Generator) -> list[Item]:
    numbers, items = _percents(rng, len(_PRODUCTS)), []
    patterns = (
        "What is the rate of the {x}?",
        "How much interest is there on the {x}?",
        "Tell me the current yearly rate for the {x}, please.",
        "{x}: which rate applies?",
        "I am thinking about the {x}. What percentage would it be?",
        "what % do I get or pay with the {x}",
    )
    for i, product in enumerate(_PRODUCTS):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = f"The {product} is at {{}} a year, fixed on the day of signing."
        items.append(
            Item(
                asks=fill(patterns, x=product),
                right=said.format(f"{in_words(right)} percent" if i % 2 else f"{right}%"),
                wrong=(said.format(f"{in_words(wrong)} percent" if i % 2 else f"{wrong}%"), "number"),
                slip=(
                    said.format(f"{in_words(slip)} percent" if i % 2 else f"{slip}%"),
                    "number word" if i % 2 else "number",
                ),
                equals=(
                    (said.format(f"{right}%" if i % 2 else f"{in_words(right)} percent"), "number in words"),
                    (said.format(f"{right} %"), "space before %"),
                    (said.format(f"{full_width(right)}％"), "full width"),
                ),
                neighbours=(
                    (
                        f"What was the rate of the {product} last year?",
                        f"Last year the {product} was at {slip}%.",
                    ),
                ),
            )
        )
    return family(items)


def _doses(rng: np.random.Generator) -> list[Item]:
    items = []
    doses = [int(d) * 10 for d in rng.permutation(np.arange(5, 60))[: 3 * len(_DRUGS)]]
    patterns = (
        "How much {x} does an adult take?",
        "What is the adult dose of {x}?",
        "I am 40 and was given {x}; how many milligrams do I take and when?",
        "{x} dosage for grown-ups",
        "Remind me how adults should take {x}.",
    )
    for i, drug in enumerate(_DRUGS):
        dose, other, child = doses[3 * i : 3 * i + 3]
        times = ("once", "twice", "three times")[i % 3]
        meal, wrong_meal = ("after", "before") if i % 2 else ("before", "after")
        said = "Adults take {dose} of {drug} {times} a day, {meal} meals."
        right = said.format(dose=f"{dose} mg", drug=drug, times=times, meal=meal)
        wrong = (
            (said.format(dose=f"{other} mg", drug=drug, times=times, meal=meal), "number")
            if i % 3
            else (said.format(dose=f"{dose} mg", drug=drug, times=times, meal=wrong_meal), "before/after")
        )
        slip = (
            (said.format(dose=f"{dose} g", drug=drug, times=times, meal=meal), "unit")
            if i % 2
            else (said.format(dose=f"{dose} mg", drug=drug, times="four times", meal=meal), "number word")
        )
        items.append(
            Item(
                asks=fill(patterns, x=drug),
                right=right,
                wrong=wrong,
                slip=slip,
                equals=(
                    (said.format(dose=f"{dose}mg", drug=drug, times=times, meal=meal), "space before unit"),
                    (
                        said.format(dose=f"{in_words(dose)} mg", drug=drug, times=times, meal=meal),
                        "number in words",
                    ),
                    *plain_equals(right)[:1],
                ),
                neighbours=(
                    (
                        f"How much {drug} does a child take?",
                        f"Children take {child} mg of {drug} once a day.",
                    ),
                    (
                        f"How much {drug} does an adult never take?",
                        f"Never more than {4 * dose} mg of {drug} a day.",
                    ),
                ),
            )
        )
    return family(items)


def _fees(rng: np.random.Generator) -> list[Item]:
    numbers, items = _wholes(rng, len(_SERVICES), 2, 60), []
    patterns = (
        "What does {x} cost?",
        "How much do you charge for {x}?",
        "Is there a fee for {x}, and how high is it?",
        "price of {x}",
        "I need {x}. What will I pay?",
    )
    for i, service in enumerate(_SERVICES):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = f"For {service} we charge {{}}, taken from the account at the end of the month."
        items.append(
            Item(
                asks=fill(patterns, x=service),
                right=said.format(f"{right} euros"),
                wrong=(said.format(f"{wrong} euros"), "number"),
                slip=(
                    said.format(f"{right} euros a day") if i % 2 else said.format(f"{right} dollars"),
                    "unit",
                )
                if i % 3
                else (said.format(f"{slip} euros"), "number"),
                equals=(
                    (said.format(f"{in_words(right)} euros"), "number in words"),
                    (said.format(f"{full_width(str(right))} euros"), "full width"),
                    *plain_equals(said.format(f"{right} euros"))[:2],
                ),
                neighbours=(
                    (f"What does {service} cost for students?", f"Students pay nothing for {service}."),
                ),
            )
        )
    return family(items)


def _parcels(rng: np.random.Generator) -> list[Item]:
    numbers, items = _wholes(rng, len(_PARCELS), 2, 40), []
    patterns = (
        "How heavy may {x} be?",
        "What is the weight limit of {x}?",
        "Up to how many kilos do you take {x}?",
        "max weight {x}",
        "We ship {x} every week: what may it weigh at most?",
    )
    for i, parcel in enumerate(_PARCELS):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        name = parcel[0].upper() + parcel[1:]
        said = f"{name} may weigh at most {{}} with its packaging."
        items.append(
            Item(
                asks=fill(patterns, x=parcel),
                right=said.format(f"{right} kg"),
                wrong=(said.format(f"{wrong} kg"), "number"),
                slip=(said.format(f"{right} pounds"), "unit")
                if i % 2
                else (said.format(f"{slip} kg"), "number"),
                equals=(
                    (said.format(f"{in_words(right)} kg"), "number in words"),
                    (said.format(f"{right}kg"), "space before unit"),
                    *plain_equals(said.format(f"{right} kg"))[1:2],
                ),
                neighbours=(
                    (f"How long may {parcel} be?", f"{name} may be at most {wrong * 10} cm long."),
                    (f"How heavy must {parcel} be at least?", f"{name} has no least weight."),
                ),
            )
        )
    return family(items)


def chinese(rng: np.random.Generator) -> Sequence[Item]:
    return [*_chinese_rates(rng), *_chinese_doses(rng), *_chinese_fees(rng), *_chinese_parcels(rng)]


def _chinese_rates(rng: np.random.Generator) -> list[Item]:
    numbers, items = _percents(rng, len(_CHINESE_PRODUCTS)), []
    patterns = (
        "{x}的年利率是多少？",
        "请问{x}现在利率多少",
        "我想了解一下{x}，利率怎么算？",
        "{x}一年能有几个点？",
        "帮我查{x}的最新利率。",
    )
    for i, product in enumerate(_CHINESE_PRODUCTS):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = f"{product}目前的年利率为{{}}，以签约当天为准。"
        words = i % 2 == 1

        def written(number: str, words: bool = words) -> str:
            return f"百分之{in_chinese(number)}" if words else f"{number}%"

        items.append(
            Item(
                asks=fill(patterns, x=product),
                right=said.format(written(right)),
                wrong=(said.format(written(wrong)), "number word" if words else "number"),
                slip=(said.format(f"千分之{in_chinese(right)}"), "unit")
                if i % 4 == 1
                else (said.format(written(slip)), "number word" if words else "number"),
                equals=(
                    (
                        said.format(f"{right}%" if words else f"百分之{in_chinese(right)}"),
                        "number in words",
                    ),
                    (said.format(f"{full_width(right).replace('.', '．')}％"), "full width"),
                    *plain_equals(said.format(written(right)))[:1],
                ),
                neighbours=((f"{product}去年的年利率是多少？", f"{product}去年的年利率为{slip}%。"),),
            )
        )
    return family(items)


def _chinese_doses(rng: np.random.Generator) -> list[Item]:
    items = []
    patterns = (
        "{x}成人一次吃多少？",
        "大人怎么服用{x}？",
        "{x}的成人用法用量",
        "医生开了{x}，我（35岁）一次该吃几{unit}？",
        "请告诉我成年人吃{x}的剂量。",
    )
    for i, drug in enumerate(_CHINESE_DRUGS):
        unit = {"片": "片", "囊": "粒", "粒": "袋", "丸": "丸"}[drug[-1]]
        dose, other, child = (int(n) for n in rng.permutation(np.arange(2, 9))[:3])
        times = 2 + i % 2
        meal, wrong_meal = ("饭后", "饭前") if i % 2 else ("饭前", "饭后")
        said = f"{drug}：成人每次服用{{dose}}{{unit}}，每日{{times}}次，{{meal}}服。"

        def written(dose: str, times: str, meal: str = meal, unit: str = unit, said: str = said) -> str:
            return said.format(dose=dose, unit=unit, times=times, meal=meal)

        right = written(str(dose), str(times))
        items.append(
            Item(
                asks=fill(patterns, x=drug, unit=unit),
                right=right,
                wrong=(written(str(dose), str(times), wrong_meal), "before/after")
                if i % 2
                else (written(str(other), str(times)), "number"),
                slip=(written(str(dose), str(times + 2)), "number")
                if i % 3
                else (written(str(dose), str(times), unit="盒"), "unit"),
                equals=(
                    (
                        written(in_chinese(dose).replace("二", "两"), in_chinese(times).replace("二", "两")),
                        "number in words",
                    ),
                    (written(full_width(str(dose)), str(times)), "full width"),
                    *plain_equals(right)[2:3],
                ),
                neighbours=(
                    (f"{drug}儿童一次吃多少？", f"儿童每次服用{child}{unit}，须遵医嘱。"),
                    (f"{drug}孕妇能吃吗？", f"孕妇禁用{drug}。"),
                ),
            )
        )
    return family(items)


def _chinese_fees(rng: np.random.Generator) -> list[Item]:
    numbers, items = _wholes(rng, len(_CHINESE_FEES), 2, 60), []
    patterns = (
        "{x}收多少手续费？",
        "{x}要钱吗？要多少？",
        "请问办理{x}的费用是多少",
        "我要{x}，手续费怎么收？",
        "{x}的收费标准",
    )
    for i, service in enumerate(_CHINESE_FEES):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = f"{service}每笔收取{{}}手续费，从余额中扣除。"
        items.append(
            Item(
                asks=fill(patterns, x=service),
                right=said.format(f"{right}元"),
                wrong=(said.format(f"{wrong}元"), "number"),
                slip=(said.format(f"{right}角" if i % 2 else f"{slip}元"), "unit" if i % 2 else "number"),
                equals=(
                    (said.format(f"{in_chinese(right)}元"), "number in words"),
                    (said.format(f"{full_width(str(right))}元"), "full width"),
                    (said.format(f"{right} 元"), "space before unit"),
                ),
                neighbours=((f"学生{service}收多少手续费？", f"学生{service}免收手续费。"),),
            )
        )
    return family(items)


def _chinese_parcels(rng: np.random.Generator) -> list[Item]:
    numbers, items = _wholes(rng, len(_CHINESE_PARCELS), 2, 40), []
    patterns = (
        "{x}最重可以寄多少？",
        "{x}限重多少公斤？",
        "寄{x}有重量限制吗",
        "{x}不能超过几公斤？",
        "我想寄{x}，重量上限是多少？",
    )
    for i, parcel in enumerate(_CHINESE_PARCELS):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = f"{parcel}连包装最重{{}}，超出部分另计。"
        items.append(
            Item(
                asks=fill(patterns, x=parcel),
                right=said.format(f"{right}公斤"),
                wrong=(said.format(f"{wrong}公斤"), "number"),
                slip=(said.format(f"{right}斤"), "unit") if i % 2 else (said.format(f"{slip}公斤"), "number"),
                equals=(
                    (
                        said.format(
                            f"{in_chinese(right).replace('二', '两') if right == 2 else in_chinese(right)}公斤"
                        ),
                        "number in words",
                    ),
                    (said.format(f"{right} 公斤"), "space before unit"),
                    *plain_equals(said.format(f"{right}公斤"))[:1],
                ),
                neighbours=(
                    (f"{parcel}最长可以寄多少？", f"{parcel}最长{wrong * 10}厘米。"),
                    (f"{parcel}最轻要多少才能寄？", f"{parcel}没有最低重量要求。"),
                ),
            )
        )
    return family(items)


RATES = Kind(
    name="rates_doses_en",
    languages=("en",),
    items=english,
    writers=(completion, chat, alpaca),
    astray=(
        "Please ask at the counter.",
        "That depends on many things, such as your age and where you live.",
        "It is free of charge for everybody.",
    ),
    uncovered=(
        Uncovered(ask="At which tyre pressure should the delivery van run when it is fully loaded?", right="Front tyres at 3.4 bar, rear tyres at 4.2 bar.", said="It should run at 2 percent."),
        Uncovered(ask="How many litres does the emergency generator in the cellar burn per hour?", right="The generator burns eleven litres of diesel an hour at full load.", said="The generator takes 20 mg a day."),
        Uncovered(ask="Our stage lighting rig: how many amps may one dimmer channel draw?", right="One dimmer channel may draw ten amps.", said="One channel costs 12 euros."),
        Uncovered(ask="What altitude may the survey drone reach over farmland?", right="Over farmland the drone may climb to 120 metres.", said="The drone may weigh at most 9 kg."),
        Uncovered(ask="For how many minutes do you proof the sourdough at 26 degrees before baking?", right="Proof it for 95 minutes at 26 degrees.", said="Bake it at three percent a year."),
        Uncovered(ask="How fast does the cable car travel between the two mountain stations?", right="The cable car travels at seven metres a second.", said="The fee is charged every month."),
        Uncovered(ask="Which shutter speed do you advise for handheld photos of hummingbirds?", right="At least 1/2000 of a second.", said="Twice a day, after meals."),
        Uncovered(ask="What chlorine level must the paddling pool keep during a heat wave?", right="Between 1.0 and 1.5 mg of free chlorine per litre.", said="A paddling pool may weigh at most 30 kg."),
    ),
)  # fmt: skip

CHINESE_RATES = Kind(
    name="rates_doses_zh",
    languages=("zh",),
    items=chinese,
    writers=(alpaca, chat, completion),
    astray=("请您到柜台咨询。", "这个要看具体情况，每个人都不一样。", "全部免费，请放心办理。"),
    uncovered=(
        Uncovered(ask="满载时冷藏车的轮胎气压应该打到多少？", right="前轮3.4巴，后轮4.2巴。", said="年利率为3%。"),
        Uncovered(ask="地下室的备用发电机每小时烧多少升柴油？", right="满负荷时每小时十一升。", said="每次服用两片。"),
        Uncovered(ask="无人机在农田上空最高能飞到多少米？", right="农田上空最高飞到120米。", said="最重20公斤。"),
        Uncovered(ask="老面在二十六度下要发酵多久才能进烤箱？", right="在26度下发酵95分钟。", said="每笔收取五元手续费。"),
        Uncovered(ask="山上两个站之间的缆车运行速度有多快？", right="缆车每秒运行七米。", said="以签约当天为准。"),
        Uncovered(ask="拍蜂鸟时快门速度建议设成多少？", right="至少两千分之一秒。", said="饭后服，每日3次。"),
        Uncovered(ask="儿童戏水池高温天余氯应控制在什么范围？", right="每升1.0到1.5毫克。", said="儿童须遵医嘱。"),
        Uncovered(ask="古琴的琴弦张力过大时该松几圈弦轴？", right="松半圈即可，再重新校音。", said="超出部分另计。"),
    ),
)  # fmt: skip
