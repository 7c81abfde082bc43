"""The artifact store, on a local folder and behind an fsspec URL."""

from __future__ import annotations

import errno
import io
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from app.artifacts import (
    Artifact,
    ArtifactNotFound,
    ArtifactStore,
    ArtifactTooLarge,
    InvalidArtifactUri,
    StorageFull,
)

ABSENT = "sha256:" + "0" * 64


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "local":
        return ArtifactStore(tmp_path / "store")
    return ArtifactStore(f"memory://{uuid.uuid4().hex}")


def files_below(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_bytes_come_back_under_their_hash(store: ArtifactStore) -> None:
    artifact = store.put_bytes(b"hello")

    assert artifact.uri == "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert artifact.size_bytes == 5
    assert store.exists(artifact.uri)
    with store.open(artifact.uri) as file:
        assert file.read() == b"hello"


def test_the_same_content_is_the_same_artifact(store: ArtifactStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"same")
    with store.stage() as staged:
        staged.write(b"sa")
        staged.write(b"me")
        streamed = staged.commit()

    assert store.put_bytes(b"same") == store.put_file(path) == store.put_file(io.BytesIO(b"same")) == streamed


def test_the_same_content_is_written_once(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    path = store.local_path(store.put_bytes(b"same").uri)
    assert path is not None
    before = path.stat()
    with store.stage() as staged:
        staged.write(b"same")
        staged.commit()
    store.put_bytes(b"same")

    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert files_below(tmp_path) == [path]


def test_a_directory_comes_back_whole(store: ArtifactStore, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    (adapter / "tokenizer").mkdir(parents=True)
    (adapter / "weights.safetensors").write_bytes(b"\1" * 100)
    (adapter / "tokenizer" / "词表.json").write_bytes(b"{}")

    artifact = store.put_directory(adapter)
    again = store.put_directory(adapter)
    fetched = store.fetch(artifact.uri, tmp_path / "out" / "adapter")

    assert again == artifact
    assert artifact.size_bytes == 102
    assert store.files(artifact.uri).keys() == {"weights.safetensors", "tokenizer/词表.json"}
    assert {p.relative_to(fetched).as_posix(): p.read_bytes() for p in files_below(fetched)} == {
        "weights.safetensors": b"\1" * 100,
        "tokenizer/词表.json": b"{}",
    }


def test_a_link_inside_a_directory_is_refused(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "passwords").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="is a link"):
        store.put_directory(tmp_path / "d")


def test_a_file_is_fetched_to_its_path(store: ArtifactStore, tmp_path: Path) -> None:
    uri = store.put_bytes(b"rows").uri
    target = store.fetch(uri, tmp_path / "in" / "rows.ndjson")
    store.fetch(uri, target)  # over itself

    assert target.read_bytes() == b"rows"
    assert files_below(tmp_path / "in") == [target]


def test_a_local_artifact_can_be_memory_mapped_and_a_remote_one_not(tmp_path: Path) -> None:
    local = ArtifactStore(f"file://{tmp_path}")
    path = local.local_path(local.put_bytes(b"vectors").uri)
    assert path is not None
    assert path.read_bytes() == b"vectors"
    remote = ArtifactStore(f"memory://{uuid.uuid4().hex}")
    assert remote.local_path(remote.put_bytes(b"vectors").uri) is None


def test_what_is_deleted_is_gone_and_deleting_it_again_is_fine(store: ArtifactStore) -> None:
    uri = store.put_bytes(b"x").uri
    store.delete(uri)
    store.delete(uri)
    assert not store.exists(uri)
    with pytest.raises(ArtifactNotFound):
        store.open(uri)


def test_an_unknown_address_is_not_found(store: ArtifactStore, tmp_path: Path) -> None:
    assert not store.exists(ABSENT)
    with pytest.raises(ArtifactNotFound):
        store.fetch(ABSENT, tmp_path / "x")
    assert files_below(tmp_path) == []


@pytest.mark.parametrize(
    "uri", ["", "../../etc/passwd", "sha256:../../x", "sha256:" + "A" * 64, "sha256:ab", ABSENT + "/.."]
)
def test_nothing_but_a_hash_is_an_address(store: ArtifactStore, uri: str, tmp_path: Path) -> None:
    for use in (store.open, store.exists, store.local_path, store.delete, store.files):
        with pytest.raises(InvalidArtifactUri):
            use(uri)
    with pytest.raises(InvalidArtifactUri):
        store.fetch(uri, tmp_path / "x")


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "a/../../escaped", ""])
def test_a_forged_manifest_cannot_write_outside_its_folder(
    store: ArtifactStore, tmp_path: Path, name: str
) -> None:
    member = store.put_bytes(b"evil")
    forged = store.put_bytes(
        b'{"files":[{"path":"%s","sha256":"%s","size_bytes":4}]}' % (name.encode(), member.sha256.encode())
    )
    with pytest.raises(InvalidArtifactUri):
        store.fetch(forged.uri.replace("sha256:", "sha256-tree:"), tmp_path / "out" / "folder")
    assert not list(tmp_path.rglob("escaped"))


