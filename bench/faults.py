"""Is data of the kinds that people really have read, judged and repaired rightly, as seen over HTTP?

    python -m bench.faults --data FOLDER [--url URL --key KEY] [--only KIND] [--wrong] [--out FILE]

Reads the small inputs of a folder (each subfolder is a kind) and their siblings in ``bench/fault_siblings``,
sends each to a service, and prints what was expected beside what came. Without ``--url`` a service of its own is
started.
Exit code 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import harness
from bench.fault_folders import trials_of
from bench.fault_siblings import SIBLINGS
from bench.fault_siblings.trial import Http, Seen, Trial, always

CLIENTS = 2  # trials at a time: one is imported while another is diagnosed


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One check of one trial; ``got`` is empty where it holds."""

    kind: str
    name: str
    expected: str
    got: str


def tried(http: Http, trial: Trial) -> list[Line]:
    """Every check of a trial. What breaks a check (a failed diagnosis, say) is what was got."""
    seen = Seen(http, trial)
    lines = []
    for check in trial.checks:
        try:
            got = check.wrong(seen)
        except Exception as error:  # whatever came instead of an answer is the result
            got = f"{type(error).__name__}: {error}"
        lines.append(Line(kind=trial.kind, name=trial.name, expected=check.expected, got=got))
    lines += [Line(kind=trial.kind, name=trial.name, expected=e, got=g) for e, g in always(seen)]
    return lines


@contextmanager
def service(url: str | None, key: str | None) -> Iterator[tuple[str, str]]:
    """The address and key of the service to try: the given one, or one that lives as long as this run."""
    if url:
        yield url, key or ""
        return
    with harness.service() as client:
        yield client.url, client.key


def told(lines: Sequence[Line], *, every: bool) -> str:
    """The checks of one input; those that hold only where ``every``."""
    shown = [x for x in lines if x.got or every]
    out = [f"{shown[0].kind} | {shown[0].name}"] if shown else []
    for line in shown:
        out.append(f"  {'WRONG' if line.got else 'ok   '}  {line.expected}")
        if line.got:
            out.append(f"         got: {line.got[:600]}")
    return "\n".join(out)


def table(lines: Sequence[Line]) -> str:
    """Checks and wrong ones by kind."""
    out: list[str] = []
    count, wrong = Counter(x.kind for x in lines), Counter(x.kind for x in lines if x.got)
    out.append(f"\n{'kind':<60}{'checks':>8}{'wrong':>8}")
    out += [f"{kind:<60}{count[kind]:>8}{wrong[kind]:>8}" for kind in count]
    out.append(f"{'all':<60}{len(lines):>8}{sum(wrong.values()):>8}")
    return "\n".join(out)


def write(path: Path, lines: Sequence[Line]) -> None:
    rows = ({"kind": x.kind, "input": x.name, "expected": x.expected, "got": x.got} for x in lines)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--url")
    parser.add_argument("--key")
    parser.add_argument("--only", default="", help="kinds or inputs whose name holds this text")
    parser.add_argument("--wrong", action="store_true", help="print only what is wrong")
    parser.add_argument("--out", type=Path, help="write every check as JSON lines")
    given = parser.parse_args()
    trials = [*trials_of(given.data), *SIBLINGS]
    trials = [t for t in trials if given.only.lower() in f"{t.kind} {t.name}".lower()]
    trials.sort(key=lambda t: bool(t.cases))  # imports alone take a second each: they come first
    started = time.monotonic()
    with service(given.url, given.key) as (url, key), ThreadPoolExecutor(CLIENTS) as pool:
        http = Http(url, key)
        lines: list[Line] = []
        for found in pool.map(lambda t: tried(http, t), trials):
            lines += found
            if given.out:
                write(given.out, lines)
            text = told(found, every=not given.wrong)
            if text:
                print(text, flush=True)  # as it goes: the whole run takes minutes
    print(table(lines))
    print(f"{len(trials)} inputs in {time.monotonic() - started:.0f} s")
    return 1 if any(x.got for x in lines) else 0


if __name__ == "__main__":
    raise SystemExit(main())
