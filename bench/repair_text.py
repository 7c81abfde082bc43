"""Normalisation and personal data: what they touch in real rows, what they find where it was planted, how fast.

``normalisation`` and ``personal_data`` take the folder with the data and return JSON-ready figures; ``python -m
bench.repair_text --data FOLDER`` prints them. Planted data comes from the ``faker`` package, put into sentences
made here and into real rows; speeds are rows a second of one core's time. Presidio's own recognisers, without a
language model, are the peer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.policy.repair_policy import RepairPolicy
from app.domain.repair.rewriting import normalisation_step, pii_step
from app.domain.repair.rewriting.normalisation import normalise_text
from app.domain.repair.rewriting.normalisation.text_rule import pieces_of
from app.domain.repair.rewriting.pii import find_pii
from app.domain.repair.uniformity import step as uniformity_step
from bench.harness import read_rows
from bench.planted_pii import plant

Found = list[tuple[str, int, int]]

_PROMPT_FIELDS = ("input", "text", "text_a", "a", "prompt", "question")
_OUTPUT_FIELDS = ("output", "expected_output", "label", "text_b", "b")


def examples_of(path: Path) -> list[TrainingExample]:
    """A bench file's rows as training examples; none where its rows hold no text."""
    made = []
    for number, row in enumerate(read_rows(path)):
        varying = next((str(row[f]) for f in _PROMPT_FIELDS if row.get(f)), "")
        instruction = str(row.get("instruction") or "")
        prompt = f"{instruction}\n{varying}" if instruction and varying else instruction or varying
        if prompt:
            output = next((str(row[f]) for f in _OUTPUT_FIELDS if row.get(f)), "")
            turns = (
                Message(role=Role.USER, content=prompt),
                Message(role=Role.ASSISTANT, content=output),
            )
            made.append(
                TrainingExample(
                    id=f"{path.stem}:{number}",
                    messages=turns,
                    instruction_length=len(instruction) if instruction and varying else 0,
                )
            )
    return made


def files_of(data: Path) -> dict[str, list[TrainingExample]]:
    found = {str(path.relative_to(data)): examples_of(path) for path in sorted(data.rglob("*.jsonl.gz"))}
    return {name: rows for name, rows in found.items() if rows}


def normalisation(data: Path) -> dict[str, Any]:
    """For each file: rows changed by each rule, whether a second run changes anything, spans kept, rows a second."""
    return {name: _normalised(rows) for name, rows in files_of(data).items()}


def _normalised(rows: Sequence[TrainingExample]) -> dict[str, Any]:
    draft, material = Draft.of(rows, RepairPolicy()), _material(len(rows))
    start = time.process_time()
    normalisation_step.propose(draft, material)
    seconds = time.process_time() - start
    texts = [m.content for row in rows for m in row.messages]
    clean = [normalise_text(text) for text in texts]
    spans = [(p, c) for p, c in zip(texts, clean, strict=True) if len(pieces_of(p)[0]) > 1]
    sure = Counter(str(action.evidence["rule"]) for action in draft.actions)
    start = time.process_time()
    uniformity_step.propose(draft, material)
    guessed = Counter(str(action.evidence["rule"]) for action in draft.actions)
    guessed.subtract(sure)
    return {
        "rows": len(rows),
        "sure": {rule: round(n / len(rows), 5) for rule, n in sure.items()},
        # Judged with vectors that say nothing: templates are told apart by their task alone.
        "waiting": {rule: round(n / len(rows), 5) for rule, n in guessed.items() if n},
        "changed_again": sum(normalise_text(text) != text for text in clean),
        "digits_changed": sum(_digits(a) != _digits(b) for a, b in zip(texts, clean, strict=True)),
        "texts_with_spans": len(spans),
        "spans_changed": sum(pieces_of(p)[0][1::2] != pieces_of(c)[0][1::2] for p, c in spans),
        "emptied": sum(bool(a.strip()) and not b.strip() for a, b in zip(texts, clean, strict=True)),
        "rows_per_second": round(len(rows) / seconds),
        "uniformity_rows_per_second": round(len(rows) / (time.process_time() - start)),
    }


def _digits(text: str) -> list[int]:
    return [int(c) for c in text if c.isdecimal()]


def _material(rows: int) -> PlanInputs:
    return PlanInputs(
        input_vectors=np.ones((rows, 1), dtype=np.float32),
        output_vectors=np.ones((rows, 1), dtype=np.float32),
    )


def personal_data(data: Path, *, planted: int = 300, peer_rows: int = 1_000, seed: int = 0) -> dict[str, Any]:
    """Hits in real rows, recall on planted values, speed; ``peer_rows`` rows of each file go to the peer."""
    rng = np.random.default_rng(seed)
    files = files_of(data)
    peer = presidio()
    real: dict[str, Any] = {}
    for name, rows in files.items():
        sample = [rows[i] for i in sorted(rng.permutation(len(rows))[:peer_rows])]
        figures: dict[str, Any] = {"rows": len(rows), **_step_speed(rows)}
        figures["hits"] = _hits(rows, ours)
        figures["sample"] = {"rows": len(sample), "ours": _hits(sample, ours)}
        if peer is not None:
            start = time.process_time()
            figures["sample"]["presidio"] = _hits(sample, peer)
            figures["sample"]["presidio_rows_per_second"] = round(len(sample) / (time.process_time() - start))
        real[name] = figures
    carriers = [m.content for rows in files.values() for row in rows for m in row.messages[:1]]
    cases = plant(rng, [text for text in carriers if not find_pii(text)], planted)
    return {
        "real": real,
        "planted": {
            "ours": _recall(cases, ours),
            **({"presidio": _recall(cases, peer)} if peer is not None else {}),
        },
        "peer": "presidio-analyzer, pattern recognisers"
        if peer is not None
        else "presidio-analyzer is not installed",
    }


