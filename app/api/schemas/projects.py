"""Projects and keys over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.api.schemas.common import Body, Name, Resource
from app.services.projects import Role


class Project(Resource):
    object: Literal["project"] = "project"
    id: str
    name: str
    created_at: datetime


class NewKey(Body):
    name: Name
    role: Annotated[Role, Field(strict=False)]


class Key(Resource):
    object: Literal["key"] = "key"
    id: str
    name: str
    role: Role
    hint: str = Field(description="The first characters, to tell keys apart.")
    created_at: datetime


class CreatedKey(Key):
    secret: str = Field(description="Shown this once; only its hash is kept.")
