"""Datasets, uploads, imports, versions, export and diff over HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.formats import FORMATS
from app.services.projects import Role
from tests.conftest import bearer, rows_of
from tests.importing import Uploads, alpaca_rows, ndjson


def test_a_dataset_is_created_read_listed_and_deleted(client: TestClient) -> None:
    created = client.post("/v1/datasets", json={"name": "desk", "description": "客服"})
    assert created.status_code == 201
    dataset = created.json()
    assert dataset["object"] == "dataset"
    assert dataset["id"].startswith("ds_")
    assert created.headers["location"] == f"/v1/datasets/{dataset['id']}"
    assert client.get(f"/v1/datasets/{dataset['id']}").json() == dataset
    assert client.get("/v1/datasets", params={"name": "desk"}).json()["data"] == [dataset]

    assert client.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    assert client.get(f"/v1/datasets/{dataset['id']}").status_code == 404
    assert client.get("/v1/datasets").json()["data"] == []
    assert client.delete(f"/v1/datasets/{dataset['id']}").status_code == 404


def test_an_upload_is_answered_at_once_and_imported_later(uploads: Uploads, client: TestClient) -> None:
    queued = uploads.upload(ndjson(alpaca_rows(3)))
    assert queued["status"] == "queued"
    assert queued["dataset_version_id"] is None
    done = uploads.finished(queued["id"])
    assert (done["status"], done["format"], done["progress"]) == ("succeeded", "alpaca", 1.0)
    assert (done["rows_total"], done["rows_accepted"], done["rows_rejected"], done["errors"]) == (3, 3, 0, [])
    version = client.get(f"/v1/dataset-versions/{done['dataset_version_id']}").json()
    assert version["rows"] == 3
    assert version["parent_id"] is None
    assert version["recipe"] == {"kind": "import", "import_id": queued["id"], "format": "alpaca"}
    assert version["statistics"]["formats"] == {"alpaca": 3}
    assert len(version["content_hash"]) == 64


def test_bad_rows_are_reported_by_line_and_stop_nobody(uploads: Uploads) -> None:
    lines = [
        json.dumps(alpaca_rows(1)[0]).encode(),
        b"not json",
        b'{"instruction": "no output"}',
        b'{"instruction": "NUL", "output": "a\\u0000b"}',
        b'{"instruction": "\xff\xfe", "output": "not utf-8"}',
        b"",
        json.dumps({"instruction": "ok", "output": "ok"}).encode(),
    ]
    done = uploads.imported(b"\n".join(lines))
    assert done["status"] == "succeeded"
    assert (done["rows_total"], done["rows_accepted"], done["rows_rejected"]) == (6, 2, 4)
    assert [(e["line"], e["code"]) for e in done["errors"]] == [
        (2, "invalid_json"),
        (3, "missing_output"),
        (4, "nul_character"),
        (5, "not_utf8"),
    ]
    assert all(e["message"] for e in done["errors"])


def test_at_most_a_thousand_errors_are_kept_and_all_are_counted(uploads: Uploads) -> None:
    done = uploads.imported(ndjson(alpaca_rows(1)) + b"nope\n" * 1500)
    assert done["rows_rejected"] == 1500
    assert len(done["errors"]) == 1000


def test_a_strict_import_ends_at_the_first_bad_row_and_leaves_nothing(
    uploads: Uploads, client: TestClient
) -> None:
    dataset_id = uploads.dataset()
    done = uploads.imported(ndjson(alpaca_rows(2)) + b"{}\n", dataset_id=dataset_id, strict=True)
    assert done["status"] == "failed"
    assert "line 3" in done["error"]["detail"]
    assert done["error"]["errors"][0]["code"] == "empty_row"
    assert client.get(f"/v1/datasets/{dataset_id}/versions").json()["data"] == []


def test_an_upload_without_a_good_row_fails_with_the_reason(uploads: Uploads) -> None:
    done = uploads.imported(b"{}\n[]\n", format="alpaca")
    assert done["status"] == "failed"
    assert done["error"]["type"] == "/problems/no-good-rows"
    assert "line 1" in done["error"]["detail"]


def test_an_upload_in_no_known_format_names_the_keys_it_has(uploads: Uploads) -> None:
    done = uploads.imported(ndjson([{"question": "q", "reply": "r"}]))
    assert done["status"] == "failed"
    assert "'question'" in done["error"]["detail"]


def test_rows_of_another_form_in_a_mixed_file_are_read_as_what_they_are(uploads: Uploads) -> None:
    rows = [
        *(
            {"conversations": [{"from": "human", "value": f"q{i}"}, {"from": "gpt", "value": "a"}]}
            for i in range(3)
        ),
        {"messages": [{"role": "user", "content": "q"}, {"role": "model", "content": "a"}]},
        {"instruction": "q", "context": "c", "response": "a"},
    ]
    done = uploads.imported(ndjson(rows))
    assert (done["rows_total"], done["rows_accepted"], done["format"]) == (5, 5, "sharegpt")
    named = uploads.imported(ndjson(rows), format="sharegpt")
    assert (named["rows_accepted"], named["rows_rejected"]) == (3, 2)


def test_the_import_of_a_dataset_deleted_meanwhile_fails_with_that_reason(
    uploads: Uploads, client: TestClient
) -> None:
    dataset_id = uploads.dataset()
    queued = uploads.upload(ndjson(alpaca_rows(1)), dataset_id=dataset_id)
    client.delete(f"/v1/datasets/{dataset_id}")
    done = uploads.finished(queued["id"])
    assert done["status"] == "failed"
    assert "deleted" in done["error"]["detail"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b" \n\n ", {}),
        (gzip.compress(b"", mtime=0), {"Content-Encoding": "gzip"}),
        (gzip.compress(b"", mtime=0), {}),
    ],
)
def test_an_empty_upload_is_refused(
    uploads: Uploads, client: TestClient, body: bytes, headers: dict[str, str]
) -> None:
    answer = client.post(f"/v1/datasets/{uploads.dataset()}/versions", content=body, headers=headers)
    assert answer.status_code == 422
    assert "empty" in answer.json()["detail"]


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {}])
def test_a_gzip_upload_that_was_cut_off_is_refused_at_the_door(
    uploads: Uploads, client: TestClient, headers: dict[str, str]
) -> None:
    packed = gzip.compress(ndjson(alpaca_rows(100)))[:-20]
    answer = client.post(f"/v1/datasets/{uploads.dataset()}/versions", content=packed, headers=headers)
    assert answer.status_code == 400
    assert "ends early" in answer.json()["detail"]


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {}])
def test_a_gzip_upload_gives_the_same_version_as_a_plain_one(
    uploads: Uploads, client: TestClient, headers: dict[str, str]
) -> None:
    body = ndjson(alpaca_rows(20))
    plain = client.get(f"/v1/dataset-versions/{uploads.version(alpaca_rows(20))}").json()
    answer = client.post(
        f"/v1/datasets/{uploads.dataset()}/versions", content=gzip.compress(body), headers=headers
    )
    packed = uploads.finished(answer.json()["id"])
    version = client.get(f"/v1/dataset-versions/{packed['dataset_version_id']}").json()
    assert version["content_hash"] == plain["content_hash"]


def test_a_form_upload_is_refused_with_the_right_way_to_do_it(uploads: Uploads, client: TestClient) -> None:
    answer = client.post(f"/v1/datasets/{uploads.dataset()}/versions", files={"file": b"{}"})
    assert answer.status_code == 415
    assert "--data-binary" in answer.json()["detail"]


@pytest.mark.parametrize("format", [f.name for f in FORMATS])
def test_an_export_in_every_format_imports_to_the_same_content_hash(
    uploads: Uploads, client: TestClient, format: str
) -> None:
    rows: list[dict[str, Any]] = [
        {**alpaca_rows(1)[0], "id": "a-1", "topic": "orders"},
        {
            "instruction": "续答",
            "input": "",
            "output": "好的。",
            "system": "You are kind.",
            "history": [["你好", "您好"]],
        },
    ]
    version_id = uploads.version(rows)
    version = client.get(f"/v1/dataset-versions/{version_id}").json()
    export = client.get(f"/v1/dataset-versions/{version_id}/export", params={"format": format})
    assert export.status_code == 200
    assert export.headers["content-type"] == "application/x-ndjson"
    again = uploads.imported(export.content, format=format)
    assert again["rows_rejected"] == 0
    copy = client.get(f"/v1/dataset-versions/{again['dataset_version_id']}").json()
    assert copy["content_hash"] == version["content_hash"]


def test_an_export_is_plain_where_the_client_takes_no_gzip(uploads: Uploads, client: TestClient) -> None:
    version_id = uploads.version(alpaca_rows(2))
    path = f"/v1/dataset-versions/{version_id}/export?format=alpaca"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content == ndjson(alpaca_rows(2))


def test_examples_come_in_order_page_by_page(uploads: Uploads, client: TestClient) -> None:
    version_id = uploads.version(alpaca_rows(7))
    rows = rows_of(client, f"/v1/dataset-versions/{version_id}/examples", limit=3)
    assert [r["position"] for r in rows] == list(range(7))
    assert rows[4]["messages"][0]["content"].endswith("Where is order 4?")
    unknown = client.get(f"/v1/dataset-versions/{version_id}/examples", params={"after": "ex_nope"})
    assert unknown.status_code == 422


def test_two_uploads_of_nearly_the_same_file_differ_by_content(uploads: Uploads, client: TestClient) -> None:
    first = uploads.version(alpaca_rows(5))
    second = uploads.version(alpaca_rows(5, start=1))
    diff = client.get(f"/v1/dataset-versions/{second}/diff", params={"against": first}).json()
    assert diff["counts"] == {"added": 1, "removed": 1, "changed": 0}
    assert diff["added"][0]["after"]["messages"][0]["content"].endswith("order 5?")
    assert diff["removed"][0]["before"]["messages"][0]["content"].endswith("order 0?")
    assert diff["removed"][0]["reason"]


def test_a_version_without_a_parent_needs_another_to_be_compared_with(
    uploads: Uploads, client: TestClient
) -> None:
    version_id = uploads.version(alpaca_rows(1))
    assert client.get(f"/v1/dataset-versions/{version_id}/diff").status_code == 422
    same = client.get(f"/v1/dataset-versions/{version_id}/diff", params={"against": version_id}).json()
    assert same["counts"] == {"added": 0, "removed": 0, "changed": 0}


def test_nothing_of_another_project_can_be_seen(
    uploads: Uploads, client: TestClient, other_project_key: str
) -> None:
    dataset_id = uploads.dataset()
    queued = uploads.upload(ndjson(alpaca_rows(1)), dataset_id=dataset_id)
    version_id = uploads.finished(queued["id"])["dataset_version_id"]
    stranger = bearer(other_project_key)
    for path in (
        f"/v1/datasets/{dataset_id}",
        f"/v1/datasets/{dataset_id}/versions",
        f"/v1/imports/{queued['id']}",
        f"/v1/imports/{queued['id']}/events",
        f"/v1/dataset-versions/{version_id}",
        f"/v1/dataset-versions/{version_id}/examples",
        f"/v1/dataset-versions/{version_id}/export?format=alpaca",
    ):
        assert client.get(path, headers=stranger).status_code == 404, path
    for path in ("/v1/datasets", "/v1/imports", "/v1/dataset-versions"):
        assert client.get(path, headers=stranger).json()["data"] == []
    upload = client.post(f"/v1/datasets/{dataset_id}/versions", content=b"{}", headers=stranger)
    assert upload.status_code == 404


def test_a_queued_import_can_be_cancelled(uploads: Uploads, client: TestClient) -> None:
    queued = uploads.upload(ndjson(alpaca_rows(1)))
    cancelled = client.post(f"/v1/imports/{queued['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert client.post(f"/v1/imports/{queued['id']}/cancel").status_code == 409


def test_each_role_may_do_what_it_says(client: TestClient, key_with_role: Callable[[Role], str]) -> None:
    reader, contributor = bearer(key_with_role(Role.READER)), bearer(key_with_role(Role.CONTRIBUTOR))
    body = {"name": "x"}
    assert client.post("/v1/datasets", json=body, headers=reader).status_code == 403
    assert client.post("/v1/datasets", json=body, headers=contributor).status_code == 201
    assert client.get("/v1/datasets", headers=reader).status_code == 200
    assert client.get("/v1/keys", headers=contributor).status_code == 403
    repair = {"diagnosis_id": "dg_unknown"}
    assert client.post("/v1/repairs", json=repair, headers=contributor).status_code == 403
    assert (
        client.post("/v1/repairs", json=repair, headers=bearer(key_with_role(Role.MAINTAINER))).status_code
        == 404
    )