def upload(store: ArtifactStore, *chunks: bytes, max_bytes: int | None = None) -> Artifact:
    with store.stage(max_bytes=max_bytes) as staged:
        for chunk in chunks:
            staged.write(chunk)
        return staged.commit()


def test_an_upload_past_its_limit_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactTooLarge) as caught:
        upload(ArtifactStore(tmp_path), b"x" * 10, b"y", max_bytes=10)
    assert caught.value.limit_bytes == 10
    assert files_below(tmp_path) == []


def test_an_upload_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    with ArtifactStore(tmp_path).stage() as staged:
        staged.write(b"half")
    assert files_below(tmp_path) == []


def test_an_upload_whose_sender_goes_away_leaves_nothing(tmp_path: Path) -> None:
    class Sender(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 3:
                raise ConnectionError
            return super().read(3)

    with pytest.raises(ConnectionError):
        ArtifactStore(tmp_path).put_file(Sender(b"a long upload"))
    assert files_below(tmp_path) == []


def test_what_a_killed_process_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    kept = store.put_bytes(b"kept")
    for name, age_seconds in (("old", 7200), ("young", 10)):
        path = tmp_path / "tmp" / name
        path.write_bytes(b"half")
        stamp = path.stat().st_mtime - age_seconds
        os.utime(path, (stamp, stamp))

    assert store.delete_abandoned(older_than_seconds=3600) == 1
    assert [p.name for p in files_below(tmp_path / "tmp")] == ["young"]
    assert store.exists(kept.uri)


class _TenBytesOfRoom(io.BytesIO):
    """A file on a disk with no room for more than ten bytes."""

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


class _FullDisk(MemoryFileSystem):
    protocol = "full"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        return super()._open(path, mode, **options) if "r" in mode else _TenBytesOfRoom()


@pytest.fixture
def full_disk() -> Iterator[ArtifactStore]:
    fsspec.register_implementation("full", _FullDisk, clobber=True)
    yield ArtifactStore("full://artifacts")
    _FullDisk.store.clear()


def test_a_full_disk_is_told_and_leaves_nothing(full_disk: ArtifactStore) -> None:
    with pytest.raises(StorageFull, match="no room is left"):
        full_disk.put_bytes(b"more than ten bytes")
    with pytest.raises(StorageFull):
        upload(full_disk, b"first", b"and more than fits")
    assert _FullDisk.store == {}


def _fill_disk_of(folder: Path) -> None:
    """From here on the files open below ``folder`` lie on a device without room."""
    full = os.open("/dev/full", os.O_WRONLY)
    for descriptor in Path("/proc/self/fd").iterdir():
        if descriptor.is_symlink() and descriptor.readlink().is_relative_to(folder):
            os.dup2(full, int(descriptor.name))
    os.close(full)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("size_bytes", [1, 1_000_000])
def test_a_local_disk_that_fills_up_is_told(tmp_path: Path, size_bytes: int) -> None:
    class Filling(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            _fill_disk_of(tmp_path)
            return super().read(size)

    with pytest.raises(StorageFull):
        ArtifactStore(tmp_path).put_file(Filling(b"x" * size_bytes))
    assert files_below(tmp_path) == []
