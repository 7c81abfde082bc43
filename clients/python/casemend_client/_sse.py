"""Server-sent events, taken apart."""

from __future__ import annotations


class Parser:
    """Takes bytes as they come, gives the data of each event that is whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[str]:
        *whole, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        return [data for event in whole if (data := _data(event))]


def _data(event: bytes) -> str:
    lines = (line for line in event.split(b"\n") if line.startswith(b"data:"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines).decode()
