"""The API's description: what FastAPI derives, and the bodies that are read by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from app.api.problems import Problem
from app.api.routes.bad_cases import BODY_MODELS

_TEMPLATE = "#/components/schemas/{model}"


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The function that makes ``app``'s description, once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            _, definitions = models_json_schema(
                [(model, "validation") for model in (Problem, *BODY_MODELS)], ref_template=_TEMPLATE
            )
            components = schema.setdefault("components", {}).setdefault("schemas", {})
            for name, definition in definitions["$defs"].items():
                components.setdefault(name, definition)
            app.openapi_schema = schema
        return app.openapi_schema

    return openapi
