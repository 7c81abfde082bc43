from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundled weights lie once they are converted, which takes seconds: once for all tests of a run."""
    return tmp_path_factory.mktemp("models")
