"""Why a row cannot be read."""

from __future__ import annotations


class RowError(Exception):
    """One row cannot become a training example: ``code`` for programs, ``message`` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[RowError], tuple[str, str]]:
        return type(self), (self.code, self.message)
