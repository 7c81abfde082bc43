"""Every tool whose deliveries can be read: one file, and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.integrations import generic, label_studio, langfuse, mlflow, opentelemetry, promptfoo
from app.domain.integrations.mapping import FieldMapping
from app.domain.integrations.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """``read`` raises Unreadable. ``tag`` names the tool in URLs and as a case's ``source``. ``is_called``: it can be
    pulled from and pushed to."""

    tag: str
    title: str
    read: Callable[[bytes], Reading]
    mapping: FieldMapping
    is_called: bool = False


TOOLS: tuple[Tool, ...] = (
    Tool(
        tag="label-studio",
        title="Label Studio",
        read=label_studio.read,
        mapping=label_studio.DEFAULT_MAPPING,
        is_called=True,
    ),
    Tool(tag="langfuse", title="Langfuse", read=langfuse.read, mapping=langfuse.DEFAULT_MAPPING),
    Tool(tag="mlflow", title="MLflow", read=mlflow.read, mapping=mlflow.DEFAULT_MAPPING),
    Tool(
        tag="opentelemetry",
        title="OpenTelemetry",
        read=opentelemetry.read,
        mapping=opentelemetry.DEFAULT_MAPPING,
    ),
    Tool(tag="promptfoo", title="promptfoo", read=promptfoo.read, mapping=promptfoo.DEFAULT_MAPPING),
    Tool(tag="generic", title="CSV, JSON or JSON lines", read=generic.read, mapping=generic.DEFAULT_MAPPING),
)


def tool_tagged(tag: str) -> Tool | None:
    return next((tool for tool in TOOLS if tool.tag == tag), None)
