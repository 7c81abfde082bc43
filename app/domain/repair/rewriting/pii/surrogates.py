"""What stands in the place of a person's data: a name of its kind, or an invented value of the same shape.

Invented values cannot be anybody's, and no detector takes them for personal data again: e-mail at example.com
(RFC 2606), 555-01xx (the numbers for fiction), mobile numbers that begin with 100 and country code 999 (given to
nobody), ID numbers of a province 99, cards of an industry 0, accounts of a country ZZ, the documentation
networks (RFC 5737, 3849). Where the kind has a check digit it is right: only the issuer is invented.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence

from stdnum import luhn
from stdnum.iso7064 import mod_11_2, mod_97_10

from app.domain.language import phrases
from app.domain.repair.policy.pii import PiiKind
from app.domain.repair.rewriting.pii.phones import national, without_extension

_HAN = re.compile("[\u4e00-\u9fff]")
_STEMS: Sequence[str] = phrases.document("personal_data")["stand_in"]["zh"]
_FIRST_NAMES: Sequence[str] = phrases.document("personal_data")["stand_in"]["en"]
_TEST_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")


def placeholder(kind: PiiKind, number: int | None = None) -> str:
    """``number`` tells the values of a row apart where it holds several of a kind."""
    return f"[{kind.value.upper()}]" if number is None else f"[{kind.value.upper()}_{number}]"


def surrogate(kind: PiiKind, value: str, salt: bytes) -> str:
    """The same for the same value and salt, however it is written (spaces, signs, case, country code).

    Tells nothing of the value without the salt."""
    return _MAKERS[kind](value, _keyed_number(kind, value, salt))


def _keyed_number(kind: PiiKind, value: str, salt: bytes) -> int:
    same = identity(kind, value)
    digest = hashlib.blake2b(
        f"{kind.value}\0{same}".encode("utf-8", "surrogatepass"),
        key=hashlib.sha256(salt).digest(),
        digest_size=16,
    )
    return int.from_bytes(digest.digest(), "big")


def identity(kind: PiiKind, value: str) -> str:
    """What two spellings of one value share."""
    if kind is PiiKind.PHONE:
        return national(value)
    return re.sub(r"[\W_]", "", value).casefold() or value


def _digits(number: int, count: int) -> str:
    """The last ``count`` digits, one at least."""
    count = max(1, count)
    return f"{number % 10**count:0{count}d}"


def _filled(shape: str, digits: str) -> str:
    """``digits`` in the places that ``shape`` has digits; its signs stay."""
    rest = iter(digits)
    return "".join(next(rest) if c.isdigit() else c for c in shape)


def _phone(value: str, number: int) -> str:
    shown = without_extension(value)
    count = sum(c.isdigit() for c in shown)
    if shown.startswith("+") and not re.match(r"\+1\D|\+86", shown):
        return _abroad(shown, number)
    if re.search(r"1[3-9]\d[- ]?\d{4}[- ]?\d{4}\Z", shown):
        return _filled(shown, ("86" if count > 11 else "")[: count - 11] + "100" + _digits(number, 8))
    if count in (10, 11, 13) and not re.match(r"\D*0[1-9]", shown) and re.search(r"\D\d{4}\Z", shown):
        area = f"{200 + number // 100 % 800}"
        prefix = "".join(c for c in shown if c.isdigit())[: count - 10]
        return _filled(shown, f"{prefix}{area}55501{_digits(number, 2)}")
    size = len(national(shown))
    invented = "000" + _digits(number, size - 3) if size > 3 else _digits(number, size)
    return _filled(shown, "0" * (count - size) + invented)


def _abroad(shown: str, number: int) -> str:
    """The country's code stays; behind it stand the digits that stand in without a code, too."""
    count, size = sum(c.isdigit() for c in shown), len(national(shown))
    plain = re.sub(r"\D", "", shown)
    lead = plain[: count - size]
    return _filled(shown, lead + ("000" + _digits(number, size - 3) if size > 3 else _digits(number, size)))


def _id_card(value: str, number: int) -> str:
    if len(value) == 15:
        return f"990000{_digits(number, 9)}"
    body = f"9900001900010{number % 9 + 1}{_digits(number // 9, 3)}"
    return body + mod_11_2.calc_check_digit(body)


def _card(value: str, number: int) -> str:
    count = sum(c.isdigit() for c in value)
    body = "0000" + _digits(number, count - 5)
    return _filled(value, body + luhn.calc_check_digit(body))


def _account(value: str, number: int) -> str:
    plain = value.replace(" ", "")
    body = _digits(number, len(plain) - 4)
    check = mod_97_10.calc_check_digits(f"{body}ZZ")
    made = f"ZZ{check}{body}"
    return re.sub(r"(.{4})(?=.)", r"\1 ", made) if " " in value else made


def _ip(value: str, number: int) -> str:
    if ":" in value:
        return f"2001:db8::{number % 0xFFFF:x}:{number // 0xFFFF % 0xFFFF:x}"
    return f"{_TEST_NETWORKS[number % 3]}.{number // 3 % 254 + 1}"


def _address(value: str, number: int) -> str:
    door = number % 9999 + 1
    return f"示例市示例区示例路{door}号" if _HAN.search(value) else f"{door} Example Street"


def _name(value: str, number: int) -> str:
    if _HAN.search(value):
        return f"某{_STEMS[number % 10]}{_STEMS[number // 10 % 10]}"
    return f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} {chr(65 + number // 12 % 26)}. Doe"


_MAKERS: Mapping[PiiKind, Callable[[str, int], str]] = {
    PiiKind.CREDENTIAL: lambda _, number: f"EXAMPLE-{number % 16**16:016x}",
    PiiKind.EMAIL: lambda _, number: f"user{_digits(number, 8)}@example.com",
    PiiKind.IBAN: _account,
    PiiKind.ID_CARD: _id_card,
    PiiKind.BANK_CARD: _card,
    # Area 000 was never given out.
    PiiKind.SSN: lambda _, number: f"000-{number % 99 + 1:02d}-{number // 99 % 9999 + 1:04d}",
    PiiKind.PHONE: _phone,
    PiiKind.IP: _ip,
    PiiKind.ADDRESS: _address,
    PiiKind.NAME: _name,
}
