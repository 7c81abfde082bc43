"""A bare client of the REST API: what it adds to a request is not measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

FINAL = ("succeeded", "failed", "cancelled")


class ApiError(RuntimeError):
    """An answer that is no success, or work that failed; the message is the problem's own."""


class Client:
    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        return self._answer(self._http.get(path, params=params)).json()

    def get_text(self, path: str, **params: Any) -> str:
        return self._answer(self._http.get(path, params=params)).text

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._answer(self._http.post(path, json=body)).json()

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._answer(self._http.patch(path, json=body)).json()

    def upload(self, path: str, rows: Iterable[Mapping[str, Any]], **params: Any) -> Any:
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        headers = {"Content-Type": "application/x-ndjson"}
        return self._answer(self._http.post(path, content=content, headers=headers, params=params)).json()

    def send(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Any:
        """Any other request, body as it stands."""
        return self._answer(self._http.request(method, path, content=content, headers=headers)).json()

    def pages(self, path: str, **params: Any) -> Iterator[Any]:
        after: str | None = None
        while True:
            page = self.get(path, limit=200, **params, **({"after": after} if after else {}))
            yield from page["data"]
            if not page["has_more"]:
                return
            after = page["next_after"]

    def wait(
        self, path: str, watch: Callable[[Any], None] = lambda _: None, *, poll_seconds: float = 0.5
    ) -> Any:
        """Poll until the work at ``path`` is final; raises ApiError when it did not succeed."""
        while True:
            thing = self.get(path)
            watch(thing)
            if thing["status"] in FINAL:
                if thing["status"] != "succeeded":
                    problem = thing.get("error") or {}
                    raise ApiError(f"{path}: {thing['status']}: {problem.get('detail') or problem}")
                return thing
            time.sleep(poll_seconds)

    @staticmethod
    def _answer(answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        try:
            problem = answer.json()
            detail = problem.get("detail") or problem.get("title")
        except ValueError:
            detail = answer.text[:300]
        raise ApiError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code}: {detail}")
