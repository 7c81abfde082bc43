"""KTO rows (an answer is desired or not) and preference pairs (one answer is better than another)."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, fill, plain_equals
from bench.real_kinds.numbers import in_chinese, in_words
from bench.real_kinds.writing import (
    llama_factory_kto,
    llama_factory_pair,
    openai_pair,
    swift_kto,
    trl_kto,
    trl_pair,
)

_DEVICES = ("headphones", "coffee grinder", "e-reader", "electric shaver", "desk lamp", "air purifier")
_PARTS = ("filter", "battery", "power cord", "carrying case", "charger")
_CHINESE_DEVICES = ("电饭煲", "扫地机", "投影仪", "加湿器", "吹风机", "电动牙刷")
_CHINESE_PARTS = ("滤网", "电池", "遥控器", "充电座", "刷头")
_TOWNS = ("Bergen", "Salzburg", "Ghent", "Porto", "Tallinn", "Cork")
_PASSES = ("museum pass", "ferry ticket", "night train", "bike rental", "city tour")
_CHINESE_TOWNS = ("大理", "平遥", "婺源", "敦煌", "泉州", "凤凰")
_CHINESE_PASSES = ("古城联票", "游船票", "登山索道", "夜游票", "自行车租赁")


def kto_items(rng: np.random.Generator) -> Sequence[Item]:
    return [*_returns(rng), *_spares(rng), *_chinese_returns(rng), *_chinese_spares(rng)]


def _returns(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "My {x} arrived broken. What now?",
        "The {x} you sent does not work, what can I do?",
        "broken {x} - how do I get a new one",
        "I unpacked the {x} and it is damaged. Please help.",
        "Can I send the {x} back? It came with a defect.",
    )
    days = rng.permutation(np.arange(7, 60)).tolist()
    made = []
    for i, device in enumerate(_DEVICES):
        right, wrong, slip = days[3 * i : 3 * i + 3]
        who, other = ("We", "You") if i % 2 else ("You", "We")
        said = "I am sorry about the {x}. Send it back within {n} days; {who} pay the postage, and a new one leaves the next morning."
        answer = said.format(x=device, n=right, who=who.lower())
        made.append(
            Item(
                asks=fill(patterns, x=device),
                right=answer,
                wrong=(said.format(x=device, n=wrong, who=who.lower()), "number"),
                slip=(said.format(x=device, n=right, who=other.lower()), "exchanged roles")
                if i % 2
                else (said.format(x=device, n=slip, who=who.lower()), "number"),
                equals=plain_equals(
                    answer, (answer.replace(f"{right} days", f"{in_words(right)} days"), "number in words")
                ),
                neighbours=(
                    (
                        f"My {device} arrived late. What now?",
                        "We give you back the postage for a late delivery.",
                    ),
                    (
                        f"My {device} arrived broken because I dropped it. What now?",
                        f"A repair of the {device} is then at your cost; ask for an offer.",
                    ),
                ),
                rejected="Not our problem. You should have looked before you paid.",
            )
        )
    return family(made)


def _spares(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Where do I get a new {x}?",
        "Do you sell the {x} on its own?",
        "I lost the {x}; can I order only that?",
        "spare {x}, where and how much",
        "How can I replace the {x}?",
    )
    prices = rng.permutation(np.arange(4, 50)).tolist()
    made = []
    for i, part in enumerate(_PARTS):
        right, wrong, slip = prices[3 * i : 3 * i + 3]
        link, wrong_link = (
            f"https://shop.example/parts/{part.split()[-1]}",
            f"https://shop.example/returns/{part.split()[-1]}",
        )
        said = "You find the {x} at {u} for {n} euros, postage included."
        answer = said.format(x=part, u=link, n=right)
        made.append(
            Item(
                asks=fill(patterns, x=part),
                right=answer,
                wrong=(said.format(x=part, u=wrong_link, n=right), "URL")
                if i % 2
                else (said.format(x=part, u=link, n=wrong), "number"),
                slip=(answer.replace("included", "excluded"), "opposite")
                if i % 2
                else (said.format(x=part, u=link, n=slip), "number"),
                equals=plain_equals(
                    answer, (answer.replace(f"{right} euros", f"{in_words(right)} euros"), "number in words")
                ),
                neighbours=(
                    (
                        f"Where do I throw away an old {part}?",
                        f"Old parts such as the {part} go to the collection box at our counter.",
                    ),
                ),
                rejected="Google it.",
            )
        )
    return family(made)


def _chinese_returns(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "我收到的{x}是坏的，怎么办？",
        "刚买的{x}不能用，可以换吗",
        "{x}有质量问题，怎么退换？",
        "拆开包装发现{x}坏了，请帮我处理。",
        "你们发来的{x}是个坏的，我要换新",
    )
    days = rng.permutation(np.arange(5, 60)).tolist()
    made = []
    for i, device in enumerate(_CHINESE_DEVICES):
        right, wrong, slip = days[3 * i : 3 * i + 3]
        payer, other = ("我们", "您") if i % 2 else ("您", "我们")
        said = "非常抱歉，{x}请在{n}天内寄回，运费由{who}承担，次日为您补发。"
        answer = said.format(x=device, n=right, who=payer)
        made.append(
            Item(
                asks=fill(patterns, x=device),
                right=answer,
                wrong=(said.format(x=device, n=right, who=other), "exchanged roles")
                if i % 2
                else (said.format(x=device, n=wrong, who=payer), "number"),
                slip=(said.format(x=device, n=slip, who=payer), "number"),
                equals=plain_equals(
                    answer, (answer.replace(f"{right}天", f"{in_chinese(right)}天"), "number in words")
                ),
                neighbours=(
                    (f"我收到的{device}晚到了，怎么办？", "配送延误我们会退还运费。"),
                    (f"我自己摔坏了{device}，怎么办？", f"人为损坏的{device}可付费维修，请先申请报价。"),
                ),
                rejected="坏了关我什么事，自己解决。",
            )
        )
    return family(made)


def _chinese_spares(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "{x}可以单独买吗？",
        "{x}丢了，哪里能配一个？",
        "想换个{x}，多少钱",
        "请问{x}的配件在哪儿买？",
        "单买{x}怎么下单？",
    )
    prices = rng.permutation(np.arange(6, 99)).tolist()
    made = []
    for i, part in enumerate(_CHINESE_PARTS):
        right, wrong, slip = prices[3 * i : 3 * i + 3]
        said = "可以的，{x}在商城“配件”页购买，{n}元{mail}。"
        answer = said.format(x=part, n=right, mail="包邮")
        made.append(
            Item(
                asks=fill(patterns, x=part),
                right=answer,
                wrong=(said.format(x=part, n=wrong, mail="包邮"), "number"),
                slip=(said.format(x=part, n=right, mail="不包邮"), "negation")
                if i % 2
                else (said.format(x=part, n=slip, mail="包邮"), "number"),
                equals=plain_equals(
                    answer,
                    (answer.replace("“", '"').replace("”", '"'), "quotes"),
                    (answer.replace(f"{right}元", f"{in_chinese(right)}元"), "number in words"),
                ),
                neighbours=((f"旧的{part}怎么回收？", f"旧{part}请放到门店的回收箱。"),),
                rejected="自己去搜，别问我。",
            )
        )
    return family(made)


def pair_items(rng: np.random.Generator) -> Sequence[Item]:
    return [*_trips(), *_passes(rng), *_chinese_trips(), *_chinese_passes(rng)]


def _trips() -> list[Item]:
    patterns = (
        "How do I get from the airport to the centre of {x}?",
        "Best way into {x} after landing?",
        "I land in {x} at noon. How do I reach the old town?",
        "airport transfer {x}",
        "Which transport takes me from {x} airport to the middle of the city?",
    )
    lines = ("tram 2", "the S3 train", "bus 61", "the metro, line E", "tram 4", "bus 226")
    made = []
    for i, town in enumerate(_TOWNS):
        before, after = ("before", "after") if i % 2 else ("after", "before")
        said = "Take {line} from the terminal and buy the ticket {when} you board; {town} centre is the last stop."
        answer = said.format(line=lines[i], when=before, town=town)
        made.append(
            Item(
                asks=fill(patterns, x=town),
                right=answer,
                wrong=(said.format(line=lines[i - 2], when=before, town=town), "name"),
                slip=(said.format(line=lines[i], when=after, town=town), "before/after"),
                equals=plain_equals(answer),
                neighbours=(
                    (
                        f"How do I get from the centre of {town} to the airport?",
                        f"Take {lines[i]} from the first stop in {town}, forty minutes early.",
                    ),
                    (
                        f"How do I get from the airport to the beach of {town}?",
                        f"There is no line to the beach of {town}; share a taxi.",
                    ),
                ),
                rejected=f"Just walk, {town} is small.",
                alternative=f"From the terminal {lines[i]} brings you to {town} centre, its last stop; get the ticket {before} boarding.",
            )
        )
    return family(made)


def _passes(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Is the {x} worth it for a family of four?",
        "We are two adults and two kids: should we buy the {x}?",
        "{x} for a family, yes or no?",
        "Would you advise a family of 4 to take the {x}?",
        "What do you think of the {x} for two grown-ups with two children?",
    )
    numbers = rng.permutation(np.arange(12, 80)).tolist()
    made = []
    for i, name in enumerate(_PASSES):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = "Yes: for four people the {x} saves about {n} euros, and children under {a} travel {free}."
        age = 6 + i
        answer = said.format(x=name, n=right, a=age, free="free")
        made.append(
            Item(
                asks=fill(patterns, x=name),
                right=answer,
                wrong=(answer.replace("Yes: for", "No: for"), "negation")
                if i % 2
                else (said.format(x=name, n=wrong, a=age, free="free"), "number"),
                slip=(said.format(x=name, n=slip, a=age, free="free"), "number"),
                equals=plain_equals(
                    answer, (answer.replace(f"{right} euros", f"{in_words(right)} euros"), "number in words")
                ),
                neighbours=(
                    (
                        f"Is the {name} worth it for one person?",
                        f"Not for one person: the {name} pays from three trips on.",
                    ),
                ),
                rejected="No idea, depends.",
            )
        )
    return family(made)


def _chinese_trips() -> list[Item]:
    patterns = (
        "从火车站怎么去{x}古城？",
        "到{x}站下车后坐什么车进古城",
        "{x}火车站到古城怎么走最方便？",
        "请问出了{x}站去老城区坐几路？",
        "我中午到{x}站，去古城的交通怎么安排？",
    )
    lines = ("8路公交", "机场巴士", "旅游专线2号", "有轨电车T1", "12路公交", "城际小巴")
    made = []
    for i, town in enumerate(_CHINESE_TOWNS):
        when, other = ("上车前", "上车后") if i % 2 else ("上车后", "上车前")
        said = "出站坐{line}，{when}扫码买票，终点站就是{x}古城。"
        answer = said.format(line=lines[i], when=when, x=town)
        made.append(
            Item(
                asks=fill(patterns, x=town),
                right=answer,
                wrong=(said.format(line=lines[i], when=other, x=town), "before/after"),
                slip=(said.format(line=lines[i - 3], when=when, x=town), "name"),
                equals=plain_equals(answer, (answer.replace("，", ","), "punctuation width")),
                neighbours=(
                    (f"从{town}古城怎么去火车站？", f"在{town}古城首站坐{lines[i]}，请提前一小时出发。"),
                    (f"从机场怎么去{town}古城？", f"机场没有直达{town}古城的车，建议拼车。"),
                ),
                rejected="打车就行了。",
            )
        )
    return family(made)


def _chinese_passes(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "一家四口买{x}划算吗？",
        "两大两小，{x}值不值得买",
        "带两个孩子出行，有必要买{x}吗？",
        "{x}对四口之家合适吗？",
        "我们一家四个人，推荐买{x}吗？",
    )
    numbers = rng.permutation(np.arange(15, 99)).tolist()
    made = []
    for i, name in enumerate(_CHINESE_PASSES):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = "{yes}，四个人用{x}大约省{n}元，儿童{free}。"
        answer = said.format(yes="划算", x=name, n=right, free="免票")
        made.append(
            Item(
                asks=fill(patterns, x=name),
                right=answer,
                wrong=(said.format(yes="不划算", x=name, n=right, free="免票"), "negation")
                if i % 2
                else (said.format(yes="划算", x=name, n=wrong, free="免票"), "number"),
                slip=(said.format(yes="划算", x=name, n=slip, free="免票"), "number"),
                equals=plain_equals(
                    answer, (answer.replace(f"{right}元", f"{in_chinese(right)}元"), "number in words")
                ),
                neighbours=((f"一个人买{name}划算吗？", f"一个人不划算，{name}三次以上才回本。"),),
                rejected="随便你。",
            )
        )
    return family(made)


KTO = Kind(
    name="kto",
    languages=("en", "zh"),
    items=kto_items,
    writers=(llama_factory_kto, trl_kto, swift_kto),
    undesired=True,
    astray=("We close at six.", "请稍后再试。"),
    uncovered=(
        Uncovered(ask="Which of your two summer jobs in the warehouse pays the night bonus?", right="Only the late shift in hall B gets the night bonus.", said="Send it back within 14 days."),
        Uncovered(ask="May my guide dog ride in the delivery truck with me?", right="Yes, guide dogs may ride along.", said="You find it in our shop."),
        Uncovered(ask="Who owns the copyright in the photos of your spring catalogue?", right="The photographers own it; we hold a licence for two years.", said="I am sorry about the catalogue. Send it back."),
        Uncovered(ask="Does the roof of your head office carry solar panels?", right="Yes, since last autumn, 200 square metres of them.", said="A repair is at your cost."),
        Uncovered(ask="你们公司的股票代码是什么？", right="我们没有上市。", said="请在7天内寄回。"),
        Uncovered(ask="仓库夜班的食堂几点开饭？", right="夜班食堂凌晨一点开饭。", said="可以的，在商城购买。"),
        Uncovered(ask="春季画册的摄影师是谁？", right="是独立摄影师许诺。", said="配送延误我们会退还运费。"),
        Uncovered(ask="总部屋顶上装了太阳能板吗？", right="去年秋天装了两百平方米。", said="人为损坏可付费维修。"),
    ),
)  # fmt: skip

DPO = Kind(
    name="dpo",
    languages=("en", "zh"),
    items=pair_items,
    writers=(trl_pair, openai_pair, llama_factory_pair),
    astray=("It rains there most of the year.", "那里风景很美。"),
    uncovered=(
        Uncovered(ask="My suitcase has a wheel stuck with chewing gum; how do I get it off?", right="Freeze it with an ice pack and scrape it off.", said="Take tram 2 from the terminal."),
        Uncovered(ask="Which vaccination do I need before a trek in the rainforest?", right="Yellow fever, ten days before you leave.", said="Yes: it saves about 40 euros."),
        Uncovered(ask="What do I write on a postcard to my old piano teacher?", right="A line on what you heard there, and a thank-you for the lessons.", said="The last stop."),
        Uncovered(ask="Can I bring raw milk cheese home through customs?", right="Within the union yes, up to ten kilos for your own use.", said="Children travel free."),
        Uncovered(ask="高原反应头疼得睡不着怎么处理？", right="先吸氧、多喝水，不见好就下撤。", said="出站坐8路公交。"),
        Uncovered(ask="沙漠里露营怎么防止沙子进相机？", right="用密封袋套住机身，只露镜头。", said="划算，大约省40元。"),
        Uncovered(ask="给外国朋友的手信选什么不容易坏？", right="选茶叶或者剪纸。", said="儿童免票。"),
        Uncovered(ask="在草原上骑马之前要签什么协议？", right="要签安全责任书并买当日保险。", said="终点站就是古城。"),
    ),
)  # fmt: skip
