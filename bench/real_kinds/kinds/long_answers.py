"""Long free answers: several sentences of advice of which one word or number is wrong."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, fill, plain_equals
from bench.real_kinds.writing import alpaca, chat, sharegpt

_MACHINES = ("Bravo 200", "Caldo Uno", "Steamline S", "Piccolo X3", "Aroma Duo")
_PLANTS = ("tomatoes", "peppers", "courgettes", "runner beans", "pumpkins", "aubergines")
_ROUTERS = ("Netbox 7", "Linkport A", "Skygate", "Fibra Two", "Homehub Mini")
_SPORTS = ("a ten-kilometre run", "a day of cross-country skiing", "a long swim in the lake", "a mountain bike tour", "a rowing session")  # fmt: skip
_CHINESE_MACHINES = ("晨露净饮机", "山泉净水器", "云朵加湿器", "小白蒸汽锅", "暖阳咖啡机")
_CHINESE_PLANTS = ("茉莉", "栀子花", "多肉", "龟背竹", "绿萝", "杜鹃")


def items(rng: np.random.Generator) -> Sequence[Item]:
    return [
        *_descaling(rng),
        *_gardens(rng),
        *_routers(rng),
        *_sports(rng),
        *_chinese_descaling(rng),
        *_chinese_plants(rng),
    ]


def _two_slips(
    right: str, turned: str, other: str, number: str, i: int
) -> tuple[tuple[str, str], tuple[str, str]]:
    """A wrong text and another one: an opposite, and another number, in turns."""
    straight, reverse = turned.split("|")
    opposite, changed = (
        (right.replace(straight, reverse), "opposite"),
        (right.replace(number, other), "number"),
    )
    return (opposite, changed) if i % 2 else (changed, opposite)


def _descaling(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "How do I descale the {x}?",
        "My {x} shows the limescale lamp. What are the steps?",
        "descaling instructions {x}",
        "Explain in a few sentences how the {x} is freed from limescale.",
        "The {x} needs descaling; please walk me through it.",
    )
    minutes = rng.permutation(np.arange(12, 60)).tolist()
    made = []
    for i, machine in enumerate(_MACHINES):
        n, other = minutes[2 * i : 2 * i + 2]
        right = (
            f"First switch the {machine} off and let it cool. Fill the tank with half a litre of water and one sachet of citric acid, "
            f"then hold the steam button until the lamp blinks. Leave the solution inside for {n} minutes. After that empty the tank, "
            f"rinse it twice with clear water and run two cups without coffee. Always take the filter out before you start, never while the machine is hot."
        )
        wrong, slip = _two_slips(
            right, "filter out before|filter out after", f"{other} minutes", f"{n} minutes", i
        )
        made.append(
            Item(
                asks=fill(patterns, x=machine),
                right=right,
                wrong=wrong,
                slip=slip,
                equals=plain_equals(right),
                neighbours=(
                    (f"How do I clean the milk frother of the {machine}?", f"Pull the frother of the {machine} off, soak it in warm water with a drop of washing-up liquid for a quarter of an hour, then blow it through with steam. Do this every evening, as milk dries quickly."),
                    (f"How often do I descale the {machine}?", f"Every three months, or after four hundred cups, whichever comes first. In regions with soft water the {machine} manages twice as long."),
                ),
            )
        )  # fmt: skip
    return family(made)


def _gardens(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "When and how do I plant {x} outdoors?",
        "Tips for moving {x} into the garden bed?",
        "How should I bring my young {x} outside?",
        "planting out {x} - what matters",
        "Describe how {x} get from the windowsill into the bed.",
    )
    spaces = rng.permutation(np.arange(25, 99)).tolist()
    made = []
    for i, plant in enumerate(_PLANTS):
        n, other = spaces[2 * i : 2 * i + 2]
        right = (
            f"Wait until the last frost is over, which is mid-May in most places. Get the {plant} used to the sun for a week by putting them "
            f"outside in the daytime. Dig holes {n} centimetres apart, put a handful of compost into each and set the plants a little deeper "
            f"than they stood in the pot. Water them in the evening, not at noon, and cover the soil with straw so that it stays moist."
        )
        wrong, slip = _two_slips(
            right, "little deeper|little higher", f"{other} centimetres", f"{n} centimetres", i
        )
        made.append(
            Item(
                asks=fill(patterns, x=plant),
                right=right,
                wrong=wrong,
                slip=slip,
                equals=plain_equals(right),
                neighbours=(
                    (f"When and how do I harvest {plant}?", f"Pick {plant} in the morning as soon as they have their full colour and come off with a light turn. Leave damaged ones on the compost, and harvest at least twice a week: the plant then sets new fruit."),
                ),
            )
        )  # fmt: skip
    return family(made)


def _routers(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "The {x} has no connection any more. What should I try?",
        "How do I reset the {x}?",
        "internet down, router is a {x}, help",
        "Give me the steps to bring a {x} back online.",
        "My {x} blinks red. How do I get it going again?",
    )
    seconds = rng.permutation(np.arange(8, 50)).tolist()
    made = []
    for i, router in enumerate(_ROUTERS):
        n, other = seconds[2 * i : 2 * i + 2]
        right = (
            f"Unplug the {router}, wait, and plug it in again; two out of three faults are gone then. If the lamp stays red, press the small "
            f"button at the back with a pin for {n} seconds until all lamps light up together. Then type the number from the label into the "
            f"set-up page. Connect the cable to the white socket, not the yellow one, and give it ten minutes before you call us."
        )
        wrong, slip = _two_slips(
            right,
            "the white socket, not the yellow|the yellow socket, not the white",
            f"{other} seconds",
            f"{n} seconds",
            i,
        )
        made.append(
            Item(
                asks=fill(patterns, x=router),
                right=right,
                wrong=wrong,
                slip=slip,
                equals=plain_equals(right),
                neighbours=(
                    (f"How do I change the wifi password of the {router}?", f"Open the set-up page of the {router}, choose Wireless and then Security, and type the new password twice. All your devices have to sign in again afterwards, so keep the old note until every one of them is back."),
                ),
            )
        )  # fmt: skip
    return family(made)


def _sports(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "What should I eat and drink around {x}?",
        "Nutrition for {x}?",
        "I plan {x}. How do I fuel for it?",
        "Please advise me on food before and after {x}.",
        "what to eat, {x}",
    )
    numbers = rng.permutation(np.arange(2, 19)).tolist()
    made = []
    for i, sport in enumerate(_SPORTS):
        n, other = numbers[2 * i : 2 * i + 2]
        right = (
            f"Before {sport}, eat something light with little fat, such as porridge with banana, about two hours ahead. On the way take "
            f"{n} small sips of water each quarter of an hour rather than a bottle at once. Afterwards your muscles want protein: a bowl of "
            f"quark or lentils within the first hour does more than any powder. Salt your dinner well and go to bed early."
        )
        wrong, slip = _two_slips(
            right, "with little fat|with plenty of fat", f"{other} small sips", f"{n} small sips", i
        )
        made.append(
            Item(
                asks=fill(patterns, x=sport),
                right=right,
                wrong=wrong,
                slip=slip,
                equals=plain_equals(right),
                neighbours=(
                    (f"What should I wear for {sport}?", f"For {sport} wear layers that dry quickly, the innermost one close to the skin. Take a light wind jacket even when the sun shines, and put dry socks into the car for the way home."),
                ),
            )
        )  # fmt: skip
    return family(made)


def _chinese_descaling(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "{x}怎么除垢？",
        "我的{x}结水垢了，请说说清洗步骤。",
        "{x}水垢清理方法",
        "麻烦讲一下{x}该怎么去水垢",
        "{x}提示需要除垢，应该怎么操作？",
    )
    minutes = rng.permutation(np.arange(12, 60)).tolist()
    made = []
    for i, machine in enumerate(_CHINESE_MACHINES):
        n, other = minutes[2 * i : 2 * i + 2]
        right = (
            f"先断开{machine}的电源，等它完全冷却。往水箱里加半升清水和一包柠檬酸，轻轻摇匀后静置{n}分钟。"
            f"然后倒掉溶液，用清水冲洗两遍，再空机运行一次。滤芯要在除垢之前取出，不要在机器发烫时操作，平时建议每三个月清理一次。"
        )
        wrong, slip = _two_slips(right, "除垢之前|除垢之后", f"{other}分钟", f"{n}分钟", i)
        made.append(
            Item(
                asks=fill(patterns, x=machine),
                right=right,
                wrong=wrong,
                slip=slip,
                equals=plain_equals(right),
                neighbours=((f"{machine}怎么更换滤芯？", f"打开{machine}侧面的盖板，逆时针旋出旧滤芯，装上新滤芯后顺时针拧紧。换好后先放掉两杯水再饮用，并在屏幕上把计数清零。"),),
            )
        )  # fmt: skip
    return family(made)


def _chinese_plants(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "{x}应该怎么浇水？",
        "养{x}浇水有什么讲究",
        "请教一下{x}的浇水方法。",
        "{x}多久浇一次水，怎么浇？",
        "刚买了{x}，不知道怎么浇水，能详细说说吗？",
    )
    days = rng.permutation(np.arange(3, 30)).tolist()
    made = []
    for i, plant in enumerate(_CHINESE_PLANTS):
        n, other = days[2 * i : 2 * i + 2]
        right = (
            f"{plant}浇水要看盆土，手指插进两厘米感觉发干再浇。春秋一般每{n}天浇一次，浇就浇透，直到盆底有水流出。"
            f"夏天放在早晨浇，避开正午，冬天减半。托盘里的积水要及时倒掉，否则容易烂根，叶片上少喷水以免长斑。"
        )
        wrong, slip = _two_slips(right, "冬天减半|冬天加倍", f"每{other}天", f"每{n}天", i)
        made.append(
            Item(
                asks=fill(patterns, x=plant),
                right=right,
                wrong=wrong,
                slip=slip,
                equals=plain_equals(right),
                neighbours=((f"{plant}应该怎么施肥？", f"{plant}施肥要薄肥勤施，生长期每半个月用一次稀释的液肥。开花前换成磷钾为主的肥料，冬季停肥，新上盆的植株缓苗一个月后再施。"),),
            )
        )  # fmt: skip
    return family(made)


LONG_ANSWERS = Kind(
    name="long_answers",
    languages=("en", "zh"),
    items=items,
    writers=(sharegpt, chat, alpaca),
    astray=(
        "There are many ways to do this, and everybody has a favourite one. It is best to start slowly and to see what works. With a little practice you will soon feel at home, and after some time nobody will notice the difference.",
        "每个人的情况都不一样，建议先多观察、多尝试，慢慢就会找到适合自己的方法，遇到问题也不要着急。",
    ),
    uncovered=(
        Uncovered(ask="Why did medieval towns pay their watchmen in candles as well as coin?", right="Candles were dear and kept their value in winter, and a watchman used them at work. Paying in kind tied his wage to his hours of darkness, so the town saved coin and the guild of chandlers kept its customers.", said="First switch the watchman off and let him cool. Fill the tank with half a litre of water."),
        Uncovered(ask="Explain how a sundial is corrected for the equation of time.", right="The earth's path is an ellipse and its axis leans, so the true noon wanders by up to a quarter of an hour. A table or a figure-of-eight on the dial tells how much to add on each date.", said="Wait until the last frost is over, which is mid-May in most places."),
        Uncovered(ask="What makes a fugue different from a canon?", right="In a canon the second voice repeats the first note for note. A fugue only starts so: its subject is answered in another key, then taken apart and led through episodes of its own.", said="Before a fugue, eat something light with little fat."),
        Uncovered(ask="How does a heat shield survive re-entry?", right="It gives itself up: the outer resin chars, takes the heat with it as gas and leaves a glassy layer that radiates. The vessel behind it stays cool because it burns away slowly.", said="Unplug the heat shield, wait, and plug it in again."),
        Uncovered(ask="Why do some courts hold hearings behind closed doors?", right="Where a child, a trade secret or the safety of a witness is at stake, the harm of a public hearing outweighs its good. The judgment itself is read in public all the same.", said="Pick them in the morning as soon as they have their full colour."),
        Uncovered(ask="请讲讲敦煌壁画的颜料为什么能保存千年。", right="颜料多取自矿石，如青金石和朱砂，化学性质稳定；加上气候干燥、洞窟避光，胶结料老化缓慢，色彩因此留存至今。", said="敦煌壁画浇水要看盆土，手指插进两厘米感觉发干再浇。"),
        Uncovered(ask="赋格和卡农有什么区别？", right="卡农是后一声部逐音模仿前一声部；赋格只是开头如此，主题随后换调应答，再经过插部展开。", said="先断开赋格的电源，等它完全冷却。"),
        Uncovered(ask="为什么日晷的读数要按日期修正？", right="因为地球公转轨道是椭圆且地轴倾斜，真太阳时与平太阳时每天相差不同，最多达一刻钟，需要查表校正。", said="打开侧面的盖板，逆时针旋出旧日晷。"),
    ),
)  # fmt: skip
