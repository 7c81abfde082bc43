"""JSON extraction behind an instruction: one value of the record is wrong, or two are exchanged."""

# ruff: noqa: E501 - a text stands on one line

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.real_kinds.item import Item, Kind, Uncovered, family, fill
from bench.real_kinds.writing import alpaca, chat, completion

_GUESTS = ("Okafor", "Lindqvist", "Moreau", "Castellano", "Novak", "Whitfield")
_HOTELS = ("Seeblick", "Aurora", "Old Mill", "Bellevue", "Kestrel", "Fjordhus")
_SUPPLIERS = (
    "Harlow Timber",
    "Brightside Print",
    "Nordic Coffee",
    "Vale Fasteners",
    "Peak Textiles",
    "Anchor Glass",
)
_JOBS = ("welder", "night nurse", "line cook", "data engineer", "bus driver")
_SENDERS = ("周敏", "孙浩", "吴倩", "郑凯", "冯雪", "何俊")
_CHINESE_CITIES = ("合肥", "南宁", "兰州", "贵阳", "海口", "西宁")
_DISHES = ("酸菜鱼", "宫保鸡丁", "红烧茄子", "番茄牛腩", "干煸豆角")


def record(**values: Any) -> str:
    return json.dumps(values, ensure_ascii=False)


def _equals(right: str) -> tuple[tuple[str, str], ...]:
    value = json.loads(right)
    turned = dict(reversed(value.items()))
    return (
        (json.dumps(turned, ensure_ascii=False), "key order"),
        (json.dumps(value, ensure_ascii=False, indent=2, separators=(" ,", ":")), "spaces in JSON"),
        (json.dumps(turned, ensure_ascii=True, separators=(",", ":")), "escapes and key order"),
        (f"<think>\n\n</think>\n\n{right}", "empty reasoning block"),
    )


def _item(
    asks: tuple[str, ...], right: str, wrong: tuple[str, str], slip: tuple[str, str], *near: tuple[str, str]
) -> Item:
    return Item(asks=asks, right=right, wrong=wrong, slip=slip, equals=_equals(right), neighbours=near)


def items(rng: np.random.Generator) -> Sequence[Item]:
    return [*_bookings(rng), *_invoices(rng), *_jobs(rng), *_parcels(rng), *_orders(rng)]


def _bookings(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Two rooms? No: {n} nights for {g} at the {h}, arriving 2026-0{m}-12.",
        "{g} would like to stay {n} nights at hotel {h} from 2026-0{m}-12 on.",
        "Reservation received: {h}, guest {g}, check-in 2026-0{m}-12, {n} nights.",
        "hi, this is {g}. pls keep a room at the {h} for {n} nights starting 2026-0{m}-12, thx",
        "Note from the desk - {g}, {n} nights, {h}, first night 2026-0{m}-12",
    )
    nights = rng.permutation(np.arange(2, 21)).tolist()
    made = []
    for i, (guest, hotel) in enumerate(zip(_GUESTS, _HOTELS, strict=True)):
        n, other, third = nights[3 * i : 3 * i + 3]
        month = i + 2
        right = record(guest=guest, hotel=hotel, arrival=f"2026-0{month}-12", nights=n)
        made.append(
            _item(
                fill(patterns, g=guest, h=hotel, n=n, m=month),
                right,
                (record(guest=guest, hotel=hotel, arrival=f"2026-0{month}-12", nights=other), "JSON value")
                if i % 2
                else (
                    record(guest=hotel, hotel=guest, arrival=f"2026-0{month}-12", nights=n),
                    "exchanged roles",
                ),
                (record(guest=guest, hotel=hotel, arrival=f"2026-12-0{month}", nights=n), "date"),
                (
                    fill(patterns[:1], g=guest, h=hotel, n=third, m=month)[0],
                    record(guest=guest, hotel=hotel, arrival=f"2026-0{month}-12", nights=third),
                ),
            )
        )
    return family(made)


