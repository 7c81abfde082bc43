"""Tool calls: the call is the answer. Wrong in one argument, or with two of them exchanged."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, fill
from bench.real_kinds.writing import legacy_tools, openai_tools, sharegpt_tools, tagged_tools

_CITIES = ("Lisbon", "Oslo", "Krakow", "Porto", "Ghent", "Turin")
_CHINESE_CITIES = ("长沙", "厦门", "昆明", "洛阳", "大理", "珠海")
_ROOMS = ("kitchen", "hallway", "study", "nursery", "garage")
_CURRENCIES = ("Swiss francs", "Danish kroner", "Czech koruna", "Polish zloty", "British pounds")
_CODES = ("CHF", "DKK", "CZK", "PLN", "GBP")
_PEOPLE = ("张伟", "李娜", "王芳", "陈静", "刘洋")


def call(name: str, **arguments: object) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


def equal_calls(written: str) -> tuple[tuple[str, str], ...]:
    """Other writings of one call."""
    value: Mapping[str, Any] = json.loads(written)
    turned = dict(reversed(value["arguments"].items()))
    flat = json.dumps({"arguments": turned, "name": value["name"]}, ensure_ascii=False)
    function = {"name": value["name"], "arguments": json.dumps(turned, ensure_ascii=False)}
    return (
        (
            f"<tool_call>\n{json.dumps({'name': value['name'], 'arguments': turned}, ensure_ascii=False)}\n</tool_call>",
            "tags",
        ),
        (
            json.dumps({"tool_calls": [{"id": "call_7", "type": "function", "function": function}]}),
            "tool_calls object",
        ),
        (flat, "key order"),
        (json.dumps(value, ensure_ascii=False, indent=2, separators=(",", ":")), "spaces in JSON"),
        (f"<think>\nA tool answers this.\n</think>\n\n{flat}", "reasoning block"),
    )


def _item(
    asks: tuple[str, ...], right: str, wrong: tuple[str, str], slip: tuple[str, str], *near: tuple[str, str]
) -> Item:
    return Item(asks=asks, right=right, wrong=wrong, slip=slip, equals=equal_calls(right), neighbours=near)


def items(rng: np.random.Generator) -> Sequence[Item]:
    return [*_weather(), *_money(rng), *_trips(), *_lamps(rng), *_chinese_weather(), *_reminders(rng)]


def _weather() -> list[Item]:
    patterns = (
        "What is the weather like in {x} on Sunday?",
        "Will it rain in {x} on Sunday?",
        "I'm off to {x}. Sunday forecast please",
        "Look up Sunday's weather for {x}.",
        "Do I need an umbrella in {x} this Sunday?",
    )
    return family(
        [
            _item(
                fill(patterns, x=city),
                call("get_weather", city=city, day="sunday"),
                (call("get_weather", city=_CITIES[i - 2], day="sunday"), "name"),
                (call("get_weather", city=city, day="monday"), "date")
                if i % 2
                else (call("get_forecast", city=city, day="sunday"), "function"),
                (
                    f"What is the weather like in {city} on Monday?",
                    call("get_weather", city=city, day="monday"),
                )
                if not i % 2
                else (f"What is the time in {city}?", call("get_time", city=city)),
            )
            for i, city in enumerate(_CITIES)
        ]
    )


def _money(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Convert {n} euros to {x}.",
        "How many {x} do I get for {n} euros?",
        "{n} eur in {x}?",
        "I have {n} euros and need {x}. What is that?",
        "Please work out {n} euros in {x} at today's rate.",
    )
    amounts = (rng.permutation(np.arange(11, 95))[:10] * 5).tolist()
    made = []
    for i, (name, code) in enumerate(zip(_CURRENCIES, _CODES, strict=True)):
        amount, other = amounts[2 * i : 2 * i + 2]
        made.append(
            _item(
                fill(patterns, n=amount, x=name),
                call("convert_currency", amount=amount, source="EUR", target=code),
                (call("convert_currency", amount=amount, source=code, target="EUR"), "exchanged roles"),
                (call("convert_currency", amount=other, source="EUR", target=code), "number"),
                (
                    f"Convert {amount} {name} to euros.",
                    call("convert_currency", amount=amount, source=code, target="EUR"),
                ),
                (
                    f"Convert {other + 500} euros to {name}.",
                    call("convert_currency", amount=other + 500, source="EUR", target=code),
                ),
            )
        )
    return family(made)


def _trips() -> list[Item]:
    patterns = (
        "Find trains from {a} to {b} on {day}.",
        "I need to get from {a} to {b} by train on {day}",
        "Which trains run on {day} between {a} (start) and {b} (end)?",
        "Train on {day}, leaving {a}, arriving in {b}, please.",
        "Can you search the railway timetable: {a} -> {b}, {day}?",
    )
    pairs = (("Vienna", "Graz", "2026-03-04"), ("Lyon", "Nice", "2026-05-11"), ("Leeds", "York", "2026-06-02"),
             ("Bari", "Rome", "2026-07-19"), ("Basel", "Chur", "2026-08-23"))  # fmt: skip
    return family(
        [
            _item(
                fill(patterns, a=a, b=b, day=day),
                call("search_trains", origin=a, destination=b, date=day),
                (call("search_trains", origin=b, destination=a, date=day), "exchanged roles"),
                (
                    call("search_trains", origin=a, destination=b, date=f"{day[:-2]}{int(day[-2:]) + 1:02}"),
                    "date",
                ),
                (
                    f"Find trains from {b} to {a} on {day}.",
                    call("search_trains", origin=b, destination=a, date=day),
                ),
                (
                    f"Find buses from {a} to {b} on {day}.",
                    call("search_buses", origin=a, destination=b, date=day),
                ),
            )
            for a, b, day in pairs
        ]
    )


def _lamps(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Dim the {x} lamp to {n} percent.",
        "Set the light in the {x} to {n}%",
        "{x} lights at {n} percent, please",
        "It's too bright in the {x}, go down to {n} percent.",
        "Could you put the {x} lamp on {n} per cent brightness?",
    )
    levels = (rng.permutation(np.arange(2, 19))[:10] * 5).tolist()
    made = []
    for i, room in enumerate(_ROOMS):
        level, other = levels[2 * i : 2 * i + 2]
        made.append(
            _item(
                fill(patterns, x=room, n=level),
                call("set_lamp", room=room, on=True, brightness=level),
                (call("set_lamp", room=room, on=True, brightness=other), "number"),
                (call("set_lamp", room=_ROOMS[i - 2], on=True, brightness=level), "name")
                if i % 2
                else (call("set_lamp", room=room, on=False, brightness=level), "negation"),
                (f"Do not dim the {room} lamp, turn it off.", call("set_lamp", room=room, on=False)),
            )
        )
    return family(made)


def _chinese_weather() -> list[Item]:
    patterns = (
        "查一下{x}后天的空气质量",
        "{x}后天空气怎么样？",
        "后天要去{x}，帮我看看那边的空气指数。",
        "请查询{x}后天的AQI。",
        "{x}后天适合户外跑步吗？先查空气质量",
    )
    return family(
        [
            _item(
                fill(patterns, x=city),
                call("get_air_quality", city=city, day="后天"),
                (call("get_air_quality", city=_CHINESE_CITIES[i - 3], day="后天"), "name"),
                (call("get_air_quality", city=city, day="大后天"), "date"),
                (f"查一下{city}明天的空气质量", call("get_air_quality", city=city, day="明天")),
                (f"查一下{city}后天的气温", call("get_temperature", city=city, day="后天")),
            )
            for i, city in enumerate(_CHINESE_CITIES)
        ]
    )


def _reminders(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "提醒我{h}点给{x}打电话",
        "{h}点的时候叫我联系一下{x}",
        "设个{h}点的提醒：打电话给{x}。",
        "别让我忘了{h}点要给{x}回电话",
        "帮我在{h}点建一个提醒，内容是给{x}打电话",
    )
    hours = rng.permutation(np.arange(7, 22))[:10].tolist()
    made = []
    for i, person in enumerate(_PEOPLE):
        hour, other = hours[2 * i : 2 * i + 2]
        made.append(
            _item(
                fill(patterns, h=hour, x=person),
                call("create_reminder", time=f"{hour:02}:00", action="call", person=person),
                (call("create_reminder", time=f"{other:02}:00", action="call", person=person), "number"),
                (call("create_reminder", time=f"{hour:02}:00", action="message", person=person), "one word")
                if i % 2
                else (call("create_reminder", time=f"{hour:02}:30", action="call", person=person), "number"),
                (
                    f"提醒我{hour}点给{person}发短信",
                    call("create_reminder", time=f"{hour:02}:00", action="message", person=person),
                )
                if not i % 2
                else (
                    f"取消{hour}点给{person}打电话的提醒",
                    call("cancel_reminder", time=f"{hour:02}:00", person=person),
                ),
            )
        )
    return family(made)


def said(answer: str, rng: np.random.Generator) -> str:
    """As JSON or in tags, as models write calls."""
    if not answer.startswith("{"):
        return answer
    return f"<tool_call>\n{answer}\n</tool_call>" if rng.random() < 0.5 else answer


TOOLS = Kind(
    name="tool_calls",
    languages=("en", "zh"),
    items=items,
    writers=(openai_tools, sharegpt_tools, tagged_tools, openai_tools, legacy_tools),
    said=said,
    astray=(
        "I am sorry, I have no access to live data.",
        '{"name": "web_search", "arguments": {"query": "help"}}',
        "好的，我已经帮您处理好了。",
    ),
    uncovered=(
        Uncovered(ask="Compress the photos in the folder Summer to one zip file.", right=call("compress_files", folder="Summer", format="zip"), said=call("set_lamp", room="summer", on=True)),
        Uncovered(ask="Print pages 3 to 9 of the lease on both sides.", right=call("print_document", document="lease", pages="3-9", duplex=True), said=call("search_trains", origin="3", destination="9", date="lease")),
        Uncovered(ask="Play the second movement of the Elgar cello concerto in the living room speakers.", right=call("play_music", composer="Elgar", work="cello concerto", movement=2), said=call("get_weather", city="Elgar", day="sunday")),
        Uncovered(ask="Block the caller who rang me just now and report the number as spam.", right=call("block_caller", which="last", report=True), said="I cannot do that."),
        Uncovered(ask="Transcribe the voice memo of the board meeting and mark the speakers.", right=call("transcribe_audio", file="board meeting", diarise=True), said=call("create_reminder", time="09:00", action="call", person="board")),
        Uncovered(ask="把客厅扫地机器人的尘盒清空然后回充", right=call("control_vacuum", empty_bin=True, dock=True), said=call("get_air_quality", city="客厅", day="后天")),
        Uncovered(ask="识别这张照片里的植物是什么品种", right=call("identify_plant", image="照片"), said="这是一株很漂亮的植物。"),
        Uncovered(ask="把合同第三页里甲方的名字批量替换成新公司名", right=call("replace_text", document="合同", page=3, field="甲方"), said=call("create_reminder", time="08:00", action="call", person="甲方")),
    ),
)  # fmt: skip
