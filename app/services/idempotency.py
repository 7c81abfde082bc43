"""Requests that carry an Idempotency-Key: done once, answered as often as they are sent.

The key is claimed in the transaction that does the work. A twin that comes meanwhile waits at the
insert until that transaction ends, and then finds the first answer. A secret that an answer shows once is not
part of what is kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.models import IdempotencyRow
from app.errors import InvalidInput
from app.services.projects import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status_code: int
    headers: dict[str, str]
    body: str


def claim(session: Session, caller: Caller, key: str, fingerprint: str) -> Answer | None:
    """None: the caller does the work now. Otherwise the first answer to the same request."""
    inserted = session.execute(
        insert(IdempotencyRow)
        .values(project_id=caller.project_id, key=key, fingerprint=fingerprint)
        .on_conflict_do_nothing()
        .returning(IdempotencyRow.key)
    ).first()
    if inserted is not None:
        return None
    row = session.get_one(IdempotencyRow, (caller.project_id, key))
    if row.fingerprint != fingerprint:
        detail = "this Idempotency-Key was used for another request; use a new one"
        raise InvalidInput(detail, errors=[{"pointer": "/Idempotency-Key", "message": detail}])
    return Answer(status_code=row.status_code or 200, headers=dict(row.headers or {}), body=row.body or "")


def remember(session: Session, caller: Caller, key: str, answer: Answer) -> None:
    """Keep the answer beside the key, in the transaction that did the work."""
    row = session.get_one(IdempotencyRow, (caller.project_id, key))
    row.status_code = answer.status_code
    row.headers = dict(answer.headers)
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    row.body = _without_secret(answer.body) if is_json else answer.body
    session.flush()


def _without_secret(body: str) -> str:
    """The answer with its ``secret`` emptied, where it has one: it was to be shown once."""
    if '"secret"' not in body:
        return body
    answer = json.loads(body)
    if isinstance(answer, dict) and "secret" in answer:
        return json.dumps({**answer, "secret": ""}, ensure_ascii=False)
    return body
