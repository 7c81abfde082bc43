"""Headers that go with an answer."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Response

Row = TypeVar("Row")


def located(response: Response, collection: str, row: Row) -> Row:
    """``Location`` of what was made, or of the work to watch."""
    identified: Any = row
    response.headers["Location"] = f"{collection}/{identified.id}"
    return row


def versioned(response: Response, row: Row) -> Row:
    """``ETag`` of a row that people change; send it back as ``If-Match``."""
    revised: Any = row
    response.headers["ETag"] = f'"{revised.revision}"'
    return row
