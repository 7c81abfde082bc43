"""What is new about a prompt: terms, length, sentence pattern and language that no training prompt has.

Evidence for a person beside distances, and array features for a model of coverage. Knows words and, for
scripts without spaces, pairs of characters. Does not know meaning: a synonym is a new term here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from app.domain.language import phrases, scripts, sentence_patterns, text
from app.domain.language.stop_words import STOP_WORDS

_NOVEL_TERMS: Final = 8
_NOVEL_TERM_CHARACTERS: Final = 40
_NOVEL_LENGTH_TAIL: Final = 0.01
"""A prompt longer or shorter than ninety-nine of a hundred is out of range."""

_NOVEL_SHARE: Final = 0.005
"""Share of the training prompts up to which a pattern or a language is new to the set."""

_NOVEL_SURE_SHARE: Final = 0.05
"""Share of the Latin prompts whose language must be sure before it is told from another."""

_LANGUAGE_SAMPLE_ROWS: Final = 3000
_SLIP_MIN_LETTERS: Final = 5
_SLIP_MAX_LETTERS: Final = 20

_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_WORDS: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_COMMANDS: Final = re.compile(r"\\[a-z]+")
_FUNCTION_CHARACTERS: Final = frozenset(
    character
    for table in ("never_in_a_term", "never_at_an_end", "between_words")
    for character in phrases.listed("stop_words", table)
)
_PARTICLES: Final = re.compile("(?<=..)[的地得了着](?=..)")
_SUFFIXES: Final = ("'s", "’s", "ies", "ing", "ed", "es", "ly", "er", "s", "d")
NOVELTY_FEATURES: Final = ("unseen_share", "length_extremity", "pattern_rarity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What the training prompts hold, as plain counts.

    ``terms``: rows by term. ``lengths``: length of each prompt in tokens, ascending. ``patterns``: rows by
    sentence pattern. ``written``: share 0..1 of the prompts by language (or script), from a sample of them.
    """

    rows: int
    terms: Mapping[str, int]
    lengths: Int64[ndarray, " n"]
    patterns: Mapping[str, int]
    written: Mapping[str, float]


def vocabulary(prompts: Sequence[str]) -> Vocabulary:
    """Read the training prompts once; without the task instructions in front, as far as they are known."""
    terms: Counter[str] = Counter()
    lengths: list[int] = []
    patterns: Counter[str] = Counter()
    distinct = Counter(prompts)
    for prompt, rows in distinct.items():
        folded = _folded(prompt)
        found, length = _terms(folded)
        for term in set(found):
            terms[term] += rows
        lengths.extend([length] * rows)
        patterns[sentence_patterns.pattern_of(folded)] += rows
    return Vocabulary(
        rows=len(prompts),
        terms=dict(terms),
        lengths=np.sort(np.array(lengths, dtype=np.int64)),
        patterns=dict(patterns),
        written=_written(list(distinct)),
    )


