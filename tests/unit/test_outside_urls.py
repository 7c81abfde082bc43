"""Which addresses outside may be called."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from app.outside_urls import PublicTransport, RefusedUrl, check_public


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",  # 127.0.0.1 as one number
        "0x7f.1",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a00:1]",
        "[2002:7f00:1::]",
        "[::7f00:1]",
    ],
)
def test_an_address_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(RefusedUrl):
        check_public(f"https://{host}/hook", allow_private=False)


def test_an_operator_may_allow_private_addresses() -> None:
    assert check_public("http://127.0.0.1:9/hook", allow_private=True) == "127.0.0.1"


@pytest.mark.parametrize(
    "url", ["https://93.184.216.34/hook", "https://[2606:4700::1111]/", "https://[::ffff:8.8.8.8]"]
)
def test_a_public_address_is_taken(url: str) -> None:
    assert check_public(url, allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook",
        "ftp://8.8.8.8",
        "file:///etc/passwd",
        "https://",
        "https://u:p@8.8.8.8/",
        "http://[",
        "https://8.8.8.8:99999",
    ],
)
def test_what_is_no_url_to_call_is_refused(url: str) -> None:
    with pytest.raises(RefusedUrl):
        check_public(url, allow_private=True)


def test_one_private_address_of_a_name_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(RefusedUrl, match=r"10\.0\.0\.1"):
        check_public("https://two.example/", allow_private=False)


def test_a_name_that_turns_private_after_it_was_checked_is_not_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter(["8.8.8.8", "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (next(answers), 80))])
    check_public("http://rebinding.example/", allow_private=False)
    with httpx.Client(transport=PublicTransport(allow_private=False)) as client, pytest.raises(RefusedUrl):
        client.get("http://rebinding.example/")
