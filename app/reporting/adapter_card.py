"""The model card that goes with an adapter: what it was made from, how, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.pipeline import Gate
from app.reporting.markdown_evidence import table
from app.reporting.markdown_text import cell, escaped
from app.reporting.report_words import percent
from app.services.training.adapters import AdapterHistory

_RATES = (
    ("fix_rate", "Bad cases answered right now"),
    ("held_back_fix_rate", "Of these, never trained on"),
)


def written(history: AdapterHistory, *, merged: bool = False) -> str:
    """A README as model hubs read it: front matter, Markdown. ``merged``: of the adapter merged with its base."""
    return "\n".join(_lines(history, merged=merged)) + "\n"


def _lines(history: AdapterHistory, *, merged: bool) -> Iterator[str]:
    card = history.card
    published = str(card.get("base_model_published") or history.base_model)
    yield from (
        "---",
        f"library_name: {'transformers' if merged else 'peft'}",
        f"base_model: {json.dumps(published)}",
        "tags: [lora, casemend]",
        "---",
        "",
    )
    yield f"# {'Merge of LoRA' if merged else 'LoRA'} adapter {cell(history.id)}"
    yield ""
    revision = cell(str(card.get("base_model_revision") or "unknown"))
    yield f"{'With' if merged else 'For'} {cell(published)}, weights {revision}."
    if published != history.base_model:
        yield f"It was trained on a copy that the service calls {cell(history.base_model)}."
    yield ""
    yield "```python"
    loader = "AutoModelForCausalLM" if merged else "AutoPeftModelForCausalLM"
    if merged:
        yield f"from transformers import {loader}, AutoTokenizer"
    else:
        yield from (f"from peft import {loader}", "from transformers import AutoTokenizer")
    yield ""
    yield f'model = {loader}.from_pretrained(".")  # this folder'
    yield 'tokenizer = AutoTokenizer.from_pretrained(".")'
    yield "```"
    yield from ("", "## Verification", "")
    yield from _verification(history)
    yield from ("", "## Made from", "")
    made_from = [
        ("Dataset", history.dataset or "deleted since"),
        ("Dataset version", card.get("dataset_version_id")),
        ("Its content hash", card.get("dataset_content_hash")),
        ("Mixture", card.get("mixture_id")),
        ("Its content hash", card.get("mixture_content_hash")),
        ("Continued from adapter", card.get("init_adapter_id")),
        ("Training job", card.get("training_job_id")),
    ]
    yield from table(("", ""), [(name, cell(str(value))) for name, value in made_from if value])
    yield from ("", "## Training", "")
    yield from table(("", ""), [(name, cell(value)) for name, value in _training(card)])


def _verification(history: AdapterHistory) -> Iterator[str]:
    verified = history.verified
    if verified is None:
        yield "Not verified: nothing is known about what it fixes and what it breaks."
        return
    rows = []
    for name, says in _RATES:
        rate = verified.get(name) or {}
        if rate.get("rate") is not None:
            rows.append((says, _rate(rate)))
    retention = verified.get("retention")
    if retention is not None:
        rows.append(("Kept of the score on what must not be forgotten", percent(retention["mean"])))
    yield from table(("", ""), rows)
    gate = verified.get("gate") or {}
    unproven = Gate.INCONCLUSIVE if retention is None else Gate.REJECTED
    outcome = history.gate or (Gate.ACCEPTED if gate.get("accepted") else unproven)
    reasons = "; ".join(map(str, gate.get("reasons") or ()))
    yield ""
    yield f"Gate: **{escaped(outcome)}**" + (f" ({escaped(reasons)})" if reasons else "")


def _rate(rate: Mapping[str, Any]) -> str:
    between = f"95% interval {percent(rate['low'])} to {percent(rate['high'])}"
    return f"{percent(rate['rate'])} of {rate['n']} ({between})"


def _training(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in {**card.get("hyperparameters", {}), **card.get("training", {})}.items():
        if name != "base_model" and value not in (None, {}, []):
            yield name, f"{value:.4g}" if isinstance(value, float) else str(value)
