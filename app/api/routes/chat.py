"""Ask a model, in the shapes of OpenAI's API: adapters, their aliases, base models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import DatabaseSession, Maintainer, Reader, Sessions
from app.api.openai_errors import OpenAIError, OpenAIRoute
from app.api.schemas.chat import ChatCompletion, ChatRequest, TextCompletion, TextRequest
from app.api.schemas.common import Body, Id, Resource
from app.api.transaction_route import TransactionRoute
from app.db.models import AdapterAliasRow, AdapterRow
from app.services import listings, serving
from app.services.training import aliases

router = APIRouter(prefix="/v1", tags=["ask"], route_class=OpenAIRoute)
alias_router = APIRouter(prefix="/v1/aliases", tags=["ask"], route_class=TransactionRoute)


async def _server(request: Request) -> serving.Server:
    return request.app.state.server


Server = Annotated[serving.Server, Depends(_server)]

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `stream` its chunks as server-sent events",
        "content": {"text/event-stream": {}},
    },
    429: {
        "model": OpenAIError,
        "description": "As many requests wait as may; `Retry-After` says when to ask again",
    },
}


@router.post("/chat/completions", response_model=ChatCompletion, responses=_STREAM)
async def chat_completions(
    payload: ChatRequest, caller: Reader, sessions: Sessions, server: Server
) -> Response:
    """A model's answer to a conversation. Greedy unless a temperature is given; with `tools` the calls that the model
    writes are read out of its answer."""
    return await _asked("/v1/chat/completions", payload, caller.project_id, sessions, server)


@router.post("/completions", response_model=TextCompletion, responses=_STREAM)
async def completions(payload: TextRequest, caller: Reader, sessions: Sessions, server: Server) -> Response:
    """How a model goes on from a text, with no chat template around it."""
    return await _asked("/v1/completions", payload, caller.project_id, sessions, server)


async def _asked(
    path: str, payload: ChatRequest | TextRequest, project_id: str, sessions: Sessions, server: serving.Server
) -> Response:
    def find() -> serving.AskedModel:
        # a session of its own: none is held while the model thinks
        with sessions() as session:
            return serving.find_model(session, project_id, payload.model)

    model = await run_in_threadpool(find)
    answer = await server.ask(path, model, payload.carried_out())
    headers = {k: v for k in ("Retry-After",) if (v := answer.headers.get(k)) is not None}
    media_type = answer.headers.get("content-type")
    if media_type is not None and media_type.startswith("text/event-stream"):
        return StreamingResponse(serving.streamed(answer), media_type="text/event-stream", headers=headers)
    content = await serving.whole(answer)
    return Response(content, answer.status_code, headers, media_type)


class Model(BaseModel):
    """A model that can be asked. ``casemend`` says what OpenAI's shape has no place for."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Seconds since 1970.")
    owned_by: str
    shutdown_date: str | None = Field(
        default=None, description="Always null: no model of a project is retired."
    )


class Models(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


@router.get("/models", response_model=Models)
def list_models(caller: Reader, session: DatabaseSession) -> Models:
    """What `model` may name: adapters, the newest first, aliases and base models. Checkpoints of trainings answer as
    well; they are listed with their job."""
    adapters = listings.all_in_project(session, caller.project_id, AdapterRow)
    data = [_adapter_model(row) for row in adapters if row.checkpoint_step is None]
    data += [
        Model(id=row.name, created=_seconds(row.created_at), owned_by="casemend alias")
        for row in aliases.standing(session, caller.project_id)
    ]
    data += [_base_model(name) for name in serving.base_models(session, caller.project_id)]
    return Models(data=data)


@router.get("/models/{model:path}", response_model=Model)
def read_model(
    model: Annotated[str, Path(max_length=1000)], caller: Reader, session: DatabaseSession
) -> Model:
    found = serving.find_model(session, caller.project_id, model)
    row = session.get(AdapterRow, found.id)
    if row is None:
        return _base_model(found.id)
    shown = _adapter_model(row)
    return shown.model_copy(update={"id": model}) if model.startswith(serving.FINE_TUNED) else shown


class DeletedModel(BaseModel):
    id: str
    object: Literal["model"] = "model"
    deleted: Literal[True] = True


@router.delete("/models/{model:path}", response_model=DeletedModel)
def delete_model(
    model: Annotated[str, Path(max_length=1000)], caller: Maintainer, session: DatabaseSession
) -> DeletedModel:
    """An adapter can no longer be asked, fetched or trained on. 409 while an alias stands for it."""
    serving.forget(session, caller.project_id, model, datetime.now(UTC))
    return DeletedModel(id=model)


def _adapter_model(row: AdapterRow) -> Model:
    return Model(id=row.id, created=_seconds(row.created_at), owned_by="casemend adapter")


def _base_model(name: str) -> Model:
    return Model(id=name, created=0, owned_by="base model")


def _seconds(when: datetime) -> int:
    return int(when.timestamp())


class Alias(Resource):
    object: Literal["alias"] = "alias"
    name: str
    adapter_id: str
    reason: str = Field(
        description="Why it stands for this adapter: accepted by a cycle, set by a person ..."
    )
    created_at: datetime = Field(description="Since when it does.")


class Aliases(Resource):
    object: Literal["list"] = "list"
    data: list[Alias]


class NewTarget(Body):
    adapter_id: Id


@alias_router.get("", response_model=Aliases)
def list_aliases(caller: Reader, session: DatabaseSession) -> dict[str, Any]:
    """What each name stands for now. `current` is moved to each adapter that a cycle's gate accepts."""
    return {"data": aliases.standing(session, caller.project_id)}


@alias_router.get("/{name}", response_model=Aliases)
def read_alias(name: Id, caller: Reader, session: DatabaseSession) -> dict[str, Any]:
    """What a name has stood for, the newest first."""
    return {"data": aliases.history(session, caller.project_id, name)}


@alias_router.put("/{name}", response_model=Alias)
def point_alias(
    name: Id, payload: NewTarget, caller: Maintainer, session: DatabaseSession
) -> AdapterAliasRow:
    return aliases.point(session, caller.project_id, name, payload.adapter_id)


@alias_router.post("/{name}/rollback", response_model=Alias)
def roll_back_alias(name: Id, caller: Maintainer, session: DatabaseSession) -> AdapterAliasRow:
    """The adapter before this one."""
    return aliases.rollback(session, caller.project_id, name)
