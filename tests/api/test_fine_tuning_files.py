"""Files and uploads through the official client."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient
from openai import OpenAI

from app.db.models import FileRow, UploadRow
from app.db.session import SessionFactory, transaction
from tests.openai_shapes import walked

CONTENT = b'{"messages": []}\n'


@pytest.fixture
def official(client: TestClient) -> OpenAI:
    return official_client(client)


def official_client(client: TestClient, key: str | None = None) -> OpenAI:
    """The official client, its requests answered by the application in this process."""
    headers = {"Authorization": f"Bearer {key}"} if key else dict(client.headers)
    key = headers["Authorization" if key else "authorization"].removeprefix("Bearer ")
    return OpenAI(base_url=f"{client.base_url}/v1", api_key=key, http_client=client, max_retries=0)


def uploaded(official: OpenAI, name: str = "train.jsonl", content: bytes = CONTENT, **more: Any) -> Any:
    return official.files.create(file=(name, content), purpose=more.pop("purpose", "fine-tune"), **more)


def test_a_file_is_kept_as_it_came_and_deleted(official: OpenAI) -> None:
    made = walked(uploaded(official, "训练 1.jsonl", CONTENT * 70_000))
    assert (made.filename, made.bytes, made.purpose) == ("训练 1.jsonl", 70_000 * len(CONTENT), "fine-tune")
    assert made.expires_at is None
    assert walked(official.files.retrieve(made.id)) == made
    assert official.files.content(made.id).read() == CONTENT * 70_000
    gone = walked(official.files.delete(made.id))
    assert gone.deleted
    with pytest.raises(openai.NotFoundError) as raised:
        official.files.retrieve(made.id)
    assert raised.value.body == {
        "message": f"no such file: {made.id}",
        "type": "invalid_request_error",
        "param": "id",
        "code": None,
    }


def test_files_are_listed_in_pages_by_purpose_and_order(official: OpenAI) -> None:
    made = [uploaded(official, f"{i}.jsonl").id for i in range(5)]
    other = uploaded(official, purpose="batch").id
    assert [f.id for f in official.files.list()] == [other, *reversed(made)]
    assert [f.id for f in official.files.list(purpose="fine-tune", order="asc", limit=2)] == made
    page = official.files.list(purpose="fine-tune", order="asc", limit=2)
    assert page.has_more
    assert (page.first_id, page.last_id) == (made[0], made[1])  # pyright: ignore[reportAttributeAccessIssue]
    walked(page.data)


def test_a_file_past_its_time_is_gone(official: OpenAI, sessions: SessionFactory) -> None:
    made = uploaded(official, expires_after={"anchor": "created_at", "seconds": 3600})
    assert made.expires_at == made.created_at + 3600
    with transaction(sessions) as session:
        session.get_one(FileRow, made.id).expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert official.files.list().data == []
    with pytest.raises(openai.NotFoundError):
        official.files.content(made.id)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("purpose", {"purpose": "fun"}),
        ("expires_after[seconds]", {"expires_after": {"anchor": "created_at", "seconds": 60}}),
        ("expires_after[seconds]", {"expires_after": {"anchor": "created_at"}}),
        ("expires_after[anchor]", {"expires_after": {"anchor": "never", "seconds": 3600}}),
        ("file", {"content": b""}),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_its_field(
    official: OpenAI, field: str, body: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        uploaded(official, **body)
    assert raised.value.param == field
    assert official.files.list().data == []


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"Content-Type": "multipart/form-data"}, b"x", 400),
        ({"Content-Type": "multipart/form-data; boundary=b"}, b"garbage", 400),
        (
            {"Content-Type": "multipart/form-data; boundary=b"},
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--b--\r\n',
            400,
        ),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    client: TestClient, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = client.post("/v1/files", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_file_of_another_project_is_not_there(
    client: TestClient, official: OpenAI, other_project_key: str
) -> None:
    made = uploaded(official)
    headers = {"Authorization": f"Bearer {other_project_key}"}
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert client.request(method, f"/v1/files/{made.id}{path}", headers=headers).status_code == 404
    assert client.get("/v1/files", headers=headers).json()["data"] == []
    assert official.files.retrieve(made.id) == made


def test_a_key_makes_one_file_of_a_request_sent_twice(official: OpenAI) -> None:
    headers = {"Idempotency-Key": "once"}
    first = uploaded(official, extra_headers=headers)
    assert uploaded(official, extra_headers=headers) == first
    assert len(official.files.list().data) == 1
    with pytest.raises(openai.BadRequestError):
        uploaded(official, content=b"other", extra_headers=headers)


def test_a_file_comes_in_parts(official: OpenAI) -> None:
    parts = [b"first line\n" * 100, b"second\n", b"third"]
    whole = b"".join(parts)
    upload = walked_but_file(
        official.uploads.create(
            bytes=len(whole), filename="t.jsonl", mime_type="text/jsonl", purpose="fine-tune"
        )
    )
    assert upload.status == "pending"
    ids = []
    for part in reversed(parts):
        made = walked(official.uploads.parts.create(upload.id, data=io.BytesIO(part)))
        assert made.upload_id == upload.id
        ids.insert(0, made.id)
    done = walked(
        official.uploads.complete(
            upload.id, part_ids=ids, md5=hashlib.md5(whole, usedforsecurity=False).hexdigest()
        )
    )
    assert done.status == "completed"
    assert official.files.content(done.file.id).read() == whole
    with pytest.raises(openai.ConflictError):
        official.uploads.cancel(upload.id)


def walked_but_file(upload: Any) -> Any:
    """Of an upload without a file yet."""
    assert upload.file is None
    return walked(upload)


def test_parts_that_do_not_fit_make_no_file(official: OpenAI, sessions: SessionFactory) -> None:
    upload = official.uploads.create(bytes=6, filename="t", mime_type="text/plain", purpose="fine-tune")
    other = official.uploads.create(bytes=6, filename="t", mime_type="text/plain", purpose="fine-tune")
    part = official.uploads.parts.create(upload.id, data=b"abc").id
    foreign = official.uploads.parts.create(other.id, data=b"def").id
    for ids, more in (([part], {}), ([part, foreign], {}), ([part, part], {})):
        with pytest.raises(openai.BadRequestError) as raised:
            official.uploads.complete(upload.id, part_ids=ids, **more)
        assert raised.value.param == "part_ids"
    rest = official.uploads.parts.create(upload.id, data=b"def").id
    with pytest.raises(openai.BadRequestError) as raised:
        official.uploads.complete(upload.id, part_ids=[part, rest], md5="0" * 32)
    assert raised.value.param == "md5"
    assert official.files.list().data == []
    assert official.uploads.cancel(other.id).status == "cancelled"
    with pytest.raises(openai.ConflictError):
        official.uploads.parts.create(other.id, data=b"x")
    with transaction(sessions) as session:
        session.get_one(UploadRow, upload.id).expires_at = datetime.now(UTC) - timedelta(seconds=1)
    with pytest.raises(openai.ConflictError, match="expired"):
        official.uploads.complete(upload.id, part_ids=[part, rest])
    with pytest.raises(openai.NotFoundError):
        official.uploads.cancel("upload_unknown")
