"""A form with one file in it (multipart/form-data), as OpenAI's clients send it; the file goes to the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.api.dependencies import AppSettings, Contributor, Store
from app.api.request_bodies import BodyRequest, MalformedBody, media_type, require_storable
from app.artifacts import Artifact
from app.errors import InvalidInput, UnsupportedMediaType

_MAX_FIELDS: Final = 20
_FORM_BYTES: Final = 1 << 20
"""Room for all that is not the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """``content`` is in the store; ``fields`` are the form's other ones."""

    filename: str
    content: Artifact
    fields: dict[str, str]


def file_in(name: str) -> Callable[..., Any]:
    """The form whose file is in the field ``name``, as a dependency."""

    async def read(request: Request, _: Contributor, store: Store, settings: AppSettings) -> FileForm:
        assert isinstance(request, BodyRequest)
        if media_type(request.headers) != "multipart/form-data":
            raise UnsupportedMediaType(
                f"send a form (multipart/form-data) with the file in the field {name!r}"
            )
        request.body_limit_bytes = settings.upload_limit_bytes + _FORM_BYTES
        try:
            # of a file, what is beyond a megabyte waits on the disk
            async with request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=_FORM_BYTES) as form:
                file = form.get(name)
                if not isinstance(file, UploadFile):
                    detail = f"{name}: is required; send the file in the form's field of this name"
                    raise InvalidInput(detail, errors=[{"pointer": f"/{name}", "message": "is required"}])
                fields = {key: value for key, value in form.multi_items() if isinstance(value, str)}
                require_storable({**fields, "filename": file.filename or ""})
                content = await run_in_threadpool(store.put_file, file.file)
        except HTTPException as error:
            raise MalformedBody(f"the form cannot be read: {error.detail}") from error
        if not content.size_bytes:
            detail = f"{name}: the file is empty"
            raise InvalidInput(detail, errors=[{"pointer": f"/{name}", "message": "is empty"}])
        said = repr((file.filename, sorted(fields.items()), content.sha256))
        request.state.upload_sha256 = hashlib.sha256(said.encode()).hexdigest()
        return FileForm(filename=file.filename or "file", content=content, fields=fields)

    return read


def form_body(name: str, fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """The form in the API's description."""
    properties = {name: {"type": "string", "format": "binary"}, **fields}
    schema = {"type": "object", "properties": properties, "required": [name, *required]}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
