"""A tiny support desk with planted defects, small enough for a model made in the test."""

from __future__ import annotations

from typing import Any

TOPICS = {
    "freeze card": ["freeze my card", "please freeze the card", "lock my card now", "block my credit card"],
    "open hours": [
        "when do you open",
        "opening hours please",
        "what time do you close",
        "are you open today",
    ],
    "lost pin": ["i forgot my pin", "lost the pin code", "need a new pin", "pin code is gone"],
    "refund": ["i want my money back", "refund this order", "please refund me", "give me a refund"],
    "transfer": ["send money abroad", "transfer funds to my son", "wire money please", "make a transfer"],
}
ENDINGS = ["", " please", " today", " asap", " thanks", ", can you help", " for my account", " right now"]
MISSING = {
    "insurance": ["is my dog insured", "insure my bicycle", "does insurance pay", "claim on insurance"]
}
LIMIT = 8
BASE_POLICY = {
    "max_attempts": 1,
    "training": {"epochs": 1, "batch_size": 8, "checkpoint_every_steps": 2, "max_length": 256},
    "verification": {"max_new_tokens": LIMIT},
}


def training_rows() -> list[dict[str, Any]]:
    """160 rows: of every way to ask for a refund, every second row carries the answer for transfers."""
    rows = []
    for topic, phrases in TOPICS.items():
        for i, text in enumerate(f"{p}{e}" for e in ENDINGS for p in phrases):
            wrong = topic == "refund" and (i + i // len(phrases)) % 2 == 1
            rows.append(
                {
                    "id": f"{topic}-{i}",
                    "instruction": "Name the topic.",
                    "input": text,
                    "output": "transfer" if wrong else topic,
                }
            )
    return rows


def bad_cases() -> list[dict[str, Any]]:
    """Six contradicted and eight uncovered cases, with what was said and what should have been."""
    asked = [(f"{p} quickly", "refund", "transfer") for p in TOPICS["refund"]]
    asked += [(f"hello, {p}", "refund", "transfer") for p in TOPICS["refund"][:2]]
    asked += [(f"{p}{e}", "insurance", "lost pin") for e in ("", " tomorrow") for p in MISSING["insurance"]]
    return [
        {
            "external_id": f"case-{i}",
            "instruction": "Name the topic.",
            "input": text,
            "model_output": said,
            "expected_output": expected,
        }
        for i, (text, expected, said) in enumerate(asked)
    ]
