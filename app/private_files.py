"""Small files that nobody but their owner may read: keys and salts."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def write_private(path: Path, content: str) -> None:
    """The file appears whole, readable for its owner alone."""
    part = _private_part(path, content)
    part.replace(path)


def kept_secret(path: Path) -> str:
    """The secret in the file; made the first time. Processes that ask at once all get the one that is kept."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = _private_part(path, secrets.token_urlsafe(32))
        try:
            # Unlike a rename, a link never takes the place of a file that another process has just made.
            os.link(part, path)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return path.read_text().strip()


def _private_part(path: Path, content: str) -> Path:
    made, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)  # mode 0600
    with os.fdopen(made, "w") as file:
        file.write(content)
    return Path(name)
