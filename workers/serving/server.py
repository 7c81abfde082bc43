"""HTTP in the shapes of OpenAI and vLLM: ``/v1/chat/completions``, and adapters loaded and unloaded by name.

For the API process alone: it knows no keys and no projects. An adapter's ``lora_path`` is a folder of this machine or
an address in the artifact store.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from app.api.openai_errors import error_body, validation_error
from app.api.schemas import chat
from app.artifacts import ArtifactNotFound, ArtifactStore, InvalidArtifactUri
from app.settings import Settings
from workers.models.base_models import BaseModelError, resolve
from workers.models.batches import MAX_CACHE_TOKENS
from workers.models.chat import Conversation, UnrenderableConversation
from workers.models.devices import pick_device
from workers.models.running_batch import Sampling
from workers.models.served_model import ServedModel
from workers.serving import engine as engines
from workers.serving.engine import CannotAnswer, Ended, Engine, Piece, QueueFull, Target
from workers.serving.writers import ChatWriter, TextWriter

_REFUSED = (CannotAnswer, UnrenderableConversation, BaseModelError)
RETRY_AFTER_SECONDS = 2


class LoadAdapter(BaseModel):
    """``base_model_name`` is ours beyond vLLM, which serves one base model."""

    lora_name: str
    lora_path: str
    base_model_name: str


class UnloadAdapter(BaseModel):
    lora_name: str


@dataclass(frozen=True, slots=True)
class Loaded:
    base: str
    folder: Path


def create_server(settings: Settings, *, device: str = "auto") -> FastAPI:
    store = ArtifactStore(settings.artifact_store_url)
    adapters: dict[str, Loaded] = {}

    def load(base: str) -> ServedModel:
        model = resolve(base, settings.model_cache_dir)
        return ServedModel(model, kept_adapters=settings.serve_kept_adapters, device=device)

    engine = Engine(
        load,
        max_rows=settings.serve_max_rows,
        max_waiting=settings.serve_max_waiting,
        cache_tokens=MAX_CACHE_TOKENS[pick_device(device).type],
        idle_seconds=settings.serve_idle_seconds,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        thread = threading.Thread(target=engine.run, name="engine", daemon=True)
        thread.start()
        yield
        engine.close()
        await asyncio.to_thread(thread.join, 5.0)

    server = FastAPI(
        title="casemend serving", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    server.add_exception_handler(RequestValidationError, validation_error)

    @server.get("/health")
    async def health() -> Response:
        return Response()

    @server.get("/v1/models")
    async def models() -> dict[str, Any]:
        data = [{"id": name, "object": "model", "parent": loaded.base} for name, loaded in adapters.items()]
        return {"object": "list", "data": data}

    @server.post("/v1/load_lora_adapter")
    async def load_adapter(wanted: LoadAdapter) -> Response:
        folder = Path(wanted.lora_path)
        if not folder.is_dir():
            try:
                folder = await asyncio.to_thread(store.folder, wanted.lora_path, settings.adapters_dir)
            except (ArtifactNotFound, InvalidArtifactUri):
                return _error(404, f"no adapter lies at {wanted.lora_path}", code="model_not_found")
        adapters[wanted.lora_name] = Loaded(wanted.base_model_name, folder)
        return Response(f"Success: LoRA adapter '{wanted.lora_name}' added successfully.")

    @server.post("/v1/unload_lora_adapter")
    async def unload_adapter(wanted: UnloadAdapter) -> Response:
        if adapters.pop(wanted.lora_name, None) is None:
            return _error(404, f"no adapter {wanted.lora_name} is loaded", code="model_not_found")
        return Response(f"Success: LoRA adapter '{wanted.lora_name}' removed successfully.")

    def target(model: str) -> Target | None:
        loaded = adapters.get(model)
        if loaded is not None and not loaded.folder.is_dir():  # deleted: the API fetches it again
            del adapters[model]
            loaded = None
        if loaded is not None:
            return Target(base=loaded.base, adapter=(model, loaded.folder))
        return None if model.startswith("adp_") else Target(base=model)

    @server.post("/v1/chat/completions")
    async def chat_completions(asked: chat.ChatRequest, request: Request) -> Response:
        offered = None if (asked.model_extra or {}).get("tool_choice") == "none" else asked.tools
        conversation = Conversation(messages=asked.messages, tools=offered)
        sampling = _sampling(asked, asked.alternatives)
        if (to := target(asked.model)) is None:
            return _unknown(asked.model)
        answers = _Answers(
            engine, to, [conversation] * (asked.n or 1), sampling, asked.stops, asked.most_tokens
        )
        writer = ChatWriter(asked.model, tools=bool(offered))
        return await _answered(answers, writer, asked, request)

    @server.post("/v1/completions")
    async def completions(asked: chat.TextRequest, request: Request) -> Response:
        sampling = _sampling(asked, asked.logprobs)
        if (to := target(asked.model)) is None:
            return _unknown(asked.model)
        prompts = [prompt for prompt in asked.prompts for _ in range(asked.n or 1)]
        answers = _Answers(engine, to, prompts, sampling, asked.stops, asked.max_tokens or 16)
        return await _answered(answers, TextWriter(asked.model), asked, request)

    return server


def _sampling(asked: chat.ChatRequest | chat.TextRequest, alternatives: int | None) -> Sampling:
    return Sampling(
        temperature=asked.temperature or 0.0,
        top_p=1.0 if asked.top_p is None else asked.top_p,
        seed=asked.seed,
        alternatives=alternatives,
    )


async def _answered(
    answers: _Answers,
    writer: ChatWriter | TextWriter,
    asked: chat.ChatRequest | chat.TextRequest,
    request: Request,
) -> Response:
    try:
        answers.start()
    except QueueFull:
        return _error(
            429,
            "the server has as many requests as it takes; ask again",
            kind="rate_limit_error",
            code="rate_limit_exceeded",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    stream = answers.told(request)
    if not asked.stream:
        try:
            async for choice, told in stream:
                writer.add(choice, told)
        except _REFUSED as error:
            return _refused(error)
        return JSONResponse(writer.whole(answers.usage()).model_dump(exclude_none=True))
    usage = asked.stream_options is not None and asked.stream_options.include_usage
    # The first piece is waited for: what is wrong with a request is told by a status, not inside a stream.
    try:
        first = await anext(stream, None)
    except _REFUSED as error:
        return _refused(error)

    async def events() -> AsyncIterator[str]:
        try:
            for chunk in writer.begin(asked.n or 1):
                yield _event(chunk)
            for chunk in [] if first is None else writer.chunks(*first):
                yield _event(chunk)
            async for choice, told in stream:
                for chunk in writer.chunks(choice, told):
                    yield _event(chunk)
            if usage:
                yield _event({**writer.head(), "choices": [], "usage": answers.usage().model_dump()})
            yield "data: [DONE]\n\n"
        except _REFUSED as error:
            yield _event(error_body(str(error), kind="server_error"))
        finally:
            answers.cancel()

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _unknown(model: str) -> Response:
    return _error(404, f"The model {model!r} is not loaded.", param="model", code="model_not_found")


def _refused(error: Exception) -> Response:
    if isinstance(error, BaseModelError):
        return _error(404, str(error), param="model", code="model_not_found")
    if isinstance(error, CannotAnswer) and error.code is None:
        return _error(500, str(error), kind="server_error")
    param = error.param if isinstance(error, CannotAnswer) else "messages"
    return _error(400, str(error), param=param, code=error.code if isinstance(error, CannotAnswer) else None)


def _error(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    return JSONResponse(error_body(message, kind=kind, param=param, code=code), status, headers=headers)


class _Answers:
    """The answers to one HTTP request: one for each choice, all under way at once."""

    def __init__(
        self,
        engine: Engine,
        target: Target,
        conversations: Sequence[Conversation | str],
        sampling: Sampling,
        stops: tuple[str, ...],
        max_tokens: int | None,
    ) -> None:
        self._engine = engine
        self._told: asyncio.Queue[tuple[int, engines.Told]] = asyncio.Queue()
        self._cancelled = threading.Event()
        self._ended: dict[int, Ended] = {}
        loop = asyncio.get_running_loop()

        def telling(choice: int) -> Any:
            def tell(told: engines.Told) -> None:
                with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                    loop.call_soon_threadsafe(self._told.put_nowait, (choice, told))

            return tell

        self._requests = [
            engines.Request(
                target=target,
                conversation=conversation,
                # each choice draws anew; the same seed gives the same choices
                sampling=sampling if sampling.seed is None else replace(sampling, seed=sampling.seed + i),
                tell=telling(i),
                stops=stops,
                max_tokens=max_tokens,
                cancelled=self._cancelled,
            )
            for i, conversation in enumerate(conversations)
        ]

    def start(self) -> None:
        self._engine.submit(*self._requests)

    def cancel(self) -> None:
        self._cancelled.set()

    async def told(self, request: Request) -> AsyncIterator[tuple[int, Piece | Ended]]:
        """What comes of any choice, until all have ended. Raises what went wrong with one, and ends the others."""
        try:
            while len(self._ended) < len(self._requests):
                try:
                    choice, told = await asyncio.wait_for(self._told.get(), timeout=1.0)
                except TimeoutError:
                    if await request.is_disconnected():
                        return
                    continue
                if isinstance(told, Exception):
                    raise told
                if isinstance(told, Ended):
                    self._ended[choice] = told
                yield choice, told
        finally:
            self.cancel()

    def usage(self) -> chat.Usage:
        # choices of one prompt share its tokens
        prompts = {id(self._requests[i].conversation): e.prompt_tokens for i, e in self._ended.items()}
        asked, said = sum(prompts.values()), sum(e.answer_tokens for e in self._ended.values())
        return chat.Usage(prompt_tokens=asked, completion_tokens=said, total_tokens=asked + said)
