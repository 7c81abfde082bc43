"""Where the bytes of artifacts lie: a folder of this machine, or anything that fsspec reaches.

Addresses are SHA-256 hex digits, checked before they come here.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from fsspec import AbstractFileSystem

_TEMPORARY = "tmp"


class ArtifactNotFound(LookupError):
    """No artifact has this address."""


class Place(Protocol):
    def temporary(self) -> AbstractContextManager[tuple[str, BinaryIO]]: ...
    def publish(self, name: str, file: BinaryIO, sha256: str) -> None: ...
    def open(self, sha256: str) -> BinaryIO: ...
    def size(self, sha256: str) -> int | None: ...
    def local_path(self, sha256: str) -> Path | None: ...
    def delete(self, sha256: str) -> None: ...
    def delete_temporaries(self, older_than_seconds: float) -> int: ...


class LocalFolder:
    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def temporary(self) -> Iterator[tuple[str, BinaryIO]]:
        folder = self._root / _TEMPORARY
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / uuid.uuid4().hex
        try:
            with open(path, "xb") as file:
                yield str(path), file
        finally:
            path.unlink(missing_ok=True)

    def publish(self, name: str, file: BinaryIO, sha256: str) -> None:
        sync(file)
        file.close()
        target = self._path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(name, target)
        # The new name must survive a power cut as well as the bytes do.
        _sync_folder(target.parent)
        _sync_folder(self._root)

    def open(self, sha256: str) -> BinaryIO:
        try:
            return open(self._path(sha256), "rb")
        except FileNotFoundError:
            raise ArtifactNotFound(f"no artifact {sha256}") from None

    def size(self, sha256: str) -> int | None:
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def local_path(self, sha256: str) -> Path | None:
        path = self._path(sha256)
        if not path.exists():
            raise ArtifactNotFound(f"no artifact {sha256}")
        return path

    def delete(self, sha256: str) -> None:
        self._path(sha256).unlink(missing_ok=True)

    def delete_temporaries(self, older_than_seconds: float) -> int:
        before = time.time() - older_than_seconds
        old = [p for p in (self._root / _TEMPORARY).glob("*") if p.stat().st_mtime < before]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256


class Remote:
    """Written under a temporary name, then moved to its address by the store itself."""

    def __init__(self, filesystem: AbstractFileSystem, root: str) -> None:
        self._fs = filesystem
        self._root = root.rstrip("/")

    @contextmanager
    def temporary(self) -> Iterator[tuple[str, BinaryIO]]:
        folder = f"{self._root}/{_TEMPORARY}"
        self._fs.makedirs(folder, exist_ok=True)
        name = f"{folder}/{uuid.uuid4().hex}"
        try:
            with self._fs.open(name, "wb") as file:
                yield name, cast(BinaryIO, file)
        finally:
            if self._fs.exists(name):
                self._fs.rm_file(name)

    def publish(self, name: str, file: BinaryIO, sha256: str) -> None:
        file.close()
        target = self._path(sha256)
        self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._fs.mv(name, target)

    def open(self, sha256: str) -> BinaryIO:
        try:
            return cast(BinaryIO, self._fs.open(self._path(sha256), "rb"))
        except FileNotFoundError:
            raise ArtifactNotFound(f"no artifact {sha256}") from None

    def size(self, sha256: str) -> int | None:
        try:
            return int(self._fs.info(self._path(sha256))["size"])
        except FileNotFoundError:
            return None

    def local_path(self, sha256: str) -> Path | None:  # noqa: ARG002 - not on this machine
        return None

    def delete(self, sha256: str) -> None:
        try:
            self._fs.rm_file(self._path(sha256))
        except FileNotFoundError:
            return

    def delete_temporaries(self, older_than_seconds: float) -> int:
        folder = f"{self._root}/{_TEMPORARY}"
        before = time.time() - older_than_seconds
        names = self._fs.ls(folder, detail=False) if self._fs.exists(folder) else []
        old = [name for name in names if self._fs.modified(name).timestamp() < before]
        for name in old:
            self._fs.rm_file(name)
        return len(old)

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"


@contextmanager
def renamed_when_whole(target: Path) -> Iterator[BinaryIO]:
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            yield file
            sync(file)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
