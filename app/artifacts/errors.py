"""What can be wrong with an artifact or the place that keeps it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class StorageFull(Exception):
    """There is no room left for the artifact; nothing was kept of it."""


class ArtifactTooLarge(Exception):
    """The upload is longer than its limit; nothing was kept of it."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the upload is longer than {limit_bytes:,} bytes; split it or send it gzipped")
        self.limit_bytes = limit_bytes


class ArtifactNotFound(LookupError):
    """No artifact has this address."""


class InvalidArtifactUri(ValueError):
    """The text is not an artifact's address."""


@contextmanager
def full_disk_translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(
            error.errno, "no room is left in the artifact store; free some and try again"
        ) from error
