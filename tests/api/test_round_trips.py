"""Every format out and in again, over HTTP: the same content hash, whatever the rows carry."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api.schemas.datasets import EXPORT_FORMATS
from tests.importing import Uploads, ndjson

CALLS = [
    {
        "id": f"c{i}",
        "type": "function",
        "function": {"name": "hours", "arguments": json.dumps({"shop": shop})},
    }
    for i, shop in enumerate(["north", "南店"])
]
TOOLS = [{"type": "function", "function": {"name": "hours", "parameters": {"type": "object"}}}]


def asked(text: str, *answers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    turns = [{"role": "assistant", **answer} for answer in answers]
    return {"messages": [{"role": "user", "content": text}, *turns], **fields}


ROWS: list[dict[str, Any]] = [
    asked("Both shops?", {"content": None, "tool_calls": CALLS}, tools=TOOLS, parallel_tool_calls=True),
    asked("One shop?", {"content": "", "tool_calls": CALLS[:1]}, id=7),
    {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Open now?"},
            {"role": "assistant", "content": None, "tool_calls": CALLS[:1]},
            {"role": "tool", "content": "till six", "tool_call_id": "c0"},
            {"role": "assistant", "content": "Till six."},
        ],
        "tools": TOOLS,
    },
    asked(
        "17+25?",
        {"content": "42", "reasoning_content": "17 and 25"},
        metadata={"topic": ["maths", None, 1.5]},
    ),
    asked("17+26?", {"content": "<think>\n17 and 26\n</think>\n\n43"}),
    asked(
        "Hours?",
        {"content": None, "function_call": {"name": "hours", "arguments": "{}"}},
        functions=[{"name": "h"}],
    ),
    asked("Weighed", {"content": "No.", "weight": 0}, {"content": "Yes.", "weight": 1}),
    asked("Never learnt", {"content": "No.", "weight": 0}),
    asked("Rude?", {"content": "Go away."}, kto_tag=False),
    asked("Kind?", {"content": "Welcome!"}, label=True, id="k"),
    asked("Better?", {"content": "9 to 18"}, rejected_response="go away"),
    asked("Number?", {"content": 5}),
    asked("Record?", {"content": {"name": "Bob", "ages": [1, 2.5, True, None]}}),
    asked("Parts?", {"content": [{"type": "output_text", "text": "hello"}]}),
]


@pytest.fixture(scope="module")
def formats() -> list[str]:
    return list(EXPORT_FORMATS)


def exported(client: TestClient, version_id: str, format: str) -> bytes:
    answer = client.get(f"/v1/dataset-versions/{version_id}/export", params={"format": format})
    assert answer.status_code == 200, answer.text
    return answer.content


def version_of(client: TestClient, version_id: str) -> dict[str, Any]:
    return client.get(f"/v1/dataset-versions/{version_id}").json()


def test_every_format_brings_back_all_that_a_row_carries(
    uploads: Uploads, client: TestClient, formats: list[str]
) -> None:
    version_id = uploads.version(ROWS, format="messages")
    expected = version_of(client, version_id)
    assert expected["rows"] == len(ROWS)
    for format in formats:
        data = exported(client, version_id, format)
        name = format if format not in ("parquet", "csv", "llamafactory") else "auto"
        again = uploads.imported(data, format=name)
        assert (again["status"], again["rows_rejected"], again["errors"]) == ("succeeded", 0, []), format
        assert again["rows_total"] == again["rows_accepted"] == len(ROWS)
        assert again["format"] == format
        copy = version_of(client, again["dataset_version_id"])
        assert copy["content_hash"] == expected["content_hash"], format
        assert exported(client, again["dataset_version_id"], "messages") == exported(
            client, version_id, "messages"
        )


def test_what_stood_in_the_row_stands_in_it_again(uploads: Uploads, client: TestClient) -> None:
    version_id = uploads.version(ROWS, format="messages")
    rows = [json.loads(line) for line in exported(client, version_id, "messages").splitlines()]
    answers = [row["messages"][-1]["content"] for row in rows]
    assert (answers[0], answers[1], answers[5]) == (None, "", None)
    assert answers[11:13] == [5, {"name": "Bob", "ages": [1, 2.5, True, None]}]
    assert [row.get("kto_tag") for row in rows[8:10]] == [False, True]
    assert rows[10]["rejected_messages"][-1] == {"role": "assistant", "content": "go away"}
    assert rows[3]["metadata"] == {"topic": ["maths", None, 1.5]}
    assert not any("_casemend" in row for row in rows)


def test_numbers_and_objects_of_alpaca_rows_keep_their_type(uploads: Uploads, client: TestClient) -> None:
    rows = [
        {"instruction": "Classify 0/1", "input": "good", "output": 1},
        {"instruction": "Extract", "input": "Bob 5", "output": {"name": "Bob", "n": 5}},
        {"instruction": "double", "input": 5, "output": "10"},
        {"instruction": "Is it?", "input": "", "output": False},
    ]
    version_id = uploads.version(rows)
    assert exported(client, version_id, "alpaca") == ndjson(rows)


def test_no_undesired_answer_stands_in_a_file_that_is_learnt_from(
    uploads: Uploads, client: TestClient
) -> None:
    version_id = uploads.version(ROWS, format="messages")
    with zipfile.ZipFile(io.BytesIO(exported(client, version_id, "llamafactory"))) as packed:
        files = {name: packed.read(name).decode() for name in packed.namelist()}
    learnt = files[f"{version_id}.jsonl"]
    assert not any(words in learnt for words in ("Go away.", "go away", '"No."'))
    signs = [json.loads(line)["kto_tag"] for line in files[f"{version_id}_kto.jsonl"].splitlines()]
    assert signs == [False, True]
    info = json.loads(files["dataset_info.json"])
    assert info[f"{version_id}_kto"]["columns"]["kto_tag"] == "kto_tag"
    assert "Never learnt" in files["left_out.jsonl"]


@pytest.mark.parametrize(
    ("body", "query", "says"),
    [
        ('{"instruction":"问候","output":"你好"}'.encode("gb18030"), {}, "encoding=gb18030"),
        (b"<!doctype html><title>Log in</title>", {}, "HTML page"),
        (b'headline,story\n"a","b"\n', {}, "'headline', 'story'"),
        (b"PAR1", {}, "Parquet file is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    uploads: Uploads, body: bytes, query: dict[str, Any], says: str
) -> None:
    done = uploads.imported(body, **query)
    assert done["status"] == "failed"
    assert says in done["error"]["detail"]
    assert done["rows_total"] == done["rows_accepted"] + done["rows_rejected"]


def test_an_encoding_is_read_where_it_is_named_and_refused_where_it_is_none(
    uploads: Uploads, client: TestClient
) -> None:
    row = {"instruction": "问候", "output": "你好"}
    done = uploads.imported(json.dumps(row, ensure_ascii=False).encode("gb18030"), encoding="gb18030")
    assert (done["status"], done["encoding"]) == ("succeeded", "gb18030")
    assert json.loads(exported(client, done["dataset_version_id"], "alpaca"))["output"] == "你好"
    path = f"/v1/datasets/{uploads.dataset()}/versions"
    assert client.post(path, content=b"{}", params={"encoding": "klingon"}).status_code == 422


def test_a_failed_import_says_what_was_read(uploads: Uploads) -> None:
    good = ndjson([{"instruction": "q", "output": "a"}] * 3)
    strict = uploads.imported(good + b"{}\n" + good, strict=True)
    assert (strict["rows_total"], strict["rows_accepted"], strict["rows_rejected"]) == (4, 3, 1)
    assert [e["line"] for e in strict["errors"]] == [4]
    none = uploads.imported(b"{}\n[1, 2]\n", format="alpaca")
    assert (none["status"], none["rows_total"], none["rows_rejected"]) == ("failed", 3, 3)
    unknown = uploads.imported(b'{"headline": "x"}\nnope\n')
    assert (unknown["status"], unknown["rows_total"], unknown["rows_rejected"]) == ("failed", 2, 2)


def test_a_table_is_imported_by_its_columns(uploads: Uploads, client: TestClient) -> None:
    done = uploads.imported("问题,答案\n几点关门？,六点。\n".encode(), format="csv")
    assert (done["format"], done["rows_accepted"]) == ("csv", 1)
    same = uploads.version([{"instruction": "几点关门？", "output": "六点。"}])
    copy = version_of(client, done["dataset_version_id"])
    assert copy["content_hash"] == version_of(client, same)["content_hash"]
