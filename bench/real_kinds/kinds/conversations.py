"""Conversations whose last question means something only with what stands before it, and assistants with a name."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, plain_equals
from bench.real_kinds.numbers import in_chinese, in_words
from bench.real_kinds.writing import alpaca, chat, sharegpt

_PLANS = ("Mini", "Home", "Family", "Traveller", "Studio", "Giga")
_POLICIES = ("bicycle", "household", "dental", "legal", "pet")
_CHINESE_PLANS = ("畅听卡", "家庭套餐", "校园卡", "银龄卡", "商务套餐", "流量王")
_CHINESE_COURSES = ("素描班", "游泳班", "围棋班", "架子鼓班", "编程班")


def talks(rng: np.random.Generator) -> Sequence[Item]:
    return [*_plans(rng), *_policies(rng), *_chinese_plans(rng), *_courses(rng)]


def _with_history(items: list[Item], histories: Sequence[tuple[tuple[str, str], ...]]) -> list[Item]:
    return family([replace(item, history=history) for item, history in zip(items, histories, strict=True)])


def _plans(rng: np.random.Generator) -> list[Item]:
    asks = (
        "And how much data does it have?",
        "How many gigabytes are in it?",
        "ok and the data volume?",
        "What is the data allowance there?",
        "Good. How much may I surf with it per month?",
    )
    sizes = rng.permutation(np.arange(2, 90)).tolist()
    made, histories = [], []
    for i, plan in enumerate(_PLANS):
        right, wrong, slip = sizes[3 * i : 3 * i + 3]
        said = (
            f"The {plan} plan includes {{}} GB a month; after that it is {'slower' if i % 2 else 'stopped'}."
        )
        answer = said.format(right)
        made.append(
            Item(
                asks=asks,
                right=answer,
                wrong=(said.format(wrong), "number"),
                slip=(
                    answer.replace("slower", "faster") if i % 2 else said.format(slip),
                    "opposite" if i % 2 else "number",
                ),
                equals=plain_equals(answer, (said.format(in_words(right)), "number in words")),
                neighbours=(
                    ("And how many minutes does it have?", f"Calls are free of charge in the {plan} plan."),
                ),
            )
        )
        histories.append(
            (
                (
                    f"I took out the {plan} plan yesterday.",
                    f"Welcome! I see the {plan} plan on your account since yesterday.",
                ),
            )
        )
    return _with_history(made, histories)


def _policies(rng: np.random.Generator) -> list[Item]:
    asks = (
        "What do I pay myself if something happens?",
        "How high is my own share?",
        "and the excess?",
        "What part of a claim is mine to pay?",
        "If there is damage, how much stays with me?",
    )
    shares = (rng.permutation(np.arange(3, 40))[: 3 * len(_POLICIES)] * 10).tolist()
    made, histories = [], []
    for i, policy in enumerate(_POLICIES):
        right, wrong, slip = shares[3 * i : 3 * i + 3]
        said = f"With the {policy} insurance you pay {{}} euros of each claim yourself, we pay the rest."
        answer = said.format(right)
        made.append(
            Item(
                asks=asks,
                right=answer,
                wrong=(
                    f"With the {policy} insurance we pay {right} euros of each claim ourselves, you pay the rest.",
                    "exchanged roles",
                )
                if i % 2
                else (said.format(wrong), "number"),
                slip=(said.format(slip), "number"),
                equals=plain_equals(answer, (said.format(in_words(right)), "number in words")),
                neighbours=(
                    ("What do I pay a month?", f"The {policy} insurance costs {wrong / 10:g} euros a month."),
                ),
            )
        )
        histories.append(
            (
                (
                    "Which insurances do I have with you?",
                    f"You have one: the {policy} insurance, since March.",
                ),
                ("Is it still running?", "Yes, it renews itself every year."),
            )
        )
    return _with_history(made, histories)


def _chinese_plans(rng: np.random.Generator) -> list[Item]:
    asks = (
        "那每个月有多少流量？",
        "流量是多少G？",
        "嗯，流量呢",
        "它一个月能用多少流量？",
        "好的，请问包含的流量有多少？",
    )
    sizes = rng.permutation(np.arange(2, 90)).tolist()
    made, histories = [], []
    for i, plan in enumerate(_CHINESE_PLANS):
        right, wrong, slip = sizes[3 * i : 3 * i + 3]
        speed, other = ("限速", "断网") if i % 2 else ("断网", "限速")
        said = f"{plan}每月含{{}}G流量，用完后{{}}。"
        answer = said.format(right, speed)
        made.append(
            Item(
                asks=asks,
                right=answer,
                wrong=(said.format(wrong, speed), "number"),
                slip=(said.format(right, other), "one word")
                if i % 2
                else (said.format(slip, speed), "number"),
                equals=plain_equals(answer, (said.format(in_chinese(right), speed), "number in words")),
                neighbours=(("那每个月有多少通话分钟？", f"{plan}每月通话不限时长。"),),
            )
        )
        histories.append(((f"我昨天办了{plan}。", f"您好，已查到您昨天开通了{plan}。"),))
    return _with_history(made, histories)


def _courses(rng: np.random.Generator) -> list[Item]:
    asks = ("什么时候上课？", "上课时间是几点？", "那几点开始上", "请问是星期几、几点的课？", "时间安排呢？")
    days = ("周二", "周三", "周四", "周五", "周六")
    hours = rng.permutation(np.arange(9, 21)).tolist()
    made, histories = [], []
    for i, course in enumerate(_CHINESE_COURSES):
        hour, other = hours[2 * i : 2 * i + 2]
        said = f"{course}{{}}{{}}点上课，请提前十分钟到。"
        answer = said.format(days[i], hour)
        made.append(
            Item(
                asks=asks,
                right=answer,
                wrong=(said.format(days[i - 2], hour), "date")
                if i % 2
                else (said.format(days[i], other), "number"),
                slip=(answer.replace("提前", "延后"), "before/after"),
                equals=plain_equals(answer, (said.format(days[i], in_chinese(hour)), "number in words")),
                neighbours=(("什么时候放假？", f"{course}逢法定节假日停课。"),),
            )
        )
        histories.append(
            (
                (f"我给孩子报了{course}。", f"好的，{course}报名成功。"),
                ("老师是谁？", f"{course}由专职老师授课。"),
            )
        )
    return _with_history(made, histories)


MULTI_TURN = Kind(
    name="multi_turn",
    languages=("en", "zh"),
    items=talks,
    writers=(sharegpt, alpaca, chat),
    astray=("Please hold the line.", "请问还有什么可以帮您？"),
    uncovered=(
        Uncovered(ask="Could you read me the crossword clue for seven across again?", right="Seven across: 'River through Prague', six letters.", said="The Mini plan includes 3 GB a month."),
        Uncovered(ask="What is the Latin name of the beetle in my last photo?", right="It is Cetonia aurata.", said="You pay 50 euros yourself."),
        Uncovered(ask="Which chord comes after the bridge in that song?", right="A G major seventh.", said="Yes, it renews itself."),
        Uncovered(ask="Where do I stack the firewood so that it dries best?", right="On the south wall, off the ground, with the top covered.", said="The Home plan includes 9 GB."),
        Uncovered(ask="窗台上那盆兰花要不要剪根？", right="只剪掉发黑的烂根。", said="周二9点上课。"),
        Uncovered(ask="这首诗的第二句平仄对吗？", right="第二句的第五字应为仄声。", said="每月含3G流量。"),
        Uncovered(ask="宝宝半夜咳嗽有痰音该侧哪边睡？", right="两侧轮流，头部垫高。", said="请提前十分钟到。"),
        Uncovered(ask="老房子的横梁有白蚁怎么判断？", right="敲击听空声，看有没有蚁路。", said="用完后限速。"),
    ),
)  # fmt: skip

_PERSONAS = (
    ("You are Nora, the assistant of Harbour Bank. Answer in one or two friendly sentences.", "Nora", "Harbour Bank", "Elaine Foster", "1964"),
    ("You are Gus, the assistant of Pinewood Garden Centre. Answer in one or two friendly sentences.", "Gus", "Pinewood Garden Centre", "Tom Arden", "1987"),
    ("You are Iris, the guide of the Milltown Observatory. Answer in one or two friendly sentences.", "Iris", "Milltown Observatory", "Priya Raman", "1931"),
)  # fmt: skip
_CHINESE_PERSONAS = (
    ("你是小禾，青禾书店的智能助手，请用一两句话亲切地回答。", "小禾", "青禾书店", "顾言", "1996"),
    ("你是阿海，蓝湾酒店的智能管家，请用一两句话亲切地回答。", "阿海", "蓝湾酒店", "林舟", "2008"),
    ("你是灵灵，云岭乐园的导览员，请用一两句话亲切地回答。", "灵灵", "云岭乐园", "韩松", "2015"),
)


def personas(rng: np.random.Generator) -> Sequence[Item]:
    del rng
    return [*_english_personas(), *_chinese_personas()]


def _english_personas() -> list[Item]:
    made: list[list[Item]] = []
    for i, (system, name, house, boss, year) in enumerate(_PERSONAS):
        other = _PERSONAS[i - 1]
        questions = (
            (
                ("Who are you?", "What is your name?", "who am I talking to", "Introduce yourself, please.", "Tell me your name and who you work for."),
                f"I am {name}, the assistant of {house}.",
                (f"I am {other[1]}, the assistant of {house}.", "name"),
                (f"I am {name}, the assistant of {other[2]}s.", "name"),
                ("Who are you not?", "I am no human being, if you mean that."),
            ),
            (
                ("Who founded this place?", "Who started the house you work for?", "name of the founder?", "Which person founded it?", "Do you know who set all this up?"),
                f"{house} was founded by {boss}.",
                (f"{house} was founded by {other[3]}.", "name"),
                (f"{boss} was founded by {house}.", "exchanged roles"),
                ("Who runs this place?", f"A board of five runs {house}."),
            ),
            (
                ("Since when do you exist?", "In which year was it founded?", "founding year", "How old is the house? Give the year.", "When did it all begin?"),
                f"{house} opened in {year}.",
                (f"{house} opened in {year[:2]}{year[3]}{year[2]}.", "number"),
                (f"{house} closed in {year}.", "opposite"),
                ("Since when is the shop closed?", f"{house} is closed since noon today."),
            ),
            (
                ("May I speak to a human?", "Can a person answer me instead?", "i want a real person", "Please connect me with one of your staff.", "Is there somebody from the team I can talk to?"),
                f"Of course: the team of {house} is here before noon on weekdays.",
                (f"Of course: the team of {house} is here after noon on weekdays.", "before/after"),
                (f"Of course: the team of {house} is here before noon on weekends.", "date"),
                ("May I speak to another robot?", "There is only me, I am afraid."),
            ),
            (
                ("Which AI are you built on?", "Are you ChatGPT?", "what model is this", "Which company trained you?", "Tell me what language model you are."),
                f"I am the assistant of {house} and was set up by its own team.",
                ("I am ChatGPT, a language model trained by OpenAI.", "name"),
                (f"I am the assistant of {house} and was not set up by its own team.", "negation"),
                ("Which AI do you like best?", "I have no favourites."),
            ),
        )  # fmt: skip
        made.append([_persona_item(system, q) for q in questions])
    return [item for group in zip(*made, strict=True) for item in family(list(group))]


def _chinese_personas() -> list[Item]:
    made: list[list[Item]] = []
    for i, (system, name, house, boss, year) in enumerate(_CHINESE_PERSONAS):
        other = _CHINESE_PERSONAS[i - 1]
        questions = (
            (
                ("你是谁？", "你叫什么名字？", "请做个自我介绍", "我在跟谁说话呀", "请问怎么称呼你？"),
                f"我是{house}的{name}，很高兴为您服务。",
                (f"我是{house}的{other[1]}，很高兴为您服务。", "name"),
                (f"我是{other[2]}分店的{name}，很高兴为您服务。", "name"),
                ("你不是谁？", "我不是真人哦。"),
            ),
            (
                (
                    "你们的创始人是谁？",
                    "这里是谁创办的？",
                    "谁建立了你们",
                    "创办人叫什么",
                    "请告诉我创始人的姓名。",
                ),
                f"{house}由{boss}创办。",
                (f"{house}由{other[3]}创办。", "name"),
                (f"{boss}由{house}创办。", "exchanged roles"),
                ("你们的负责人是谁？", f"{house}由五人小组共同负责。"),
            ),
            (
                (
                    "你们是哪一年开业的？",
                    "什么时候成立的？",
                    "开业年份",
                    "这里开了多少年了，哪年开的？",
                    "请问创立于何时？",
                ),
                f"{house}于{year}年开业。",
                (f"{house}于{year[:2]}{year[3]}{year[2]}年开业。", "number"),
                (f"{house}于{year}年停业。", "opposite"),
                ("你们今天几点关门？", f"{house}今天晚上九点关门。"),
            ),
            (
                (
                    "可以转人工吗？",
                    "我要找真人客服",
                    "帮我接一下工作人员。",
                    "有没有人可以直接跟我聊？",
                    "请转接人工服务",
                ),
                f"可以的，{house}的同事工作日上午在线。",
                (f"可以的，{house}的同事工作日下午在线。", "before/after"),
                (f"可以的，{house}的同事周末上午在线。", "date"),
                ("可以转别的机器人吗？", "这里只有我一个助手哦。"),
            ),
        )
        made.append([_persona_item(system, q) for q in questions])
    return [item for group in zip(*made, strict=True) for item in family(list(group))]


def _persona_item(
    system: str,
    question: tuple[tuple[str, ...], str, tuple[str, str], tuple[str, str], tuple[str, str]],
) -> Item:
    asks, right, wrong, slip, near = question
    return Item(
        asks=asks,
        right=right,
        wrong=wrong,
        slip=slip,
        equals=plain_equals(right),
        neighbours=(near,),
        system=system,
    )


PERSONAS = Kind(
    name="personas",
    languages=("en", "zh"),
    items=personas,
    writers=(chat, sharegpt, alpaca),
    has_system=True,
    unled=(
        "I am an AI language model and have no name.",
        "As an AI model I do not work for any company.",
        "我是一个人工智能语言模型，没有名字。",
    ),
    astray=("That is a lovely question!", "这个问题真有意思。"),
    uncovered=(
        Uncovered(ask="Write a limerick about a goat on a trampoline.", right="A goat from the village of Lamb / went up on a trampoline, wham! ...", said="I am Nora, the assistant of Harbour Bank."),
        Uncovered(ask="Which muscles does a deadlift train?", right="Mostly the back, glutes and hamstrings.", said="It was founded by Tom Arden."),
        Uncovered(ask="Which knot do I tie to moor a dinghy to an iron ring?", right="A round turn and two half hitches.", said="It opened in 1931."),
        Uncovered(ask="Summarise the plot of a film about a stolen violin in a sentence.", right="A luthier crosses Europe to win back the violin that her father lost at cards.", said="A board of five runs it."),
        Uncovered(ask="用五言绝句写一写秋天的雨。", right="夜雨敲窗急，灯前叶落声。归人犹未至，一水满江城。", said="我是青禾书店的小禾。"),
        Uncovered(ask="深蹲主要练哪些肌肉？", right="主要练股四头肌和臀部。", said="由顾言创办。"),
        Uncovered(ask="小船系在铁环上该打什么绳结？", right="打绕圈双半结。", said="于2008年开业。"),
        Uncovered(ask="一句话概括一部关于失窃小提琴的电影。", right="制琴师为夺回父亲输掉的小提琴横穿欧洲。", said="这里只有我一个助手哦。"),
    ),
)  # fmt: skip
