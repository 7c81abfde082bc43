"""The API's description as a file: the same text on every machine."""

from __future__ import annotations

import json

from app.main import create_app
from app.settings import Settings


def render() -> str:
    """OpenAPI 3.1 as JSON with sorted keys. Needs neither a database nor any setting."""
    schema = create_app(Settings()).openapi()
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
