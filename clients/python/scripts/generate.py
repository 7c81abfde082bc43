"""Write the client's models and resources from openapi.json, and the sync client from the async one.

    python clients/python/scripts/generate.py [--check]

``--check`` writes nothing and fails where a file is out of date. An endpoint that this script has no words for
stops it, rather than being left out.
"""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "clients/python/casemend_client"
FACE = re.compile(r"^/v1/(files|uploads|fine_tuning|models|chat|completions)(/|$)")
"""What the ``openai`` package is the client of."""
GROUPS = {"dataset-versions": "versions"}
METHODS = {
    "decide_action": "decide",
    "decide_many": "decide",
    "override_finding": "override",
    "point_alias": "point",
    "retry_webhook_delivery": "retry_delivery",
    "revoke_key": "revoke",
    "roll_back_alias": "roll_back",
    "rotate_webhook_secret": "rotate_secret",
    "upload_version": "upload",
}
"""Names that say more than those made of the path, by operationId."""
_JSON = "application/json"
_EVENTS = "text/event-stream"
_FORM = "multipart/form-data"
_GENERATED = '"""{}\n\nWritten by ``scripts/generate.py``: change what it is written from."""\n\n'
_SYNC = (
    (r"\bimport asyncio\n", ""),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAwaitable\[(\w+)\]", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"\bAsync(Client|Transport|Pages|Download|Iterator|BaseTransport)\b", r"\1"),
    (r"\b__a(enter|exit|iter)__\b", r"__\1__"),
    (r"\ba(iter_bytes|read|close)\(", r"\1("),
    (r"\basync_chunks\b", "chunks"),
    (r"\bcasemend_client\._async\b", "casemend_client._sync"),
    (r"The client for asyncio, from which .*?\"", 'The client without asyncio."'),
)


