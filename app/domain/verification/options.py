"""What a user may set of an evaluation and of a verification."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.domain.section import Section, Seed, Whole
from app.domain.verification.gate import GateSettings

MaxNewTokens = Annotated[Whole, Field(ge=1, le=4096)]


class EvaluationOptions(Section):
    """How a model is asked."""

    title = "options"
    max_new_tokens: MaxNewTokens | None = None
    """Longest answer in tokens; null: from the longest expected answer."""


class VerificationOptions(EvaluationOptions):
    """How the models are asked, and what the gate allows."""

    seed: Seed = 0
    gate: GateSettings = Field(default_factory=GateSettings)
