"""Uploads of every container as rows, each of them counted."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.formats import RowError, UploadError
from app.services.versions.upload_reading import Limits, Reading, read_upload
from tests.unit.formats.strategies import json_values

LIMITS = Limits(row_bytes=100_000, total_bytes=10_000_000)
ROW = {"instruction": "q", "output": "a"}


def reading(data: bytes, *, format: str = "auto", encoding: str | None = None) -> Reading:
    return read_upload(
        io.BytesIO(data), size_bytes=len(data), format=format, encoding=encoding, limits=LIMITS
    )


def values(data: bytes, *, format: str = "auto", encoding: str | None = None) -> list[Any]:
    read = reading(data, format=format, encoding=encoding)
    found = [line.value.code if isinstance(line.value, RowError) else line.value for line in read.lines]
    assert read.fraction() == 1.0
    return found


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def zipped(**members: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        for name, text in members.items():
            packed.writestr(name, text)
    return sink.getvalue()


# A piece of a file and how many rows it holds, each of them a line by itself.
pieces = st.one_of(
    st.just(('{"instruction": "q", "output": "a"}', 1)),
    st.lists(st.just(ROW), min_size=1, max_size=4).map(lambda rows: (json.dumps(rows), len(rows))),
    st.lists(st.lists(json_values, max_size=2), min_size=1, max_size=3).map(
        lambda x: (json.dumps(x), len(x))
    ),
    json_values.filter(lambda v: type(v) not in (list, dict)).map(lambda v: (json.dumps(v), 1)),
    st.sampled_from(
        [
            ("", 0),
            ("   ", 0),
            ("[]", 1),
            ("not json", 1),
            ('{"a": 1', 1),
            ("{'a': 1}", 1),
            ('{"a":1,"a":2}', 1),
            ('{"instruction": NaN}', 1),
            ("\ufeff", 0),
            ('{"instruction": "q", "output": "a"},', 1),
        ]
    ),
)


@given(parts=st.lists(pieces, max_size=8), end=st.sampled_from(["\n", "\r\n", "\r"]), packed=st.booleans())
def test_no_row_is_uncounted(parts: list[tuple[str, int]], end: str, packed: bool) -> None:
    # The first line decides that rows are lines.
    text = end.join([json.dumps(ROW), *(part for part, _ in parts)])
    data = gzip.compress(text.encode()) if packed else text.encode()
    assert len(values(data)) == 1 + sum(count for _, count in parts)


@given(
    rows=st.lists(json_values, min_size=1, max_size=6),
    copies=st.integers(1, 3),
    indent=st.sampled_from([None, 1]),
)
def test_no_element_of_arrays_put_together_is_uncounted(
    rows: list[Any], copies: int, indent: int | None
) -> None:
    one = json.dumps([ROW, *rows], indent=indent)
    assert len(values("\n".join([one] * copies).encode())) == copies * (1 + len(rows))


@pytest.mark.parametrize("format", ["auto", "csv", "alpaca"])
def test_a_csv_file_is_read_by_its_columns(format: str) -> None:
    read = reading(b"\xef\xbb\xbfinstruction,input,output\nAdd.,1+1,2\nSay hi.,,Hi\n", format=format)
    assert read.packed_as == "csv"
    assert [line.value for line in read.lines] == [
        {"instruction": "Add.", "input": "1+1", "output": "2"},
        {"instruction": "Say hi.", "output": "Hi"},
    ]


def test_a_tsv_file_in_another_encoding_is_read_where_that_is_named() -> None:
    data = "问题\t答案\n几点关门？\t六点。\n".encode("gb18030")
    assert values(data, encoding="gb18030") == [{"问题": "几点关门？", "答案": "六点。"}]


def test_cells_of_parquet_become_json() -> None:
    row = {
        "messages": [
            {"role": "user", "content": "q", "name": None},
            {"role": "assistant", "content": "a", "name": "x"},
        ],
        "day": date(2026, 1, 31),
        "price": Decimal("1.50"),
        "raw": b"bytes",
        "score": float("nan"),
        "empty": None,
    }
    assert values(parquet([row]), format="parquet") == [
        {
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": "a", "name": "x"},
            ],
            "day": "2026-01-31",
            "price": 1.5,
            "raw": "bytes",
        }
    ]


def test_every_row_of_a_parquet_file_is_read_in_its_order() -> None:
    rows = [{"prompt": f"q{i}", "completion": "a"} for i in range(1203)]
    assert values(parquet(rows)) == rows


def test_rows_of_a_zip_come_in_the_order_that_it_tells() -> None:
    data = zipped(
        **{
            "v.jsonl": '{"n": 1}\n{"n": 3}\n',
            "v_kto.jsonl": '{"n": 2}\n{"n": 5}\n',
            "left_out.jsonl": '{"n": 4}\n',
            "dataset_info.json": "{}",
            "row_order.txt": "skslk",
        }
    )
    lines = list(reading(data).lines)
    assert [line.value for line in lines] == [{"n": n} for n in (1, 2, 3, 4, 5)]
    assert [line.format for line in lines] == ["sharegpt", "kto", "sharegpt", "messages", "kto"]


def test_rows_added_to_a_zip_by_hand_are_read_too() -> None:
    data = zipped(**{"v.jsonl": '{"n": 1}\n{"n": 2}\n', "row_order.txt": "sk"})
    assert values(data) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (zipped(**{"[Content_Types].xml": "", "xl/workbook.xml": ""}), "Excel workbook.*CSV"),
        (zipped(**{"train.jsonl": "{}", "test.jsonl": "{}"}), "'train.jsonl', 'test.jsonl': unpack"),
        (zipped(**{"archive/data.pkl": ""}), "PyTorch"),
        (b"PK\x03\x04 cut off", "zip file is damaged"),
        (b"PAR1 cut off", "Parquet file is damaged"),
        (parquet([ROW])[:-9], "Parquet file is damaged"),
        (gzip.compress(b"\x28\xb5\x2f\xfd....", mtime=0), "zstd"),
        (b"<!doctype html><title>Log in</title>", "HTML page.*log-in"),
    ],
)
def test_a_file_without_rows_is_named_for_what_it_is(data: bytes, says: str) -> None:
    with pytest.raises(UploadError, match=says):
        list(reading(data).lines)


def test_a_file_announced_as_parquet_must_be_one() -> None:
    with pytest.raises(UploadError, match="no Parquet file"):
        reading(b"{}", format="parquet")
