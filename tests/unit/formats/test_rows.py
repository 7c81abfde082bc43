"""Streams of bytes as rows: whole, broken, packed, cut anywhere."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.formats import Line, RowError, UploadError, iter_rows
from tests.unit.formats.strategies import json_objects, json_values


def rows(
    data: bytes | list[bytes],
    *,
    gzipped: bool | None = None,
    max_line_bytes: int = 1_000_000,
    max_total_bytes: int = 10_000_000,
) -> list[Line]:
    chunks = [data] if isinstance(data, bytes) else data
    return list(
        iter_rows(chunks, gzipped=gzipped, max_line_bytes=max_line_bytes, max_total_bytes=max_total_bytes)
    )


def codes(lines: list[Line]) -> list[tuple[int, Any]]:
    return [(n, v.code if isinstance(v, RowError) else v) for n, v, _ in lines]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(p % (len(data) + 1) for p in places)})
    return [data[a:b] for a, b in pairwise(at)]


rows_alone = json_objects.filter(lambda row: "data" not in row)
cuts = st.lists(st.integers(0, 10_000), max_size=12)


@given(values=st.lists(rows_alone, max_size=5), places=cuts, packed=st.booleans(), ascii=st.booleans())
def test_lines_read_the_same_however_they_are_cut(
    values: list[dict[str, Any]], places: list[int], packed: bool, ascii: bool
) -> None:
    data = b"".join(json.dumps(v, ensure_ascii=ascii).encode() + b"\n" for v in values)
    data = gzip.compress(data) if packed else data
    assert rows(cut(data, places)) == [Line(i, v) for i, v in enumerate(values, start=1)]


@given(values=st.lists(json_values, max_size=5), places=cuts, indent=st.sampled_from([None, 2]))
def test_an_array_reads_the_same_however_it_is_cut(
    values: list[Any], places: list[int], indent: int | None
) -> None:
    data = json.dumps(values, ensure_ascii=False, indent=indent).encode()
    assert rows(cut(data, places)) == [Line(i, v) for i, v in enumerate(values, start=1)]


@given(data=st.binary(max_size=60), places=cuts)
def test_any_bytes_give_rows_or_errors_and_never_anything_else(data: bytes, places: list[int]) -> None:
    try:
        whole = codes(rows(data))
    except UploadError as error:
        with pytest.raises(UploadError, match="^" + error.message[:20]):
            rows(cut(data, places))
    else:
        assert codes(rows(cut(data, places))) == whole


@given(text=st.text('[]{},:"\\ \n1a', max_size=40), places=cuts)
def test_any_brackets_and_quotes_read_the_same_however_they_are_cut(text: str, places: list[int]) -> None:
    data = b"[" + text.encode()
    assert codes(rows(cut(data, places))) == codes(rows(data))


def test_a_bad_line_is_told_by_number_and_stops_nobody() -> None:
    data = b'{"a":1}\n\n{"a":\n\xff\xfe\n{"a":NaN}\n[1]\r\n{"a":2}'
    assert codes(rows(data)) == [
        (1, {"a": 1}),
        (3, "invalid_json"),
        (4, "not_utf8"),
        (5, "not_finite"),
        (6, 1),
        (7, {"a": 2}),
    ]


def test_invalid_json_is_told_with_its_column() -> None:
    (line,) = rows(b'{"a": 1 "b": 2}')
    error = line.value
    assert isinstance(error, RowError)
    assert error.message == "not JSON: Expecting ',' delimiter at column 9 of 15"


def test_blank_lines_before_the_first_row_count() -> None:
    assert rows(b"\xef\xbb\xbf\n \r\n{}") == [Line(3, {})]


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"\xef\xbb\xbf", b" ", b"[]", b"[ \n ]", gzip.compress(b"", mtime=0)]
)
def test_an_empty_upload_has_no_rows(data: bytes) -> None:
    assert rows(data) == []


def test_a_long_line_is_refused_and_the_rest_goes_on() -> None:
    data = b'{"a":1}\n"' + b"x" * 5000 + b'"\n{"a":2}\n'
    for size in (1, 7, 100, 10_000):
        lines = rows([data[i : i + size] for i in range(0, len(data), size)], max_line_bytes=100)
        assert codes(lines) == [(1, {"a": 1}), (2, "too_large"), (3, {"a": 2})]


def test_a_long_array_element_is_refused_and_the_rest_goes_on() -> None:
    data = b'[{"a":1},{"b":"' + b"]," * 5000 + b'"},{"a":2}]'
    for size in (1, 7, 100, 100_000):
        lines = rows([data[i : i + size] for i in range(0, len(data), size)], max_line_bytes=100)
        assert codes(lines) == [(1, {"a": 1}), (2, "too_large"), (3, {"a": 2})]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'[{"a":1},{"a":}, {"a":3}]', [(1, {"a": 1}), (2, "invalid_json"), (3, {"a": 3})]),
        (b"[1,,2]", [(1, 1), (2, "invalid_json"), (3, 2)]),
        (b"[1,]", [(1, 1), (2, "invalid_json")]),
        (b"[1,2", [(1, 1), (2, "invalid_json")]),
        (b"[1,2] x y", [(1, 1), (2, 2), (3, "invalid_json")]),
        (b"[1}, 2]", [(1, "invalid_json"), (2, 2)]),
        (b'["a\\"],", "\\\\"]', [(1, 'a"],'), (2, "\\")]),
        (b'[{"a": "\xff"}, 1]', [(1, "not_utf8"), (2, 1)]),
    ],
)
def test_a_broken_array_costs_only_what_is_broken(data: bytes, expected: list[Any]) -> None:
    assert codes(rows(data)) == expected
    assert codes(rows([bytes([b]) for b in data])) == expected


def test_deep_nesting_and_huge_numbers_are_row_errors() -> None:
    data = b"[" * 100_000 + b"]" * 100_000
    assert codes(rows(b'{"a":' + data + b"}")) == [(1, "too_deep")]
    assert codes(rows(b"1" * 5000)) == [(1, "invalid_json")]


def test_several_gzip_members_and_zero_padding_are_one_stream() -> None:
    data = gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n') + bytes(20)
    assert rows([bytes([b]) for b in data]) == [Line(1, {"a": 1}), Line(2, {"a": 2})]


@pytest.mark.parametrize("missing", [1, 8, 12, 20])
def test_a_gzip_stream_that_was_cut_off_is_refused(missing: int) -> None:
    data = gzip.compress(b'{"a":1}\n{"a":2}\n')[:-missing]
    with pytest.raises(UploadError, match="the gzip stream ends early") as caught:
        rows(data)
    assert caught.value.code == "truncated_gzip"


def test_rows_before_the_break_of_a_stream_are_given_first() -> None:
    whole = b"".join(b'{"a":%d}\n' % i for i in range(50_000))
    stream = iter_rows(
        [gzip.compress(whole)[:-30]], gzipped=True, max_line_bytes=100, max_total_bytes=10_000_000
    )
    assert next(stream) == Line(1, {"a": 0})
    with pytest.raises(UploadError):
        list(stream)


@pytest.mark.parametrize(
    ("data", "gzipped", "code"),
    [
        (b'{"a":1}', True, "not_gzip"),
        (gzip.compress(b"{}", mtime=0) + b"garbage", None, "bad_gzip"),
        (gzip.compress(b"{}", mtime=0)[:10] + b"\xff" * 30, None, "bad_gzip"),
    ],
)
def test_a_stream_that_is_not_what_it_says_is_refused(data: bytes, gzipped: bool, code: str) -> None:
    with pytest.raises(UploadError) as caught:
        rows(data, gzipped=gzipped)
    assert caught.value.code == code


def test_a_stream_sent_as_plain_is_not_unpacked() -> None:
    assert codes(rows(gzip.compress(b"{}", mtime=0), gzipped=False))[0][1] in ("not_utf8", "invalid_json")


def test_a_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(UploadError, match="longer than 1,000,000 bytes") as caught:
        rows(bomb, max_total_bytes=1_000_000)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "too_large"
    assert peak_bytes < 3_000_000


@pytest.mark.parametrize("array", [False, True])
def test_memory_does_not_grow_with_the_number_of_rows(array: bool) -> None:
    def chunks(count: int) -> Iterator[bytes]:
        yield b"[" if array else b""
        for i in range(count):
            yield b'{"instruction":"number %d","output":"%d"}' % (i, i)
            yield b"" if i == count - 1 else (b"," if array else b"\n")
        yield b"]" if array else b""

    def peak(count: int) -> int:
        tracemalloc.start()
        stream = iter_rows(chunks(count), gzipped=None, max_line_bytes=1000, max_total_bytes=10**9)
        assert sum(1 for _ in stream) == count
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak_bytes

    peak(10)
    assert peak(5_000) < peak(500) + 20_000


A, B, C = '{"a":1}', '{"b":2}', '{"c":3}'
PRETTY = '{\n  "a": 1\n}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[{A}]\n[{B},{C}]\n", [(1, {"a": 1}), (2, {"b": 2}), (2, {"c": 3})]),
        (f"[{A}]\n\n[{B}]", [(1, {"a": 1}), (3, {"b": 2})]),
        (f"[{A},\n{B}]\n[{C}]", [(1, {"a": 1}), (2, {"b": 2}), (3, {"c": 3})]),
        (f"[{A}]\n[\n {B},\n {C}\n]\n", [(1, {"a": 1}), (2, {"b": 2}), (3, {"c": 3})]),
        (f"[{A}][{B}]", [(1, {"a": 1}), (2, {"b": 2})]),
        (f"{PRETTY}\n{PRETTY}\n", [(1, {"a": 1}), (2, {"a": 1})]),
        (f"{PRETTY},\n{PRETTY},", [(1, {"a": 1}), (2, {"a": 1})]),
        (f"{A},\n{B},\n", [(1, {"a": 1}), (2, {"b": 2})]),
        (f'{{"data": [{A}, {B}]}}', [(1, {"a": 1}), (2, {"b": 2})]),
        (f'{{"version": "1.0",\n "rows":\n [{A},\n {B}],\n "n": 2}}', [(1, {"a": 1}), (2, {"b": 2})]),
        (f'{{"train": [{A}], "test": [{B}]}}', [(1, {"a": 1}), (2, "several_lists")]),
        (f'{{"data": [{A}]}}\n{{"data": [{B}]}}', [(1, {"a": 1}), (2, {"data": [{"b": 2}]})]),
        (f'{{"data": [{A}', [(1, "invalid_json")]),
        ('{"instruction": "x", "data": [{"a": 1}]}', [(1, {"instruction": "x", "data": [{"a": 1}]})]),
        ("[]\n[]", [(1, "empty_row"), (2, "empty_row")]),
        (f'{{"a":\n{B}\n{C}', [(1, "invalid_json"), (2, {"b": 2}), (3, {"c": 3})]),
        ('{"a": 1,\n"b": [\n2', [(1, "invalid_json")]),
        ("{'a': 1}", [(1, "invalid_json")]),
        ('{"a": {"b": 1, "b": 2}}', [(1, "duplicate_key")]),
    ],
)
def test_rows_are_read_in_every_way_in_which_they_are_put_together(text: str, expected: list[Any]) -> None:
    data = text.encode()
    assert codes(rows(data)) == expected
    assert codes(rows([bytes([b]) for b in data])) == expected


def test_a_key_twice_is_told_by_its_name() -> None:
    (line,) = rows('{"回答": 1, "回答": 2}'.encode())
    error = line.value
    assert isinstance(error, RowError)
    assert "'\\u56de\\u7b54' stands twice" in error.message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@given(places=cuts)
def test_every_line_end_ends_a_line(end: str, places: list[int]) -> None:
    data = end.join([A, "", B, "x", C, ""]).encode()
    expected = [(1, {"a": 1}), (3, {"b": 2}), (4, "invalid_json"), (5, {"c": 3})]
    assert codes(rows(cut(data, places))) == expected


@given(places=cuts)
def test_byte_order_marks_may_stand_before_any_row(places: list[int]) -> None:
    data = f"\ufeff\ufeff{A}\n\ufeff{B}\n\ufeff\n".encode()
    assert codes(rows(cut(data, places))) == [(1, {"a": 1}), (2, {"b": 2})]


ROW = '{"instruction":"问候","output":"你好，世界 é"}'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@given(places=cuts)
def test_text_of_two_or_four_bytes_a_character_is_read(encoding: str, places: list[int]) -> None:
    data = f"{ROW}\n{ROW}\n".encode(encoding)
    assert codes(rows(cut(data, places))) == [(n, json.loads(ROW)) for n in (1, 2)]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("gb18030", "退货需要在三十天之内完成。"),
        ("big5", "退貨需要在三十天之內完成。"),
        ("shift_jis", "営業時間は何時ですか。"),
        ("euc_kr", "반품은 삼십 일 이내에 하세요."),
        ("cp1252", "La réponse est à côté."),
    ],
)
def test_another_encoding_is_named_in_the_error_and_read_where_it_is_named(encoding: str, said: str) -> None:
    data = json.dumps({"a": said}, ensure_ascii=False).encode(encoding)
    (line,) = rows(data)
    error = line.value
    assert isinstance(error, RowError)
    assert error.code == "not_utf8"
    assert encoding in error.message
    assert said[-12:-9] in error.message
    read = iter_rows(
        [data[:9], data[9:]], gzipped=None, max_line_bytes=1000, max_total_bytes=1000, encoding=encoding
    )
    assert list(read) == [Line(1, {"a": said})]


def test_bytes_that_the_named_encoding_lacks_cost_their_row() -> None:
    data = b'{"a":"\xff\xff"}\n' + '{"a":"好"}\n'.encode("gb18030")
    read = iter_rows([data], gzipped=None, max_line_bytes=99, max_total_bytes=999, encoding="gb18030")
    assert codes(list(read)) == [(1, "not_utf8"), (2, {"a": "好"})]


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x80\x04\x95....", "pickle"),
        (b"\x89PNG\r\n....", "PNG"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"\x40\x00\x00\x00\x00\x00\x00\x00" + b'{"w":{}}', "safetensors"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (b"<html><body>Log in</body>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs"),
        (gzip.compress(b"%PDF-1.7 ...", mtime=0), "PDF"),
        (gzip.compress(b"PAR1....", mtime=0), "parquet"),
    ],
)
def test_a_file_that_holds_no_rows_is_named_for_what_it_is(start: bytes, name: str) -> None:
    with pytest.raises(UploadError) as caught:
        rows(start)
    assert name in caught.value.message
