"""What a file is by its first bytes: rows as text, a table, an archive, or something that holds no rows."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Final

START_BYTES: Final = 4096
_ZIP, _PARQUET, _GZIP = b"PK\x03\x04", b"PAR1", b"\x1f\x8b"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_MAX_HEADER_BYTES: Final = 100 << 20  # of a safetensors file: its own limit


class Container(StrEnum):
    TEXT = "text"
    GZIP = "gzip"
    ZIP = "zip"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRows:
    """A file that cannot be imported: what it is, with an article, and what to do."""

    name: str
    do: str

    @property
    def message(self) -> str:
        return f"the upload is {self.name}: {self.do}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    start: bytes
    at: int
    is_text: bool
    no_rows: NoRows


def kind_of(start: bytes) -> Container | NoRows:
    """The kind of a file that begins with ``start`` (``START_BYTES`` of it, or all)."""
    if start.startswith(_GZIP):
        return Container.GZIP
    if start.startswith((_ZIP, _EMPTY_ZIP)):
        return Container.ZIP
    if start.startswith(_PARQUET):
        return Container.PARQUET
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for kind in _KINDS:
        if (text if kind.is_text else start[kind.at :]).startswith(kind.start):
            return kind.no_rows
    if len(start) > 9 and start[8:9] == b"{" and 0 < int.from_bytes(start[:8], "little") < _MAX_HEADER_BYTES:
        # Eight bytes with the length of a header of JSON.
        return NoRows(name="a safetensors file", do="send training rows here, not model weights")
    return Container.TEXT


def _loaded() -> tuple[_Kind, ...]:
    text = (resources.files("app.domain.formats") / "file_kinds.toml").read_text(encoding="utf-8")
    return tuple(
        _Kind(
            start=bytes.fromhex(kind["hex"]) if "hex" in kind else kind["text"].encode(),
            at=kind.get("at", 0),
            is_text="text" in kind,
            no_rows=NoRows(name=kind["name"], do=kind["do"]),
        )
        for kind in tomllib.loads(text)["kind"]
    )


_KINDS: Final = _loaded()