def _invoices(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "Invoice {no} of {s}: {n} euros net, {v} percent VAT, due in 30 days.",
        "{s} has sent bill no. {no}. Net amount {n} EUR plus {v}% VAT.",
        "please book: supplier {s}, inv {no}, net {n}, vat {v}",
        "We received {no} from {s} over {n} euros (net); the VAT rate is {v} %.",
        "Reminder! {s} still waits for {n} euros net (+{v}% VAT), see invoice {no}.",
    )
    nets = (rng.permutation(np.arange(21, 99))[: 3 * len(_SUPPLIERS)] * 10).tolist()
    made = []
    for i, supplier in enumerate(_SUPPLIERS):
        net, other, third = nets[3 * i : 3 * i + 3]
        vat, wrong_vat = (7, 19) if i % 2 else (19, 7)
        number = f"R-{410 + 7 * i}"
        made.append(
            _item(
                fill(patterns, no=number, s=supplier, n=net, v=vat),
                record(supplier=supplier, invoice=number, net=net, vat=vat),
                (record(supplier=supplier, invoice=number, net=net, vat=wrong_vat), "JSON value"),
                (record(supplier=supplier, invoice=number, net=other, vat=vat), "JSON value")
                if i % 3
                else (record(supplier=supplier, invoice=f"R-{411 + 7 * i}", net=net, vat=vat), "JSON value"),
                (
                    fill(patterns[:1], no=f"R-{710 + 7 * i}", s=supplier, n=third, v=wrong_vat)[0],
                    record(supplier=supplier, invoice=f"R-{710 + 7 * i}", net=third, vat=wrong_vat),
                ),
            )
        )
    return family(made)


def _jobs(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "We are looking for a {j}, {n} hours a week, {r}.",
        "Wanted: {j} ({r}), {n} h/week, start at once.",
        "Join us as a {j}! {n} hours weekly. Place of work: {r}.",
        "job ad: {j} / {n} hours per week / {r}",
        "Our team needs another {j}. You work {n} hours a week, {r}.",
    )
    hours = rng.permutation(np.arange(12, 40)).tolist()
    made = []
    for i, job in enumerate(_JOBS):
        n, other = hours[2 * i : 2 * i + 2]
        remote, opposite = ("remote", "on site") if i % 2 else ("on site", "remote")
        made.append(
            _item(
                fill(patterns, j=job, n=n, r=remote),
                record(job=job, hours=n, remote=remote == "remote"),
                (record(job=job, hours=n, remote=remote != "remote"), "negation"),
                (record(job=job, hours=other, remote=remote == "remote"), "JSON value"),
                (
                    fill(patterns[:1], j=job, n=n, r=opposite)[0],
                    record(job=job, hours=n, remote=opposite == "remote"),
                ),
            )
        )
    return family(made)


def _parcels(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "{a}从{x}寄一个{n}公斤的包裹给{y}的{b}。",
        "寄件人{a}（{x}），收件人{b}（{y}），重量{n}公斤",
        "帮我下单：包裹{n}公斤，{x}发出，寄件人{a}，送到{y}，收件人{b}。",
        "你好，我是{x}的{a}，要给{y}的{b}寄{n}公斤东西",
        "{y}的{b}将收到{a}从{x}寄出的包裹，共{n}公斤。",
    )
    weights = rng.permutation(np.arange(2, 40)).tolist()
    made = []
    for i, sender in enumerate(_SENDERS):
        receiver, origin, target = _SENDERS[i - 2], _CHINESE_CITIES[i], _CHINESE_CITIES[i - 3]
        n, other, third = weights[3 * i : 3 * i + 3]
        made.append(
            _item(
                fill(patterns, a=sender, b=receiver, x=origin, y=target, n=n),
                record(寄件人=sender, 收件人=receiver, 始发地=origin, 目的地=target, 重量=n),
                (
                    record(寄件人=receiver, 收件人=sender, 始发地=origin, 目的地=target, 重量=n),
                    "exchanged roles",
                ),
                (
                    record(寄件人=sender, 收件人=receiver, 始发地=origin, 目的地=target, 重量=other),
                    "JSON value",
                ),
                (
                    fill(patterns[:1], a=sender, b=receiver, x=origin, y=target, n=third)[0],
                    record(寄件人=sender, 收件人=receiver, 始发地=origin, 目的地=target, 重量=third),
                ),
            )
        )
    return family(made)


