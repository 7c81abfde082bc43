"""Content-addressed files in a local folder or behind any fsspec URL.

An artifact's address is the SHA-256 of its bytes, so the same content is kept once, nothing is ever changed
in place, and no text from outside becomes a path. A file appears under its address whole or not at all.

Does not know what artifacts are for, and when they are no longer wanted.
"""

from __future__ import annotations

from app.artifacts.places import ArtifactNotFound
from app.artifacts.store import (
    Artifact,
    ArtifactStore,
    ArtifactTooLarge,
    InvalidArtifactUri,
    StagedUpload,
    StorageFull,
)

__all__ = [
    "Artifact",
    "ArtifactNotFound",
    "ArtifactStore",
    "ArtifactTooLarge",
    "InvalidArtifactUri",
    "StagedUpload",
    "StorageFull",
]
