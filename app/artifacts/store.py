"""The store itself: what goes in under which address, and how it comes out."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from app.artifacts.places import LocalFolder, Place, Remote, renamed_when_whole

_CHUNK_BYTES = 1 << 20
_FILE, _DIRECTORY = "sha256", "sha256-tree"
_URI = re.compile(rf"({_FILE}|{_DIRECTORY}):([0-9a-f]{{64}})")


class StorageFull(Exception):
    """There is no room left for the artifact; nothing was kept of it."""


class ArtifactTooLarge(Exception):
    """The upload is longer than its limit; nothing was kept of it."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the upload is longer than {limit_bytes:,} bytes; split it or send it gzipped")
        self.limit_bytes = limit_bytes


class InvalidArtifactUri(ValueError):
    """The text is not an artifact's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """``uri`` is all that is needed to read it again. ``size_bytes`` of a directory: its files together."""

    uri: str
    sha256: str
    size_bytes: int


class ArtifactStore:
    def __init__(self, url: str | os.PathLike[str]) -> None:
        filesystem, root = url_to_fs(os.fspath(url))
        self._place: Place = (
            LocalFolder(Path(root))
            if isinstance(filesystem, LocalFileSystem)
            else Remote(filesystem, str(root))
        )

    def put_bytes(self, content: bytes) -> Artifact:
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._holds(sha256, len(content)):
            with self.stage() as staged:
                staged.write(content)
                return staged.commit()
        return _file_artifact(sha256, len(content))

    def put_file(self, source: Path | str | BinaryIO) -> Artifact:
        """A file by its path, or what is left to read of an open one."""
        if isinstance(source, Path | str):
            with open(source, "rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                size_bytes = file.tell()
                if self._holds(sha256, size_bytes):
                    return _file_artifact(sha256, size_bytes)
                file.seek(0)
                return self.put_file(file)
        with self.stage() as staged:
            while chunk := source.read(_CHUNK_BYTES):
                staged.write(chunk)
            return staged.commit()

    def put_directory(self, folder: Path | str) -> Artifact:
        """Every file below ``folder``, and a manifest that says where each stands. Links are refused."""
        folder = Path(folder)
        files: list[dict[str, Any]] = []
        for path in sorted(folder.rglob("*")):
            if path.is_symlink():
                raise ValueError(f"{path} is a link; put the file itself into the folder")
            if path.is_file():
                kept = self.put_file(path)
                name = path.relative_to(folder).as_posix()
                files.append({"path": name, "sha256": kept.sha256, "size_bytes": kept.size_bytes})
        manifest = self.put_bytes(json.dumps({"files": files}, ensure_ascii=False, indent=1).encode())
        return Artifact(
            uri=f"{_DIRECTORY}:{manifest.sha256}",
            sha256=manifest.sha256,
            size_bytes=sum(file["size_bytes"] for file in files),
        )

    @contextmanager
    def stage(self, *, max_bytes: int | None = None) -> Iterator[StagedUpload]:
        """A new artifact, written in pieces. Without ``commit()`` nothing of it is kept."""
        with _full_disk_translated(), self._place.temporary() as (name, file):
            yield StagedUpload(self._place, name, file, max_bytes)

    def files(self, uri: str) -> dict[str, Artifact]:
        """The files of a directory artifact by their relative path."""
        kind, sha256 = _parsed(uri)
        if kind != _DIRECTORY:
            raise InvalidArtifactUri(f"{uri} is a single file")
        with self._place.open(sha256) as manifest:
            entries = json.load(manifest)["files"]
        return {_safe_path(e["path"]): _file_artifact(e["sha256"], e["size_bytes"]) for e in entries}

    def open(self, uri: str) -> BinaryIO:
        """The bytes of a file artifact (the manifest of a directory)."""
        _, sha256 = _parsed(uri)
        return self._place.open(sha256)

    def fetch(self, uri: str, into: Path | str) -> Path:
        """Copy to ``into``: the file's own path, or for a directory artifact the folder to fill.

        Each file is written beside its place and renamed, so that a broken fetch leaves no half of one.
        """
        into = Path(into)
        kind, _ = _parsed(uri)
        members = {"": uri} if kind == _FILE else {name: f.uri for name, f in self.files(uri).items()}
        if kind == _DIRECTORY:
            into.mkdir(parents=True, exist_ok=True)
        for name, member in members.items():
            target = into / name if name else into
            target.parent.mkdir(parents=True, exist_ok=True)
            with _full_disk_translated(), renamed_when_whole(target) as file, self.open(member) as stored:
                shutil.copyfileobj(stored, file, _CHUNK_BYTES)
        return into

    def folder(self, uri: str, cache: Path) -> Path:
        """The directory artifact as a folder in ``cache``, named by its content and fetched once."""
        folder = cache / _parsed(uri)[1]
        if not folder.exists():
            cache.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=".fetch-", dir=cache))
            try:
                self.fetch(uri, part)
                part.rename(folder)  # whole or not at all, also for a process that is killed meanwhile
            except OSError:
                if not folder.exists():  # else another process was first
                    raise
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return folder

    def local_path(self, uri: str) -> Path | None:
        """Where the file lies on this machine, for memory mapping; None when it lies elsewhere."""
        _, sha256 = _parsed(uri)
        return self._place.local_path(sha256)

    def exists(self, uri: str) -> bool:
        _, sha256 = _parsed(uri)
        return self._place.size(sha256) is not None

    def delete(self, uri: str) -> None:
        """Forget the artifact; one that is gone already is fine.

        Of a directory only the manifest goes: its files may belong to others (see ``files``).
        """
        _, sha256 = _parsed(uri)
        self._place.delete(sha256)

    def delete_abandoned(self, *, older_than_seconds: float) -> int:
        """Remove what killed processes left half-written; how many files that were."""
        return self._place.delete_temporaries(older_than_seconds)

    def _holds(self, sha256: str, size_bytes: int) -> bool:
        return self._place.size(sha256) == size_bytes


class StagedUpload:
    """Bytes on their way into the store: counted, hashed, and bounded as they come."""

    def __init__(self, place: Place, name: str, file: BinaryIO, max_bytes: int | None) -> None:
        self._place = place
        self._name = name
        self._file = file
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        self.size_bytes += len(chunk)
        if self._max_bytes is not None and self.size_bytes > self._max_bytes:
            raise ArtifactTooLarge(self._max_bytes)
        with _full_disk_translated():
            self._file.write(chunk)
        self._hash.update(chunk)

    def commit(self) -> Artifact:
        """Make the artifact visible under its address."""
        sha256 = self._hash.hexdigest()
        with _full_disk_translated():
            if self._place.size(sha256) != self.size_bytes:
                self._place.publish(self._name, self._file, sha256)
        return _file_artifact(sha256, self.size_bytes)


def _file_artifact(sha256: str, size_bytes: int) -> Artifact:
    return Artifact(uri=f"{_FILE}:{sha256}", sha256=sha256, size_bytes=size_bytes)


def _parsed(uri: str) -> tuple[str, str]:
    match = _URI.fullmatch(uri)
    if match is None:
        raise InvalidArtifactUri(f"{uri[:100]!r} is not an artifact's address ({_FILE}: and 64 hex digits)")
    return match[1], match[2]


def _safe_path(name: str) -> str:
    """A manifest's path, which must stay below the folder that it is fetched into."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name:
        raise InvalidArtifactUri(f"the manifest names {name[:100]!r}, which leaves its folder")
    return name


@contextmanager
def _full_disk_translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(
            error.errno, "no room is left in the artifact store; free some and try again"
        ) from error
