"""URLs that a user names and this service calls: none of them leads into a private network.

The address that was checked is the one that is connected to: a name that resolves anew between the check and the
call (DNS rebinding) gains nothing. No redirect is followed by these transports, as httpx follows none unless told to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final

import httpx

from app.errors import InvalidInput

_PORTS: Final = {"http": 80, "https": 443}
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# A connection is kept by its address alone: kept ones could serve another host's request under the wrong certificate.
_ONE_CALL: Final = httpx.Limits(max_keepalive_connections=0)


class RefusedUrl(InvalidInput):
    """The URL is malformed, resolves to nothing, or leads to where this service may not call."""

    type = "refused-url"
    title = "The URL cannot be called"


def check_public(url: str | httpx.URL, *, allow_private: bool) -> str:
    """The address to connect to. Raises RefusedUrl; resolves names, so it may take seconds.

    Every address of the host must be public: private, loopback, link-local, multicast and reserved ones are refused,
    also where IPv6 wraps them. ``allow_private``: the operator allows all of them.
    """
    parsed = _parsed(url)
    port = parsed.port or _PORTS[parsed.scheme]
    try:
        found = socket.getaddrinfo(parsed.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RefusedUrl(f"url: the host {parsed.host!r} cannot be resolved") from error
    # a scope id ("fe80::1%eth0") is no part of the address
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not allow_private and not _is_public(address.partition("%")[0]):
            raise RefusedUrl(
                f"url: {parsed.host!r} leads to {address}, which is no public address; the operator of this service "
                "can allow that"
            )
    return addresses[0]


def _parsed(url: str | httpx.URL) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise RefusedUrl(f"url: this is no URL ({error})") from error
    if parsed.scheme not in _PORTS or not parsed.host or not 0 < (parsed.port or 1) <= 65_535:
        raise RefusedUrl("url: give a whole URL that begins with https:// or http://")
    if parsed.userinfo:
        raise RefusedUrl("url: leave user and password out of it")
    return parsed


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64 or int(ip) >> 32 == 0:  # translated, or IPv4-compatible (::a.b.c.d)
            wrapped.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(inner is not None and not _is_public(str(inner)) for inner in wrapped):
            return False
        if ip.ipv4_mapped is not None or ip in _NAT64:
            return True
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _pinned(request: httpx.Request, allow_private: bool) -> httpx.Request:
    """The same request to the checked address; the name stays in ``Host`` and in the certificate's check."""
    address = check_public(request.url, allow_private=allow_private)
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


class PublicTransport(httpx.HTTPTransport):
    """For ``httpx.Client(transport=...)``: calls public addresses only. Raises RefusedUrl."""

    def __init__(self, *, allow_private: bool) -> None:
        super().__init__(trust_env=False, limits=_ONE_CALL)
        self._allow_private = allow_private

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(_pinned(request, self._allow_private))


class AsyncPublicTransport(httpx.AsyncHTTPTransport):
    """For ``httpx.AsyncClient(transport=...)``: calls public addresses only. Raises RefusedUrl."""

    def __init__(self, *, allow_private: bool) -> None:
        super().__init__(trust_env=False, limits=_ONE_CALL)
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pinned = await asyncio.to_thread(_pinned, request, self._allow_private)
        return await super().handle_async_request(pinned)
