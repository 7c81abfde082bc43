"""Tokens as they come, text as it may go out: never half a character, never the beginning of a stop sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

REPLACEMENT = "\ufffd"


class TextStream:
    """``decode`` turns token ids into text. A character may need several tokens: until it is whole, the decoder
    writes a replacement character in its place."""

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str]) -> None:
        self._decode = decode
        self._stops = stops
        self._tokens: list[int] = []
        self._text = ""
        self._sent = 0
        self.stopped = False

    @property
    def text(self) -> str:
        """All of the answer so far, what is still held back included."""
        return self._text

    def add(self, token: int) -> str:
        """The text that may go out now; "" where it has to wait. Nothing more comes after ``stopped``."""
        self._tokens.append(token)
        self._text = self._decode(self._tokens)
        found = [at for stop in self._stops if (at := self._text.find(stop)) >= 0]
        if found:
            self.stopped = True
            self._text = self._text[: min(found)]
            return self.rest()
        ready = len(self._text)
        while ready and self._text[ready - 1] == REPLACEMENT:
            ready -= 1
        return self._upto(min(ready, len(self._text) - self._begun()))

    def rest(self) -> str:
        """What was held back, once no more comes."""
        return self._upto(len(self._text))

    def _begun(self) -> int:
        """Characters at the end with which a stop sequence may have begun."""
        longest = 0
        for stop in self._stops:
            for size in range(min(len(stop) - 1, len(self._text)), longest, -1):
                if self._text.endswith(stop[:size]):
                    longest = size
                    break
        return longest

    def _upto(self, end: int) -> str:
        piece = self._text[self._sent : max(end, self._sent)]
        self._sent = max(end, self._sent)
        return piece
