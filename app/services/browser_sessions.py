"""Browsers that are signed in: each as one key of one project, and no longer than that key is good."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db.models import ApiKeyRow, BrowserSessionRow, SignInLinkRow
from app.errors import NotFound, ServiceError, Unauthenticated
from app.services import projects
from app.services.projects import Caller, Role, hash_of

LINK_LASTS: Final = timedelta(minutes=10)
SESSION_LASTS: Final = timedelta(days=7)


class UnusableLink(Unauthenticated):
    title = "This link does not sign in"


class WrongCsrfToken(ServiceError):
    status_code = 403
    type = "csrf"
    title = "The request does not come from a page of this service"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """``csrf_token`` goes into every page, and comes back with every write."""

    caller: Caller
    csrf_token: str

    def require_csrf(self, sent: str) -> None:
        if not hmac.compare_digest(self.csrf_token.encode(), sent.encode("utf-8", "surrogatepass")):
            raise WrongCsrfToken(
                "the page is out of date, or another site sent this; reload the page and try again"
            )


def new_link(session: Session, key_id: str, now: datetime) -> str:
    """A token that signs in once, within ten minutes, as this key."""
    token = secrets.token_urlsafe(32)
    session.add(SignInLinkRow(token_hash=hash_of(token), key_id=key_id, expires_at=now + LINK_LASTS))
    session.flush()
    return token


def new_link_for(session: Session, project: str, now: datetime) -> str:
    """A link for the oldest admin key of the project ``project`` that is still good."""
    row = projects.project_named(session, project)
    key_id = session.scalar(
        select(ApiKeyRow.id)
        .where(
            ApiKeyRow.project_id == (row.id if row else None),
            ApiKeyRow.role == Role.ADMIN.value,
            ApiKeyRow.revoked_at.is_(None),
        )
        .order_by(ApiKeyRow.created_at, ApiKeyRow.id)
        .limit(1)
    )
    if key_id is None:
        raise NotFound(
            f"no project {project!r} with an admin key; make one with 'casemend keys --role admin'"
        )
    return new_link(session, key_id, now)


def open_by_link(session: Session, token: str, now: datetime) -> str:
    """Use a link up; the cookie's value. UnusableLink where it is unknown, used, too old or its key was revoked."""
    # one statement: of two who come with the same link one gets it
    key_id = session.scalar(
        delete(SignInLinkRow)
        .where(SignInLinkRow.token_hash == hash_of(token), SignInLinkRow.expires_at > now)
        .returning(SignInLinkRow.key_id)
    )
    key = session.get(ApiKeyRow, key_id) if key_id is not None else None
    if key is None or key.revoked_at is not None:
        raise UnusableLink("the link was used before, is older than ten minutes, or its key was revoked")
    return _open(session, key.id, now)


def open_by_key(session: Session, secret: str, now: datetime) -> str:
    """The cookie's value for who has the key itself; Unauthenticated where it is not good."""
    return _open(session, projects.authenticate(session, secret).key_id, now)


def _open(session: Session, key_id: str, now: datetime) -> str:
    for expired in (SignInLinkRow, BrowserSessionRow):
        session.execute(delete(expired).where(expired.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(BrowserSessionRow(token_hash=hash_of(token), key_id=key_id, expires_at=now + SESSION_LASTS))
    session.flush()
    return token


def signed_in(session: Session, token: str, now: datetime) -> SignedIn:
    """Who a cookie stands for; Unauthenticated once it has expired, was signed out, or its key was revoked."""
    key = session.scalar(
        select(ApiKeyRow)
        .join(BrowserSessionRow, BrowserSessionRow.key_id == ApiKeyRow.id)
        .where(
            BrowserSessionRow.token_hash == hash_of(token),
            BrowserSessionRow.expires_at > now,
            ApiKeyRow.revoked_at.is_(None),
        )
    )
    if key is None:
        raise Unauthenticated("the browser is signed out; sign in again")
    caller = Caller(project_id=key.project_id, key_id=key.id, role=Role(key.role))
    # the cookie stays hidden from the page: what the page holds tells nothing of it
    csrf = hmac.new(token.encode("utf-8", "surrogatepass"), b"csrf", hashlib.sha256).hexdigest()
    return SignedIn(caller=caller, csrf_token=csrf)


def close(session: Session, token: str) -> None:
    """Sign the browser out: the cookie is worth nothing from now on."""
    session.execute(delete(BrowserSessionRow).where(BrowserSessionRow.token_hash == hash_of(token)))
