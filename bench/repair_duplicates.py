"""Near-duplicates: planted copies found, signatures and whole jobs beside their peers, and growth to a million rows.

Every function prints what it measured and returns it JSON-ready; ``bench.repair`` calls them. Truth scores and
nothing else: what is compared with which settings is the product's default, but for the peers' thresholds,
which are chosen in their favour.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.repair import near_duplicates, sketches, thresholds
from bench import harness
from bench.perturbed import grown

EDITS = (0.05, 0.10, 0.20)
TARGETS = {0.05: 0.99, 0.10: 0.97, 0.20: 0.90}
PLANTED_SHARE = 0.1
MIN_CHARACTERS = 20
"""Of shorter texts one edit is more than five per cent."""


def edited(text: str, share: float, rng: np.random.Generator, *, digits: bool = False) -> str:
    """``text`` with ``share`` of its characters substituted, deleted or doubled by others from the same text.

    Digits and their neighbours stay unless ``digits``: a copy with another number is another question.
    """
    letters = [c for c in text if c.isalpha()]
    places = [
        i for i in range(len(text)) if digits or not any(c.isdigit() for c in text[max(0, i - 1) : i + 2])
    ]
    count = min(len(places), round(share * len(text)))
    if not letters or not count:
        return text
    made = list(text)
    for place in rng.choice(len(places), count, replace=False).tolist():
        at, letter = places[place], letters[int(rng.integers(len(letters)))]
        kind = int(rng.integers(3))
        made[at] = letter if kind == 0 else "" if kind == 1 else made[at] + letter
    return "".join(made)


def texts_of(data: Path) -> dict[str, list[str]]:
    """Distinct prompts by language: rows of the training set and of the sets of questions."""
    rows = harness.read_rows(data / "triage_dev_train.jsonl.gz")
    rows += harness.read_rows(data / "conflict_dev.jsonl.gz")
    whole = dict.fromkeys(str(r["input"]) for r in rows)
    kept = [t for t in whole if MIN_CHARACTERS <= len(t) <= 2000 or (_is_cjk(t) and len(t) >= 10)]
    return {"en": [t for t in kept if not _is_cjk(t)], "zh": [t for t in kept if _is_cjk(t)]}


def _is_cjk(of: str) -> bool:
    return sum("\u4e00" <= c <= "\u9fff" for c in of) * 2 > sum(c.isascii() and c.isalpha() for c in of)


def planted(
    data: Path, seeds: Sequence[int] = (0, 1, 2), *, digits: bool = False, lenient: bool = False
) -> dict[str, Any]:
    """Recall and precision on copies planted into all the real rows of a language, by share of edits.

    Pairs without a planted row are left out: real rows hold real near-duplicates that nobody labelled. A
    pair of a copy and another row than its original counts as wrong unless that row is one text with the original
    by the same method.
    """
    figures: dict[str, Any] = {}
    for language, texts in texts_of(data).items():
        for share in EDITS:
            runs = [_planted(texts, share, seed, digits=digits, lenient=lenient) for seed in seeds]
            mean = {k: round(float(np.mean([r[k] for r in runs])), 4) for k in runs[0]}
            mean["spread"] = round(float(np.std([r["recall"] for r in runs])), 4)
            figures[f"{language}_{share:.2f}"] = mean | {"target": TARGETS[share]}
            print(f"planted {language} {share:.0%}: {mean} target {TARGETS[share]}")
    return figures


def _planted(
    texts: Sequence[str], share: float, seed: int, *, digits: bool, lenient: bool
) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    chosen: list[int] = rng.choice(len(texts), round(PLANTED_SHARE * len(texts)), replace=False).tolist()
    copies = [edited(texts[i], share, rng, digits=digits) for i in chosen]
    found = near_duplicates.same_prompts(
        [*texts, *copies],
        [""] * (len(texts) + len(copies)),
        thresholds.NEAR_DUPLICATE_JACCARD,
        lenient=lenient,
    )
    clean = len(texts)
    source = {clean + i: of for i, of in enumerate(chosen)}
    original_group = {row: set(g) for g in _clean_groups(found, clean) for row in g}
    hits, right, wrong, strict = set[int](), 0, 0, 0
    for a, b in found.jaccards:
        for copy, other in ((a, b), (b, a)):
            if copy not in source:
                continue
            of = source.get(other, other)
            if of == source[copy]:
                hits.add(copy)
                right += 1
            elif of in original_group.get(source[copy], ()):
                strict += 1
            else:
                wrong += 1
    return {
        "copies": len(copies),
        "recall": len(hits) / max(len(copies), 1),
        "precision": (right + strict) / max(right + strict + wrong, 1),
        "precision_against_the_original_alone": right / max(right + strict + wrong, 1),
    }


def _clean_groups(found: near_duplicates.PromptGroups, clean: int) -> tuple[tuple[int, ...], ...]:
    return near_duplicates.connected(clean, [p for p in found.jaccards if max(p) < clean])


def signatures(data: Path, rows: int = 5000) -> dict[str, Any]:
    """Signatures a second of processor time on one core, ours and datasketch's, on the same real prompts.

    datasketch hashes character 5-grams as its documentation does, with as many permutations as ours has bins.
    """
    texts = [str(r["input"]) for r in harness.read_rows(data / "triage_dev_train.jsonl.gz")]
    sketches.signatures(texts[:100])
    ours = len(texts) / _processor_seconds(lambda: sketches.signatures(texts))
    peer = rows / _processor_seconds(lambda: [_datasketch(t) for t in texts[:rows]])
    made = {
        "ours_per_second": round(ours),
        "datasketch_per_second": round(peer),
        "ratio": round(ours / peer, 1),
    }
    print(f"signatures: {made}")
    return made


def job(data: Path, rows: int = 100_000, *, seed: int = 0, semantic_rows: int = 2000) -> dict[str, Any]:
    """The whole near-duplicate job: ours, datasketch's MinHashLSH, and MinHash with union-find (text-dedup's).

    A tenth of the rows are planted copies with 5, 10 or 20 per cent of edits of real rows, the others are grown
    from real ones. The truth is the pair of a copy and its original; each peer takes the best of its thresholds.
    SemHash embeds with the product's own default encoder, and is timed on ``semantic_rows`` rows.
    """
    texts, source = _job_rows(data, rows, seed)
    figures: dict[str, Any] = {"rows": rows}
    groups: list[tuple[tuple[int, ...], ...]] = []
    seconds = _processor_seconds(
        lambda: groups.append(
            near_duplicates.same_prompts(texts, [""] * rows, thresholds.NEAR_DUPLICATE_JACCARD).groups
        )
    )
    figures["ours"] = {"seconds": round(seconds, 2), **_pair_f1(groups[0], source)}
    print(f"job ours: {figures['ours']}")
    peers = {f"datasketch_{t}": t for t in (0.3, 0.5, 0.7)}
    for name, threshold in peers.items():
        found: list[tuple[tuple[int, ...], ...]] = []
        taken = _processor_seconds(lambda t=threshold, into=found: into.append(_lsh_groups(texts, t)))
        figures[name] = {
            "seconds": round(taken, 2),
            **_pair_f1(found[0], source),
            "ratio": round(taken / seconds, 1),
        }
        print(f"job {name}: {figures[name]}")
    figures["semhash"] = _semhash(texts[:semantic_rows], texts[-semantic_rows:])
    print(f"job semhash: {figures['semhash']}")
    return figures


def _job_rows(data: Path, rows: int, seed: int) -> tuple[list[str], dict[int, int]]:
    """Texts, and for the planted ones at the end the row that each was copied from."""
    rng = np.random.default_rng(seed)
    planted_rows = rows // 10
    base = grown(harness.read_rows(data / "triage_dev_train.jsonl.gz"), rows - planted_rows, seed=seed)
    texts = [str(r["input"]) for r in base]
    usable = [i for i, t in enumerate(texts) if len(t) >= MIN_CHARACTERS]
    chosen = rng.choice(usable, planted_rows, replace=False).tolist()
    copies = [edited(texts[i], EDITS[n % len(EDITS)], rng) for n, i in enumerate(chosen)]
    return [*texts, *copies], {len(texts) + n: i for n, i in enumerate(chosen)}


def _pair_f1(groups: Sequence[Sequence[int]], source: dict[int, int]) -> dict[str, float]:
    """Over the pairs of a planted copy with another row: those with its original are right."""
    right = wrong = 0
    for group in groups:
        members = set(group)
        copies = [row for row in group if row in source]
        kin = sum(source[row] in members for row in copies)
        right += kin
        wrong += sum(len(group) - 1 for _ in copies) - kin
    recall, precision = right / max(len(source), 1), right / max(right + wrong, 1)
    f1 = 2 * recall * precision / max(recall + precision, 1e-9)
    return {"recall": round(recall, 4), "precision": round(precision, 4), "pair_f1": round(f1, 4)}


def _datasketch(text: str) -> Any:
    from datasketch import MinHash

    made = MinHash(num_perm=thresholds.SKETCH_BINS)
    made.update_batch([text[i : i + 5].encode("utf-8", "replace") for i in range(max(1, len(text) - 4))])
    return made


def _lsh_groups(texts: Sequence[str], threshold: float) -> tuple[tuple[int, ...], ...]:
    """MinHashLSH and union-find over what it returns: the published method of text-dedup, too."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=thresholds.SKETCH_BINS)
    pairs: list[tuple[int, int]] = []
    for row, text in enumerate(texts):
        made = _datasketch(text)
        pairs.extend((int(str(other)), row) for other in index.query(made)[:50])
        index.insert(row, made)
    return near_duplicates.connected(len(texts), pairs)