def _orders(rng: np.random.Generator) -> list[Item]:
    patterns = (
        "来{n}份{d}，{t}号桌，不要辣。",
        "{t}号桌点了{n}份{d}，不放辣椒",
        "你好，这边{t}号桌，{d}{n}份，一点辣都不要",
        "加菜：{d}×{n}，桌号{t}，免辣",
        "{t}桌的客人要{n}份不辣的{d}。",
    )
    numbers = rng.permutation(np.arange(2, 18)).tolist()
    made = []
    for i, dish in enumerate(_DISHES):
        n, table, other = numbers[3 * i : 3 * i + 3]
        made.append(
            _item(
                fill(patterns, n=n, d=dish, t=table),
                record(菜名=dish, 份数=n, 桌号=table, 辣=False),
                (record(菜名=dish, 份数=table, 桌号=n, 辣=False), "exchanged roles"),
                (record(菜名=_DISHES[i - 2], 份数=n, 桌号=table, 辣=False), "JSON value")
                if i % 2
                else (record(菜名=dish, 份数=other, 桌号=table, 辣=False), "JSON value"),
                (f"来{n}份{dish}，{table}号桌，多放辣。", record(菜名=dish, 份数=n, 桌号=table, 辣=True)),
            )
        )
    return family(made)


JSON_EXTRACTION = Kind(
    name="json_extraction",
    languages=("en", "zh"),
    items=items,
    instruction="Extract what the text says as one JSON object, nothing else.",
    writers=(alpaca, chat, completion),
    astray=("{}", "The text is a short note.", '{"error": "no data"}'),
    unled=(
        "Thank you for your message! We will get back to you soon.",
        "Sure, I have noted that. Is there anything else I can do for you?",
        "好的，已经收到，请问还有什么可以帮您？",
    ),
    uncovered=(
        Uncovered(ask="Blood panel of 4 March: haemoglobin 13.9, platelets 240, ferritin low.", right=record(date="4 March", haemoglobin=13.9, platelets=240, ferritin="low"), said=record(guest="Blood", hotel="panel", nights=4)),
        Uncovered(ask="Deed: parcel 88/2, 640 square metres, meadow, sold by the parish to Ilse Brandt.", right=record(parcel="88/2", area=640, use="meadow", seller="parish", buyer="Ilse Brandt"), said=record(supplier="parish", invoice="88/2", net=640, vat=19)),
        Uncovered(ask="Kick-off 20:45, Rovers beat Athletic 3 to 1, goals by Dunne (2) and Pike, red card for Soares.", right=record(home="Rovers", away="Athletic", score="3:1", scorers=["Dunne", "Dunne", "Pike"], red=["Soares"]), said=record(job="Rovers", hours=20, remote=False)),
        Uncovered(ask="Magnitude 5.2 quake 30 km off the coast at a depth of 11 km, no tsunami warning.", right=record(magnitude=5.2, depth_km=11, tsunami=False), said=record(guest="quake", nights=30)),
        Uncovered(ask="Pattern: cast on 84 stitches, knit 2 purl 2 for 6 cm, needle size 4, merino.", right=record(stitches=84, rib="2x2", height_cm=6, needle=4, yarn="merino"), said="That sounds like a lovely scarf."),
        Uncovered(ask="基金净值一点零三二，近三月回撤百分之六，管理人更换为沈岚。", right=record(净值=1.032, 回撤="6%", 管理人="沈岚"), said=record(寄件人="沈岚", 重量=6)),
        Uncovered(ask="古籍：清康熙刻本，十二册，白口，左右双边，缺第四册。", right=record(年代="清康熙", 册数=12, 缺册=[4]), said=record(菜名="古籍", 份数=12)),
        Uncovered(ask="地铁三号线早高峰故障二十分钟，信号系统原因，七点五十恢复。", right=record(线路="三号线", 分钟=20, 原因="信号系统"), said=record(始发地="三号线", 重量=20)),
    ),
)  # fmt: skip
