"""Headers that go with an answer."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Response

from app.errors import InvalidInput

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


def if_match(header: str | None) -> int | None:
    """The revision that the caller has read; None when it does not matter to them."""
    if header is None or header.strip() == "*":
        return None
    tag = header.strip().removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdigit() and len(tag) <= 9):
        detail = "If-Match is no tag of ours; send the ETag of the object as it was read"
        raise InvalidInput(detail, errors=[{"pointer": "/If-Match", "message": detail, "in": "header"}])
    return int(tag)
