"""Invented personal data in sentences, inside real rows: what a detector has to find.

The sentences say what the value is, in the words that people use for it; ``faker`` (en_US, zh_CN) makes the
values. A few of them are outside of what issuers use today (JCB cards of 3594, private IPv6 networks).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

_SENTENCES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "en": {
        "email": ("You can reach me at {}.", "Send the invoice to {} please", "{} is my mail"),
        "phone": ("Call me at {} tomorrow.", "My phone number is {}.", "Her mobile: {}"),
        "bank_card": ("Charge my card {} today.", "card number {}", "I paid with Visa {}"),
        "iban": ("Transfer it to {}.", "IBAN: {}", "My account is {} at the bank"),
        "ssn": ("My SSN is {}.", "social security number {}", "SSN: {}"),
        "ip": ("The login came from IP {}.", "Server {} does not answer", "ping {}"),
        "address": ("I live at {}.", "Please ship it to {}", "My address is {}"),
    },
    "zh": {
        "email": ("我的邮箱是{}，请回复。", "请发到{}", "联系邮箱：{}"),
        "phone": ("我的手机号是{}，有事打给我。", "电话：{}", "请致电{}联系我"),
        "bank_card": ("我的银行卡号是{}，请退款。", "卡号：{}", "用信用卡{}付的款"),
        "id_card": ("身份证号是{}，请查一下。", "我的证件号码{}", "实名认证：{}"),
        "ip": ("登录IP是{}，不是我。", "服务器{}连不上", "主机地址：{}"),
        "address": ("我家住在{}。", "请寄到{}", "收货地址：{}"),
    },
}


def plant(rng: np.random.Generator, carriers: Sequence[str], each: int) -> list[tuple[str, str, int, int]]:
    """(kind, text, start, end) of values in sentences, each inside a real row's text of its language."""
    from faker import Faker  # pyright: ignore[reportMissingImports] - the extra "bench"

    seed = int(rng.integers(2**31))
    cases = []
    by_language = {
        "zh": [c for c in carriers if re.search("[\u4e00-\u9fff]", c)],
        "en": [c for c in carriers if c.isascii()],
    }
    for language, locale in (("en", "en_US"), ("zh", "zh_CN")):
        fake = Faker(locale)
        fake.seed_instance(seed)
        values: dict[str, Callable[[], str]] = {
            "email": lambda fake=fake: (
                _one_of(rng, fake.free_email, fake.company_email).encode("ascii", "ignore").decode()
            ),
            "phone": fake.phone_number,
            "bank_card": fake.credit_card_number,
            "iban": fake.iban,
            "ssn": fake.ssn,
            "id_card": fake.ssn,
            "ip": lambda fake=fake: _one_of(rng, fake.ipv4_public, fake.ipv6),
            "address": fake.address,
        }
        for kind, sentences in _SENTENCES[language].items():
            for _ in range(each):
                carrier = by_language[language][rng.integers(len(by_language[language]))]
                value = values[kind]()
                front, back = str(rng.choice(sentences)).split("{}")
                text = f"{carrier}\n{front}"
                cases.append(
                    (f"{language} {kind}", f"{text}{value}{back}", len(text), len(text) + len(value))
                )
    return cases


def _one_of(rng: np.random.Generator, *make: Callable[[], str]) -> str:
    return make[rng.integers(len(make))]()