def _semhash(head: Sequence[str], tail: Sequence[str]) -> dict[str, Any]:
    try:
        from semhash import SemHash  # pyright: ignore[reportMissingImports] - the extra "bench"
    except ImportError:
        return {"left_out": "semhash is not installed here"}
    from app.embedding import DEFAULT_EMBEDDER
    from workers.models.embedder import load_embedder

    class Encoder:
        def __init__(self) -> None:
            self._embedder = load_embedder(DEFAULT_EMBEDDER)

        def encode(self, inputs: Sequence[str], **_: object) -> np.ndarray:
            return self._embedder.encode(list(inputs))

    records = list(dict.fromkeys([*head, *tail]))
    encoder = Encoder()
    theirs = _processor_seconds(
        lambda: SemHash.from_records(records=records, model=encoder).self_deduplicate()
    )
    ours = _processor_seconds(
        lambda: near_duplicates.same_prompts(records, [""] * len(records), thresholds.NEAR_DUPLICATE_JACCARD)
    )
    return {
        "rows": len(records),
        "semhash_seconds": round(theirs, 2),
        "ours_seconds": round(ours, 2),
        "ratio": round(theirs / ours, 1),
    }


def growth(data: Path, sizes: Sequence[int] = (100_000, 1_000_000)) -> dict[str, Any]:
    """Processor seconds and peak memory by rows, each size in a process of its own; the exponent between the ends."""
    figures = {str(rows): _in_child(data, rows) for rows in sizes}
    seconds = [figures[str(rows)]["seconds"] for rows in sizes]
    exponent = float(np.log(seconds[-1] / seconds[0]) / np.log(sizes[-1] / sizes[0]))
    made = {**figures, "exponent": round(exponent, 3)}
    print(f"growth: {made}")
    return made


def _in_child(data: Path, rows: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.repair_duplicates", str(data), str(rows)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _measure(data: Path, rows: int) -> dict[str, float]:
    import resource

    texts = [str(r["input"]) for r in grown(harness.read_rows(data / "triage_dev_train.jsonl.gz"), rows)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frames = [""] * rows
    seconds = _processor_seconds(
        lambda: near_duplicates.same_prompts(texts, frames, thresholds.NEAR_DUPLICATE_JACCARD)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": round(seconds, 2), "peak_mib": peak // 1024, "texts_mib": before // 1024}


def _processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), int(sys.argv[2]))))
