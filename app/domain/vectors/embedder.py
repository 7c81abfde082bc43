"""What turns texts into vectors, as everything that compares texts sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from jaxtyping import Float32
from numpy import ndarray


class Embedder(Protocol):
    """Turns texts into unit vectors. ``name`` and ``fingerprint`` together are the cache's key."""

    name: str
    dimensions: int

    @property
    def fingerprint(self) -> str:
        """Short hex of the weights and of how they are used: other vectors, other fingerprint."""
        ...

    def encode(self, texts: Sequence[str]) -> Float32[ndarray, "n d"]:
        """Shape (n, dimensions), float32, each row of L2 norm 1 (0 for a text with no known token)."""
        ...
