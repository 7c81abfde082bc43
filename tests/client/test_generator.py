"""What the generator makes of endpoints that the API does not have today."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[2] / "clients/python/scripts/generate.py"


def methods(paths: dict[str, Any]) -> dict[str, str]:
    """The method of each name, as generated."""
    problem = {"properties": {"detail": {"type": "string"}}}
    api = runpy.run_path(str(SCRIPT))["Api"](
        {"paths": paths, "components": {"schemas": {"Problem": problem}}}
    )
    module = ast.parse(api.resources())
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name != "Resources"]
    return {n.name: ast.unparse(n) for c in classes for n in c.body if isinstance(n, ast.AsyncFunctionDef)}


def operation(name: str, **spec: Any) -> dict[str, Any]:
    return {"operationId": name, "summary": name, "responses": {"204": {}}, **spec}


def test_a_form_becomes_keywords() -> None:
    form = {
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "expires_after[seconds]": {"type": "integer"},
        },
        "required": ["file"],
    }
    spec = operation("send", requestBody={"content": {"multipart/form-data": {"schema": form}}})
    made = methods({"/v1/things": {"post": spec}})["create"]
    assert "file: File, expires_after_seconds: int | None=None" in made
    assert "body=Form({'file': file}, {'expires_after[seconds]': expires_after_seconds})" in made


def test_a_post_that_answers_with_a_file_gives_its_bytes() -> None:
    answer = {"200": {"content": {"text/yaml": {"schema": {"type": "string"}}}}}
    named = [{"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}}]
    spec = operation("make", responses=answer, parameters=named)
    made = methods({"/v1/things/{thing_id}/suite": {"post": spec}})["suite"]
    assert made.startswith("async def suite(self, thing_id: str) -> bytes:")
    assert "self._http.fetch('POST', f'/v1/things/{quoted(thing_id)}/suite')" in made


def test_names_that_meet_are_kept_apart() -> None:
    path = "/v1/things/{thing_id}/parts"
    made = methods({path: {"get": operation("list_parts"), "post": operation("add_part")}})
    assert set(made) == {"parts", "add_part"}