def ours(text: str) -> Found:
    return [(match.kind.value, match.start, match.end) for match in find_pii(text)]


def _step_speed(rows: Sequence[TrainingExample]) -> dict[str, Any]:
    draft = Draft.of(rows, RepairPolicy())
    start = time.process_time()
    pii_step.propose(draft, _material(len(rows)))
    return {"rows_per_second": round(len(rows) / (time.process_time() - start))}


def _hits(rows: Iterable[TrainingExample], find: Callable[[str], Found]) -> dict[str, int]:
    """Rows with at least one hit, by kind."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update({kind for m in row.messages for kind, _, _ in find(m.content)})
    return dict(counts)


# What a planted kind is called by the peer.
_PEER_NAMES = {
    "email": "EMAIL_ADDRESS",
    "bank_card": "CREDIT_CARD",
    "iban": "IBAN_CODE",
    "ip": "IP_ADDRESS",
    "phone": "PHONE_NUMBER",
    "ssn": "US_SSN",
}


def presidio() -> Callable[[str], Found] | None:
    """Presidio's recognisers of patterns, as its analyser would call them; None where it is not installed."""
    try:
        from presidio_analyzer import predefined_recognizers as known  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    import tldextract  # pyright: ignore[reportMissingImports]

    class Email(known.EmailRecognizer):
        # Its list of domains would be fetched from the network; the copy inside the package serves.
        extract = tldextract.TLDExtract(suffix_list_urls=())

        def validate_result(self, pattern_text: str) -> bool:
            return self.extract(pattern_text).fqdn != ""

    recognisers: list[Any] = [
        Email(),
        known.CreditCardRecognizer(),
        known.IbanRecognizer(),
        known.IpRecognizer(),
        known.PhoneRecognizer(supported_regions=("US", "GB", "CN", "DE", "FR", "IN")),
        known.UsSsnRecognizer(),
    ]
    kinds = {theirs: kind for kind, theirs in _PEER_NAMES.items()}

    def find(text: str) -> Found:
        return [
            (kinds[result.entity_type], result.start, result.end)
            for recogniser in recognisers
            for result in recogniser.analyze(text, recogniser.supported_entities, None) or ()
            # The analyser's own default threshold is 0; below .3 its patterns say "weak" themselves.
            if result.score >= 0.3 and result.entity_type in kinds
        ]

    return find


def _recall(cases: Sequence[tuple[str, str, int, int]], find: Callable[[str], Found]) -> dict[str, Any]:
    """By kind: values found with nine tenths of their characters, and found only in part."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    other: Counter[str] = Counter()
    for name, text, start, end in cases:
        kind = name.split()[1]
        covered = 0
        for said, at, stop in find(text):
            shared = min(end, stop) - max(start, at)
            if shared > 0 and said == kind:
                covered = max(covered, shared)
            elif shared <= 0:
                other[said] += 1
        found[name].append(covered / (end - start))
    return {
        "kinds": {
            name: {
                "n": len(shares),
                "recall": round(float(np.mean([s >= 0.9 for s in shares])), 4),
                "touched": round(float(np.mean([s > 0 for s in shares])), 4),
            }
            for name, shares in found.items()
        },
        "elsewhere": dict(other),
    }


def show(figures: Mapping[str, Any], console: Console) -> None:
    if "normalisation" in figures:
        table = Table(
            "file",
            "rows",
            "rows/s",
            "guesses rows/s",
            "again",
            "digits",
            "spans",
            "emptied",
            "sure",
            "waiting",
        )
        for name, f in figures["normalisation"].items():
            table.add_row(
                name,
                str(f["rows"]),
                str(f["rows_per_second"]),
                str(f["uniformity_rows_per_second"]),
                str(f["changed_again"]),
                str(f["digits_changed"]),
                f"{f['spans_changed']}/{f['texts_with_spans']}",
                str(f["emptied"]),
                _shares(f["sure"]),
                _shares(f["waiting"]),
            )
        console.print(table)
    if "personal_data" in figures:
        made = figures["personal_data"]
        table = Table("file", "rows", "rows/s", "hits", "sample", "ours", "presidio", "presidio rows/s")
        for name, f in made["real"].items():
            sample = f["sample"]
            table.add_row(
                name,
                str(f["rows"]),
                str(f["rows_per_second"]),
                str(f["hits"]),
                str(sample["rows"]),
                str(sample["ours"]),
                str(sample.get("presidio", "-")),
                str(sample.get("presidio_rows_per_second", "-")),
            )
        console.print(table)
        table = Table(
            "planted", "n", *(f"{who}: {what}" for who in made["planted"] for what in ("recall", "touched"))
        )
        for kind, first in made["planted"]["ours"]["kinds"].items():
            cells = [made["planted"][who]["kinds"][kind] for who in made["planted"]]
            table.add_row(
                kind, str(first["n"]), *(f"{c[w]:.3f}" for c in cells for w in ("recall", "touched"))
            )
        console.print(table)
        console.print({who: planted["elsewhere"] for who, planted in made["planted"].items()})


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{rule.removeprefix('normalise_')} {share:.2%}" for rule, share in shares.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    figures = {"normalisation": normalisation(given.data), "personal_data": personal_data(given.data)}
    show(figures, Console(width=200))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
