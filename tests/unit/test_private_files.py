from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.private_files import kept_secret, write_private


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pii_salt"
    made = kept_secret(path)
    assert len(made) >= 40
    assert kept_secret(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["pii_salt"]
    assert kept_secret(tmp_path / "other") != made


def test_all_that_ask_at_once_get_the_secret_that_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "pii_salt"
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: kept_secret(path), range(32)))
    assert got == {path.read_text()}


def test_a_private_file_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_private(path, "first")
    write_private(path, "second")
    assert path.read_text() == "second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
