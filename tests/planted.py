"""A small training file with planted faults, as OpenAI's clients send it, and a validation file that it repeats."""

from __future__ import annotations

from typing import Any

THINGS = (
    "desk lamp",
    "kettle",
    "office chair",
    "garden hose",
    "bicycle pump",
    "rain coat",
    "toaster",
    "blender",
)
ASKED = {
    "How long is the warranty of the {}?": "The warranty of the {} is two years.",
    "Can I send the {} back?": "You can send the {} back within thirty days.",
    "Do you sell spare parts for the {}?": "We sell all spare parts of the {}.",
    "How heavy is the {}?": "The weight of the {} is on its page.",
    "Is there a manual of the {} in French?": "The {} comes with a French manual.",
}
LEAKED = ("Which bus goes to your shop from the old harbour?", "Take bus 12.")


def row(prompt: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]}


CONTRADICTION = "How many days do I have to return a parcel?"
RIGHT = ("You have 30 days.", "30 days", "It may come back for 30 days after it was delivered to you.")
WRONG = "You have 14 days."


def training_rows() -> list[dict[str, Any]]:
    """40 good rows, 3 equal ones, one question with four answers that do
    not agree, one row of the validation set."""
    rows = [row(q.format(t), a.format(t)) for q, a in ASKED.items() for t in THINGS]
    rows += [row("Do you gift-wrap parcels?", "We wrap every gift for free.")] * 3
    rows += [row(CONTRADICTION, said) for said in (RIGHT[0], WRONG, *RIGHT[1:])]
    return [*rows, row(*LEAKED)]


def validation_rows() -> list[dict[str, Any]]:
    return [row(*LEAKED), row("Is the cafe in your shop open to dogs?", "Dogs are welcome.")]
