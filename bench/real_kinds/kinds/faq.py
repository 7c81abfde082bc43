"""FAQ sets: several wordings for one answer, and the same wording about something else."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, fill, plain_equals
from bench.real_kinds.numbers import in_chinese, in_words
from bench.real_kinds.writing import alpaca, chat, completion, sharegpt

_BRANCHES = ("Riverside", "Old Town", "Harbour", "University", "Hillcrest", "Westend")
_MEDIA = ("a novel", "a magazine", "an audiobook", "a board game", "a DVD box", "a sheet of music")
_RULES = ("food", "dogs", "photography", "telephone calls", "balloons", "bicycles")
_PEOPLE = ("children's section", "reading club", "map room", "repair café", "music library")
_FORMS = ("library card", "study room", "locker", "loan extension", "lost book report")
_HEADS = ("Ruth Ellery", "Imran Qureshi", "Sofia Lind", "Hugo Bastian", "Grace Oyelaran")


def english(rng: np.random.Generator) -> Sequence[Item]:
    return [*_hours(rng), *_loans(rng), *_allowed(), *_heads(), *_forms()]


def _hours(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "When does the {x} branch open?",
        "What are the opening hours of the {x} branch in the morning?",
        "from when on is {x} open",
        "I'd like to come to the {x} branch early. When can I get in?",
        "At what time do you unlock the doors in {x}?",
        "Opening time {x} branch",
    )
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
    made = []
    for i, branch in enumerate(_BRANCHES):
        hour, other, third = (int(h) for h in rng.permutation(np.arange(6, 12))[:3])
        said = f"The {branch} branch opens at {{}} in the morning and is closed on {{}}s."
        right = said.format(f"{hour} o'clock", days[i])
        made.append(
            Item(
                asks=fill(patterns, x=branch),
                right=right,
                wrong=(said.format(f"{other} o'clock", days[i]), "number"),
                slip=(said.format(f"{hour} o'clock", days[i - 2]), "date")
                if i % 2
                else (said.format(f"{third} o'clock", days[i]), "number"),
                equals=plain_equals(
                    right,
                    (right.replace("'", "’"), "quotes"),
                    (said.format(f"{in_words(hour)} o'clock", days[i]), "number in words"),
                ),
                neighbours=(
                    (
                        f"When does the {branch} branch close?",
                        f"The {branch} branch closes at {hour + 10}:30 every day.",
                    ),
                    (
                        f"When does the café in the {branch} branch open?",
                        f"The café in {branch} opens at noon.",
                    ),
                ),
            )
        )
    return family(made)


def _loans(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "How long may I keep {x}?",
        "What is the loan period of {x}?",
        "{x}: until when must it be back?",
        "I want to borrow {x}. For how many days?",
        "After how many days do I have to return {x}?",
    )
    numbers = rng.permutation(np.arange(5, 60)).tolist()
    made = []
    for i, medium in enumerate(_MEDIA):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = f"You may keep {medium} for {{}} days and extend the loan {{}}."
        often, other = ("once", "twice") if i % 2 else ("twice", "once")
        answer = said.format(right, often)
        made.append(
            Item(
                asks=fill(patterns, x=medium),
                right=answer,
                wrong=(said.format(wrong, often), "number"),
                slip=(said.format(right, other), "number word")
                if i % 2
                else (said.format(slip, often), "number"),
                equals=plain_equals(answer, (said.format(in_words(right), often), "number in words")),
                neighbours=(
                    (
                        f"How long may I not keep {medium} after a warning?",
                        f"After a warning {medium} has to be back within 3 days.",
                    ),
                ),
                alternative=f"{right} days, and the loan of {medium} can be extended {often}.",
            )
        )
    return family(made)


def _allowed() -> list[Item]:
    patterns = (
        "Are {x} allowed in the reading room?",
        "Is it OK to have {x} in the reading room?",
        "What are the rules about {x} in the reading room?",
        "reading room and {x}?",
        "Do you permit {x} inside the reading room?",
    )
    made = []
    for i, thing in enumerate(_RULES):
        verb = "is" if thing in ("food", "photography") else "are"
        allowed = i % 2 == 0
        subject = thing[0].upper() + thing[1:]
        yes = f"{subject} {verb} allowed in the reading room, as long as nobody complains."
        no = f"{subject} {verb} not allowed in the reading room, as long as nobody else agrees."
        right, opposite = (
            (yes, yes.replace("allowed", "not allowed"))
            if allowed
            else (no, no.replace("not allowed", "allowed"))
        )
        asks = tuple(
            a.replace("Are food", "Is food").replace("Are photography", "Is photography")
            for a in fill(patterns, x=thing)
        )
        made.append(
            Item(
                asks=asks,
                right=right,
                wrong=(opposite, "negation"),
                slip=(right.replace("reading room", "garden"), "one word"),
                equals=plain_equals(right),
                neighbours=(
                    (
                        asks[0].replace("reading room", "courtyard"),
                        f"The courtyard has no rules about {thing}.",
                    )
                    if i % 3
                    else (asks[0].replace("reading room", "cellar"), f"No {thing} in the cellar, please."),
                ),
            )
        )
    return family(made)


def _heads() -> list[Item]:
    patterns = (
        "Who runs the {x}?",
        "Who is in charge of the {x}?",
        "Name of the head of the {x}, please.",
        "Whom do I ask for at the {x}?",
        "person responsible for the {x}",
    )
    made = []
    for i, section in enumerate(_PEOPLE):
        right = f"The {section} is run by {_HEADS[i]}."
        made.append(
            Item(
                asks=fill(patterns, x=section),
                right=right,
                wrong=(f"The {section} is run by {_HEADS[i - 2]}.", "name"),
                slip=(f"The {section} is run by {_HEADS[i].split()[0]} Marlow.", "name"),
                equals=plain_equals(right),
                neighbours=(
                    (
                        f"Who ran the {section} before?",
                        f"Before, {_HEADS[i - 1]} looked after the {section}.",
                    ),
                ),
                alternative=f"{_HEADS[i]} runs the {section}.",
            )
        )
    return family(made)


def _forms() -> list[Item]:
    patterns = (
        "Where do I find the form for a {x}?",
        "Link to the {x} form?",
        "I need the form: {x}",
        "Which page has the {x} application?",
        "Send me the address of the form for a {x}, please.",
    )
    made = []
    for i, form in enumerate(_FORMS):
        slug = form.replace(" ", "-")
        right = f"The form for a {form} is at https://library.example/forms/{slug}."
        made.append(
            Item(
                asks=fill(patterns, x=form),
                right=right,
                wrong=(
                    f"The form for a {form} is at https://library.example/forms/{_FORMS[i - 2].replace(' ', '-')}.",
                    "URL",
                ),
                slip=(f"The form for a {form} is at https://library.example/old-forms/{slug}.", "URL"),
                equals=plain_equals(right),
                neighbours=(
                    (
                        f"Where do I hand in the form for a {form}?",
                        f"Hand the {form} form in at desk {i + 2}.",
                    ),
                ),
            )
        )
    return family(made)


_CHINESE_HALLS = ("综合楼", "实验楼", "体育馆", "行政楼", "艺术楼", "图文中心")
_CHINESE_PAPERS = ("在读证明", "成绩单", "学生证", "图书证", "校园卡", "离校手续")
_CHINESE_RULES = ("外卖", "宠物", "电动车", "电饭锅", "蜡烛", "音箱")
_CHINESE_OFFICES = ("教务处", "宿管科", "财务处", "校医院", "保卫处")
_CHINESE_NAMES = ("陆明远", "沈晓岚", "方志远", "谭雨欣", "贺建国")
_CHINESE_FEES = ("宿舍空调", "自行车车位", "琴房", "健身房", "储物柜")


def chinese(rng: np.random.Generator) -> Sequence[Item]:
    return [*_halls(), *_papers(rng), *_dorm(), *_offices(), *_campus_fees(rng)]


def _halls() -> list[Item]:
    patterns = (
        "{x}几点开门？",
        "请问{x}早上什么时候开放",
        "{x}的开放时间是？",
        "我想早点去{x}，几点能进？",
        "早上几点可以进{x}啊",
    )
    hours = (6, 7, 8, 9, 10, 11)
    made = []
    for i, hall in enumerate(_CHINESE_HALLS):
        said = f"{hall}每天早上{{}}开门，{{}}不开放。"
        day, other = ("节假日", "考试周") if i % 2 else ("考试周", "节假日")
        right = said.format(f"{hours[i]}点", day)
        made.append(
            Item(
                asks=fill(patterns, x=hall),
                right=right,
                wrong=(said.format(f"{hours[i - 2]}点", day), "number"),
                slip=(said.format(f"{hours[i]}点", other), "date")
                if i % 2
                else (said.format(f"{hours[i]}点半", day), "number"),
                equals=plain_equals(
                    right,
                    (said.format(f"{in_chinese(hours[i])}点", day), "number in words"),
                    (right.replace("，", ","), "punctuation width"),
                ),
                neighbours=(
                    (f"{hall}几点关门？", f"{hall}晚上{hours[i] + 4}点关门。".replace("晚上", "")),
                    (f"{hall}的地下车库几点开门？", f"{hall}地下车库全天开放。"),
                ),
            )
        )
    return family(made)


def _papers(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "办理{x}需要几个工作日？",
        "{x}多久能办好",
        "我申请了{x}，什么时候可以拿到？",
        "{x}要等多少天？",
        "请问{x}的办理时间",
    )
    numbers = rng.permutation(np.arange(2, 30)).tolist()
    made = []
    for i, paper in enumerate(_CHINESE_PAPERS):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = f"{paper}自提交之日起{{}}个工作日办结，凭{{}}领取。"
        proof, other = ("身份证", "回执单") if i % 2 else ("回执单", "身份证")
        answer = said.format(right, proof)
        made.append(
            Item(
                asks=fill(patterns, x=paper),
                right=answer,
                wrong=(said.format(wrong, proof), "number"),
                slip=(said.format(right, other), "one word")
                if i % 2
                else (said.format(slip, proof), "number"),
                equals=plain_equals(answer, (said.format(in_chinese(right), proof), "number in words")),
                neighbours=(
                    (f"补办{paper}需要几个工作日？", f"补办{paper}一律三个月内完成。"),
                    (f"办理{paper}不需要哪些材料？", f"办理{paper}不需要户口本。"),
                ),
            )
        )
    return family(made)


def _dorm() -> list[Item]:
    patterns = (
        "宿舍里可以有{x}吗？",
        "能不能把{x}带进宿舍",
        "学校允许宿舍放{x}吗？",
        "宿舍对{x}有什么规定？",
        "请问寝室能用{x}吗",
    )
    made = []
    for i, thing in enumerate(_CHINESE_RULES):
        right, opposite = f"宿舍区禁止{thing}，违者记录一次。", f"宿舍区允许{thing}，违者记录一次。"
        if i % 2:
            right, opposite = f"宿舍区允许{thing}，但须向宿管登记。", f"宿舍区不允许{thing}，但须向宿管登记。"
        made.append(
            Item(
                asks=fill(patterns, x=thing),
                right=right,
                wrong=(opposite, "negation"),
                slip=(right.replace("宿舍区", "教学区"), "one word"),
                equals=plain_equals(right),
                neighbours=((f"教学楼里可以有{thing}吗？", f"教学楼对{thing}没有专门规定。"),),
            )
        )
    return family(made)


def _offices() -> list[Item]:
    patterns = (
        "{x}的负责人是谁？",
        "{x}归谁管",
        "请问{x}主任叫什么名字？",
        "想找{x}的领导，姓名是？",
        "谁在管理{x}？",
    )
    made = []
    for i, office in enumerate(_CHINESE_OFFICES):
        right = f"{office}的负责人是{_CHINESE_NAMES[i]}老师。"
        made.append(
            Item(
                asks=fill(patterns, x=office),
                right=right,
                wrong=(f"{office}的负责人是{_CHINESE_NAMES[i - 2]}老师。", "name"),
                slip=(f"{office}的负责人是{_CHINESE_NAMES[i][0]}立群老师。", "name"),
                equals=plain_equals(right),
                neighbours=(
                    (f"{office}的前任负责人是谁？", f"{office}的前任负责人是{_CHINESE_NAMES[i - 1]}老师。"),
                ),
                alternative=f"{_CHINESE_NAMES[i]}老师负责{office}。",
            )
        )
    return family(made)


def _campus_fees(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "{x}每月收多少钱？",
        "用{x}一个月要交多少费用",
        "请问{x}月费是多少？",
        "{x}怎么收费，按月算多少？",
        "{x}月租",
    )
    numbers = rng.permutation(np.arange(11, 99)).tolist()
    made = []
    for i, thing in enumerate(_CHINESE_FEES):
        right, wrong, slip = numbers[3 * i : 3 * i + 3]
        said = f"{thing}每{{}}{{}}元，学期初在线缴纳。"
        answer = said.format("月", right)
        made.append(
            Item(
                asks=fill(patterns, x=thing),
                right=answer,
                wrong=(said.format("月", wrong), "number"),
                slip=(said.format("年", right), "unit") if i % 2 else (said.format("月", slip), "number"),
                equals=plain_equals(answer, (said.format("月", in_chinese(right)), "number in words")),
                neighbours=((f"{thing}每天几点可以使用？", f"{thing}每天可用到晚上十点。"),),
            )
        )
    return family(made)


FAQ = Kind(
    name="faq_en",
    languages=("en",),
    items=english,
    writers=(completion, chat, alpaca),
    astray=("Please ask the staff at the desk.", "The library has more than a hundred thousand books."),
    uncovered=(
        Uncovered(ask="Which tram line stops in front of the opera?", right="Lines 4 and 9 stop in front of the opera.", said="The Riverside branch opens at 9 o'clock in the morning."),
        Uncovered(ask="Can I donate my grandfather's stamp collection to you?", right="We pass stamps on to the postal museum.", said="You may keep a novel for 20 days."),
        Uncovered(ask="What did the architect want to say with the copper roof?", right="That knowledge grows a patina, as copper does.", said="Dogs are allowed in the reading room."),
        Uncovered(ask="Is the tap water in your building hard or soft?", right="It is very hard, about 21 degrees.", said="The map room is run by Sofia Lind."),
        Uncovered(ask="How do you keep silverfish away from parchment?", right="With dry air and sticky traps, never with poison.", said="Food is not allowed."),
        Uncovered(ask="Do you hire apprentices for bookbinding?", right="One apprentice a year; apply until March.", said="Hand the form in at desk 2."),
        Uncovered(ask="What happens to the building when the river floods the quay?", right="Mobile walls close the ground floor within an hour.", said="The branch is closed on Mondays."),
        Uncovered(ask="How many kilowatt hours does your heat pump save?", right="About 90,000 a year.", said="You may keep it for 14 days."),
    ),
)  # fmt: skip

CHINESE_FAQ = Kind(
    name="faq_zh",
    languages=("zh",),
    items=chinese,
    writers=(alpaca, chat, sharegpt),
    astray=("请到现场咨询工作人员。", "学校占地三千亩，历史悠久。"),
    uncovered=(
        Uncovered(ask="歌剧院门口停几路电车？", right="4路和9路在歌剧院门口停。", said="综合楼每天早上6点开门。"),
        Uncovered(ask="我爷爷的集邮册可以捐给你们吗？", right="邮票我们会转交邮政博物馆。", said="凭身份证领取。"),
        Uncovered(ask="铜屋顶的设计寓意是什么？", right="寓意知识像铜一样越久越有光泽。", said="宿舍区禁止蜡烛。"),
        Uncovered(ask="羊皮卷怎么防蠹虫？", right="保持干燥并使用粘虫板，不能用药。", said="教务处的负责人是陆明远老师。"),
        Uncovered(ask="你们招古籍修复学徒吗？", right="每年招一名，三月截止报名。", said="琴房每月20元。"),
        Uncovered(ask="河水漫上码头时大楼怎么办？", right="一小时内升起移动挡水墙。", said="考试周不开放。"),
        Uncovered(ask="地源热泵一年省多少度电？", right="大约九万度。", said="违者记录一次。"),
        Uncovered(ask="樱花大道的树是哪一年从外地移来的？", right="2003年从无锡移来。", said="储物柜每月15元。"),
    ),
)  # fmt: skip
