"""Files of other kinds: tables are read, everything else is named for what it is."""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import io
import json
import lzma
import sqlite3
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import feather, parquet

from bench.fault_siblings.trial import (
    Check,
    Row,
    Seen,
    Trial,
    answer_is,
    brief,
    comes_back,
    fails_naming,
    reads,
    reads_or_names,
    said_by,
    turns,
)

KIND = "(no file) file kinds"
rows: list[Row] = [
    {"instruction": f"Where is hall {i}?", "input": "", "output": f'Hall {i} is, as you see, in the "north".'}
    for i in range(4)
]
LINES = "".join(json.dumps(r) + "\n" for r in rows).encode()


def table(separator: str, *, encoding: str = "utf-8", end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["instruction", "input", "output"], delimiter=separator, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def tarred() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        about = tarfile.TarInfo("train.jsonl")
        about.size = len(LINES)
        archive.addfile(about, io.BytesIO(LINES))
    return made.getvalue()


def written(write: Callable[[pa.Table, io.BytesIO], object], of: list[Row]) -> bytes:
    made = io.BytesIO()
    write(pa.Table.from_pylist(of), made)
    return made.getvalue()


def database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.db")
        with sqlite3.connect(path) as db:
            db.execute("create table rows (instruction text, output text)")
        db.close()
        return path.read_bytes()


chats: list[Row] = [
    {"messages": [{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": f"a{i}"}]}
    for i in range(3)
]
# "hello" as one zstd frame, made with the zstd command
ZSTD = base64.b64decode("KLUv/QRYKQAAaGVsbG+jbZ+I")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a2146" * 8 + b"\nsize 12345\n"
HTML = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form>Password</form></body></html>\n"
)
XLSX = zipped(
    {
        "[Content_Types].xml": b"<Types/>",
        "xl/workbook.xml": b"<workbook/>",
        "_rels/.rels": b"<Relationships/>",
    }
)
DOCX = zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"})


def named(name: str, data: bytes, *words: str) -> Trial:
    return Trial(
        kind=KIND,
        name=name,
        train=data,
        content_type="application/octet-stream",
        checks=[fails_naming(*words)],
    )


def own_export(form: str, content_type: str) -> Check:
    """What our own export wrote is read again, every row."""

    def wrong(seen: Seen) -> str:
        again = seen.http.upload(seen.exported_bytes(form), {}, content_type)
        done = (again["rows_accepted"], again["rows_rejected"])
        return "" if done == (len(seen.examples), 0) else f"{again['status']} {done}: {brief(said_by(again))}"

    return Check(f"our {form} export is read again", wrong)


FIRST = turns(0, ("user", "Where is hall 0?"), ("assistant", 'Hall 0 is, as you see, in the "north".'))
TRIALS = [
    Trial(kind=KIND, name="CSV", train=table(","), content_type="text/csv", checks=[reads(4), FIRST]),
    Trial(
        kind=KIND,
        name="CSV, told by nothing",
        train=table(","),
        content_type="application/octet-stream",
        checks=[reads(4), FIRST],
    ),
    Trial(
        kind=KIND,
        name="CSV with semicolons, a mark and CR LF, as Excel writes it",
        train=b"\xef\xbb\xbf" + table(";", end="\r\n"),
        checks=[reads(4), FIRST],
    ),
    Trial(
        kind=KIND,
        name="TSV",
        train=table("\t"),
        content_type="text/tab-separated-values",
        checks=[reads(4), FIRST],
    ),
    Trial(
        kind=KIND,
        name="CSV in GBK, told",
        train="instruction,output\n你好吗？,很好。\n".encode("gbk"),
        params={"encoding": "gbk"},
        checks=[reads(1), answer_is(0, "很好。")],
    ),
    Trial(
        kind=KIND,
        name="CSV with line ends inside fields",
        train=b'prompt,completion\n"first\nsecond","one, two\n\nthree"\n"a","b"\n',
        checks=[reads(2), turns(0, ("user", "first\nsecond"), ("assistant", "one, two\n\nthree"))],
    ),
    Trial(
        kind=KIND,
        name="CSV with a field missing in one line",
        train=b"question,answer\nq1,a1\nq2\nq3,a3\n",
        checks=[reads(2, 1)],
    ),
    Trial(
        kind=KIND,
        name="CSV with columns that nobody knows",
        train=b"frage,antwort\nq1,a1\n",
        checks=[fails_naming("column", "rename", "instruction")],
    ),
    Trial(
        kind=KIND,
        name="CSV, gzip",
        train=gzip.compress(table(",")),
        content_type="application/gzip",
        checks=[reads(4), FIRST],
    ),
    Trial(
        kind=KIND,
        name="CSV where the texts nan and NA are answers",
        train=b"instruction,output\nsay,nan\nland,NA\n",
        checks=[reads(2), answer_is(0, "nan"), answer_is(1, "NA")],
    ),
    Trial(
        kind=KIND,
        name="CSV with numbers as answers",
        train=b"instruction,output\n2+3,5\ncode,007\n",
        checks=[reads(2), answer_is(0, "5"), answer_is(1, "007")],
    ),
    Trial(
        kind=KIND,
        name="CSV with a messages column of JSON",
        train=b'id,messages\n7,"[{""role"": ""user"", ""content"": ""q""},'
        b' {""role"": ""assistant"", ""content"": ""a""}]"\n',
        checks=[reads(1), turns(0, ("user", "q"), ("assistant", "a"))],
    ),
    Trial(
        kind=KIND,
        name="parquet, flat",
        train=written(parquet.write_table, rows),
        content_type="application/octet-stream",
        checks=[reads(4), FIRST],
    ),
    Trial(
        kind=KIND,
        name="parquet with messages, zstd inside",
        train=written(lambda t, f: parquet.write_table(t, f, compression="zstd"), chats),
        content_type="application/octet-stream",
        checks=[reads(3), answer_is(2, "a2")],
    ),
    Trial(
        kind=KIND,
        name="parquet with prompt, chosen, rejected",
        train=written(parquet.write_table, [{"prompt": "q", "chosen": "a", "rejected": "b"}] * 2),
        content_type="application/octet-stream",
        checks=[reads(2), answer_is(0, "a")],
    ),
    Trial(
        kind=KIND,
        name="parquet with a column of nulls and a number",
        train=written(
            parquet.write_table,
            [
                {"question": "q1", "context": None, "answer": 5},
                {"question": "q2", "context": None, "answer": 7},
            ],
        ),
        content_type="application/octet-stream",
        checks=[reads(2), answer_is(1, "7")],
    ),
    named("parquet cut in half", written(parquet.write_table, rows)[:-200], "parquet"),
    Trial(
        kind=KIND,
        name="our own exports",
        train=chats,
        checks=[
            own_export("parquet", "application/octet-stream"),
            own_export("llamafactory", "application/zip"),
            comes_back("parquet"),
            comes_back("llamafactory"),
        ],
    ),
    Trial(
        kind=KIND,
        name="our own exports of pairs and KTO rows",
        train=[
            {"prompt": "q", "chosen": "a", "rejected": "b"},
            {"prompt": "x", "chosen": "y", "rejected": "z"},
        ],
        checks=[comes_back("parquet"), comes_back("llamafactory")],
    ),
    Trial(
        kind=KIND,
        name="our own exports of undesired rows",
        train=[
            {"prompt": "q", "completion": "a", "label": True},
            {"prompt": "q", "completion": "b", "label": False},
        ],
        checks=[comes_back("parquet"), comes_back("llamafactory")],
    ),
    Trial(
        kind=KIND,
        name="one pretty object",
        train=json.dumps(rows[0], indent=2).encode(),
        checks=[reads_or_names(1, "pretty", "one object a line", "line")],
    ),
    Trial(
        kind=KIND, name="a pretty array", train=json.dumps(rows, indent=2).encode(), checks=[reads(4), FIRST]
    ),
    Trial(
        kind=KIND,
        name="rows under data",
        train=json.dumps({"data": rows}).encode(),
        checks=[reads_or_names(4, '"data"', "'data'", "data")],
    ),
    Trial(
        kind=KIND,
        name="rows under train, pretty",
        train=json.dumps({"version": 1, "train": rows}, indent=1).encode(),
        checks=[reads_or_names(4, "train")],
    ),
    Trial(
        kind=KIND,
        name="columns as lists",
        train=json.dumps({"instruction": ["a", "b"], "output": ["c", "d"]}).encode(),
        checks=[reads_or_names(2, "column", "list", "text")],
    ),
    Trial(
        kind=KIND,
        name="rows of the datasets viewer",
        train=json.dumps(
            {"features": [], "rows": [{"row_idx": i, "row": r} for i, r in enumerate(rows)]}
        ).encode(),
        checks=[reads_or_names(4, "row_idx")],
    ),
    named("xlsx", XLSX, "xlsx", "Excel"),
    named("xls of old", OLE, "xls", "Excel", "Office"),
    named("docx", DOCX, "docx", "Word"),
    Trial(
        kind=KIND,
        name="zip with one jsonl",
        train=zipped({"train.jsonl": LINES}),
        content_type="application/zip",
        checks=[reads_or_names(4, "zip")],
    ),
    named("zip with a picture", zipped({"a.png": b"\x89PNG\r\n\x1a\n"}), "zip"),
    named("tar.gz", tarred(), "tar"),
    named("zstd", ZSTD, "zstd", "zstandard"),
    named("bzip2", bz2.compress(LINES), "bzip2", "bz2"),
    named("xz", lzma.compress(LINES), "xz"),
    named("7z", b"7z\xbc\xaf\x27\x1c" + bytes(40), "7z", "7-zip"),
    named("arrow file", written(feather.write_feather, rows), "arrow", "feather"),
    named("sqlite", database(), "sqlite"),
    named("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "pdf"),
    named("pickle", b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01K\x02e.", "pickle", "binary"),
    named("safetensors", (8).to_bytes(8, "little") + b"{}      ", "safetensors", "binary"),
    named("login page", HTML, "html"),
    named(
        "login page without a doctype, white space first",
        b"\n\n  <html lang=en><body>Sign in</body></html>",
        "html",
    ),
    named("git-lfs pointer", LFS, "lfs"),
    named("XML feed", b'<?xml version="1.0"?>\n<rows><row/></rows>', "xml"),
    named("YAML", b"- instruction: a\n  output: b\n- instruction: c\n  output: d\n", "yaml", "JSON"),
    named(
        "Python's repr a line",
        b"{'instruction': 'a', 'output': 'b'}\n{'instruction': 'c', 'output': 'd'}\n",
        "quote",
        "Python",
        "JSON",
    ),
    named(
        "an answer of an API that says no",
        b'{"error": "Repository not found"}\n',
        "error",
        "instruction",
        "messages",
    ),
    named("empty file", b"", "empty"),
    named("white space alone", b"\n \n\t\n", "empty", "blank", "no row"),
    named("plain prose", b"Dear colleague,\nplease find attached the data.\nBest regards\n", "JSON", "text"),
]
