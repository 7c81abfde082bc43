"""The client of the tests, called against the real application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from casemend_client import Client

from app.main import create_app
from app.settings import Settings
from tests.conftest import ADMIN_KEY
from tests.live import listening


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with listening(create_app(settings)) as url:
        yield url


@pytest.fixture
def casemend(url: str) -> Iterator[Client]:
    with Client(url, ADMIN_KEY) as client:
        yield client
