from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.service import Shell, shell_in
from tests.model.studio import program, studio

__all__ = ["program", "studio"]


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundled weights lie once they are converted, which takes seconds: once for all tests of a run."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def shell(tmp_path: Path, model_cache: Path) -> Iterator[Shell]:
    made = shell_in(tmp_path, model_cache)
    yield made
    made.run("casemend", "down")
