"""Exports as other tools load them: Hugging Face ``datasets`` and LLaMA-Factory."""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import subprocess
import sys
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.formats import FORMATS
from tests.importing import Uploads, ndjson

datasets = pytest.importorskip("datasets")

ROWS: list[dict[str, Any]] = [
    {
        "id": "a-1",
        "topic": "orders",
        "messages": [
            {"role": "system", "content": "You are kind."},
            {"role": "user", "content": "Where is my order? 📦"},
            {"role": "assistant", "content": "On its way."},
        ],
    },
    {
        "id": 2,
        "nested": {"when": ["2026-01-31", None, 1.5]},
        "messages": [
            {"role": "user", "content": "你好"},
            {"role": "assistant", "content": "您好"},
            {"role": "user", "content": "退款"},
            {"role": "assistant", "content": "好的。", "weight": 1},
        ],
    },
    {
        "tools": [{"type": "function", "function": {"name": "find", "parameters": {}}}],
        "messages": [
            {"role": "user", "content": "Find x"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "function": {"name": "find", "arguments": "{}"}}],
            },
            {"role": "tool", "content": "x", "tool_call_id": "1"},
            {"role": "assistant", "content": "Found."},
        ],
    },
    {
        "messages": [
            {"role": "user", "content": "One"},
            {"role": "user", "content": "two"},
            {"role": "assistant", "content": "Three."},
        ],
    },
]
PAIR = {
    "input": {"messages": [{"role": "user", "content": "Say hi"}]},
    "preferred_output": [{"role": "assistant", "content": "Hi!"}],
    "non_preferred_output": [{"role": "assistant", "content": "No."}],
}


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A cache of its own for ``datasets``."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return str(tmp_path / "cache")


def export(client: TestClient, version_id: str, format: str) -> bytes:
    answer = client.get(f"/v1/dataset-versions/{version_id}/export", params={"format": format})
    assert answer.status_code == 200, answer.text
    return answer.content


def content_hash(client: TestClient, version_id: str) -> str:
    return client.get(f"/v1/dataset-versions/{version_id}").json()["content_hash"]


def unpacked(client: TestClient, version_id: str, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(export(client, version_id, "llamafactory"))) as packed:
        assert packed.testzip() is None
        packed.extractall(folder)
    return folder


def test_a_parquet_export_loads_with_datasets_and_comes_back_with_the_same_hash(
    uploads: Uploads, client: TestClient, tmp_path: Path, offline: str
) -> None:
    version_id = uploads.version(ROWS, format="messages")
    answer = client.get(f"/v1/dataset-versions/{version_id}/export", params={"format": "parquet"})
    assert answer.headers["content-disposition"].endswith('.parquet"')
    assert "content-encoding" not in answer.headers
    (tmp_path / "v.parquet").write_bytes(answer.content)

    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "v.parquet"), split="train", cache_dir=offline
    )

    columns = ["id", "messages", "rejected", "tools", "kto_tag", "metadata", "_casemend"]
    assert loaded.column_names == columns
    assert loaded[0]["messages"] == ROWS[0]["messages"]
    assert loaded["id"][:2] == ["a-1", "2"]
    assert json.loads(loaded[0]["metadata"]) == {"topic": "orders"}
    assert json.loads(loaded[2]["tools"]) == ROWS[2]["tools"]
    rows = [{name: value for name, value in row.items() if value is not None} for row in loaded]
    again = uploads.imported(ndjson(rows), format="messages")
    assert again["rows_rejected"] == 0
    assert content_hash(client, again["dataset_version_id"]) == content_hash(client, version_id)


@pytest.mark.parametrize("format", [f.name for f in FORMATS])
def test_every_ndjson_export_of_plain_rows_loads_with_datasets(
    uploads: Uploads, client: TestClient, tmp_path: Path, offline: str, format: str
) -> None:
    plain = [PAIR, PAIR] if format == "preference" else [ROWS[0], {**ROWS[0], "id": "a-2"}]
    version_id = uploads.version(plain)
    exported = export(client, version_id, format)
    (tmp_path / "v.jsonl").write_bytes(exported)
    loaded = datasets.load_dataset(
        "json", data_files=str(tmp_path / "v.jsonl"), split="train", cache_dir=offline
    )
    assert list(loaded) == [json.loads(line) for line in exported.splitlines()]


