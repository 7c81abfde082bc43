"""Pages of docs/diagnosis, made from the code that they describe: the same on every machine.

One page for every root cause, symptom, recommended action and repair action. ``python -m app.docs_pages`` with
``--check`` fails where a page is missing, out of date or left over; with ``--write`` it writes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.reporting.doc_pages import KIND_NAMES, SECTIONS, Page, filled, pages, sections

FOLDER = Path("docs/diagnosis")


def page(of: Page) -> str:
    """One page as Markdown."""
    meaning, *rest = sections(of.name, of.text)
    kind = KIND_NAMES[of.folder][0].capitalize()
    lines = [f"# {of.name}", "", filled(f"*{kind}.* {meaning}"), ""]
    if of.facts:
        lines += [filled(" ".join(of.facts)), ""]
    for name, body in zip(SECTIONS, rest, strict=True):
        lines += [f"## {name}", "", body, ""]
    if of.leads_to:
        lines += ["## Recommended actions", ""]
        lines += [f"- [{name}](../actions/{name}.md)" for name in of.leads_to] + [""]
    source = of.source.replace(".", "/")
    return "\n".join([*lines, f"<sub>Made by `make docs` from `{source}.py`.</sub>", ""])


def index(of: tuple[Page, ...]) -> str:
    """The page that lists the pages."""
    lines = [
        "# What a diagnosis says",
        "",
        "Every word of a finding: what it means, how it is decided, what to do.",
    ]
    for folder, (_, title) in KIND_NAMES.items():
        lines += ["", f"## {title}", "", "| | means |", "|---|---|"]
        lines += [
            f"| [{p.name}]({p.path}) | {' '.join(p.summary.split())} |" for p in of if p.folder == folder
        ]
    return "\n".join([*lines, "", "<sub>Made by `make docs`.</sub>", ""])


def render() -> dict[str, str]:
    """Every file below ``FOLDER`` by its path, in order."""
    made = pages()
    return {"README.md": index(made), **{p.path: page(p) for p in made}}


def write(folder: Path = FOLDER) -> None:
    """Write every page; files that are no page any more are removed."""
    wanted = render()
    for path, content in wanted.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    for stale in set(_there(folder)) - set(wanted):
        (folder / stale).unlink()


def differences(folder: Path = FOLDER) -> tuple[str, ...]:
    """Paths of pages that are missing, out of date or left over."""
    wanted, there = render(), _there(folder)
    return tuple(sorted(p for p in {*wanted, *there} if wanted.get(p) != there.get(p)))


def _there(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.md")) if folder.exists() else []
    return {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in files}


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        write()
        return 0
    if arguments != ["--check"]:
        print("usage: python -m app.docs_pages --check | --write", file=sys.stderr)
        return 2
    stale = differences()
    if stale:
        print(
            f"out of date in {FOLDER}: {', '.join(stale)}; run `make docs` and commit them", file=sys.stderr
        )
    return int(bool(stale))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
