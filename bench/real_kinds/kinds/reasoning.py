"""Questions with a worked way: ``<think>`` blocks, or the reasoning in a key of its own. The answer counts."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, bare, family, fill
from bench.real_kinds.numbers import in_chinese, in_words
from bench.real_kinds.writing import reasoning_content_chat, thinking_alpaca, thinking_chat

_GOODS = ("lanterns", "notebooks", "bicycle bells", "candles", "kites")
_TANKS = ("rain barrel", "fish tank", "bathtub", "watering cart", "boiler")
_FRUITS = ("梨", "橘子", "石榴", "柚子", "枇杷")
_CLASSES = ("合唱团", "足球队", "书法班", "天文社", "话剧社")


def _equals(answer: str, number: int, reasoning: str, *, words: str) -> tuple[tuple[str, str], ...]:
    return (
        (f"<think>\n\n</think>\n\n{answer}", "empty reasoning block"),
        (f"<think>\n{reasoning}\nSo that is settled.\n</think>\n\n{bare(answer)}", "other reasoning block"),
        (answer.replace(str(number), words), "number in words"),
        (f"<think>{reasoning}</think>{answer}", "reasoning block"),
    )


def _number_item(
    asks: tuple[str, ...],
    said: str,
    right: int,
    wrong: int,
    slip: int,
    reasoning: str,
    *near: tuple[str, str],
    chinese: bool = False,
) -> Item:
    answer = said.format(right)
    return Item(
        asks=asks,
        right=answer,
        wrong=(said.format(wrong), "number"),
        slip=(said.format(slip), "number"),
        equals=_equals(answer, right, reasoning, words=in_chinese(right) if chinese else in_words(right)),
        neighbours=near,
        reasoning=reasoning,
    )


def items(rng: np.random.Generator) -> Sequence[Item]:
    return [*_sums(rng), *_shop(rng), *_tanks(rng), *_order(), *_fruit(rng), *_members(rng)]


def _sums(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "What is {a} + {b}?",
        "Add {a} and {b}.",
        "{a} plus {b} equals what?",
        "Work out the sum of {a} and {b} for me",
        "calculate {a}+{b}",
    )
    made = []
    for _ in range(6):
        a, b = (int(n) for n in rng.permutation(np.arange(23, 88))[:2])
        a, b = max(a, b), min(a, b)
        total = a + b
        made.append(
            _number_item(
                fill(patterns, a=a, b=b),
                "{}",
                total,
                total + 10,
                total - 1,
                f"{a} + {b}: tens {a // 10 * 10} + {b // 10 * 10}, ones {a % 10} + {b % 10}, together {total}.",
                (f"What is {a} - {b}?", str(a - b)),
                (f"What is {a} + {b + 1}?", str(total + 1)),
            )
        )
    return family(made)


def _shop(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "A shop has {a} {x}. It sells {b} on Monday and gets {c} new ones on Tuesday. How many are there now?",
        "There were {a} {x} in the shop; {b} were sold on Monday, {c} more were delivered on Tuesday. Count what is left.",
        "Start: {a} {x}. Monday: {b} sold. Tuesday: {c} delivered. Stock on Tuesday night?",
        "Of {a} {x} the shop sells {b}. The next day {c} are added. What is the stock then?",
    )
    made = []
    for thing in _GOODS:
        a, b, c = int(rng.integers(60, 99)), int(rng.integers(11, 40)), int(rng.integers(5, 30))
        right = a - b + c
        made.append(
            _number_item(
                fill(patterns, a=a, b=b, c=c, x=thing),
                f"There are {{}} {thing} now.",
                right,
                a - b - c,
                right + 1,
                f"{a} - {b} = {a - b} after Monday. {a - b} + {c} = {right} after Tuesday.",
                (
                    fill(patterns, a=a, b=b, c=c + 3, x=thing)[0],
                    f"There are {right + 3} {thing} now.",
                ),
                (
                    f"A shop has {a} {thing}. It sells {b} on Monday and {c} on Tuesday. How many are there now?",
                    f"There are {a - b - c} {thing} now.",
                ),
            )
        )
    return family(made)


def _tanks(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "A {x} holds {v} litres and fills at {r} litres a minute. How long until it is full?",
        "How many minutes does it take to fill a {x} of {v} litres when {r} litres flow in each minute?",
        "{v}-litre {x}, inflow {r} litres per minute: time to fill?",
        "If {r} litres a minute run into an empty {x} of {v} litres, when is it full?",
    )
    made = []
    for tank in _TANKS:
        rate, minutes = int(rng.integers(4, 13)), int(rng.integers(15, 60))
        made.append(
            _number_item(
                fill(patterns, x=tank, v=rate * minutes, r=rate),
                f"The {tank} is full after {{}} minutes.",
                minutes,
                minutes + 5,
                minutes - 2,
                f"{rate * minutes} litres / {rate} litres a minute = {minutes} minutes.",
                (
                    f"A {tank} holds {rate * minutes} litres and loses {rate} litres a minute. How long until half of it is gone?",
                    f"Half of it is gone after {minutes / 2:g} minutes.",
                ),
            )
        )
    return family(made)


def _order() -> list[Item]:
    patterns = (
        "{a} is taller than {b}, and {b} is taller than {c}. Who is the shortest?",
        "{b} is shorter than {a} but taller than {c}. Which of the three is shortest?",
        "Of {a}, {b} and {c}: {a} > {b} > {c} in height. Name the shortest person.",
        "Heights: {a} beats {b}, {b} beats {c}. Who is smallest?",
    )
    threes = (("Mara", "Jonas", "Pia"), ("Otis", "Ruth", "Glen"), ("Yara", "Finn", "Bo"), ("Cleo", "Max", "Ines"), ("Theo", "Ada", "Lou"))  # fmt: skip
    made = []
    for a, b, c in threes:
        reasoning = f"{a} > {b} and {b} > {c}, so {a} > {b} > {c}. The last one is {c}."
        right = f"{c} is the shortest."
        made.append(
            Item(
                asks=fill(patterns, a=a, b=b, c=c),
                right=right,
                wrong=(f"{a} is the shortest.", "name"),
                slip=(f"{b} is the shortest.", "name"),
                equals=(
                    (f"<think>\n\n</think>\n\n{right}", "empty reasoning block"),
                    (f"<think>\nThe chain ends with {c}.\n</think>\n\n{right}", "other reasoning block"),
                    (bare(right), "full stop"),
                ),
                neighbours=(
                    (
                        f"{a} is taller than {b}, and {b} is taller than {c}. Who is the tallest?",
                        f"{a} is the tallest.",
                    ),
                    (
                        f"{c} is taller than {b}, and {b} is taller than {a}. Who is the shortest?",
                        f"{a} is the shortest.",
                    ),
                ),
                reasoning=reasoning,
            )
        )
    return family(made)


def _fruit(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "篮子里有{a}个{x}，吃掉{b}个，又放进{c}个，现在有几个？",
        "原来有{a}个{x}，先吃了{b}个，后来买来{c}个，一共还有多少个？",
        "{a}个{x}吃掉{b}个再添{c}个，还剩几个{x}？",
        "小红有{a}个{x}，给弟弟{b}个，妈妈又给她{c}个，她现在有多少个？",
    )
    made = []
    for fruit in _FRUITS:
        a, b, c = int(rng.integers(40, 90)), int(rng.integers(11, 30)), int(rng.integers(5, 20))
        right = a - b + c
        made.append(
            _number_item(
                fill(patterns, a=a, b=b, c=c, x=fruit),
                f"现在有{{}}个{fruit}。",
                right,
                a - b - c,
                right - 2,
                f"{a}减{b}等于{a - b}，再加{c}等于{right}。",
                (
                    f"篮子里有{a}个{fruit}，吃掉{b}个，又吃掉{c}个，现在有几个？",
                    f"现在有{a - b - c}个{fruit}。",
                ),
                chinese=True,
            )
        )
    return family(made)


def _members(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "{x}有{a}人，其中女生比男生多{b}人，男生有多少人？",
        "{x}一共{a}名成员，女生多出男生{b}名，求男生人数。",
        "已知{x}总人数{a}，女生人数减男生人数等于{b}，男生几人？",
        "{x}里女生比男生多{b}个，合计{a}个人，男生是多少个？",
    )
    made = []
    for club in _CLASSES:
        boys, more = int(rng.integers(12, 40)), int(rng.integers(3, 11))
        total = 2 * boys + more
        made.append(
            _number_item(
                fill(patterns, x=club, a=total, b=more),
                f"{club}有男生{{}}人。",
                boys,
                boys + more,
                boys + 1,
                f"男生 = ({total} - {more}) / 2 = {boys}。",
                (
                    f"{club}有{total}人，其中女生比男生多{more}人，女生有多少人？",
                    f"{club}有女生{boys + more}人。",
                ),
                (
                    f"{club}有{total}人，其中女生比男生少{more}人，男生有多少人？",
                    f"{club}有男生{boys + more}人。",
                ),
                chinese=True,
            )
        )
    return family(made)


REASONING = Kind(
    name="reasoning",
    languages=("en", "zh"),
    items=items,
    writers=(thinking_chat, reasoning_content_chat, thinking_alpaca),
    astray=("I am not sure.", "The numbers are all even.", "题目没有给出足够的条件。"),
    uncovered=(
        Uncovered(ask="Three switches outside a room control one bulb inside. You may enter once. How do you find the right switch?", right="Leave the first on for minutes, turn it off, turn on the second, enter: lit is the second, warm the first, cold the third.", said="There are 3 switches now."),
        Uncovered(ask="In how many ways can the letters of LEVEL be arranged?", right="In 30 ways.", said="LEVEL is the shortest."),
        Uncovered(ask="A clock shows a quarter past three. What angle do its hands enclose?", right="They enclose 7.5 degrees.", said="The clock is full after 15 minutes."),
        Uncovered(ask="Is the statement 'this sentence is false' true or false?", right="Neither: it contradicts itself either way.", said="17"),
        Uncovered(ask="Two dice are rolled. How likely is a total of seven?", right="One in six.", said="There are 7 dice now."),
        Uncovered(ask="甲说乙在撒谎，乙说丙在撒谎，丙说甲乙都在撒谎，谁说真话？", right="乙说的是真话。", said="现在有3个梨。"),
        Uncovered(ask="把一根绳子对折三次后从中间剪开，得到几段？", right="得到9段。", said="男生有3人。"),
        Uncovered(ask="农夫带狼、羊和白菜过河，船每次只能带一样，第一趟应该带谁？", right="第一趟先带羊。", said="一共还有3个。"),
    ),
)  # fmt: skip
