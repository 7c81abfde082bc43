"""Which model a request means, and the server that answers for it.

The server speaks OpenAI's API and vLLM's two endpoints for adapters; it is ours (``casemend serve``) or a vLLM. It
knows no projects: what may be asked is settled here, and the server is asked by an adapter's id.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.artifacts import ArtifactStore
from app.db.models import AdapterRow, TrainingJobRow
from app.domain.training_config import BUNDLED_MODEL
from app.errors import Conflict, InvalidInput, NotFound, ServiceError
from app.services.training import aliases
from app.settings import Settings

_ANSWER_SECONDS: Final = 600.0
_CONNECT_SECONDS: Final = 5.0


class ServerAway(ServiceError):
    status_code = 503
    type = "server-away"
    title = "The server that answers cannot be reached"


class ModelNotFound(NotFound):
    code = "model_not_found"


FINE_TUNED: Final = "ft:"
"""Begins the name that a fine-tuning job gives its adapter: ``ft:base:suffix:adapter``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedModel:
    """``id`` is the server's name for it: an adapter's id, or the base model's. ``adapter_uri``: where the adapter's
    files are, None for the base model alone."""

    id: str
    base_model: str
    adapter_uri: str | None


def find_model(session: Session, project_id: str, name: str) -> AskedModel:
    """The model that ``name`` means in this project: an adapter's id, an alias, ``base:adapter``, the name that a
    fine-tuning job gave, a base model that the project has trained, or the bundled one. ModelNotFound for all else,
    whoever else has a model of that name."""
    adapter = _adapter(session, project_id, name)
    if adapter is None and ":" in name:
        base, _, of_base = name.rpartition(":")
        adapter = _adapter(session, project_id, of_base)
        if name.startswith(FINE_TUNED):
            base = base.removeprefix(FINE_TUNED).rpartition(":")[0]
        if adapter is not None and adapter.base_model != base:
            raise ModelNotFound(f"adapter {adapter.id} belongs to {adapter.base_model}, not to {base}")
    if adapter is not None:
        return AskedModel(id=adapter.id, base_model=adapter.base_model, adapter_uri=adapter.uri)
    if name == BUNDLED_MODEL or name in base_models(session, project_id):
        return AskedModel(id=name, base_model=name, adapter_uri=None)
    raise ModelNotFound(
        f"no model {name!r} in this project; name an adapter's id, an alias ({aliases.CURRENT} is the adapter "
        "accepted last), or a base model"
    )


def fine_tuned_name(adapter: AdapterRow, suffix: str | None) -> str:
    return f"{FINE_TUNED}{adapter.base_model}:{suffix or ''}:{adapter.id}"


def forget(session: Session, project_id: str, name: str, now: datetime) -> None:
    """Delete an adapter: it can no longer be asked, fetched or trained on, by any of its names. Conflict while an
    alias stands for it."""
    found = find_model(session, project_id, name)
    row = session.get(AdapterRow, found.id)
    if row is None:
        raise InvalidInput(f"{name} is a base model; only adapters of the project can be deleted")
    standing = [a.name for a in aliases.standing(session, project_id) if a.adapter_id == row.id]
    if standing:
        raise Conflict(f"{', '.join(standing)} stands for {row.id}; point it at another adapter first")
    row.deleted_at = now
    session.flush()


def _adapter(session: Session, project_id: str, name: str) -> AdapterRow | None:
    row = session.get(AdapterRow, name) if name.startswith("adp_") else None
    if row is None or row.project_id != project_id:
        row = aliases.adapter_named(session, project_id, name)
    return None if row is None or row.deleted_at is not None else row


def base_models(session: Session, project_id: str) -> list[str]:
    """Those that the project has trained, and the bundled one."""
    trained = select(TrainingJobRow.base_model).where(TrainingJobRow.project_id == project_id)
    adapted = select(AdapterRow.base_model).where(AdapterRow.project_id == project_id)
    return sorted({BUNDLED_MODEL, *session.scalars(trained.union(adapted))})


class Server:
    """The server that answers, over HTTP. One of it is open as long as the process runs."""

    def __init__(self, settings: Settings, store: ArtifactStore) -> None:
        self._settings = settings
        self._store = store
        local = settings.serve_url is None
        self._http = httpx.AsyncClient(
            base_url="http://serve" if settings.serve_url is None else settings.serve_url.rstrip("/"),
            transport=httpx.AsyncHTTPTransport(uds=str(settings.serve_socket)) if local else None,
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None),
            trust_env=False,
        )
        self._loaded: OrderedDict[str, None] = OrderedDict()

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, path: str, model: AskedModel, body: dict[str, Any]) -> httpx.Response:
        """The server's answer, its body still to be read. An adapter that it does not know yet is loaded first."""
        answer = await self._send(path, {**body, "model": model.id})
        if answer.status_code == 404 and model.adapter_uri is not None:
            await answer.aclose()
            await self._load(model)
            answer = await self._send(path, {**body, "model": model.id})
        if model.id in self._loaded:
            self._loaded.move_to_end(model.id)
        return answer

    async def _send(self, path: str, body: dict[str, Any]) -> httpx.Response:
        try:
            return await self._http.send(self._http.build_request("POST", path, json=body), stream=True)
        except httpx.TransportError as error:
            raise _away(error) from error

    async def _load(self, model: AskedModel) -> None:
        assert model.adapter_uri is not None
        path = model.adapter_uri
        if self._settings.serve_adapters_dir is not None:
            folder = await run_in_threadpool(
                self._store.folder, model.adapter_uri, self._settings.serve_adapters_dir
            )
            path = str(folder)
        # in place: of two requests that find it missing at the same time the second one is no error
        body = {
            "lora_name": model.id,
            "lora_path": path,
            "base_model_name": model.base_model,
            "load_inplace": True,
        }
        answer = await self._send("/v1/load_lora_adapter", body)
        await whole(answer)
        if answer.is_server_error:
            raise ServerAway(f"the server could not load adapter {model.id} (status {answer.status_code})")
        if not answer.is_success:
            raise InvalidInput(
                f"the server refuses adapter {model.id} (status {answer.status_code}): it may serve another base "
                f"model than {model.base_model}, or adapters of a lower rank alone; its log says more"
            )
        self._loaded[model.id] = None
        if len(self._loaded) > self._settings.serve_kept_adapters:
            await self.unload(next(iter(self._loaded)))

    async def unload(self, adapter_id: str) -> None:
        """Have the server forget an adapter. Answers under way keep it; who asks again has it loaded again."""
        self._loaded.pop(adapter_id, None)
        await whole(await self._send("/v1/unload_lora_adapter", {"lora_name": adapter_id}))


def _away(error: httpx.TransportError) -> ServerAway:
    return ServerAway(
        f"nothing answers for models now ({type(error).__name__}); it may still be starting: try again"
    )


async def whole(answer: httpx.Response) -> bytes:
    """The body; ServerAway where the server goes away in the middle of it."""
    try:
        return await answer.aread()
    except httpx.TransportError as error:
        raise _away(error) from error
    finally:
        await answer.aclose()


async def streamed(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes; a reader that leaves closes the connection, and the server stops answering. A server that
    goes away in the middle is told as an event, which OpenAI's clients raise."""
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    except httpx.TransportError as error:
        problem = {"message": _away(error).detail, "type": "server_error", "param": None, "code": None}
        yield f"\n\ndata: {json.dumps({'error': problem})}\n\n".encode()
    finally:
        await answer.aclose()
