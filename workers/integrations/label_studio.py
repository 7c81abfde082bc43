"""Label Studio called: annotations pulled, tasks and predictions pushed. Bounded in time and size."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from app.errors import StageError
from app.outside_urls import AsyncPublicTransport, RefusedUrl

CALL_SECONDS = 60.0
"""For one call, from the look-up of the name to the last byte: a worker is never held by a tool that drips."""

_SHOWN: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStudio:
    """``token`` of either kind: a legacy one is sent as it is, a personal one is first changed for an access token.

    Every method raises StageError where Label Studio is slow, gone, redirects, refuses or sends too much.
    """

    url: str
    token: str
    allow_private: bool
    max_bytes: int
    seconds: float = field(default_factory=lambda: CALL_SECONDS)

    def export(self, project: str) -> bytes:
        """All annotated tasks of a project, as its JSON export has them."""
        return self._call("GET", f"/api/projects/{project}/export?exportType=JSON")

    def project(self, project: str) -> dict[str, Any]:
        value = json.loads(self._call("GET", f"/api/projects/{project}/"))
        if not isinstance(value, dict):
            raise _problem(
                "the project comes as something else than an object; is 'url' that of Label Studio?"
            )
        return value

    def add_tasks(self, project: str, tasks: list[dict[str, Any]]) -> None:
        self._call("POST", f"/api/projects/{project}/import", tasks)

    def add_predictions(self, project: str, predictions: list[dict[str, Any]]) -> None:
        self._call("POST", f"/api/projects/{project}/import/predictions", predictions)

    def _call(self, method: str, path: str, body: object = None) -> bytes:
        try:
            return asyncio.run(self._within(method, path, body))
        except TimeoutError as error:
            raise _problem(f"no whole answer within {self.seconds:g} s") from error
        except RefusedUrl as error:
            raise _problem(error.detail) from error
        except httpx.HTTPError as error:
            raise _problem(f"it cannot be reached ({type(error).__name__})") from error

    async def _within(self, method: str, path: str, body: object) -> bytes:
        async with (
            asyncio.timeout(self.seconds),
            httpx.AsyncClient(
                transport=AsyncPublicTransport(allow_private=self.allow_private), timeout=self.seconds
            ) as client,
        ):
            headers = {"Authorization": await self._authorization(client)}
            return await self._send(client, method, path, headers, body)

    async def _authorization(self, client: httpx.AsyncClient) -> str:
        if self.token.count(".") != 2:
            return f"Token {self.token}"
        answer = await self._send(client, "POST", "/api/token/refresh", {}, {"refresh": self.token})
        value = _json(answer)
        access = value.get("access") if isinstance(value, Mapping) else None
        if not isinstance(access, str):
            raise _problem("it gave no access token for the personal token")
        return f"Bearer {access}"

    async def _send(
        self, client: httpx.AsyncClient, method: str, path: str, headers: Mapping[str, str], body: object
    ) -> bytes:
        url = self.url.rstrip("/") + path
        async with client.stream(method, url, headers=dict(headers), json=body) as answer:
            if 300 <= answer.status_code < 400:
                to = answer.headers.get("location", "")[:_SHOWN]
                raise _problem(f"it redirects to {to!r}, which is not followed: set 'url' to where it is")
            taken = bytearray()
            async for chunk in answer.aiter_bytes():
                taken += chunk
                if len(taken) > self.max_bytes:
                    raise _problem(
                        f"it sends more than {self.max_bytes:,} bytes; export a part and upload it"
                    )
        if answer.status_code in (401, 403):
            raise _problem(
                f"it answered {answer.status_code}: the token is not accepted {_said(taken)}".strip()
            )
        if answer.status_code == 404:
            raise _problem(f"it answered 404 for {path.partition('?')[0]}: is the project there?")
        if not 200 <= answer.status_code < 300:
            raise _problem(f"it answered {answer.status_code} {_said(taken)}".strip())
        if body is None:
            _json(bytes(taken))
        return bytes(taken)


def _json(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError as error:
        raise _problem("its answer is no JSON; is 'url' that of Label Studio?") from error


def _said(answer: bytes | bytearray) -> str:
    """What a refusal says, where it says it in its own words."""
    try:
        value = json.loads(answer)
    except ValueError:
        return ""
    detail = value.get("detail") or value.get("validation_errors") if isinstance(value, dict) else None
    return f"({str(detail)[:_SHOWN]})" if detail else ""


def _problem(detail: str) -> StageError:
    return StageError(
        f"Label Studio: {detail}", type="tool-unavailable", title="The tool could not be called"
    )