def main(arguments: Sequence[str]) -> int:
    stale = [path for path, text in generated() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(
                f"{path.relative_to(ROOT)} is out of date: run `make openapi` and commit it", file=sys.stderr
            )
        return 1 if stale else 0
    for path, text in generated():
        if path in stale:
            path.write_text(text, encoding="utf-8")
    return 0


def generated() -> list[tuple[Path, str]]:
    api = Api(json.loads((ROOT / "openapi.json").read_text(encoding="utf-8")))
    resources = _formatted(api.resources())
    sources = {p.name: p.read_text(encoding="utf-8") for p in sorted((PACKAGE / "_async").glob("*.py"))}
    sources["resources.py"] = resources
    files = [(PACKAGE / "models.py", _formatted(api.models())), (PACKAGE / "_async/resources.py", resources)]
    return files + [(PACKAGE / "_sync" / name, _formatted(_as_sync(text))) for name, text in sources.items()]


def _as_sync(text: str) -> str:
    for pattern, replacement in _SYNC:
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    return text


def _formatted(code: str) -> str:
    for command in (["check", "--fix", "--quiet", "--select=I,F401"], ["format", "--quiet"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(PACKAGE / "generated.py"), "-"],
            input=code,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"ruff {command[0]}: {done.stderr or done.stdout}")
        code = done.stdout
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    group: str
    name: str
    spec: Mapping[str, Any]

    def parameters(self, where: str) -> list[Mapping[str, Any]]:
        return [p for p in self.spec.get("parameters", ()) if p["in"] == where]

    @property
    def answers(self) -> dict[str, Any]:
        """The schema of each successful answer, by media type; empty where there is no body."""
        found: dict[str, Any] = {}
        for status, response in self.spec["responses"].items():
            if status.startswith("2"):
                for media, content in response.get("content", {}).items():
                    found.setdefault(media, content.get("schema", {}))
        return found

    @property
    def bodies(self) -> Mapping[str, Any]:
        content = self.spec.get("requestBody", {}).get("content", {})
        return {media: body.get("schema", {}) for media, body in content.items()}


class Api:
    """openapi.json, and the code that it becomes."""

    def __init__(self, api: Mapping[str, Any]) -> None:
        self.schemas: Mapping[str, Any] = api["components"]["schemas"]
        self.operations = list(_operations(api["paths"]))
        self.names = self._names()

    def _names(self) -> dict[str, str]:
        """A class name for each schema that an operation needs."""
        waiting: list[Any] = [{"$ref": "#/components/schemas/Problem"}]
        for operation in self.operations:
            waiting += [p["schema"] for p in operation.spec.get("parameters", ())]
            waiting += [*operation.answers.values(), *operation.bodies.values()]
        needed: set[str] = set()
        while waiting:
            for reference in _references(waiting.pop()):
                if reference not in needed:
                    needed.add(reference)
                    waiting.append(self.schemas[reference])
        names: dict[str, str] = {}
        # plain names first: a schema of that name keeps it
        for schema in sorted(needed, key=lambda name: ("__" in name, name)):
            if schema.startswith("ListOf_"):
                continue
            *modules, name = schema.split("__")
            name = _camel(name)
            if name in names.values():
                name = _camel(modules[-1]) + name
            if name in names.values():
                raise SystemExit(f"two schemas would be called {name}: {schema} is one of them")
            names[schema] = name
        return names

    def type(self, schema: Any, *, prefix: str = "") -> str:
        """The type that a schema describes."""
        if "$ref" in schema:
            reference = schema["$ref"].rsplit("/", 1)[-1]
            if reference.startswith("ListOf_"):
                return f"Page[{prefix}{self.names[reference.removeprefix('ListOf_').rstrip('_')]}]"
            return prefix + self.names[reference]
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return " | ".join(dict.fromkeys(self.type(s, prefix=prefix) for s in schema[key]))
        if "allOf" in schema and len(schema["allOf"]) == 1:
            return self.type(schema["allOf"][0], prefix=prefix)
        return self._plain_type(schema, prefix)

    def _plain_type(self, schema: Any, prefix: str) -> str:
        match schema.get("type"):
            case "string":
                return "datetime" if schema.get("format") == "date-time" else "str"
            case "integer":
                return "int"
            case "number":
                return "float"
            case "boolean":
                return "bool"
            case "null":
                return "None"
            case "array":
                if "prefixItems" in schema:
                    return f"tuple[{', '.join(self.type(s, prefix=prefix) for s in schema['prefixItems'])}]"
                # in a resource ``list`` is a method
                return (
                    f"{'Sequence' if prefix else 'list'}[{self.type(schema.get('items', {}), prefix=prefix)}]"
                )
            case "object":
                values = schema.get("additionalProperties")
                inner = self.type(values, prefix=prefix) if isinstance(values, dict) and values else "Any"
                return f"dict[str, {inner}]"
            case None:
                return "Any"
            case other:
                raise SystemExit(f"no type for {other!r}")

    def models(self) -> str:
        """The module of all models."""
        code = _GENERATED.format("What the API takes and gives.")
        code += "from __future__ import annotations\n\n"
        code += "from datetime import datetime\nfrom typing import Any, Literal\n\n"
        code += "from pydantic import BaseModel, ConfigDict, Field\n\n"
        code += (
            'class Given(BaseModel):\n    """What the API gives; fields of a newer service are kept."""\n\n'
        )
        code += '    model_config = ConfigDict(extra="allow", populate_by_name=True)\n\n\n'
        code += 'class Taken(BaseModel):\n    """What the API takes; an unknown field is refused."""\n\n'
        code += '    model_config = ConfigDict(extra="forbid", populate_by_name=True)\n\n\n'
        plain = {s: n for s, n in self.names.items() if "properties" not in self.schemas[s]}
        for schema, name in sorted(plain.items(), key=lambda item: item[1]):
            # Aliases first: a class is whole when it is defined.
            code += f"{name} = {self.type(self.schemas[schema])}\n{_docstring(self.schemas[schema], indent=0)}\n\n"
        for schema, name in sorted(self.names.items(), key=lambda item: item[1]):
            if schema not in plain:
                code += self._model(name, self.schemas[schema])
        return code

    def _model(self, name: str, schema: Mapping[str, Any]) -> str:
        base = "Taken" if schema.get("additionalProperties") is False else "Given"
        code = f"class {name}({base}):\n{_docstring(schema)}\n"
        for field, inner in schema["properties"].items():
            kind = self.type(inner)
            safe = _safe(field)
            options = [] if safe == field else [f"alias={field!r}"]
            if field not in schema.get("required", ()):
                # What is left out is not sent: this value only stands for it here.
                default = inner.get("default")
                if default is None and "None" not in kind and kind != "Any":
                    kind += " | None"
                if isinstance(default, (dict, list)) and "$ref" in json.dumps(inner):
                    kind, default = f"{kind} | None" if "None" not in kind else kind, None
                options.insert(0, f"default={default!r}")
            value = (
                options[0].removeprefix("default=")
                if len(options) == 1 and options[0].startswith("default=")
                else ""
            )
            value = value or (f"Field({', '.join(options)})" if options else "")
            code += f"    {safe}: {kind}{f' = {value}' if value else ''}\n{_docstring(inner)}"
        return code + "\n\n"

    def resources(self) -> str:
        """The module of all resources, async."""
        code = _GENERATED.format("The API, one class for each noun.")
        code += "from __future__ import annotations\n\n"
        code += "from collections.abc import AsyncIterator, Callable, Sequence\n"
        code += "from datetime import datetime\nfrom typing import Any, Literal\n\n"
        code += "from casemend_client import models\n"
        code += "from casemend_client._async.transport import "
        code += "AsyncDownload, AsyncPages, AsyncTransport, Page, Resource\n"
        code += "from casemend_client._bodies import File, Form, quoted\n\n\n"
        groups = sorted({operation.group for operation in self.operations})
        for group in groups:
            code += f'class {_camel(group)}(Resource):\n    """``client.{group}``."""\n\n'
            for operation in self.operations:
                if operation.group == group:
                    code += self._method(operation)
        code += 'class Resources:\n    """All of them."""\n\n    def __init__(self, http: AsyncTransport) -> None:\n'
        return code + "".join(f"        self.{group} = {_camel(group)}(http)\n" for group in groups)

    def _method(self, operation: Operation) -> str:
        path = operation.path
        positional, keywords, call = [], [], []
        for parameter in operation.parameters("path"):
            positional.append(f"{parameter['name']}: str")
            path = path.replace(f"{{{parameter['name']}}}", f"{{quoted({parameter['name']})}}")
        path = f'f"{path}"' if positional else f'"{path}"'
        if _EVENTS in operation.answers:
            return self._event_methods(operation, positional, path)
        body, has_file = self._body(operation)
        if _FORM in operation.bodies:
            form, sent = self._form(operation.bodies[_FORM])
            keywords += form
            call.append(sent)
        elif body:
            positional.append(f"body: {body}")
            call.append("body=body")
        if has_file:
            keywords.append("content_type: str | None = None")
            call.append("content_type=content_type")
        for where, argument in (("query", "query"), ("header", "headers")):
            names = []
            for parameter in operation.parameters(where):
                kind = self.type(parameter["schema"], prefix="models.")
                required = parameter.get("required", False)
                kind = kind if required or "None" in kind else f"{kind} | None"
                name = _safe(parameter["name"])
                keywords.append(f"{name}: {kind}{'' if required else ' = None'}")
                names.append(f'"{parameter["name"]}": {name}')
            if names:
                call.append(f"{argument}={{{', '.join(names)}}}")
        arguments = ", ".join(["self", *positional, *(["*", *keywords] if keywords else [])])
        return self._signature_and_call(operation, arguments, path, call)

    def _signature_and_call(self, operation: Operation, arguments: str, path: str, call: list[str]) -> str:
        name, answers = operation.name, operation.answers
        text = _docstring(operation.spec, indent=8)
        query = next((c.removeprefix("query=") for c in call if c.startswith("query=")), "{}")
        if any(media != _JSON for media in answers):
            if operation.method != "GET":
                sent = ", ".join([f'"{operation.method}"', path, *call])
                return (
                    f"    async def {name}({arguments}) -> bytes:\n{text}"
                    f"        return await self._http.fetch({sent})\n\n"
                )
            return (
                f"    def {name}({arguments}) -> AsyncDownload:\n{text}"
                f"        return AsyncDownload(self._http, {path}, {query})\n\n"
            )
        kind = self.type(answers[_JSON], prefix="models.") if answers else "None"
        if kind.startswith("Page["):
            item = kind.removeprefix("Page[").removesuffix("]")
            return (
                f"    def {name}({arguments}) -> AsyncPages[{item}]:\n{text}"
                f"        return AsyncPages(self._http, {item}, {path}, {query})\n\n"
            )
        sent = ", ".join([kind, f'"{operation.method}"', path, *call])
        return (
            f"    async def {name}({arguments}) -> {kind}:\n{text}"
            f"        return await self._http.read({sent})\n\n"
        )

    def _body(self, operation: Operation) -> tuple[str, bool]:
        """The type of the body, empty without one, and whether it may be a file."""
        kinds = []
        for media, schema in operation.bodies.items():
            if media == _FORM:
                continue
            if media == _JSON and (schema or len(operation.bodies) == 1):
                kinds.append(self.type(schema, prefix="models."))
            else:
                kinds.append("File")
        has_file = "File" in kinds
        required = operation.spec.get("requestBody", {}).get("required", False)
        body = " | ".join(dict.fromkeys(kinds))
        if body and not required:
            body = f"{body} = None" if "None" in body else f"{body} | None = None"
        return body, has_file

    def _form(self, schema: Any) -> tuple[list[str], str]:
        """The keywords of a form's fields, and the argument that sends them."""
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[-1]]
        keywords, files, fields = [], [], []
        for name, inner in schema["properties"].items():
            binary = "binary" in json.dumps(inner) or "contentMediaType" in json.dumps(inner)
            kind = "File" if binary else self.type(inner, prefix="models.")
            if name not in schema.get("required", ()):
                kind = f"{kind} = None" if "None" in kind else f"{kind} | None = None"
            safe = _safe(re.sub(r"\W+", "_", name).strip("_"))
            keywords.append(f"{safe}: {kind}")
            (files if binary else fields).append(f'"{name}": {safe}')
        return keywords, f"body=Form({{{', '.join(files)}}}, {{{', '.join(fields)}}})"

    def _event_methods(self, operation: Operation, positional: list[str], path: str) -> str:
        read = next(
            (
                o
                for o in self.operations
                if o.group == operation.group and o.name == "get" and o.method == "GET"
            ),
            None,
        )
        (argument,) = positional
        name = argument.split(":")[0]
        code = f"""
    def events(self, {argument}, *, limit: int | None = None, after: str | None = None) -> AsyncPages[models.Event]:
        \"\"\"What happened so far, oldest first.\"\"\"
        return AsyncPages(self._http, models.Event, {path}, {{"limit": limit, "after": after}})

    def watch(self, {argument}, *, after: str | None = None) -> AsyncIterator[models.Event]:
        \"\"\"Every event as it happens, until the work is final; ``after``: the last one that is known.\"\"\"
        return self._http.watch({path}, after=after)

"""
        if read is None:
            return code
        kind = self.type(read.answers[_JSON], prefix="models.")
        return f"""{code}
    async def wait(
        self,
        {argument},
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = 1.0,
        on_update: Callable[[{kind}], None] | None = None,
        on_event: Callable[[models.Event], None] | None = None,
    ) -> {kind}:
        \"\"\"The object once it has succeeded; raises WorkFailed, WorkCancelled or WaitTimeout.\"\"\"
        return await self._http.wait(
            lambda: self.get({name}), {path}, timeout_seconds=timeout_seconds, poll_seconds=poll_seconds,
            on_update=on_update, on_event=on_event)

"""