def _written(prompts: Sequence[str]) -> dict[str, float]:
    sample = prompts[:: max(1, len(prompts) // _LANGUAGE_SAMPLE_ROWS)]
    counts = Counter(scripts.writing(prompt) or "none" for prompt in sample)
    return {name: rows / len(sample) for name, rows in counts.items()}


def _folded(prompt: str) -> str:
    return text.clip(prompt).casefold()


def _without_commands(folded: str) -> str:
    """Without the commands of TeX: they are layout."""
    return _COMMANDS.sub(" ", folded) if "\\" in folded else folded


def _terms(folded: str) -> tuple[list[str], int]:
    """Words and pairs of unspaced characters in order, and the length in tokens, numbers included."""
    folded = _without_commands(folded)
    if folded.isascii():
        words = _WORDS.findall(folded)
        return words, len(words)
    runs = _UNSPACED.findall(folded)
    words = _WORDS.findall(_UNSPACED.sub(" ", folded))
    pairs = [run[i : i + 2] for run in runs for i in range(max(1, len(run) - 1))]
    return [*words, *pairs], len(words) + sum(map(len, runs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """``unseen``: new terms, the most telling first. ``unseen_share`` 0..1: their share of what the prompt
    says, weighted by how rare terms are. ``length_percentile`` and the shares 0..1 are of training prompts;
    ``embedder_knows`` None = not asked."""

    unseen: tuple[str, ...]
    unseen_share: float
    length: int
    length_percentile: float
    pattern: str
    pattern_share: float
    language: str
    language_share: float
    embedder_knows: bool | None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What stands out beside the unseen terms, one sentence each."""
        made: list[str] = []
        outside = min(self.length_percentile, 1.0 - self.length_percentile)
        if outside <= _NOVEL_LENGTH_TAIL:
            longer = self.length_percentile > 0.5
            share = self.length_percentile if longer else 1.0 - self.length_percentile
            of = "all prompts" if share == 1.0 else f"{np.floor(1000 * share) / 1000:.1%} of the prompts"
            made.append(f"{self.length} tokens are {'longer' if longer else 'shorter'} than {of}")
        if self.pattern_share <= _NOVEL_SHARE:
            made.append(f"{_of_prompts(self.pattern_share)} built alike ({self.pattern})")
        if self.language and self.language_share <= _NOVEL_SHARE:
            made.append(f"{_of_prompts(self.language_share)} in {self.language}")
        if self.embedder_knows is False:
            made.append(f"the embedder does not know {self.language}: distances say little")
        return tuple(made)


def _of_prompts(share: float) -> str:
    return f"only {share:.1%} of the training prompts are" if share else "no training prompt is"


def novelty(prompt: str, trained: Vocabulary, known_scripts: frozenset[str] | None = None) -> Novelty:
    """What is new about one prompt. ``known_scripts``: of ``scripts.SCRIPTS``, those the embedder knows."""
    folded = _folded(prompt)
    found, length = _terms(folded)
    rows = max(1, trained.rows)
    pattern = sentence_patterns.pattern_of(folded)
    language = scripts.writing(folded)
    written = scripts.shares(folded)
    main = next(iter(written), None)
    return Novelty(
        unseen=unseen_terms(prompt, trained),
        unseen_share=_unseen_share(found, trained, own=False),
        length=length,
        length_percentile=_rank(trained.lengths, length),
        pattern=pattern,
        pattern_share=trained.patterns.get(pattern, 0) / rows,
        language=language,
        language_share=_language_share(language, trained),
        embedder_knows=None if known_scripts is None or main is None else main in known_scripts,
    )


def _language_share(language: str, trained: Vocabulary) -> float:
    """Share 0..1 of the training prompts. Short prompts in Latin letters are of no sure language: they are
    taken to be divided as the sure ones are."""
    if language not in (*scripts.LATIN_LANGUAGES, "Latin"):
        return trained.written.get(language or "none", 0.0)
    sure = sum(trained.written.get(name, 0.0) for name in scripts.LATIN_LANGUAGES)
    latin = sure + trained.written.get("Latin", 0.0)
    if language == "Latin" or sure < _NOVEL_SURE_SHARE * latin:
        return latin
    return latin * trained.written.get(language, 0.0) / sure if sure else 0.0


def unseen_terms(prompt: str, trained: Vocabulary, limit: int = _NOVEL_TERMS) -> tuple[str, ...]:
    """Terms of the prompt that no training prompt holds, the most telling first.

    Pairs of characters that follow each other are one term. Function words, numbers, word forms of known
    words and likely typos come not at all or last.
    """
    folded = _without_commands(_folded(prompt))
    words = [w for w in dict.fromkeys(_WORDS.findall(_UNSPACED.sub(" ", folded))) if len(w) > 1]
    new = [w for w in words if w not in trained.terms and w not in STOP_WORDS]
    new = [w for w in new if not _form_of_known(w, trained.terms)]
    spelt = sorted(new, key=lambda w: (_slip(w, trained.terms), -min(len(w), 12)))
    passages = dict.fromkeys(
        p for run in _UNSPACED.findall(folded) for p in _new_passages(run, trained.terms)
    )
    longest = [p for p in passages if not any(p != other and p in other for other in passages)]
    ranked = [*sorted(longest, key=lambda p: -len(p)), *spelt]
    return tuple(t[:_NOVEL_TERM_CHARACTERS].encode("utf-8", "replace").decode() for t in ranked[:limit])


def _new_passages(run: str, known: Mapping[str, int]) -> list[str]:
    """Stretches of unspaced text whose every pair is new, without what belongs to the known words around.

    Where two known words meet (打开, 猫扑) the pair between them is new and says nothing: a character that
    forms a known pair with the one outside is cut off, and so are function characters.
    """
    made: list[str] = []
    start: int | None = None
    for i in range(len(run)):
        new = i + 1 < len(run) and run[i : i + 2] not in known
        if new and start is None:
            start = i
        if not new and start is not None:
            begin = start + (start > 0 and _joined(run[start - 1 : start + 1]))
            end = i + 1 - (i + 1 < len(run) and _joined(run[i : i + 2]))
            made.extend(_PARTICLES.split(run[begin:end]))
            start = None
    stripped = [p.strip("".join(_FUNCTION_CHARACTERS)) for p in made]
    return [p for p in stripped if len(p) > 1]


def _joined(pair: str) -> bool:
    """Whether a known pair may be a word: not where one of the two is a function character."""
    return not set(pair) & _FUNCTION_CHARACTERS


def _form_of_known(word: str, known: Mapping[str, int]) -> bool:
    stems = [word.removesuffix(s) for s in _SUFFIXES if word.endswith(s) and len(word) > len(s) + 2]
    forms = [f"{word}{s}" for s in ("s", "d", "ed", "ing")]
    return any(f in known for s in stems for f in (s, f"{s}e", f"{s}y")) or any(f in known for f in forms)


def _slip(word: str, known: Mapping[str, int]) -> bool:
    """Whether one letter more, fewer or other, or two that changed places, make a known word (Damerau 1964)."""
    if not _SLIP_MIN_LETTERS <= len(word) <= _SLIP_MAX_LETTERS:
        return False
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    return (
        any(head + tail[1:] in known for head, tail in cuts if tail)
        or any(head + tail[1] + tail[0] + tail[2:] in known for head, tail in cuts if len(tail) > 1)
        or any(head + letter + tail in known for head, tail in cuts for letter in ascii_lowercase)
        or any(head + letter + tail[1:] in known for head, tail in cuts if tail for letter in ascii_lowercase)
    )


def _unseen_share(found: Sequence[str], trained: Vocabulary, *, own: bool) -> float:
    """Unseen terms' share 0..1 of the inverse document frequencies of a prompt's terms; 0 for no term."""
    less = int(own)
    total = unseen = 0.0
    for term in set(found):
        rows = trained.terms.get(term, 0) - less
        weight = np.log((trained.rows + 1) / (max(rows, 0) + 1))
        total += weight
        unseen += weight * (rows <= 0)
    return float(unseen / total) if total else 0.0


def _rank(ascending: Int64[ndarray, " n"], value: int) -> float:
    """Share 0..1 of the values below, equal ones half; .5 for none."""
    if not len(ascending):
        return 0.5
    below = np.searchsorted(ascending, value, side="left") + np.searchsorted(ascending, value, side="right")
    return float(below) / (2 * len(ascending))


def novelty_features(
    prompts: Sequence[str], trained: Vocabulary, *, own: bool = False
) -> Float64[ndarray, "q f"]:
    """``NOVELTY_FEATURES`` of many prompts, each 0..1, larger = newer. Shape (q, 3).

    ``unseen_share``: unseen terms' share of the prompt's inverse document frequencies. ``length_extremity``:
    0 = of median length, 1 = longer or shorter than every training prompt. ``pattern_rarity``: 0 = built as
    all training prompts are, 1 = as none is (logarithmic). ``own``: the prompts are training prompts and
    each is read with itself left out; without it a training prompt has no unseen term.
    """
    made = np.zeros((len(prompts), len(NOVELTY_FEATURES)))
    scale = np.log(trained.rows + 1) or 1.0
    cached: dict[str, tuple[float, float, float]] = {}
    for row, prompt in enumerate(prompts):
        values = cached.get(prompt)
        if values is None:
            folded = _folded(prompt)
            found, length = _terms(folded)
            alike = max(0, trained.patterns.get(sentence_patterns.pattern_of(folded), 0) - int(own))
            values = cached[prompt] = (
                _unseen_share(found, trained, own=own),
                abs(2 * _rank(trained.lengths, length) - 1),
                min(1.0, float(np.log((trained.rows + 1) / (alike + 1)) / scale)),
            )
        made[row] = values
    return made