def test_a_llama_factory_export_loads_with_datasets_and_comes_back_with_the_same_rows(
    uploads: Uploads, client: TestClient, tmp_path: Path, offline: str
) -> None:
    mixed = uploads.version(ROWS, format="messages")
    folder = unpacked(client, mixed, tmp_path)
    info = json.loads((folder / "dataset_info.json").read_text())
    assert list(info) == [mixed]
    loaded = datasets.load_dataset(
        "json", data_files=str(folder / info[mixed]["file_name"]), split="train", cache_dir=offline
    )
    assert len(loaded) == 3
    assert set(info[mixed]["columns"].values()) <= set(loaded.column_names)
    left_out = (folder / "left_out.jsonl").read_bytes()
    assert len(left_out.splitlines()) == 1

    trained = uploads.imported((folder / f"{mixed}.jsonl").read_bytes())
    assert trained["format"] == "sharegpt"
    expected = uploads.version(ROWS[:3], format="messages")
    assert content_hash(client, trained["dataset_version_id"]) == content_hash(client, expected)
    kept = uploads.imported(left_out)
    rest = uploads.version(ROWS[3:], format="messages")
    assert content_hash(client, kept["dataset_version_id"]) == content_hash(client, rest)


def test_preference_pairs_for_llama_factory_come_back_with_the_same_hash(
    uploads: Uploads, client: TestClient, tmp_path: Path
) -> None:
    version_id = uploads.version([PAIR])
    folder = unpacked(client, version_id, tmp_path)
    info = json.loads((folder / "dataset_info.json").read_text())
    assert info[f"{version_id}_preference"]["ranking"] is True
    assert not (folder / f"{version_id}.jsonl").exists()
    again = uploads.imported((folder / f"{version_id}_preference.jsonl").read_bytes())
    assert again["format"] == "preference"
    assert content_hash(client, again["dataset_version_id"]) == content_hash(client, version_id)


@pytest.fixture
def llama_factory(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """LLaMA-Factory's own reader of ``dataset_info.json`` and converter, without the media libraries that the
    rest of its ``data`` package asks for."""
    found = importlib.util.find_spec("llamafactory")
    if found is None or not found.submodule_search_locations:
        pytest.skip("LLaMA-Factory is not installed (pip install --no-deps llamafactory)")
    package = types.ModuleType("llamafactory.data")
    package.__path__ = [str(Path(found.submodule_search_locations[0]) / "data")]
    monkeypatch.setitem(sys.modules, "llamafactory.data", package)
    yield SimpleNamespace(
        parser=importlib.import_module("llamafactory.data.parser"),
        converter=importlib.import_module("llamafactory.data.converter"),
    )
    for name in [name for name in sys.modules if name.startswith("llamafactory.data.")]:
        del sys.modules[name]


def test_llama_factorys_own_code_reads_the_export_unchanged(
    uploads: Uploads, client: TestClient, tmp_path: Path, offline: str, llama_factory: SimpleNamespace
) -> None:
    for rows, ranking in ((ROWS[:3], False), ([PAIR], True)):
        version_id = uploads.version(rows)
        folder = unpacked(client, version_id, tmp_path / version_id)
        name = f"{version_id}_preference" if ranking else version_id
        (attributes,) = llama_factory.parser.get_dataset_list([name], str(folder))
        loaded = datasets.load_dataset(
            "json", data_files=str(folder / attributes.dataset_name), split="train", cache_dir=offline
        )
        aligned = llama_factory.converter.align_dataset(
            loaded,
            attributes,
            SimpleNamespace(
                streaming=False, preprocessing_num_workers=None, overwrite_cache=True, media_dir=""
            ),
            SimpleNamespace(local_process_index=0),
        )
        assert len(aligned) == len(rows)
        if ranking:
            assert aligned[0]["_prompt"] == [{"role": "user", "content": "Say hi"}]
            assert [turn["content"] for turn in aligned[0]["_response"]] == ["Hi!", "No."]
            continue
        assert (aligned[0]["_system"], aligned[1]["_system"]) == ("You are kind.", "")
        assert [turn["content"] for turn in aligned[1]["_prompt"]] == ["你好", "您好", "退款"]
        assert [row["_response"][0]["content"] for row in aligned] == ["On its way.", "好的。", "Found."]
        assert [t["role"] for t in aligned[2]["_prompt"]] == ["user", "function", "observation"]
        assert json.loads(aligned[2]["_tools"]) == ROWS[2]["tools"]


def test_an_export_in_an_unknown_format_is_refused(client: TestClient, uploads: Uploads) -> None:
    version_id = uploads.version(ROWS[:1])
    answer = client.get(f"/v1/dataset-versions/{version_id}/export", params={"format": "xlsx"})
    assert answer.status_code == 422


def test_a_parquet_export_never_loads_torch() -> None:
    code = (
        "import sys; from app.services.versions import exports; import pyarrow.parquet; "
        "print(sorted({'torch', 'datasets', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