def _operations(paths: Mapping[str, Any]) -> Iterator[Operation]:
    taken: set[tuple[str, str]] = set()
    for path, methods in paths.items():
        if not path.startswith("/v1/") or FACE.match(path):
            continue
        first, *rest = path.removeprefix("/v1/").split("/")
        group = GROUPS.get(first, first.replace("-", "_"))
        for method, spec in sorted(methods.items()):
            name = METHODS.get(spec["operationId"]) or _method_name(method, rest, spec)
            if (group, name) in taken:
                name = spec["operationId"]
            taken.add((group, name))
            yield Operation(method=method.upper(), path=path, group=group, name=name, spec=spec)


def _method_name(method: str, rest: Sequence[str], spec: Mapping[str, Any]) -> str:
    words = [part.replace("-", "_") for part in rest if not part.startswith("{")]
    if words:
        return "_".join(words)
    if method == "get":
        return "get" if rest or spec["operationId"].startswith("read_") else "list"
    return {"post": "create", "put": "set", "patch": "update", "delete": "delete"}[method]


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rsplit("/", 1)[-1]
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def _safe(name: str) -> str:
    name = name.replace("-", "_")
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"{name}_" if keyword.iskeyword(name) else name


def _docstring(spec: Mapping[str, Any], *, indent: int = 4) -> str:
    text = spec.get("description") or ("" if indent != 8 else spec.get("summary", ""))
    if not text:
        return ""
    lines = [
        line
        for paragraph in text.strip().split("\n\n")
        for line in (*textwrap.wrap(" ".join(paragraph.split()), 100), "")
    ][:-1]
    lines[0] = f'"""{lines[0]}'
    closing = ['"""'] if len(lines) > 1 or lines[-1].endswith('"') else []
    if not closing:
        lines[-1] += '"""'
    return "".join(f"{' ' * indent}{line}".rstrip() + "\n" for line in [*lines, *closing])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
